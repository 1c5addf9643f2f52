/**
 * Which repository a robot is provisioned for: the ids as they were given, or as GitHub says them. Where both speak
 * they must agree.
 */
import { type GithubRefusal, askGithub } from "./github-repository.ts";

const DEFAULT_ISSUER = "https://token.actions.githubusercontent.com";

export interface IdentityRequest {
  /** OWNER/REPO. */
  readonly repository: string;
  readonly issuer: string | undefined;
  readonly repositoryId: string | undefined;
  readonly ownerId: string | undefined;
  readonly apiUrl: string;
  readonly token: string | undefined;
}

export interface RepositoryIdentity {
  readonly ok: true;
  readonly issuer: string;
  readonly repositoryId: string;
  readonly ownerId: string;
  readonly source: "github" | "options";
  readonly notes: readonly string[];
}

export interface IdentityRefusal {
  readonly ok: false;
  readonly code: GithubRefusal["code"] | "identity_missing" | "identity_differs";
  readonly message: string;
  /** The command was called wrongly. */
  readonly usage: boolean;
}

/** With both ids given, GitHub is not asked. */
export async function findIdentity(request: IdentityRequest): Promise<RepositoryIdentity | IdentityRefusal> {
  const { repository, issuer, repositoryId, ownerId, apiUrl, token } = request;
  if (repositoryId !== undefined && ownerId !== undefined) {
    const given = { repositoryId, ownerId, issuer: issuer ?? DEFAULT_ISSUER };
    return { ok: true, ...given, source: "options", notes: [] };
  }
  if (token === undefined) {
    const message =
      "say --repository-id and --owner-id, or set GITHUB_TOKEN and GitHub is asked: " +
      `gh api repos/${repository} --jq '.id, .owner.id'`;
    return { ok: false, code: "identity_missing", message, usage: true };
  }
  const said = await askGithub(repository, { apiUrl, token });
  if (!said.ok) return { ...said, usage: false };
  const differing = [
    { option: "--repository-id", given: repositoryId, right: said.repositoryId },
    { option: "--owner-id", given: ownerId, right: said.ownerId },
    { option: "--issuer", given: issuer, right: sameHost(issuer, said.issuer) ? issuer : said.issuer },
  ].find(({ given, right }) => given !== undefined && right !== undefined && given !== right);
  if (differing !== undefined) {
    const { option, given, right } = differing;
    const message = `you say ${option} ${given}, GitHub says ${right}: one of them is wrong`;
    return { ok: false, code: "identity_differs", message, usage: false };
  }
  const decided = issuer ?? said.issuer;
  if (decided === undefined) {
    const message = "who issues the tokens cannot be told from the address of the API: say --issuer";
    return { ok: false, code: "identity_missing", message, usage: true };
  }
  const { ownerId: owner, repositoryId: id, notes } = said;
  return { ok: true, issuer: decided, repositoryId: id, ownerId: owner, source: "github", notes };
}

/** An enterprise may have an issuer of its own below GitHub's: `https://token.actions.githubusercontent.com/SLUG`. */
function sameHost(given: string | undefined, derived: string | undefined): boolean {
  return given !== undefined && derived !== undefined && given.startsWith(`${derived}/`);
}
