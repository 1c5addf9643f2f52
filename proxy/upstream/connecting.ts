/**
 * How each server is reached. What speaks a transport is large: it is loaded for a session that has a server behind it.
 */
import type { Redactor } from "../../audit/redaction/redaction.ts";
import type { ServerLimits } from "../../policies/server-limits.ts";
import type { Limits } from "../limits.ts";
import type { CallFacts } from "../recording.ts";
import type { Authority } from "./authority.ts";
import type { Environment } from "./stdio/child-environment.ts";
import type { HttpProxies } from "./http/http-proxies.ts";
import type { Upstream, UpstreamEvents } from "./upstream.ts";

/** Variables of a server that change while it runs. */
export interface OwnEnvironment {
  /** As they are now: for the next process. */
  readonly read: () => Readonly<Record<string, string>>;
  /** Told when processes that run have old ones. */
  readonly onChange: (listener: () => void) => void;
  /** A sentence about what is missing: without it no call is worth sending. Undefined: nothing. */
  readonly findLack: () => string | undefined;
}

export interface ServerCredential {
  /** Of the next call. */
  readonly provenance: () => CallFacts["credential"];
  /** It knows what is secret in credentials of the session, and nothing else. */
  readonly known: Redactor;
}

/** How a server is reached, with every variable filled in, and what it may take where that is its own. */
export type ProxyServer = {
  readonly limits?: ServerLimits;
  /** What it gets to see beside the messages; absent: nothing. */
  readonly credential?: ServerCredential;
} & (
  | {
      readonly transport: "http";
      readonly url: string;
      readonly authority?: Authority;
      /** It is another gate of the session, before the server. */
      readonly isRelayed?: boolean;
      readonly httpProxies?: HttpProxies;
    }
  | {
      readonly transport: "stdio";
      readonly command: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      /** Over `env`. */
      readonly ownEnvironment?: OwnEnvironment;
      readonly cwd?: string;
      /** `eager`: with the proxy; `lazy`: at the first request. */
      readonly start: "eager" | "lazy";
    }
);

interface ConnectOptions {
  readonly limits: Limits;
  readonly events: UpstreamEvents;
  /** The proxy's own, of which a child gets little. */
  readonly environment: Environment;
  /** Takes the stderr of a child. */
  readonly stderr: (chunk: Buffer) => void;
}

export type Connect = (options: ConnectOptions) => Upstream;

/** Nothing is connected or started before the result is called. */
export async function prepareConnection(how: ProxyServer): Promise<Connect> {
  if (how.transport === "http") {
    const { HttpUpstream } = await import("./http/http-upstream.ts");
    const { url, authority, httpProxies } = how;
    return ({ limits, events }) =>
      new HttpUpstream({ url: new URL(url), limits, events, authority, httpProxies });
  }
  const { StdioUpstream } = await import("./stdio/stdio-upstream.ts");
  const { command, env, ownEnvironment, cwd, start } = how;
  return ({ limits, events, environment, stderr }) =>
    new StdioUpstream({
      ...{ command, cwd, start, limits, events, stderr },
      environment: { inherited: environment, listed: env, own: ownEnvironment },
    });
}
