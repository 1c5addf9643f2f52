/**
 * How each server is reached. What speaks a transport is large: it is loaded for a session that has a server behind it.
 */
import type { Limits } from "../limits.ts";
import type { Environment } from "./child-environment.ts";
import type { Upstream, UpstreamEvents } from "./upstream.ts";

/** How a server is reached, with every variable filled in. */
export type ProxyServer =
  | { readonly transport: "http"; readonly url: string }
  | {
      readonly transport: "stdio";
      readonly command: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd?: string;
      /** `eager`: with the proxy; `lazy`: at the first request. */
      readonly start: "eager" | "lazy";
    };

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
    const { HttpUpstream } = await import("./http-upstream.ts");
    return ({ limits, events }) => new HttpUpstream({ url: new URL(how.url), limits, events });
  }
  const { StdioUpstream } = await import("./stdio-upstream.ts");
  return ({ limits, events, environment, stderr }) => {
    const upstream = new StdioUpstream({
      command: how.command,
      environment: { inherited: environment, own: how.env },
      cwd: how.cwd,
      ...{ limits, events, stderr },
    });
    if (how.start === "eager") {
      upstream.start();
    }
    return upstream;
  };
}
