/** The access token of a session as it is now: it lives exactly as long as the session. */
import { issueAccessToken } from "../identity/access-token.ts";
import type { Services } from "../services.ts";
import type { SessionRow } from "../storage/schema.ts";
import { actorOf } from "./actor.ts";
import { writeScope } from "./scope.ts";
import { rolesOf, workloadOf } from "./session-row.ts";

export interface SessionToken {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
}

export async function issueSessionToken(
  row: SessionRow,
  { thumbprint, services }: { thumbprint: string; services: Services },
): Promise<SessionToken> {
  const issuedAt = services.now();
  const token = await issueAccessToken(
    {
      publicUrl: services.publicUrl,
      session: row.id,
      robot: row.robot,
      scope: writeScope(row.robot, rolesOf(row)),
      actor: actorOf(workloadOf(row)),
      thumbprint,
      issuedAt,
      expiresAt: row.expires_at,
    },
    services.signingKeys.token,
  );
  return { token, expiresIn: Math.floor(row.expires_at / 1000) - Math.floor(issuedAt / 1000) };
}
