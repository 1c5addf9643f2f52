/** The access token of a session as it is now: it lives exactly as long as the session. */
import type { Workload } from "../../audit/record.ts";
import { issueAccessToken } from "../identity/access-token.ts";
import type { Services } from "../services.ts";
import type { SessionRow } from "../storage/schema.ts";
import { actorOf } from "./actor.ts";
import { writeScope } from "./scope.ts";
import { rolesOf } from "./session-row.ts";

export interface SessionToken {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly scope: string;
}

export interface TokenHolder {
  /** RFC 7638 thumbprint of its key. */
  readonly thumbprint: string;
  /** The session's, from the subject token that was shown for it. */
  readonly workload: Workload;
  readonly services: Services;
}

export async function issueSessionToken(
  row: SessionRow,
  { thumbprint, workload, services }: TokenHolder,
): Promise<SessionToken> {
  const issuedAt = services.now();
  const scope = writeScope(row.robot, rolesOf(row));
  const token = await issueAccessToken(
    {
      publicUrl: services.publicUrl,
      session: row.id,
      robot: row.robot,
      scope,
      actor: actorOf(workload),
      thumbprint,
      issuedAt,
      expiresAt: row.expires_at,
    },
    services.signingKeys.token,
  );
  return { token, expiresIn: Math.floor(row.expires_at / 1000) - Math.floor(issuedAt / 1000), scope };
}
