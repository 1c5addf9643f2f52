/**
 * Runs jobs by the rules of GitHub's runner, one for each question, and says how long their steps took:
 * `node -e 0` as the only step, or Lanyard's step and then an agent's first `tools/list`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { findStep, type JobResult, runJob, type Step } from "../../dev/runner.ts";
import { variablesOfJob } from "../../dev/runner/job-variables.ts";
import { type Endpoint, JobRequest, type JobTimes } from "../program-contract.ts";
import { openSession } from "./mcp-session.ts";
import { serveParent } from "./parent.ts";
import { RawConnection } from "./raw-connection.ts";
import { describeJob, ROBOT } from "./sample-job.ts";
import { MEASURED_SERVER } from "./sample-policy.ts";
import { MEASURED_TOOL } from "./sample-tools.ts";

const project = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "lanyard-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

const ClientConfig = z.object({
  mcpServers: z.record(z.string(), z.object({ url: z.url(), headers: z.record(z.string(), z.string()) })),
});
const ToolList = z.object({ result: z.object({ tools: z.array(z.object({ name: z.string() })) }) });

async function runSteps(
  steps: readonly Step[],
  environment: Readonly<Record<string, string>>,
): Promise<JobResult> {
  const result = await runJob({
    steps,
    folder,
    environment: { ...environment, PATH: "/usr/local/bin:/usr/bin:/bin" },
  });
  const failed = result.steps.find(({ outcome }) => outcome !== "success");
  if (failed !== undefined) {
    throw new Error(
      `the ${failed.phase} of step ${failed.step} ended with ${failed.outcome}: ${failed.output}`,
    );
  }
  return result;
}

async function timeNode(): Promise<JobTimes> {
  const result = await runSteps([{ id: "node", run: () => [process.execPath, "-e", "0"] }], {});
  return { exit_ms: findStep(result, "node").durationMs };
}

async function timeAction({
  broker,
  run,
  environment,
}: Extract<JobRequest, { kind: "action" }>): Promise<JobTimes> {
  const steps: Step[] = [
    { id: "lanyard", uses: project, with: { broker, robot: ROBOT } },
    { id: "agent", call: async (job) => listTools(job.outputs("lanyard")["mcp-config"] ?? "") },
  ];
  const result = await runSteps(steps, { ...variablesOfJob(describeJob(run)), ...environment });
  const exitMs = findStep(result, "lanyard").durationMs;
  return { exit_ms: exitMs, listed_ms: exitMs + findStep(result, "agent").durationMs };
}

/** What an agent does first, by the file that the Action wrote for it. */
async function listTools(configPath: string): Promise<void> {
  const { mcpServers } = ClientConfig.parse(JSON.parse(readFileSync(configPath, "utf8")));
  const endpoint: Endpoint | undefined = mcpServers[MEASURED_SERVER];
  if (endpoint === undefined) throw new Error(`the client configuration has no server ${MEASURED_SERVER}`);
  const connection = await RawConnection.open(new URL(endpoint.url));
  try {
    const { write } = await openSession(connection, endpoint);
    const { body } = await connection.exchange(
      write(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} })),
    );
    const listed = ToolList.parse(JSON.parse(body.toString())).result.tools.map(({ name }) => name);
    if (!listed.includes(MEASURED_TOOL) || listed.includes("delete_record")) {
      throw new Error(
        `tools/list was answered with ${listed.join(", ")}: that is not what the policy grants`,
      );
    }
  } finally {
    connection.close();
  }
}

await serveParent({}, async (question) => {
  const request = JobRequest.parse(question);
  return request.kind === "node" ? timeNode() : timeAction(request);
});
