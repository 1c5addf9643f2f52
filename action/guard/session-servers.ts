/**
 * The servers of this job: those of the session document that were asked for, with what only the runner knows filled in.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { SessionDocument, SessionServer } from "../../broker/contract.ts";
import type { ProxyServer } from "../../proxy/upstream/connecting.ts";
import type { HttpProxies } from "../../proxy/upstream/http/http-proxies.ts";
import type { KeptCredentials } from "./kept-credentials.ts";
import type { RelayTarget } from "../wire/relay-authority.ts";

export type Selected =
  | { readonly ok: true; readonly servers: Readonly<Record<string, SessionServer>> }
  /** One sentence that says what to change. */
  | { readonly ok: false; readonly message: string };

/** An empty list asks for all. */
export function selectServers(offered: SessionDocument["servers"], wanted: readonly string[]): Selected {
  const unknown = wanted.filter((name) => !Object.hasOwn(offered, name));
  if (unknown.length > 0) {
    const available = Object.keys(offered).sort().join(", ") || "none";
    const message = `The input \`servers\` names ${unknown.join(", ")}, which this session does not reach. Available: ${available}.`;
    return { ok: false, message };
  }
  const names = wanted.length === 0 ? Object.keys(offered) : wanted;
  return {
    ok: true,
    servers: Object.fromEntries(Object.entries(offered).filter(([name]) => names.includes(name))),
  };
}

export interface RunnerPlaces {
  readonly runnerTemp: string;
  readonly workspace: string;
  /** Private: each stdio server starts in an empty directory of its own below it. */
  readonly directory: string;
  /** How a server is reached that the broker relays to. */
  readonly relayTo: (server: string) => RelayTarget;
  /** What the proxy itself presents. */
  readonly credentials: KeptCredentials;
  readonly httpProxies: HttpProxies;
}

/**
 * A server starts in its own empty directory, not in the workspace: what is checked out there
 * (an .npmrc, a node_modules/) must not decide what `npx` starts.
 */
export function placeServers(
  servers: Readonly<Record<string, SessionServer>>,
  places: RunnerPlaces,
): Record<string, ProxyServer> {
  const { httpProxies } = places;
  const fill = (text: string): string => fillVariables(text, places);
  return Object.fromEntries(
    Object.entries(servers).map(([name, server]): [string, ProxyServer] => {
      const limits = server.limits === undefined ? {} : { limits: server.limits };
      if (server.transport === "relay") {
        return [
          name,
          { transport: "http", isRelayed: true, httpProxies, ...places.relayTo(name), ...limits },
        ];
      }
      const { credentials } = places;
      const facts =
        server.credential === undefined
          ? limits
          : {
              ...limits,
              credential: { provenance: () => credentials.provenanceOf(name), known: credentials.known },
            };
      if (server.transport === "http") {
        const authority = credentials.authorityOf(name);
        const how = { url: server.url, httpProxies, ...(authority && { authority }) };
        return [name, { transport: "http", ...how, ...facts }];
      }
      const cwd = join(places.directory, "servers", name);
      mkdirSync(cwd, { recursive: true, mode: 0o700 });
      const command = server.command.map(fill);
      const env = Object.fromEntries(Object.entries(server.env).map(([key, value]) => [key, fill(value)]));
      const ownEnvironment = credentials.environmentOf(name);
      return [
        name,
        {
          ...{ transport: "stdio", command, env, cwd, start: server.start },
          ...(ownEnvironment && { ownEnvironment }),
          ...facts,
        },
      ];
    }),
  );
}

/** Only these two; braces around anything else stay as they are. What is filled in is not looked at again. */
function fillVariables(text: string, places: RunnerPlaces): string {
  return text.replaceAll(/\{(runner_temp|workspace)\}/g, (_, name: string) =>
    name === "runner_temp" ? places.runnerTemp : places.workspace,
  );
}
