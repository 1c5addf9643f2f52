/**
 * The end of a grant at its issuer (RFC 7009): of the refresh token, which ends most grants whole, and of every access
 * token that is known, for the servers that end the one alone (section 2.1).
 */
import {
  ResponseBodyError,
  processRevocationResponse,
  revocationRequest,
  type AuthorizationServer,
} from "oauth4webapi";
import { z } from "zod";
import type { AskIssuer, EndResult } from "../kind.ts";
import { discoverServer } from "./authorization-server.ts";
import { proofOf } from "./client-proof.ts";
import { describeFailure } from "./failure.ts";
import { sendThrough } from "./guarded-oauth.ts";
import { StoredGrant } from "./stored-grant.ts";

const GrantTicket = z.strictObject({
  grant: StoredGrant,
  /** What was minted from it and may be presented still. */
  tokens: z.array(z.string()),
});
export type GrantTicket = z.infer<typeof GrantTicket>;

export function writeGrantTicket(ticket: GrantTicket): string {
  return JSON.stringify(ticket);
}

export function readGrantTicket(ticket: string): GrantTicket {
  return GrantTicket.parse(JSON.parse(ticket));
}

/**
 * Whether their issuer may take both for one grant and end one with the other: many keep one for each person and client,
 * however often that person agreed.
 */
export function mayBeOneGrant(one: StoredGrant, other: StoredGrant): boolean {
  if (one.issuer !== other.issuer || one.client.client_id !== other.client.client_id) return false;
  return one.subject === undefined || other.subject === undefined || one.subject === other.subject;
}

export async function endGrant(ticket: GrantTicket, ask: AskIssuer): Promise<EndResult> {
  const { grant, tokens } = ticket;
  const { issuer, refresh_token: refreshToken, access_token } = grant;
  try {
    const server = await discoverServer(issuer, ask);
    if (server.revocation_endpoint === undefined) {
      const sentence = `${issuer} publishes no revocation endpoint: end the grant there by hand.`;
      return { ok: false, code: "impossible", sentence };
    }
    if (refreshToken !== undefined) await revoke(refreshToken, "refresh_token", { server, grant, ask });
    for (const token of new Set([...tokens, access_token])) {
      await revoke(token, "access_token", { server, grant, ask }).catch((error: unknown) => {
        // Its access tokens run out by themselves, soon: the grant behind them is over.
        if (refreshToken === undefined || !isOfAnotherType(error)) throw error;
      });
    }
    return { ok: true };
  } catch (error) {
    return describeFailure(error, issuer);
  }
}

interface Revoking {
  readonly server: AuthorizationServer;
  readonly grant: StoredGrant;
  readonly ask: AskIssuer;
}

async function revoke(
  token: string,
  token_type_hint: "refresh_token" | "access_token",
  { server, grant, ask }: Revoking,
): Promise<void> {
  const options = { ...sendThrough(ask, server.issuer), additionalParameters: { token_type_hint } };
  const { client } = grant;
  await processRevocationResponse(await revocationRequest(server, client, proofOf(grant), token, options));
}

/** RFC 7009, section 2.2.1. */
function isOfAnotherType(error: unknown): boolean {
  return error instanceof ResponseBodyError && error.error === "unsupported_token_type";
}
