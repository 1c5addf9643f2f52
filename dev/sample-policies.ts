/**
 * The policy directory of development mode: a copy of the starter documents with their tests, and one provisioned robot.
 * What is there already is the newcomer's and is left as it is.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { loadPolicies } from "../policies/loading.ts";
import { provisionRobot } from "../policies/provisioning.ts";
import { sampleRepository } from "./sample-job.ts";

const STARTER = join(import.meta.dirname, "..", "policies", "starter");
/** Where the starter documents expect the sample server. */
const STARTER_SERVER = "http://127.0.0.1:8486/mcp";

export interface SamplePolicies {
  readonly directory: string;
  readonly issuer: string;
  readonly serverUrl: string;
}

/** Writes what is missing. Throws with one sentence when what is there belongs to other ports. */
export async function writeSamplePolicies({ directory, issuer, serverUrl }: SamplePolicies): Promise<void> {
  const names = await readdir(STARTER, { recursive: true });
  for (const name of names.filter((each) => each.endsWith(".yaml"))) {
    const path = join(directory, name);
    const text = await readFile(join(STARTER, name), "utf8");
    const moved = text
      .replaceAll(STARTER_SERVER, serverUrl)
      .replace(/(?:\.\.\/)+schemas\//, `${relative(dirname(path), join(STARTER, "..", "schemas"))}/`);
    if (!existsSync(path)) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, moved);
    }
  }
  const { repository, repositoryId, ownerId, workflow, event, ref } = sampleRepository;
  const provisioned = provisionRobot({
    issuer,
    repository,
    repositoryId,
    repositoryOwnerId: ownerId,
    name: "triager",
    bindings: [{ workflow, events: [event, "workflow_dispatch"], ref, roles: ["reader", "demo"] }],
  });
  if (!provisioned.ok) throw new Error(provisioned.message);
  const robots = join(directory, provisioned.path);
  if (!existsSync(robots)) {
    await mkdir(dirname(robots), { recursive: true });
    await writeFile(robots, provisioned.text);
  }
  await requireSamePorts({ directory, issuer, serverUrl });
}

async function requireSamePorts({ directory, issuer, serverUrl }: SamplePolicies): Promise<void> {
  const loaded = await loadPolicies(directory);
  // Problems are the broker's to report: it loads the same directory next.
  if (!loaded.ok) return;
  const issuers = [...loaded.policies.repositories.values()].map((repository) => repository.issuer);
  const url = loaded.policies.servers.get("everything")?.url;
  if (!issuers.includes(issuer) || (url !== undefined && url !== serverUrl)) {
    throw new Error(
      `${directory} was made for other ports: start with the --port of then, or with another --state folder`,
    );
  }
}
