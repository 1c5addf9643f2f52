/**
 * `fetch` for one server of the registry, for clients that want one: over connections whose addresses were checked, with
 * answers that are bounded. Redirects are answers like any other.
 */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";
import type { ConnectionTerms } from "../../proxy/upstream/authority.ts";

export type ServerFetch = (address: string | URL, init?: RequestInit) => Promise<Response>;

/** More than any list of tools has. */
const MAX_BYTES = 8 * 1024 * 1024;
const BODILESS = [204, 205, 304];

/** Only to `origin`. What fails is thrown as the network says it. */
export function createServerFetch(origin: string, terms: ConnectionTerms): ServerFetch {
  return async (address, init = {}) => {
    const url = new URL(address);
    if (url.origin !== origin) throw new Error(`${url.origin} is not the server that was asked for`);
    const { body, signal, method = "GET" } = init;
    if (body !== undefined && body !== null && typeof body !== "string")
      throw new TypeError("the body is no text");
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
      // A connection of its own: none is reused whose address was checked for somebody else.
      agent: false,
      ...{
        method,
        headers: { ...Object.fromEntries(new Headers(init.headers)), "accept-encoding": "identity" },
      },
      ...terms,
      ...(signal && { signal }),
    });
    request.once("response", resolve);
    request.on("error", reject);
    request.end(body ?? undefined);
    const response = await promise;
    const headers = Object.entries(response.headers).flatMap(([name, value]) =>
      typeof value === "string" && name !== "set-cookie" ? [[name, value] as const] : [],
    );
    const status = response.statusCode ?? 0;
    if (BODILESS.includes(status)) response.resume();
    return new Response(BODILESS.includes(status) ? null : bound(response), {
      status,
      headers: Object.fromEntries(headers),
    });
  };
}

function bound(response: IncomingMessage): ReadableStream<Uint8Array> {
  let bytes = 0;
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > MAX_BYTES) throw new Error(`the answer has more than ${MAX_BYTES} bytes`);
      yield chunk;
    }
  };
  // Node's own type of the same stream has other names for its parts.
  return Readable.toWeb(Readable.from(chunks())) as ReadableStream<Uint8Array>;
}
