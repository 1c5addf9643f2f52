/** `bearer`: a token that a person typed in, presented as it is (RFC 6750, section 2.1). */
import type { CredentialKind } from "../kind.ts";
import { checkHeaderSecret, textOf } from "../vault/typed-secret.ts";

export const bearer: CredentialKind<"bearer"> = {
  name: "bearer",
  lifetime: "typed",
  asksFor: "the token, without the word Bearer",
  checkSecret(secret) {
    const problem = checkHeaderSecret(secret);
    if (problem !== undefined) return problem;
    const token = textOf(secret);
    if (/^bearer\s/i.test(token)) return "It begins with the word Bearer: leave it out.";
    return /^[A-Za-z0-9\-._~+/]+=*$/.test(token)
      ? undefined
      : "It holds characters that no bearer token has.";
  },
  mint: async ({ secret }) => {
    const token = textOf(secret);
    return {
      ok: true,
      minted: {
        headers: { authorization: `Bearer ${token}` },
        env: {},
        value: token,
        secrets: [token],
        expiresAt: undefined,
        ticket: undefined,
      },
    };
  },
};
