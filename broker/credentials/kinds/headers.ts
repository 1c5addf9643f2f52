/** `headers`: headers of the documents, in which `{secret}` stands for what a person typed in. */
import type { CredentialKind } from "../kind.ts";
import { checkHeaderSecret, textOf } from "../vault/typed-secret.ts";

export const headers: CredentialKind<"headers"> = {
  name: "headers",
  lifetime: "typed",
  asksFor: "what {secret} stands for in its headers",
  checkSecret: checkHeaderSecret,
  mint: async ({ secret, entry }) => {
    const value = textOf(secret);
    const filled = Object.entries(entry.headers).map(([name, text]): [string, string] => [
      name.toLowerCase(),
      text.replaceAll("{secret}", () => value),
    ]);
    return {
      ok: true,
      minted: {
        headers: Object.fromEntries(filled),
        env: {},
        value,
        secrets: [value],
        expiresAt: undefined,
        ticket: undefined,
      },
    };
  },
};
