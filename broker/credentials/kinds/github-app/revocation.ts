/** How an installation token is ended. GitHub's not knowing it counts as its end only once it must have known it. */
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { EndResult, EndContext } from "../../kind.ts";
import { unavailable } from "../../minting/mint-failure.ts";
import { type AskGithub, connectToGithub, explainGithub } from "./api.ts";

/** Seen up to 5 s: a token is known to all of GitHub only some time after it was made. */
export const SETTLES_WITHIN_MS = 10_000;
/** Between questions about one that GitHub may not know yet: together longer than it takes to settle. */
export const SETTLING_PAUSES_MS = [250, 750, 1_500, 3_000, 5_000] as const;

/** The API is part of it: a document that names another one later must not be sent this token. */
const Ticket = z.strictObject({
  api: z.string(),
  token: z.string(),
  mintedAt: z.int(),
  expiresAt: z.int(),
});

type Context = EndContext<"github-app">;

export const writeTicket = (ticket: z.infer<typeof Ticket>): string => JSON.stringify(ticket);

export async function endByTicket(text: string, context: Context): Promise<EndResult> {
  const { api, token, mintedAt, expiresAt } = Ticket.parse(JSON.parse(text));
  const now = context.now();
  if (expiresAt <= now) return { ok: true };
  return revoke(connectToGithub(api, context), {
    token,
    hasSettled: now - mintedAt > SETTLES_WITHIN_MS,
    now,
  });
}

/** False: GitHub did not say that it is gone. */
export async function endAtOnce(ask: AskGithub, token: string, now: Context["now"]): Promise<boolean> {
  for (const delayMs of [0, ...SETTLING_PAUSES_MS]) {
    await wait(delayMs);
    const isLast = delayMs === SETTLING_PAUSES_MS.at(-1);
    const ended = await revoke(ask, { token, hasSettled: isLast, now: now() });
    if (ended.ok) return true;
  }
  return false;
}

interface Revocation {
  readonly token: string;
  /** Whether GitHub's not knowing it means that it is gone. */
  readonly hasSettled: boolean;
  readonly now: number;
}

async function revoke(ask: AskGithub, { token, hasSettled, now }: Revocation): Promise<EndResult> {
  const asked = await ask({ method: "DELETE", path: "/installation/token", token });
  if (!asked.ok) return asked;
  const { status } = asked.answer;
  if (status === 204 || (status === 401 && hasSettled)) return { ok: true };
  return status === 401 || (status === 403 && !hasSettled)
    ? unavailable("GitHub does not know the token yet, so it cannot be ended yet.")
    : explainGithub(asked.answer, {}, now);
}
