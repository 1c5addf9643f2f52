/** An access token that was granted, as a server gets to see it; and its end at its issuer (RFC 7009). */
import {
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  type TokenEndpointResponse,
  processRevocationResponse,
  revocationRequest,
} from "oauth4webapi";
import { z } from "zod";
import type { AskIssuer, EndResult, Minted } from "../kind.ts";
import { describeFailure } from "./failure.ts";
import { sendThrough } from "./guarded-oauth.ts";
import { OauthRefused } from "./refusal.ts";

const MAX_TOKEN_CHARS = 16 * 1024;

export interface AccessToken {
  readonly token: string;
  /** Milliseconds since the epoch; undefined: nobody said. */
  readonly expiresAt: number | undefined;
}

/** Throws `OauthRefused` for what no server can be shown as a bearer token (RFC 6750). */
export function readAccessToken(
  { access_token: token, token_type: type, expires_in: seconds }: TokenEndpointResponse,
  { issuer, at }: { readonly issuer: string; readonly at: number },
): AccessToken {
  if (type.toLowerCase() !== "bearer" && type.toLowerCase() !== "n_a") {
    throw new OauthRefused(
      `${issuer} gives out tokens that are bound to a key, which the server would have to know.`,
    );
  }
  if (token.length > MAX_TOKEN_CHARS || !/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) {
    throw new OauthRefused(`${issuer} gives out tokens that no header can carry.`);
  }
  return { token, expiresAt: seconds === undefined ? undefined : at + seconds * 1000 };
}

export function mintedFrom({ token, expiresAt }: AccessToken, ticket: string | undefined): Minted {
  return {
    headers: { authorization: `Bearer ${token}` },
    env: {},
    value: token,
    secrets: [token],
    expiresAt,
    ticket,
  };
}

const Ticket = z.strictObject({
  endpoint: z.string(),
  issuer: z.string(),
  token: z.string(),
  /** Of the client that asked for it, in base64. Absent in those of earlier versions. */
  secret: z.exactOptional(z.base64()),
});

/** Undefined: this server ends no tokens. */
export function writeTicket(
  server: AuthorizationServer,
  { token, secret }: { readonly token: string; readonly secret: Uint8Array | undefined },
): string | undefined {
  const { revocation_endpoint: endpoint, issuer } = server;
  if (endpoint === undefined) return undefined;
  const proof = secret && { secret: Buffer.from(secret).toString("base64") };
  return JSON.stringify(Ticket.parse({ endpoint, issuer, token, ...proof }));
}

/** What the client proved itself with when it asked: it may have been removed since. */
export function findTicketSecret(ticket: string): Uint8Array | undefined {
  const { secret } = Ticket.parse(JSON.parse(ticket));
  return secret === undefined ? undefined : Buffer.from(secret, "base64");
}

export async function endToken(
  ticket: string,
  { client, proof, ask }: { readonly client: Client; readonly proof: ClientAuth; readonly ask: AskIssuer },
): Promise<EndResult> {
  const { endpoint, issuer, token } = Ticket.parse(JSON.parse(ticket));
  try {
    const server = { issuer, revocation_endpoint: endpoint };
    const additionalParameters = { token_type_hint: "access_token" };
    const options = { ...sendThrough(ask, issuer), additionalParameters };
    await processRevocationResponse(await revocationRequest(server, client, proof, token, options));
    return { ok: true };
  } catch (error) {
    return describeFailure(error, endpoint);
  }
}
