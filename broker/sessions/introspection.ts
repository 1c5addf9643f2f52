/**
 * Introspection (RFC 7662): whether an access token is good now, and what it says.
 * Good is what the session's endpoints would accept: signed here, not run out, of a session that is alive.
 */
import { decodeJwt } from "jose";
import { z } from "zod";
import { verifyAccessToken } from "../identity/access-token.ts";
import type { Services } from "../services.ts";
import { findSession } from "../storage/sessions/sessions.ts";
import { holdToDocuments } from "./document-changes.ts";

/** A list of what may leave, in the names of RFC 7662, section 2.2, RFC 8693, section 4.1, and RFC 9449, section 6.2. */
const Introspected = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: z.string(),
  client_id: z.string(),
  scope: z.string(),
  sid: z.string(),
  jti: z.string(),
  iat: z.int(),
  exp: z.int(),
  act: z.record(z.string(), z.json()),
  cnf: z.object({ jkt: z.string() }),
});

export type Introspection =
  | ({ readonly active: true; readonly token_type: "DPoP" } & z.infer<typeof Introspected>)
  /** Section 2.2: nothing is said of why. */
  | { readonly active: false };

export async function introspect(token: string, services: Services): Promise<Introspection> {
  const { publicUrl, signingKeys, database, now } = services;
  const context = { publicUrl, findKey: signingKeys.findTokenKey, now: now(), graceSeconds: 0 };
  const verified = await verifyAccessToken(token, context);
  if (!verified.ok) return { active: false };
  const found = await findSession(database, verified.session);
  const session = found && (await holdToDocuments(found, services));
  if (session === undefined || session.state !== "active" || now() >= session.expires_at) {
    return { active: false };
  }
  return { active: true, token_type: "DPoP", ...Introspected.parse(decodeJwt(token)) };
}
