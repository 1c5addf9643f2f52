/**
 * Access tokens (RFC 9068): what a proxy shows the broker after the exchange, bound to its key (`cnf.jkt`).
 * A token is good only together with the session it names; it carries no grants of its own.
 */
import { randomUUID } from "node:crypto";
import { CompactSign, type JWTVerifyGetKey, errors, jwtVerify } from "jose";
import { z } from "zod";
import type { SigningKey } from "../keys/signing-keys.ts";
import { type Refused, refuse } from "../refusals.ts";

const TYPE = "at+jwt";
const ALGORITHM = "ES256";

export interface AccessTokenContents {
  readonly publicUrl: string;
  readonly session: string;
  readonly robot: string;
  readonly scope: string;
  /** RFC 8693, section 4.1: who acts as the robot. */
  readonly actor: Readonly<Record<string, string>>;
  /** RFC 7638 thumbprint of the proxy's key. */
  readonly thumbprint: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export async function issueAccessToken(contents: AccessTokenContents, key: SigningKey): Promise<string> {
  const { publicUrl, robot, scope, session, thumbprint, actor } = contents;
  const claims = {
    iss: publicUrl,
    aud: publicUrl,
    sub: robot,
    // RFC 9068, section 2.2, wants to know the client: here it is whoever has the key.
    client_id: thumbprint,
    scope,
    sid: session,
    jti: randomUUID(),
    iat: Math.floor(contents.issuedAt / 1000),
    exp: Math.floor(contents.expiresAt / 1000),
    // The robot is who is acted for, the workload is who acts.
    act: actor,
    cnf: { jkt: thumbprint },
  };
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ typ: TYPE, alg: ALGORITHM, kid: key.kid })
    .sign(key.privateKey);
}

const Payload = z.looseObject({ sid: z.string(), exp: z.int(), cnf: z.object({ jkt: z.string() }) });

export interface VerifiedAccessToken {
  readonly ok: true;
  readonly session: string;
  readonly thumbprint: string;
  /** It may have run out already: the caller decides what that still allows. Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface AccessTokenContext {
  readonly publicUrl: string;
  readonly findKey: JWTVerifyGetKey;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How long a token that ran out is still read. */
  readonly graceSeconds: number;
}

export async function verifyAccessToken(
  token: string,
  { publicUrl, findKey, now, graceSeconds }: AccessTokenContext,
): Promise<VerifiedAccessToken | Refused> {
  try {
    const { payload } = await jwtVerify(token, findKey, {
      algorithms: [ALGORITHM],
      typ: TYPE,
      issuer: publicUrl,
      audience: publicUrl,
      currentDate: new Date(now),
      clockTolerance: graceSeconds,
    });
    const { sid, exp, cnf } = Payload.parse(payload);
    return { ok: true, session: sid, thumbprint: cnf.jkt, expiresAt: exp * 1000 };
  } catch (error) {
    // Anything else is a failure to look: the token may be good.
    if (!(error instanceof errors.JOSEError) && !(error instanceof z.ZodError)) throw error;
    return refuse("access_token_invalid", error.message);
  }
}
