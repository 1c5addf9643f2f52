/**
 * The `lanyard` command. It only wires: a command's code is loaded when it is the one that was asked for.
 * Exit codes: 0 good, 1 the command found something, 2 it was called wrongly.
 */
import { Command, CommanderError } from "commander";

interface LazyCommand {
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<Command>;
}

const commands: readonly LazyCommand[] = [
  {
    name: "dev",
    description: "start everything on this machine and play one sample workflow run",
    load: async () => (await import("../dev/command.ts")).devCommand(),
  },
  {
    name: "serve",
    description: "run the broker, configured by environment variables",
    load: async () => (await import("../broker/cli/serve.ts")).serveCommand(),
  },
  {
    name: "operator",
    description: "add, list and remove the people who may read runs",
    load: async () => (await import("../broker/cli/operator.ts")).operatorCommand(),
  },
  {
    name: "session",
    description: "list, show and revoke the sessions of jobs",
    load: async () => (await import("../broker/cli/session/session.ts")).sessionCommand(),
  },
  {
    name: "credential",
    description: "set, connect, test, list, rotate and remove the credentials that servers want to see",
    load: async () => (await import("../broker/cli/credential/command.ts")).credentialCommand(),
  },
  {
    name: "keys",
    description:
      "list, rotate and distrust the keys that sign tokens and checkpoints, and change the one that seals",
    load: async () => (await import("../broker/cli/keys/keys.ts")).keysCommand(),
  },
  {
    name: "provision",
    description: "provision a robot user for the runs of one workflow of a repository",
    load: async () => {
      const { provisionCommand } = await import("../broker/cli/provision/provision.ts");
      return provisionCommand(await readDefaults());
    },
  },
  {
    name: "policy",
    description: "check, explain, test and compare the policy documents",
    load: async () => {
      const { policyCommand } = await import("../broker/cli/policy/command.ts");
      return policyCommand(await readDefaults());
    },
  },
  {
    name: "explain",
    description: "explain which binding a job's token matches, or why it was refused",
    load: async () => {
      const [{ explainCommand }, { readExplainDefaults }] = await Promise.all([
        import("../broker/cli/explain/explain.ts"),
        import("../broker/cli/defaults.ts"),
      ]);
      return explainCommand(readExplainDefaults());
    },
  },
  {
    name: "audit",
    description: "verify an audit log offline, with public keys alone",
    load: async () => {
      const { auditVerifyCommand } = await import("../broker/cli/audit-verify.ts");
      return new Command("audit").addCommand(auditVerifyCommand());
    },
  },
];

async function readDefaults(): Promise<{ policies: string }> {
  return (await import("../broker/cli/defaults.ts")).readDefaults();
}

/** Read only when it is asked for. */
async function readVersion(option: string | undefined): Promise<string> {
  const isAsked = option === "--version" || option === "-V";
  return isAsked ? (await import("../broker/cli/version.ts")).readVersion() : "";
}

/** `lanyard NAME …` and `lanyard help NAME` load that one; everything else gets by with names and descriptions. */
async function createProgram(asked: readonly string[]): Promise<Command> {
  const program = new Command("lanyard")
    .description("A visitor's badge for AI agents in CI.")
    .version(await readVersion(asked[0]));
  const wanted = asked[0] === "help" ? asked[1] : asked[0];
  for (const { name, description, load } of commands) {
    const command = name === wanted ? await load() : new Command(name);
    program.addCommand(command.description(description));
  }
  throwOnExit(program);
  return program;
}

function throwOnExit(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) throwOnExit(subcommand);
}

for (const output of [process.stdout, process.stderr]) {
  // A reader that leaves early (`| head`) is no failure of the command, and a broker goes on without it.
  output.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

try {
  const program = await createProgram(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has said what is wrong; asked for help or version it ends with 0.
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
