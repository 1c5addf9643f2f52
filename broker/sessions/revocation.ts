/**
 * Revocation: a session ends for good, and with it every access token that was issued for it, whoever holds one.
 * The job stays bound to its key and gets no other session of the robot. One conditional update decides between this,
 * a renewal and a seal, so none of them undoes another.
 */
import { verifyAccessToken } from "../identity/access-token.ts";
import type { Proof } from "../identity/dpop-proof.ts";
import type { Refused } from "../refusals.ts";
import type { Services } from "../services.ts";
import type { Queries } from "../storage/schema.ts";
import { endSession, findSession } from "../storage/sessions/sessions.ts";
import { DELIVERY_GRACE_SECONDS } from "./session-caller.ts";

export interface Revocation {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The operator's name; absent: the session's own key did it. */
  readonly by?: string;
}

/** False: it had ended before, or there is none; who revoked it first stays. */
export async function revokeSession(db: Queries, id: string, { at, by }: Revocation): Promise<boolean> {
  return endSession(db, id, { to: "revoked", from: ["active", "expired"], at, by });
}

export interface TokenRevocation {
  readonly token: string;
  /** Of a key that may be anybody's. */
  readonly proof: Proof;
}

export type RevocationOutcome =
  | { readonly ok: true; readonly revoked: true; readonly session: string }
  /** For the log; the caller is told no difference (RFC 7009, section 2.2). */
  | { readonly ok: true; readonly revoked: false; readonly reason: string };

/** Any token of the session ends it, also one that ran out or was followed by another. */
export async function revokeToken(
  { token, proof }: TokenRevocation,
  { publicUrl, signingKeys, database, recentProofs, now }: Services,
): Promise<RevocationOutcome | Refused> {
  const verified = await verifyAccessToken(token, {
    publicUrl,
    findKey: signingKeys.findTokenKey,
    now: now(),
    graceSeconds: DELIVERY_GRACE_SECONDS,
  });
  if (!verified.ok) return { ok: true, revoked: false, reason: verified.detail };
  if (verified.thumbprint !== proof.thumbprint) {
    return { ok: true, revoked: false, reason: "it belongs to another key" };
  }
  // Only now: proofs of keys without a session, which anybody can make, must not fill the memory for them.
  const replay = recentProofs.remember(proof);
  if (replay !== undefined) return replay;
  const { session } = verified;
  if (await revokeSession(database, session, { at: now() })) return { ok: true, revoked: true, session };
  const state = (await findSession(database, session))?.state ?? "unknown";
  return { ok: true, revoked: false, reason: `session ${session} is ${state}` };
}
