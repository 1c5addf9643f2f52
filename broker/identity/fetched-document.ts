/**
 * A JSON document from an issuer: small, in time, from exactly where it was asked for.
 * The issuer's host is configured, what it answers is not trusted. Where addresses are restricted, the one that is
 * connected to is the one that was checked: a name is resolved once for each connection, so it cannot be rebound between.
 */
import type { LookupAddress } from "node:dns";
import { lookup as resolveName } from "node:dns/promises";
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { type RequestOptions, request as requestHttps } from "node:https";
import { type LookupFunction, isIP } from "node:net";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { type AddressRange, classifyAddress } from "./address-range.ts";
import { parseStrictObject } from "./strict-json.ts";

export class FetchFailed extends Error {
  readonly code = "fetch_failed";
}

/** Every address of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Makes a request over TLS, with these options and no laxer ones. */
export type RequestTls = (url: URL, options: RequestOptions) => ClientRequest;

export interface FetchLimits {
  /** Of the body, and again of what it decompresses to. */
  readonly maxBytes: number;
  /** For all of it: name, connection, headers and body. */
  readonly timeoutMs: number;
  /** Ranges that may be connected to; by default all. */
  readonly permitted?: ReadonlySet<AddressRange>;
  /** By default the system's resolver. */
  readonly resolve?: Resolve;
  /** By default Node's own; for tests, which do not have the ports of the names that they serve. */
  readonly requestTls?: RequestTls;
}

const unpack = promisify(gunzip);
const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)/i;

/** Throws `FetchFailed`. A redirect counts as a failure, and so does JSON that is no object or repeats a name. */
export async function fetchJson(url: string, limits: FetchLimits): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    const response = await open(new URL(url), limits, signal);
    try {
      const document = parseStrictObject(await readText(response, limits.maxBytes));
      if (document === undefined) throw new FetchFailed("the answer is not a JSON object, or repeats a name");
      return document;
    } finally {
      response.destroy();
    }
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const reason = signal.aborted ? `it took longer than ${limits.timeoutMs} ms` : cause.message;
    throw new FetchFailed(`${url} could not be read: ${reason}`, { cause });
  }
}

async function open(url: URL, limits: FetchLimits, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // Nothing is looked up for an address that is written out.
  if (isIP(host) !== 0) checkAddress(host, host, limits.permitted);
  const options = {
    // A connection of its own: none is reused whose address was checked for somebody else.
    agent: false,
    headers: { accept: "application/json", "accept-encoding": "identity" },
    lookup: restrictedLookup(limits),
    signal,
  };
  // Whatever the environment says: a certificate that does not verify is a failure.
  const request =
    url.protocol === "https:"
      ? (limits.requestTls ?? requestHttps)(url, { ...options, rejectUnauthorized: true })
      : requestHttp(url, options);
  request.once("response", resolve);
  // Stays for what fails after the response: whoever reads it is told there.
  request.on("error", reject);
  request.end();
  const response = await promise;
  const problem = objectTo(response);
  if (problem === undefined) return response;
  response.destroy();
  throw new FetchFailed(problem);
}

function objectTo({ statusCode, headers }: IncomingMessage): string | undefined {
  if (statusCode !== 200) return `the answer is ${statusCode}`;
  const type = headers["content-type"];
  return type !== undefined && JSON_TYPE.test(type) ? undefined : `the answer's type is ${type}, not JSON`;
}

function restrictedLookup({ permitted, resolve = resolveAll }: FetchLimits): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname)
      .then((addresses) => {
        // One that is not permitted is enough to refuse: a name with both kinds is there to be tried until it works.
        for (const { address } of addresses) checkAddress(hostname, address, permitted);
        const [first] = addresses;
        if (first === undefined) throw new FetchFailed(`${hostname} has no address`);
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      })
      .catch((error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), ""));
  };
}

async function resolveAll(hostname: string): Promise<LookupAddress[]> {
  return resolveName(hostname, { all: true });
}

function checkAddress(host: string, address: string, permitted: FetchLimits["permitted"]): void {
  const range = classifyAddress(address);
  if (permitted !== undefined && !permitted.has(range)) {
    throw new FetchFailed(
      `${host === address ? address : `${host} is ${address}, which`} is a ${range} address: nothing is fetched there`,
    );
  }
}

async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new FetchFailed(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const encoding = response.headers["content-encoding"] ?? "identity";
  const body = Buffer.concat(chunks);
  return new TextDecoder("utf-8", { fatal: true }).decode(await decode(body, encoding, maxBytes));
}

/** Nothing compressed is asked for, but some servers compress all the same. */
async function decode(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  switch (encoding.toLowerCase()) {
    case "identity":
      return body;
    case "gzip":
      return unpack(body, { maxOutputLength: maxBytes });
    default:
      throw new FetchFailed(`the answer is encoded as ${encoding.slice(0, 100)}`);
  }
}
