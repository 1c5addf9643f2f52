/**
 * Where an app is installed: at the owner of the run's repository, or nowhere. The owner's id decides, and what the
 * installation was not granted is told by its name before a token is asked for.
 */
import type { EndContext, MintFailure } from "../../kind.ts";
import { refused } from "../../minting/mint-failure.ts";
import { type AskGithub, explainGithub, parseJson } from "./api.ts";
import { Installation, type Wanted, listUngranted } from "./narrowing.ts";

type Found = { readonly ok: true; readonly installationId: number } | MintFailure;

interface Lookup {
  readonly appToken: string;
  readonly wanted: Wanted;
  readonly now: EndContext<"github-app">["now"];
}

export async function findInstallation(ask: AskGithub, { appToken, wanted, now }: Lookup): Promise<Found> {
  const { owner, runRepository, names, ownerId, permissions } = wanted;
  const name = names?.[0] ?? runRepository.name;
  const asked = await askForInstallation(ask, appToken, wanted);
  if (!asked.ok) return asked;
  if (asked.answer.status !== 200) {
    const moved = `${owner}/${name} was renamed or moved: write its present name.`;
    const sentences = {
      ...{ 301: moved, 302: moved, 307: moved, 308: moved },
      403: "GitHub does not let the app in: it may be blocked or suspended.",
      404: `The app is not installed on ${owner}/${name}: install it there, or add the repository to its installation.`,
    };
    return explainGithub(asked.answer, sentences, now());
  }
  const installation = Installation.safeParse(parseJson(asked.answer.body));
  if (!installation.success)
    return refused("GitHub's answer about the installation cannot be read: is api_url GitHub's REST API?");
  const { id, account, permissions: granted, suspended_at } = installation.data;
  if (String(account.id) !== ownerId) {
    return refused(
      `The installation that GitHub names for ${owner}/${name} is another owner's: ${owner} may be somebody else by now.`,
    );
  }
  if (suspended_at !== undefined && suspended_at !== null) {
    return refused(`The app's installation at ${owner} is suspended: an owner of ${owner} can unsuspend it.`);
  }
  const ungranted = listUngranted(permissions, granted);
  return ungranted.length === 0
    ? { ok: true, installationId: id }
    : refused(
        `The app was not granted ${ungranted.join(", ")} at ${owner}: add it to the app, and have an owner accept it.`,
      );
}

/** No address that GitHub names is followed: where the run's repository has a new name, its id finds it. */
async function askForInstallation(ask: AskGithub, token: string, wanted: Wanted): ReturnType<AskGithub> {
  const { owner, runRepository, names } = wanted;
  const parts = [owner, names?.[0] ?? runRepository.name];
  if (parts.some((part) => part === "." || part === ".."))
    return refused(`${parts.join("/")} is no repository.`);
  const path = `/repos/${parts.map(encodeURIComponent).join("/")}/installation`;
  const asked = await ask({ method: "GET", path, token });
  const isMoved = asked.ok && [301, 302, 307, 308].includes(asked.answer.status);
  return isMoved && names === undefined
    ? ask({
        method: "GET",
        path: `/repositories/${encodeURIComponent(runRepository.id)}/installation`,
        token,
      })
    : asked;
}
