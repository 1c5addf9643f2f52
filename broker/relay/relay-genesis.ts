/** The first record of the log of what the broker relayed for a session: whose log it is. */
import type { EntryOf } from "../../audit/record.ts";
import { readVersion } from "../cli/version.ts";
import { policyOf, rolesOf, serversOfRow, workloadOf } from "../sessions/session-row.ts";
import type { SessionRow } from "../storage/schema.ts";

const VERSION = readVersion();

export function describeRelayGenesis(
  session: SessionRow,
  { publicUrl }: { readonly publicUrl: string },
): EntryOf<"relay_genesis"> {
  const servers = Object.entries(serversOfRow(session)).filter(([, { transport }]) => transport === "relay");
  return {
    kind: "relay_genesis",
    session: session.id,
    broker: publicUrl,
    version: VERSION,
    robot: session.robot,
    roles: rolesOf(session),
    workload: workloadOf(session),
    policy: policyOf(session),
    servers: servers.map(([name]) => name),
  };
}
