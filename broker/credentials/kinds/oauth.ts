/**
 * `oauth`: a grant that a person gave the broker in the browser, refreshed as long as its authorization server allows
 * (RFC 6749, section 6). Where that server rotates refresh tokens the next one is stored before anything is presented.
 */
import {
  type AuthorizationServer,
  processRefreshTokenResponse,
  refreshTokenGrantRequest,
} from "oauth4webapi";
import type { CredentialKind, MintContext, MintFailure, MintResult } from "../kind.ts";
import { refused } from "../minting/mint-failure.ts";
import { discoverServer } from "../oauth/authorization-server.ts";
import { proofOf } from "../oauth/client-proof.ts";
import { describeFailure, isGrantOver } from "../oauth/failure.ts";
import { mintedFrom, readAccessToken } from "../oauth/granted-token.ts";
import { endGrant, readGrantTicket } from "../oauth/grant-end.ts";
import { sendThrough } from "../oauth/guarded-oauth.ts";
import { describeIdentity } from "../oauth/identity.ts";
import { isWithin } from "../oauth/protected-resource.ts";
import { type StoredGrant, readGrant, writeGrant } from "../oauth/stored-grant.ts";

type Context = MintContext<"oauth">;

export const oauth: CredentialKind<"oauth"> = {
  name: "oauth",
  lifetime: "owner",
  asksFor: undefined,
  checkSecret: () => "A credential of the kind oauth is connected, not set.",
  mint: async (context) => {
    const grant = readGrant(context.secret);
    if (grant === undefined) return refuse("Nothing is connected", context);
    const changed = findChange(grant, context);
    if (changed !== undefined) return refuse(changed, context);
    if (grant.refresh_token !== undefined)
      return refresh({ ...grant, refresh_token: grant.refresh_token }, context);
    const { access_token: token, expires_at: expiresAt } = grant;
    return (expiresAt ?? Number.POSITIVE_INFINITY) > context.now()
      ? { ok: true, minted: mintedFrom({ token, expiresAt }, undefined) }
      : refuse(`The grant of ${grant.issuer} has run out, which gave no refresh token`, context);
  },
  // Of grants that count no more: what was minted has no ticket, since a server that ends an access token may end the
  // grant behind it (RFC 7009, section 2.1), and all sessions of the owner share it.
  end: async (ticket, { ask }) => endGrant(readGrantTicket(ticket), ask),
  identify: async ({ value }, context) => {
    const grant = readGrant(context.secret);
    if (grant === undefined) return [];
    const server = await discoverServer(grant.issuer, context.ask);
    const { client } = grant;
    return describeIdentity(value ?? "", { server, client, proof: proofOf(grant), ask: context.ask });
  },
};

/** What was granted for one server by one issuer is shown to no other, whatever the documents say by now. */
function findChange({ issuer, resource }: StoredGrant, { entry, serverUrl }: Context): string | undefined {
  if (entry.issuer !== undefined && entry.issuer !== issuer) {
    return `What is stored was granted by ${issuer}, and the documents name another issuer`;
  }
  if (serverUrl !== undefined && !isWithin(resource, serverUrl)) {
    return `What is stored was granted for ${resource}, and the server is elsewhere`;
  }
  return undefined;
}

async function refresh(
  grant: StoredGrant & { readonly refresh_token: string },
  context: Context,
): Promise<MintResult> {
  const { issuer, resource, client } = grant;
  try {
    const server = await discoverServer(issuer, context.ask);
    const granted = await askForRefresh(server, grant, context);
    const token = readAccessToken(granted, { issuer, at: context.now() });
    const minted = mintedFrom(token, undefined);
    const { refresh_token: next } = granted;
    if (next === undefined || next === grant.refresh_token) return { ok: true, minted };
    const { expires_at: _, ...kept } = grant;
    const replacement = writeGrant({
      ...{ ...kept, resource, client, refresh_token: next, access_token: token.token },
      ...(token.expiresAt !== undefined && { expires_at: token.expiresAt }),
    });
    return { ok: true, minted: { ...minted, replacement } };
  } catch (error) {
    if (isGrantOver(error)) {
      const reason = "it was revoked, has expired, or its refresh token was used before";
      return refuse(`${new URL(issuer).origin} says that the grant is over: ${reason}`, context);
    }
    return describeFailure(error, issuer);
  }
}

async function askForRefresh(
  server: AuthorizationServer,
  grant: StoredGrant & { readonly refresh_token: string },
  { ask }: Context,
) {
  const { client, refresh_token, resource } = grant;
  const options = { ...sendThrough(ask, server.issuer), additionalParameters: { resource } };
  const response = await refreshTokenGrantRequest(server, client, proofOf(grant), refresh_token, options);
  return processRefreshTokenResponse(server, client, response);
}

function refuse(what: string, { name, entry }: Context): MintFailure {
  const whose = entry.owner === "robot" ? " --robot OWNER/REPO/NAME" : "";
  return refused(`${what}. Run \`lanyard credential connect ${name}${whose}\`.`);
}
