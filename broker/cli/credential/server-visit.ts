/** A server asked for its tools with a credential, as a robot would: over either era of MCP. */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Egress } from "../../egress/egress.ts";
import { AddressRefused } from "../../egress/address-guard.ts";
import { type ServerFetch, createServerFetch } from "../../egress/server-fetch.ts";
import { readVersion } from "../version.ts";

const VISIT_MS = 30_000;
const MAX_PAGES = 100;

export type Visit =
  | {
      readonly ok: true;
      readonly server: { readonly name: string; readonly version: string } | undefined;
      readonly protocol: string | undefined;
      readonly tools: readonly string[];
    }
  | {
      readonly ok: false;
      readonly code: "server_refused" | "unreachable" | "server_failed";
      readonly sentence: string;
    };

export interface Visited {
  readonly url: string;
  readonly isPrivate: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

export async function visitServer({ url, isPrivate, headers }: Visited, egress: Egress): Promise<Visit> {
  const { origin } = new URL(url);
  let refusedWith: number | undefined;
  let unreached: Error | undefined;
  const signal = AbortSignal.timeout(VISIT_MS);
  const client = new Client(
    { name: "lanyard", version: readVersion() },
    { versionNegotiation: { mode: "auto" }, capabilities: {} },
  );
  try {
    const fetchServer = createServerFetch(origin, egress.guard({ url, isPrivate }));
    const watched: ServerFetch = async (address, init) => {
      try {
        const both = init?.signal ? AbortSignal.any([signal, init.signal]) : signal;
        const response = await fetchServer(address, { ...init, signal: both });
        if (response.status === 401 || response.status === 403) refusedWith = response.status;
        return response;
      } catch (error) {
        if (error instanceof Error && error.name !== "AbortError") unreached = error;
        throw error;
      }
    };
    const requestInit = {
      headers: { ...headers, "user-agent": `lanyard/${readVersion()} (credential test)` },
    };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: watched, requestInit }));
    const tools: string[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const listed = await client.listTools(cursor === undefined ? {} : { cursor });
      tools.push(...listed.tools.map(({ name }) => name));
      cursor = listed.nextCursor;
      if (cursor === undefined) break;
    }
    const about = client.getServerVersion();
    const server = about && { name: about.name, version: about.version };
    return { ok: true, server, protocol: client.getNegotiatedProtocolVersion(), tools };
  } catch (error) {
    // What a server says in an error may repeat what it was shown: only what is known without it is told.
    if (refusedWith !== undefined) {
      const why =
        refusedWith === 401 ? "does not accept the credential" : "says that the credential may not do this";
      return {
        ok: false,
        code: "server_refused",
        sentence: `The server ${origin} ${why} (HTTP ${refusedWith}).`,
      };
    }
    const barred = [error, unreached].find((each) => each instanceof AddressRefused);
    if (barred !== undefined) {
      return { ok: false, code: "unreachable", sentence: `The server is not asked: ${barred.message}.` };
    }
    if (unreached !== undefined || signal.aborted) {
      const code = unreached !== undefined && "code" in unreached ? ` (${String(unreached.code)})` : "";
      return { ok: false, code: "unreachable", sentence: `The server ${origin} cannot be reached${code}.` };
    }
    return {
      ok: false,
      code: "server_failed",
      sentence: `The server ${origin} does not speak MCP as it should.`,
    };
  } finally {
    await client.close().catch(() => {});
  }
}
