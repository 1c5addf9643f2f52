/** `none`: the server asks for nothing. Its calls are relayed all the same, where the documents say so. */
import type { CredentialKind } from "../kind.ts";

export const none: CredentialKind<"none"> = {
  name: "none",
  lifetime: "session",
  asksFor: undefined,
  checkSecret: () => "A credential of the kind none has no secret.",
  mint: async () => ({
    ok: true,
    minted: { headers: {}, env: {}, value: undefined, secrets: [], expiresAt: undefined, ticket: undefined },
  }),
};
