/**
 * Where a run's own page is: derived from the issuer, which the broker's configuration vouches for.
 * An issuer of unknown shape gives no link, rather than one that a claim could choose.
 */

const GITHUB_ISSUER = "token.actions.githubusercontent.com";
const REPOSITORY = /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/;
const ID = /^[0-9]{1,20}$/;

export interface RunAtForge {
  readonly iss: string;
  readonly repository: string;
  readonly run_id: string;
  readonly run_attempt: string;
}

/** Undefined where the issuer or the claims are not of a known shape. */
export function findRunAddress({ iss, repository, run_id, run_attempt }: RunAtForge): string | undefined {
  const origin = findForge(iss);
  if (origin === undefined || !REPOSITORY.test(repository) || !ID.test(run_id) || !ID.test(run_attempt)) {
    return undefined;
  }
  return `${origin}/${repository}/actions/runs/${run_id}/attempts/${run_attempt}`;
}

function findForge(iss: string): string | undefined {
  const url = URL.parse(iss);
  if (url === null || url.protocol !== "https:" || url.username !== "" || url.password !== "") {
    return undefined;
  }
  if (url.host === GITHUB_ISSUER) {
    return "https://github.com";
  }
  // GHE.com: https://token.actions.SUBDOMAIN.ghe.com
  const enterprise = /^token\.actions\.([a-z0-9-]+\.ghe\.com)$/.exec(url.host)?.[1];
  if (enterprise !== undefined) {
    return `https://${enterprise}`;
  }
  // GitHub Enterprise Server: https://HOSTNAME/_services/token
  return url.pathname === "/_services/token" ? url.origin : undefined;
}
