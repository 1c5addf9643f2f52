/** `basic`: a user of the documents and a password that a person typed in (RFC 7617, in UTF-8). */
import type { CredentialKind } from "../kind.ts";
import { textOf } from "../vault/typed-secret.ts";

const MAX_BYTES = 4 * 1024;

export const basic: CredentialKind<"basic"> = {
  name: "basic",
  lifetime: "typed",
  asksFor: "the password",
  checkSecret(secret) {
    if (secret.length === 0) return "It is empty.";
    if (secret.length > MAX_BYTES) return `It is longer than ${MAX_BYTES / 1024} KiB.`;
    const text = textOf(secret);
    if (/[\r\n]/.test(text)) return "It has more than one line.";
    if (Buffer.compare(Buffer.from(text), secret) !== 0) return "It is not UTF-8.";
    return /\p{Cc}/u.test(text) ? "It holds control characters." : undefined;
  },
  mint: async ({ secret, entry: { username } }) => {
    const password = textOf(secret);
    const encoded = Buffer.from(`${username}:${password}`).toString("base64");
    return {
      ok: true,
      minted: {
        headers: { authorization: `Basic ${encoded}` },
        env: {},
        value: password,
        secrets: [password, encoded],
        expiresAt: undefined,
        ticket: undefined,
      },
    };
  },
};
