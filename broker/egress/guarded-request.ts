/**
 * One request over a connection of its own, to an address that was checked and over TLS that was verified. Redirects are
 * answers like any other: nothing follows them. What comes back is read as far as the caller says and no further.
 */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { type RequestOptions, request as requestHttps } from "node:https";
import { type AddressTerms, checkWrittenAddress, guardLookup } from "./address-guard.ts";

/** Makes a request over TLS, with these options and no laxer ones. */
export type RequestTls = (url: URL, options: RequestOptions) => ClientRequest;

export interface GuardedRequest extends AddressTerms {
  readonly url: URL;
  readonly method: "GET" | "POST" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** By default Node's own; for tests, which do not have the ports of the names that they serve. */
  readonly requestTls?: RequestTls | undefined;
  /** For all of it: name, connection, headers and body. */
  readonly signal: AbortSignal;
}

/** The body has more bytes than it may have. */
class BodyTooLarge extends Error {
  readonly code = "body_too_large";
}

/** Its header is there, its body is not read. Throws `AddressRefused`, and what the network says. */
export async function openGuarded(guarded: GuardedRequest): Promise<IncomingMessage> {
  const { url, method, headers, body, permitted, resolve, requestTls = requestHttps, signal } = guarded;
  checkWrittenAddress(url, permitted);
  const { promise, resolve: answer, reject } = Promise.withResolvers<IncomingMessage>();
  const options = {
    // A connection of its own: none is reused whose address was checked for somebody else.
    agent: false,
    method,
    headers: {
      "accept-encoding": "identity",
      ...(body !== undefined && { "content-length": String(Buffer.byteLength(body)) }),
      ...headers,
    },
    lookup: guardLookup({ permitted, resolve }),
    signal,
  };
  // Whatever the environment says: a certificate that does not verify is a failure.
  const request =
    url.protocol === "https:"
      ? requestTls(url, { ...options, rejectUnauthorized: true })
      : requestHttp(url, options);
  request.once("response", answer);
  // Stays for what fails after the response: whoever reads it is told there.
  request.on("error", reject);
  request.end(body);
  return promise;
}

/** Throws `BodyTooLarge`. */
export async function readBounded(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BodyTooLarge(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
