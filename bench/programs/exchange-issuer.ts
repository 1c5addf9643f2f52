/** What a measured server knows of whoever signs the subject tokens, and the name under which the load is its client. */
import { z } from "zod";

/** Where subject tokens are presented as assertions of a client. */
export const CLIENT_ID = "jobs";

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });
type KeySet = z.infer<typeof KeySet>;

export async function fetchKeySet(issuer: string): Promise<KeySet> {
  const response = await fetch(`${issuer}/.well-known/jwks`);
  return KeySet.parse(await response.json());
}
