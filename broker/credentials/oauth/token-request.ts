/** What `client-credentials` and `token-exchange` share: the server's authorization server, the client, and the request. */
import {
  type AuthorizationServer,
  type Client,
  genericTokenEndpointRequest,
  processGenericTokenEndpointResponse,
} from "oauth4webapi";
import type { EndContext, EndResult, EntryOfKind, MintResult, Minted } from "../kind.ts";
import { discoverServer, describeServer } from "./authorization-server.ts";
import { checkProofSecret, proveClient } from "./client-proof.ts";
import { describeFailure } from "./failure.ts";
import { endToken, findTicketSecret, mintedFrom, readAccessToken, writeTicket } from "./granted-token.ts";
import { refused } from "../minting/mint-failure.ts";
import { sendThrough } from "./guarded-oauth.ts";
import { describeIdentity } from "./identity.ts";

type ConfidentialKind = "client-credentials" | "token-exchange";
type Entry = EntryOfKind<ConfidentialKind>;
type Context = Omit<EndContext<ConfidentialKind>, "entry"> & { readonly entry: Entry };

interface Grant {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** `chooseGrant` gets the issuer of the authorization server. */
export async function requestToken(
  context: Context,
  chooseGrant: (issuer: string) => Promise<Grant>,
): Promise<MintResult> {
  const { entry, ask, now } = context;
  const asked = addressOf(entry);
  try {
    const server = await findServer(context);
    const grant = await chooseGrant(server.issuer);
    const parameters = new URLSearchParams({ ...grant.parameters, ...targetOf(context) });
    const client = clientOf(entry);
    const proof = await proveClient(context.secret, proofTerms(entry, server.issuer));
    const response = await genericTokenEndpointRequest(
      server,
      client,
      proof,
      grant.type,
      parameters,
      sendThrough(ask, server.issuer),
    );
    const at = now();
    const granted = await processGenericTokenEndpointResponse(server, client, response);
    const token = readAccessToken(granted, { issuer: server.issuer, at });
    return {
      ok: true,
      minted: mintedFrom(token, writeTicket(server, { token: token.token, secret: context.secret })),
    };
  } catch (error) {
    return describeFailure(error, asked);
  }
}

/** As the client that it is now, or else as the one that asked for it. */
export async function endGranted(ticket: string, { entry, secret, ask }: Context): Promise<EndResult> {
  let result: EndResult = refused(
    "The client's secret with which it was asked for is not there any more: it runs out by itself.",
  );
  for (const each of [secret, findTicketSecret(ticket)]) {
    if (each === undefined) continue;
    const proof = await proveClient(each, proofTerms(entry, addressOf(entry)));
    result = await endToken(ticket, { client: clientOf(entry), proof, ask });
    if (result.ok || result.code !== "refused") return result;
  }
  return result;
}

export async function identifyGranted({ value }: Minted, context: Context): Promise<readonly string[]> {
  const server = await findServer(context);
  const proof = await proveClient(context.secret, proofTerms(context.entry, server.issuer));
  return describeIdentity(value ?? "", { server, client: clientOf(context.entry), proof, ask: context.ask });
}

export const checkProof = (secret: Uint8Array, { client_auth }: Entry): string | undefined =>
  checkProofSecret(secret, client_auth);

const clientOf = ({ client_id }: Entry): Client => ({ client_id });
const proofTerms = ({ client_auth: proof }: Entry, audience: string) => ({ proof, audience });

/** The documents have one of the two. */
function addressOf({ issuer, token_url }: Entry): string {
  const address = issuer ?? token_url;
  if (address === undefined) throw new Error("a credential names no authorization server");
  return address;
}

async function findServer({ entry, ask }: Context): Promise<AuthorizationServer> {
  return entry.issuer === undefined ? describeServer(addressOf(entry)) : discoverServer(entry.issuer, ask);
}

/** RFC 8707; or what older servers read in its place. */
function targetOf({ entry, serverUrl }: Context): Record<string, string> {
  const { audience, scopes } = entry;
  const resource = entry.resource ?? (audience === undefined ? serverUrl : undefined);
  return {
    ...(resource !== undefined && { resource }),
    ...(audience !== undefined && { audience }),
    ...(scopes !== undefined && { scope: scopes.join(" ") }),
  };
}
