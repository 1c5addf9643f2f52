/**
 * `github-app`: an installation token of a GitHub App, narrowed to the run's repository (or the listed ones) and to
 * permissions. It is given out only when GitHub's own answer proves the narrowing; a wider one is revoked at once.
 */
import type { CredentialKind } from "../kind.ts";
import { refused } from "../mint-failure.ts";
import { apiUrlOf, connectToGithub, explainGithub, parseJson } from "./github-app-api.ts";
import { findInstallation } from "./github-app-installation.ts";
import { parseAppKey, signAppToken } from "./github-app-key.ts";
import {
  InstallationToken,
  TokenAlone,
  type Wanted,
  askFor,
  findExcess,
  wantedOf,
} from "./github-app-narrowing.ts";
import { SETTLES_WITHIN_MS, endAtOnce, endByTicket, writeTicket } from "./github-app-revocation.ts";

export const githubApp: CredentialKind<"github-app"> = {
  name: "github-app",
  lifetime: "session",
  asksFor: "the private key of the GitHub App (PEM)",
  settlesWithinMs: SETTLES_WITHIN_MS,
  checkSecret(secret) {
    const parsed = parseAppKey(secret);
    return parsed.ok ? undefined : parsed.problem;
  },
  async mint(context) {
    const { entry, secret, session, now } = context;
    if (session === undefined) return refused("An installation token is made for a run, and there is none.");
    const parsed = parseAppKey(secret ?? new Uint8Array());
    if (!parsed.ok) return refused(`The stored key of the app cannot be used. ${parsed.problem}`);
    const wanted = wantedOf(entry, session);
    if (wanted === undefined)
      return refused("The session does not name its repository and the id of its owner.");
    const api = apiUrlOf(entry);
    const ask = connectToGithub(api, context);
    const appToken = await signAppToken(parsed.key, entry.app_id, now());
    const found = await findInstallation(ask, { appToken, wanted, now });
    if (!found.ok) return found;

    const asked = await ask({
      method: "POST",
      path: `/app/installations/${found.installationId}/access_tokens`,
      token: appToken,
      body: askFor(wanted),
    });
    if (!asked.ok) return asked;
    const { answer } = asked;
    if (answer.status !== 201) return explainGithub(answer, explainMinting(wanted), now());
    const body = parseJson(answer.body);
    const minted = InstallationToken.safeParse(body);
    const excess = minted.success
      ? findExcess(minted.data, wanted)
      : "GitHub's answer does not say what it reaches";
    if (!minted.success || excess !== undefined) {
      const unwanted = TokenAlone.safeParse(body);
      const end = unwanted.success ? await endAtOnce(ask, unwanted.data.token, now) : "";
      return refused(`GitHub's token was not used: ${excess}.${end}`);
    }
    const { token } = minted.data;
    const expiresAt = Date.parse(minted.data.expires_at);
    return {
      ok: true,
      minted: {
        headers: { authorization: `Bearer ${token}` },
        env: {},
        value: token,
        secrets: [token],
        expiresAt,
        ticket: writeTicket({ api, token, mintedAt: now(), expiresAt }),
      },
    };
  },
  end: endByTicket,
};

function explainMinting({ owner, names, runRepository }: Wanted): Readonly<Record<number, string>> {
  const repositories =
    names === undefined
      ? `the repository with the id ${runRepository.id}: it is not among the installation's, or it was deleted and ${owner}/${runRepository.name} is another one now`
      : `the listed repositories: one of them is not among the installation's at ${owner}`;
  return {
    403: `GitHub lets the app make no token at ${owner}: its installation may be suspended.`,
    404: `The app's installation at ${owner} is gone.`,
    422: `GitHub makes no token for ${repositories}.`,
  };
}
