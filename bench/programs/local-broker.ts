/**
 * A broker on loopback, with SQLite and a folder as the bucket in a directory that goes with the process,
 * and the stand-in for GitHub's issuer. Asked with the number of a run, it admits that run's job.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startBroker } from "../../broker/server.ts";
import { startDevIssuer } from "../../dev/issuer.ts";
import { Upstream } from "../program-contract.ts";
import { readOptions, serveParent } from "./parent.ts";
import { writePolicyDocuments } from "./policy-documents.ts";
import { describeJob } from "./sample-job.ts";

const { upstream } = readOptions(Upstream);
const directory = mkdtempSync(join(tmpdir(), "lanyard-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
const policies = join(directory, "policies");
const issuer = await startDevIssuer({ port: 0 });
writePolicyDocuments(policies, { issuer: issuer.url, upstream });

const broker = await startBroker({
  config: {
    publicUrl: undefined,
    listen: { host: "127.0.0.1", port: 0 },
    policies,
    database: { kind: "sqlite", path: join(directory, "broker.sqlite") },
    audit: { kind: "folder", path: join(directory, "audit") },
    issuers: [issuer.url],
    keys: join(directory, "sealing-key.json"),
  },
});
await serveParent({ url: broker.url }, async (question) =>
  issuer.admit(describeJob(z.int().parse(question))),
);
