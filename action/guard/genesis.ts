/**
 * The first record of a log: everything that is known before the proxy listens.
 */
import { hash } from "node:crypto";
import type { EntryOf } from "../../audit/record.ts";
import type { SessionDocument } from "../../broker/contract.ts";
import { VERSION } from "../version.ts";

export interface GenesisFacts {
  readonly document: SessionDocument;
  readonly broker: string;
  readonly agents: readonly string[];
  readonly servers: readonly string[];
  readonly runnerEnvironment: string;
  /** The very bytes that this process runs. */
  readonly bundle: Uint8Array;
}

export function describeGenesis(facts: GenesisFacts): EntryOf<"genesis"> {
  const { document } = facts;
  const relayed = facts.servers.filter((name) => document.servers[name]?.transport === "relay");
  return {
    kind: "genesis",
    session: document.session,
    broker: facts.broker,
    robot: document.robot,
    roles: document.roles,
    mode: document.policy.source.mode,
    workload: document.workload,
    claims: document.claims,
    policy: document.policy.digest,
    proxy: { version: VERSION, bundle: hash("sha256", facts.bundle, "hex") },
    agents: [...facts.agents],
    servers: [...facts.servers],
    ...(relayed.length > 0 && { relayed }),
    isolation: "none",
    posture: {
      platform: process.platform,
      arch: process.arch,
      node: process.version,
      user_id: process.getuid?.() ?? null,
      runner_environment: facts.runnerEnvironment,
    },
  };
}
