/**
 * A broker on loopback, with SQLite and a folder as the bucket in a directory that goes with the process,
 * and the stand-in for GitHub's issuer. Asked with the number of a run, it admits that run's job.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { startBroker } from "../../broker/server.ts";
import { startDevIssuer } from "../../dev/issuer.ts";
import { provisionRobot } from "../../policies/provisioning.ts";
import { Upstream } from "../program-contract.ts";
import { readOptions, serveParent } from "./parent.ts";
import { describeJob, ROBOT, ROLE } from "./sample-job.ts";
import { MEASURED_SERVER, policy } from "./sample-policy.ts";

const { upstream } = readOptions(Upstream);
const directory = mkdtempSync(join(tmpdir(), "lanyard-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
const policies = join(directory, "policies");
const issuer = await startDevIssuer({ port: 0 });

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(policies, path)), { recursive: true });
  writeFileSync(join(policies, path), text);
};
// JSON is YAML.
const grants = policy.grants
  .filter(({ server }) => server === MEASURED_SERVER)
  .map(({ rule: _, ...grant }) => grant);
write("servers.yaml", JSON.stringify({ servers: { [MEASURED_SERVER]: { url: upstream } } }));
write("roles.yaml", JSON.stringify({ roles: { [ROLE]: { grants } } }));
const { repository, repositoryId, ownerId, workflow, event, ref } = describeJob(0);
const provisioned = provisionRobot({
  issuer: issuer.url,
  repository,
  repositoryId,
  repositoryOwnerId: ownerId,
  name: ROBOT,
  bindings: [{ workflow, events: [event], ref, roles: [ROLE] }],
});
if (!provisioned.ok) throw new Error(provisioned.message);
write(provisioned.path, provisioned.text);

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
