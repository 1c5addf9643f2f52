/**
 * Who GitHub says that the app is, and what a token that was made for it reaches: asked with the app's key and with the
 * token itself. Each part is left out where GitHub does not say it.
 */
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { EndContext, IssuerAnswer, Minted } from "../../kind.ts";
import { type AskGithub, apiUrlOf, connectToGithub, parseJson } from "./api.ts";
import { parseAppKey, signAppToken } from "./key.ts";
import { SETTLING_PAUSES_MS } from "./revocation.ts";

/** GitHub's own limit of a page. */
const MAX_REPOSITORIES = 100;

const App = z.object({ slug: z.string().min(1) });
const Reach = z.object({
  total_count: z.int(),
  repositories: z.array(z.object({ full_name: z.string() })).max(MAX_REPOSITORIES),
});

type Context = EndContext<"github-app">;

export async function identifyApp(
  { value, scope = [] }: Minted,
  context: Context,
): Promise<readonly string[]> {
  const ask = connectToGithub(apiUrlOf(context.entry), context);
  return [
    ...(await findSlug(ask, context)),
    ...(value === undefined ? [] : await findReach(ask, value)),
    ...(scope.length === 0 ? [] : [`permissions: ${scope.join(", ")}`]),
  ];
}

async function findSlug(ask: AskGithub, { secret, entry, now }: Context): Promise<readonly string[]> {
  const parsed = parseAppKey(secret ?? new Uint8Array());
  if (!parsed.ok) return [];
  const token = await signAppToken(parsed.key, entry.app_id, now());
  const asked = await ask({ method: "GET", path: "/app", token });
  const app = asked.ok ? App.safeParse(parseJson(asked.answer.body)) : undefined;
  return app?.success === true ? [`app: ${app.data.slug}`] : [];
}

async function findReach(ask: AskGithub, token: string): Promise<readonly string[]> {
  const answer = await askSettling(ask, token);
  const reach = Reach.safeParse(parseJson(answer?.body ?? ""));
  if (!reach.success) return [];
  const { total_count: total, repositories } = reach.data;
  const more = total - repositories.length;
  const names = repositories.map(({ full_name }) => full_name).join(", ");
  return [`repositories: ${names}${more > 0 ? ` and ${more} more` : ""}`];
}

/** A token so young may be unknown to a part of GitHub. */
async function askSettling(ask: AskGithub, token: string): Promise<IssuerAnswer | undefined> {
  const path = `/installation/repositories?per_page=${MAX_REPOSITORIES}`;
  for (const pauseMs of [0, ...SETTLING_PAUSES_MS]) {
    await wait(pauseMs);
    const asked = await ask({ method: "GET", path, token });
    if (!asked.ok) return undefined;
    if (asked.answer.status !== 401) return asked.answer;
  }
  return undefined;
}
