/**
 * Who calls a session's endpoint: an access token, the proof that its key is here now (RFC 9449, section 7),
 * and the session both belong to, in a state that allows what is asked.
 */
import { verifyProof } from "../identity/dpop-proof.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import type { SessionRow } from "../storage/schema.ts";
import { findSession } from "../storage/sessions/sessions.ts";
import { holdToDocuments } from "./document-changes.ts";

/** So long a proxy that was late, or a broker that was down, can still complete a log. */
export const DELIVERY_GRACE_SECONDS = 24 * 60 * 60;

/**
 * `active`: it grants something, so it must be alive. `delivery`: parts of the log are handed in, which an expiry
 * does not stop, and neither does a recovery; only a revocation does. `end`: whatever its state.
 */
export type CallerNeed = "active" | "delivery" | "end";

export interface CallRequest {
  readonly method: string;
  /** The path of the endpoint, as in the route. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly proof: string | readonly string[] | undefined;
}

export interface SessionCaller {
  readonly ok: true;
  readonly session: SessionRow;
  readonly thumbprint: string;
}

export async function identifyCaller(
  { method, path, authorization, proof: header }: CallRequest,
  need: CallerNeed,
  services: Services,
): Promise<SessionCaller | Refused> {
  const { publicUrl, signingKeys, database, callerMemory, recentProofs } = services;
  const now = services.now();
  if (authorization === undefined) {
    return refuse("access_token_missing", "there is no Authorization header");
  }
  const accessToken = /^DPoP +([A-Za-z0-9._-]+)$/i.exec(authorization)?.[1];
  if (accessToken === undefined) {
    // RFC 9449, section 7.2: a token that is bound to a key is no bearer token.
    return refuse("access_token_invalid", "it is not `Authorization: DPoP <token>`");
  }
  const graceSeconds = need === "delivery" ? DELIVERY_GRACE_SECONDS : 0;
  const token = await callerMemory.verifyToken(accessToken, {
    publicUrl,
    findKey: signingKeys.findTokenKey,
    now,
    graceSeconds,
  });
  if (!token.ok) return token;
  const { findProofKey: findKey } = callerMemory;
  const url = `${publicUrl}${path}`;
  const proof = await verifyProof(header, { method, url, now, accessToken, findKey });
  if (!proof.ok) return proof;
  if (proof.thumbprint !== token.thumbprint) {
    return refuse("access_token_invalid", "the proof is of another key than the token's");
  }
  const replay = recentProofs.remember(proof);
  if (replay !== undefined) return replay;

  const found = await findSession(database, token.session);
  if (found === undefined) {
    return refuse("access_token_invalid", `there is no session ${token.session}`);
  }
  const session = await holdToDocuments(found, services);
  const refusal = checkState(session, need, now);
  return refusal ?? { ok: true, session, thumbprint: proof.thumbprint };
}

function checkState(
  { id, state, expires_at }: SessionRow,
  need: CallerNeed,
  now: number,
): Refused | undefined {
  const over = refuse("session_over", `session ${id} is ${state}`);
  switch (need) {
    case "active":
      return state === "active" && now < expires_at ? undefined : over;
    case "delivery":
      return state === "revoked" || now >= expires_at + DELIVERY_GRACE_SECONDS * 1000 ? over : undefined;
    case "end":
      return undefined;
  }
}
