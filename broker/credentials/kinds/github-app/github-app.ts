/**
 * `github-app`: an installation token of a GitHub App, narrowed to the run's repository (or the listed ones) and to
 * permissions. It is given out only when GitHub's own answer proves the narrowing; a wider one is revoked at once.
 */
import type { CredentialKind } from "../../kind.ts";
import { refused } from "../../minting/mint-failure.ts";
import { apiUrlOf, connectToGithub, explainGithub, parseJson } from "./api.ts";
import { identifyApp } from "./identity.ts";
import { findInstallation } from "./installation.ts";
import { parseAppKey, signAppToken } from "./key.ts";
import { InstallationToken, TokenAlone, type Wanted, askFor, findExcess, wantedOf } from "./narrowing.ts";
import { SETTLES_WITHIN_MS, endAtOnce, endByTicket, writeTicket } from "./revocation.ts";

/** What GitHub gives every installation token, from its own clock on; for an answer that does not say. */
const LIFETIME_MS = 60 * 60_000;

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
    const mintedAt = now();
    if (answer.status !== 201) return explainGithub(answer, explainMinting(wanted), now());
    const body = parseJson(answer.body);
    const minted = InstallationToken.safeParse(body);
    const excess = minted.success
      ? findExcess(minted.data, wanted)
      : "GitHub's answer does not say what it reaches";
    if (!minted.success || excess !== undefined) {
      const sentence = `GitHub's token was not used: ${excess}.`;
      const unwanted = TokenAlone.safeParse(body);
      if (!unwanted.success) return refused(sentence);
      const { token } = unwanted.data;
      if (await endAtOnce(ask, token, now)) return refused(`${sentence} It was revoked.`);
      const expiresAt = mintedAt + LIFETIME_MS;
      return {
        ...refused(
          `${sentence} It could not be revoked at once, and lives for up to an hour: suspend the installation if that is too long.`,
        ),
        unwanted: { value: token, expiresAt, ticket: writeTicket({ api, token, mintedAt, expiresAt }) },
      };
    }
    const { token, permissions } = minted.data;
    const expiresAt = Date.parse(minted.data.expires_at);
    return {
      ok: true,
      minted: {
        headers: { authorization: `Bearer ${token}` },
        env: {},
        value: token,
        secrets: [token],
        expiresAt,
        ticket: writeTicket({ api, token, mintedAt, expiresAt }),
        scope: Object.entries(permissions).map(([name, access]) => `${name}: ${access}`),
      },
    };
  },
  end: endByTicket,
  identify: identifyApp,
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
