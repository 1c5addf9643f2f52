/**
 * A broker as `lanyard serve` runs it, with every check on: it logs (into nothing), counts, limits repositories (at a
 * bound that the load does not reach) and commits durably. Asked anything, it says how many sessions its database holds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseConfig } from "../../broker/config-values.ts";
import { startBroker } from "../../broker/server.ts";
import { openDatabase } from "../../broker/storage/database.ts";
import { ExchangeBroker } from "../program-contract.ts";
import { readOptions, serveParent } from "./parent.ts";
import { writePolicyDocuments } from "./policy-documents.ts";

/** All jobs of the load are of one repository. */
const REPOSITORY_PER_MINUTE = 1_000_000_000;

const { issuer, database } = readOptions(ExchangeBroker);
const directory = mkdtempSync(join(tmpdir(), "lanyard-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
const policies = join(directory, "policies");
// Nobody calls a tool here.
writePolicyDocuments(policies, { issuer, upstream: "http://127.0.0.1:9/mcp" });

const stored: DatabaseConfig =
  database.kind === "postgres"
    ? database
    : {
        kind: "sqlite",
        path: join(directory, "broker.sqlite"),
        commitDelayMs: database.commit_delay_ms,
      };

/** Over a connection of its own: what others see. */
async function countSessions(): Promise<number> {
  const reader = await openDatabase(stored);
  try {
    const { sessions } = await reader
      .selectFrom("sessions")
      .select(({ fn }) => fn.countAll().as("sessions"))
      .executeTakeFirstOrThrow();
    return Number(sessions);
  } finally {
    await reader.destroy();
  }
}

const broker = await startBroker({
  config: {
    publicUrl: undefined,
    listen: { host: "127.0.0.1", port: 0 },
    policies,
    database: stored,
    audit: { kind: "folder", path: join(directory, "audit") },
    issuers: [issuer],
    keys: join(directory, "sealing-key.json"),
    limits: { repositoryPerMinute: REPOSITORY_PER_MINUTE },
  },
  log: { level: "info", write: () => {} },
});
await serveParent({ url: `${broker.url}/token` }, countSessions);
