/** What `lanyard credential connect` stores: the grant, who granted it, for which resource and to which client. */
import { z } from "zod";

const StoredClient = z.strictObject({
  client_id: z.string(),
  /** How it came to be: named in the documents, its metadata document, or registered by the broker. */
  origin: z.enum(["configured", "document", "registered"]),
  client_secret: z.exactOptional(z.string()),
  /** Where it was registered with this redirect address. */
  redirect_uri: z.string(),
});
export type StoredClient = z.infer<typeof StoredClient>;

export const StoredGrant = z.strictObject({
  issuer: z.string(),
  resource: z.string(),
  client: StoredClient,
  proof: z.enum(["none", "client_secret_basic", "client_secret_post"]),
  refresh_token: z.exactOptional(z.string()),
  access_token: z.string(),
  /** Of the access token; milliseconds since the epoch. */
  expires_at: z.exactOptional(z.number()),
  /** Who granted it, in the issuer's words; absent where it does not say. */
  subject: z.exactOptional(z.string()),
});
export type StoredGrant = z.infer<typeof StoredGrant>;

export function writeGrant(grant: StoredGrant): Uint8Array {
  return Buffer.from(JSON.stringify(StoredGrant.parse(grant)));
}

/** Undefined: nothing was connected. */
export function readGrant(secret: Uint8Array | undefined): StoredGrant | undefined {
  return secret && StoredGrant.parse(JSON.parse(Buffer.from(secret).toString("utf8")));
}
