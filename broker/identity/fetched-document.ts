/**
 * A JSON document from an issuer: small, in time, from exactly where it was asked for.
 * The issuer's host is configured, what it answers is not trusted. Where addresses are restricted, the one that is
 * connected to is the one that was checked: a name is resolved once for each connection, so it cannot be rebound between.
 */
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { AddressTerms } from "../egress/address-guard.ts";
import { type RequestTls, openGuarded, readBounded } from "../egress/guarded-request.ts";
import { parseStrictObject } from "./strict-json.ts";

export class FetchFailed extends Error {
  readonly code = "fetch_failed";
}

export interface FetchLimits extends AddressTerms {
  /** Of the body, and again of what it decompresses to. */
  readonly maxBytes: number;
  /** For all of it: name, connection, headers and body. */
  readonly timeoutMs: number;
  /** By default Node's own; for tests, which do not have the ports of the names that they serve. */
  readonly requestTls?: RequestTls | undefined;
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
  const { permitted, resolve, requestTls } = limits;
  const response = await openGuarded({
    ...{ url, method: "GET", headers: { accept: "application/json" } },
    ...{ permitted, resolve, requestTls, signal },
  });
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

async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const body = await readBounded(response, maxBytes);
  const encoding = response.headers["content-encoding"] ?? "identity";
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
