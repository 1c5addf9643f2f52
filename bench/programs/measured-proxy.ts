/**
 * Lanyard's proxy as it runs in a job: a policy with conditions, redaction, and a session's log in full
 * (spool, chain, tally, packed segments). Only the broker is left out: its answers are made up on the spot.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSessionLog } from "../../action/guard/session-log.ts";
import { SPOOL_FILE } from "../../action/handover.ts";
import type { SessionClient } from "../../action/wire/broker-client.ts";
import { createRedactor } from "../../audit/redaction/redaction.ts";
import { compilePolicy } from "../../policies/compilation.ts";
import { digestPolicy, type SessionPolicy } from "../../policies/session-policy.ts";
import { type ProxyOptions, type RunningProxy, startProxy } from "../../proxy/proxy.ts";
import type { Endpoint } from "../program-contract.ts";
import { claims } from "./sample-policy.ts";

export interface MeasuredProxy extends Pick<RunningProxy, "close"> {
  /** Where one of its servers is reached. */
  endpointOf(server: string): Endpoint;
  /** The log on disk, as long as this process lives. */
  readonly spool: string;
}

export async function startMeasuredProxy(
  policy: SessionPolicy,
  servers: ProxyOptions["servers"],
): Promise<MeasuredProxy> {
  const token = `lanyard_agent_${randomBytes(32).toString("base64url")}`;
  const salt = randomBytes(32);
  const directory = mkdtempSync(join(tmpdir(), "lanyard-bench-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const log = openSessionLog({
    directory,
    plan: { segment_bytes: 256 * 1024, segment_interval_ms: 3_000, salt: salt.toString("base64url") },
    client: makeUpBroker(policy),
    http: async () => ({ status: 200, headers: {}, body: "" }),
    onHalt: (reason) => {
      throw new Error(reason);
    },
  });
  const proxy = await startProxy({
    policy: await compilePolicy(policy, { claims }),
    servers,
    agents: [{ name: "agent", token }],
    recorder: log,
    redactor: createRedactor([{ id: "agent-agent", kind: "token", value: token }]),
    salt,
    sessionState: () => ({ active: true }),
    stderrOf: () => () => {},
    // More than any agent calls: what is measured is not how calls are refused.
    limits: { maxCallsPerMinute: Number.POSITIVE_INFINITY },
  });
  return {
    close: () => proxy.close(),
    endpointOf: (server) => ({
      url: `${proxy.url}/mcp/${server}`,
      headers: { authorization: `Bearer ${token}` },
    }),
    spool: join(directory, SPOOL_FILE),
  };
}

function makeUpBroker(policy: SessionPolicy): SessionClient {
  const refuse = async (): Promise<never> => {
    throw new Error("this broker only takes segments");
  };
  return {
    read: refuse,
    renew: refuse,
    seal: refuse,
    announceSegment: async () => ({
      ok: true,
      value: {
        checkpoint: "made-up",
        upload: { url: "http://127.0.0.1/", headers: {} },
        policy: digestPolicy(policy),
      },
    }),
  };
}
