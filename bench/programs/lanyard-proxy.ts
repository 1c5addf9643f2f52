/**
 * Lanyard's proxy as it runs in a job: a policy with conditions, redaction, and a session's log in full
 * (spool, chain, tally, packed segments). Only the broker is left out: its answers are made up on the spot.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionClient } from "../../action/wire/broker-client.ts";
import { openSessionLog } from "../../action/guard/session-log.ts";
import { createRedactor } from "../../audit/redaction/redaction.ts";
import { compilePolicy } from "../../policies/compilation.ts";
import { digestPolicy } from "../../policies/session-policy.ts";
import { startProxy } from "../../proxy/proxy.ts";
import { Upstream } from "../program-contract.ts";
import { readOptions, serveParent } from "./parent.ts";
import { claims, MEASURED_SERVER, policy } from "./sample-policy.ts";

const { upstream } = readOptions(Upstream);
const token = `lanyard_agent_${randomBytes(32).toString("base64url")}`;
const salt = randomBytes(32);
const directory = mkdtempSync(join(tmpdir(), "lanyard-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));

const refuse = async (): Promise<never> => {
  throw new Error("this broker only takes segments");
};
const client: SessionClient = {
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
const log = openSessionLog({
  directory,
  plan: { segment_bytes: 256 * 1024, segment_interval_ms: 3_000, salt: salt.toString("base64url") },
  client,
  http: async () => ({ status: 200, headers: {}, body: "" }),
  onHalt: (reason) => {
    throw new Error(reason);
  },
});

const { url } = await startProxy({
  policy: await compilePolicy(policy, { claims }),
  servers: { [MEASURED_SERVER]: { transport: "http", url: upstream } },
  agents: [{ name: "agent", token }],
  recorder: log,
  redactor: createRedactor([{ id: "agent-agent", kind: "token", value: token }]),
  salt,
  sessionState: () => ({ active: true }),
  stderrOf: () => () => {},
});
await serveParent({
  url: `${url}/mcp/${MEASURED_SERVER}`,
  headers: { authorization: `Bearer ${token}` },
});
