/** What the operator said is in a network of its own: servers, in the registry; issuers, in the configuration. */
import type { Policies } from "../../policies/policies.ts";

export interface OwnNetwork {
  readonly policies: Pick<Policies, "servers">;
  readonly privateIssuers: readonly string[];
}

export function isOwnNetwork({ origin }: URL, { policies, privateIssuers }: OwnNetwork): boolean {
  const servers = [...policies.servers.values()].flatMap((server) =>
    server.private === true && server.url !== undefined ? [server.url] : [],
  );
  return [...privateIssuers, ...servers].some((address) => new URL(address).origin === origin);
}
