/**
 * The broker's way out: to servers of the registry and to issuers of credentials, nowhere else. Every connection goes to
 * an address that was checked when it was made, over TLS that was verified unless it stays on this machine. No redirect
 * is followed, no cookie is kept.
 */
import type { IncomingMessage } from "node:http";
import type { ConnectionTerms } from "../../proxy/upstream/authority.ts";
import type { AskIssuer, IssuerAnswer, IssuerRequest } from "../credentials/kind.ts";
import { AddressRefused, type Resolve, checkWrittenAddress, guardLookup } from "./address-guard.ts";
import { type RequestTls, openGuarded, readBounded } from "./guarded-request.ts";
import { type Reach, reachOf } from "./reach.ts";

/** A server of the registry. */
interface Destination {
  readonly url: string;
  /** The registry says that it is one of the operator's own network. */
  readonly isPrivate: boolean;
}

export interface Egress {
  /** How connections to one server are made. Throws `AddressRefused` where none could be permitted. */
  guard(destination: Destination): ConnectionTerms;
  /** Throws `EgressFailed`. */
  readonly askIssuer: AskIssuer;
}

export interface EgressOptions {
  /** Whether the documents or the configuration say that this is an address of the operator's own network. */
  readonly isOwnNetwork: (url: URL) => boolean;
  /** By default the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** For tests, which do not have the ports of the names that they serve. */
  readonly requestTls?: RequestTls | undefined;
  /** For one question to an issuer, from the name to the last byte. */
  readonly issuerTimeoutMs?: number;
}

/** There is no answer, or none that may be taken. The message holds no secret. */
export class EgressFailed extends Error {
  readonly code = "egress_failed";
}

const ISSUER_TIMEOUT_MS = 10_000;
/** A token for hundreds of repositories names each of them at length. */
const MAX_ISSUER_BYTES = 4 * 1024 * 1024;

export function openEgress(options: EgressOptions): Egress {
  return {
    guard: ({ url, isPrivate }) => ({
      lookup: guardLookup({ permitted: permit(new URL(url), isPrivate), resolve: options.resolve }),
      // Whatever the environment says: a certificate that does not verify is a failure.
      rejectUnauthorized: true,
    }),
    askIssuer: async (request) => askIssuer(request, options),
  };
}

/** Without TLS only this machine is left. */
function permit(url: URL, isOwnNetwork: boolean): Reach {
  const reach = reachOf(url.href, isOwnNetwork);
  const permitted = url.protocol === "https:" ? reach : reach.intersection(new Set(["loopback"] as const));
  if (permitted.size === 0) {
    throw new AddressRefused(`${url.origin} is not this machine: nothing leaves it without TLS`);
  }
  checkWrittenAddress(url, permitted);
  return permitted;
}

async function askIssuer(request: IssuerRequest, options: EgressOptions): Promise<IssuerAnswer> {
  const { isOwnNetwork, resolve, requestTls, issuerTimeoutMs = ISSUER_TIMEOUT_MS } = options;
  const url = new URL(request.url);
  const signal = AbortSignal.timeout(issuerTimeoutMs);
  try {
    const { method, headers = {}, body, namedBy = request.url } = request;
    const permitted = permit(url, isOwnNetwork(url) && isOwnNetwork(new URL(namedBy)));
    const response = await openGuarded({
      ...{ url, method, headers, body },
      ...{ permitted, resolve, requestTls, signal },
    });
    try {
      return await readIssuerAnswer(response);
    } finally {
      response.destroy();
    }
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const reason = signal.aborted ? `no answer within ${issuerTimeoutMs / 1000} s` : cause.message;
    // Nothing of the query: some issuers want secrets in it.
    throw new EgressFailed(`${url.origin}${url.pathname}: ${reason}`, { cause });
  }
}

async function readIssuerAnswer(response: IncomingMessage): Promise<IssuerAnswer> {
  const { statusCode: status = 0 } = response;
  // RFC 9110, section 15: there are no others, and what is made of one by those who read it is anybody's guess.
  if (status < 200 || status > 599) throw new EgressFailed(`the answer has no final status, but ${status}`);
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") throw new EgressFailed("the answer is compressed, which was not asked for");
  const body = await readBounded(response, MAX_ISSUER_BYTES);
  const headers = Object.entries(response.headers).flatMap(([name, value]) =>
    typeof value === "string" && name !== "set-cookie" ? [[name, value] as const] : [],
  );
  return {
    status,
    headers: Object.fromEntries(headers),
    body: new TextDecoder().decode(body),
  };
}
