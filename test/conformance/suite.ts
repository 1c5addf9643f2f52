/**
 * The official conformance suite as a child process, and what it says of a server: a verdict for each check of each
 * scenario. Counts are of no use: against a port where nobody listens dozens of checks pass.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";

export type Revision = "2025-11-25" | "2026-07-28";

/** By `<scenario> <check>`: its statuses in order, such as `SUCCESS` or `SUCCESS FAILURE`. */
export type Verdicts = ReadonlyMap<string, string>;

const Checks = z.array(z.object({ id: z.string(), status: z.string() }));

const ENTRY = join(
  createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json"),
  "../dist/index.js",
);
/** `server-<scenario>-<time>` */
const RESULT_FOLDER = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/;
/** Of an extension that the gate refuses as a whole. */
const LEFT_OUT = /^tasks-/;

/** Everything that the revision requires of servers, and what the suite runs beside it. */
export function runSuite(url: string, revision: Revision): Promise<Verdicts> {
  return run(["--url", url, "--requirements", revision]);
}

export function runScenario(url: string, revision: Revision, scenario: string): Promise<Verdicts> {
  return run(["--url", url, "--scenario", scenario, "--spec-version", revision]);
}

async function run(args: readonly string[]): Promise<Verdicts> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    await runToEnd([ENTRY, "server", ...args, "--output-dir", folder]);
    return await readVerdicts(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Its exit status says only that some check failed. */
function runToEnd(args: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: {}, maxBuffer: 64 * 1024 * 1024 }, () => resolve());
  });
}

async function readVerdicts(folder: string): Promise<Verdicts> {
  const verdicts = new Map<string, string>();
  for (const name of await readdir(folder)) {
    const scenario = RESULT_FOLDER.exec(name)?.[1];
    if (scenario === undefined || LEFT_OUT.test(scenario)) {
      continue;
    }
    const checks = Checks.parse(JSON.parse(await readFile(join(folder, name, "checks.json"), "utf8")));
    for (const [id, same] of Map.groupBy(checks, (check) => check.id)) {
      // What is only told is told as often as something happened on the way.
      const judged = same.map(({ status }) => status).filter((status) => status !== "INFO");
      verdicts.set(`${scenario} ${id}`, judged.length === 0 ? "INFO" : judged.join(" "));
    }
  }
  return verdicts;
}
