/**
 * A broker on loopback, with every check on and logs (into nothing), a folder as the bucket in a directory that goes with
 * the process, and the stand-in for GitHub's issuer. Asked with the number of a run, it admits that run's job.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { DatabaseConfig } from "../../broker/config-values.ts";
import { createVault } from "../../broker/credentials/vault/vault.ts";
import { loadSealingKey } from "../../broker/keys/sealing-key.ts";
import { startBroker } from "../../broker/server.ts";
import { openDatabase } from "../../broker/storage/database.ts";
import { startDevIssuer } from "../../dev/issuer.ts";
import { LocalBroker } from "../program-contract.ts";
import { readOptions, serveParent } from "./parent.ts";
import { writePolicyDocuments } from "./policy-documents.ts";
import { describeJob } from "./sample-job.ts";

const CREDENTIAL = "records-token";

const { upstream, relays, database: given } = readOptions(LocalBroker);
const directory = mkdtempSync(join(tmpdir(), "lanyard-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
const policies = join(directory, "policies");
const issuer = await startDevIssuer({ port: 0 });
const credential = relays === true ? CREDENTIAL : undefined;
writePolicyDocuments(policies, { issuer: issuer.url, upstream, credential });
const database: DatabaseConfig = given ?? { kind: "sqlite", path: join(directory, "broker.sqlite") };
const keys = join(directory, "sealing-key.json");

const broker = await startBroker({
  config: {
    publicUrl: undefined,
    listen: { host: "127.0.0.1", port: 0 },
    policies,
    database,
    audit: { kind: "folder", path: join(directory, "audit") },
    issuers: [issuer.url],
    keys,
  },
  log: { level: "info", write: () => {} },
});
if (relays === true) await typeIn(CREDENTIAL);
await serveParent({ url: broker.url }, async (question) =>
  issuer.admit(describeJob(z.int().parse(question))),
);

/** As `lanyard credential set` does, beside the broker that runs. */
async function typeIn(name: string): Promise<void> {
  const opened = await openDatabase(database);
  try {
    const vault = createVault({ database: opened, sealingKey: await loadSealingKey(keys), now: Date.now });
    const secret = Buffer.from(randomBytes(32).toString("base64url"));
    await vault.set({ name, owner: "", kind: "bearer", by: "bench", secret });
  } finally {
    await opened.destroy();
  }
}
