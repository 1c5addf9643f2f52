/**
 * The entry of the step: checks that the job can have a badge, starts the proxy, hands the client its configuration.
 * It ends as soon as the proxy is ready; what it started is recorded for post before it can fail.
 */
import { join } from "node:path";
import { writeClaudeConfig } from "./runner/client-config.ts";
import { createFileCommands } from "./runner/file-commands.ts";
import type { Ready } from "./handover.ts";
import {
  type MainInputs,
  environment,
  readFileCommandPaths,
  readMainInputs,
  selectHttpProxies,
  selectProxyEnvironment,
} from "./inputs.ts";
import { claimJob } from "./runner/job-marker.ts";
import { createPrivateDirectory } from "./runner/private-files.ts";
import { startProxyProcess } from "./runner/proxy-process.ts";
import { createWorkflowCommands } from "./runner/workflow-commands.ts";

const commands = createWorkflowCommands((text) => process.stdout.write(text));
const files = createFileCommands(readFileCommandPaths(environment));

void main();

async function main(): Promise<void> {
  try {
    const inputs = readMainInputs(environment);
    const problems = inputs.ok ? await openDoors(inputs.value) : inputs.problems;
    if (problems.length > 0) {
      commands.error(problems.join("\n"));
      process.exitCode = 1;
    }
  } catch (cause) {
    commands.error(`Lanyard could not start: ${cause instanceof Error ? cause.message : "unknown"}`);
    process.exitCode = 1;
  }
}

/** Returns what stands in the way; empty when the agent can start. */
async function openDoors(inputs: MainInputs): Promise<string[]> {
  const marker = claimJob(inputs.runnerTemp, inputs);
  if (marker === undefined) {
    return [
      "This job already has a Lanyard step, and a job has one session: name several agents with `agents:` in the first one and remove this step.",
    ];
  }
  files.saveState("marker", marker);
  const directory = createPrivateDirectory(inputs.runnerTemp);
  files.saveState("directory", directory);
  const readiness = await startProxyProcess({
    file: join(import.meta.dirname, "proxy.cjs"),
    configuration: {
      broker: inputs.broker,
      oidc: inputs.oidc,
      robot: nameInFull(inputs.robot, inputs.repository),
      roles: inputs.roles,
      servers: inputs.servers,
      agents: inputs.agents,
      directory,
      runnerTemp: inputs.runnerTemp,
      workspace: inputs.workspace,
      runnerEnvironment: inputs.runnerEnvironment,
      httpProxies: selectHttpProxies(environment),
    },
    environment: selectProxyEnvironment(environment),
    onSpawn: ({ pid, started }) => {
      files.saveState("pid", String(pid));
      files.saveState("started", started);
    },
  });
  if (readiness.status === "failed") return [readiness.message];
  presentBadge(directory, readiness);
  return [];
}

function presentBadge(directory: string, ready: Ready): void {
  for (const { token } of ready.agents) commands.addMask(token);
  commands.addMask(ready.controlToken);
  files.saveState("session", ready.session);
  files.saveState("review_url", ready.reviewUrl);
  files.saveState("control", ready.url);
  files.saveState("control_token", ready.controlToken);

  const configs = ready.agents.map((agent) => ({
    agent: agent.name,
    path: writeClaudeConfig(directory, agent, ready),
  }));
  const [first] = configs;
  if (first !== undefined) {
    files.setOutput("mcp-config", first.path);
    files.setOutput("claude-config", first.path);
  }
  if (configs.length > 1) {
    for (const { agent, path } of configs) files.setOutput(`mcp-config-${agent}`, path);
  }
  files.setOutput("url", ready.url);
  files.setOutput("robot", ready.robot);
  files.setOutput("session", ready.session);
  files.setOutput("review-url", ready.reviewUrl);

  const servers = ready.servers.length === 0 ? "no server" : ready.servers.join(", ");
  commands.say(`Lanyard: robot ${ready.robot} (${ready.roles.join(", ")}) reaches ${servers}.`);
  commands.say(`The session is renewed while the job runs, until ${ready.maxExpiresAt} at the latest.`);
  commands.say(`Every call is recorded. Review: ${ready.reviewUrl}`);
}

/** Undefined: the broker finds the one robot that is bound to this job. */
function nameInFull(robot: string, repository: string): string | undefined {
  if (robot === "") return undefined;
  return robot.includes("/") ? robot : `${repository}/${robot}`;
}
