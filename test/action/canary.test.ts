/** No token and no secret shows where others can see it: not while the job runs, and not in what it leaves. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { unpackSegment } from "../../audit/segment.ts";
import { findStep } from "../../dev/runner.ts";
import { findTracked } from "../../dev/runner/leftovers.ts";
import { connectAgent } from "../support/agents.ts";
import {
  type ScenarioWorld,
  contentsOf,
  privateDirectory,
  startScenarioWorld,
  visibleOf,
} from "./scenario-world.ts";

let world: ScenarioWorld;
beforeAll(async () => {
  world = await startScenarioWorld();
});
afterAll(() => world.close());

it("no token in output, log, spool, summary, bucket, arguments or environments", async () => {
  const secrets = new Map<string, string>();
  const processes = new Map<string, string>();
  let spool = "";
  let others = new Map<string, string>();
  const job = world.newJob();
  const result = await world.play(
    [
      world.use({ agents: "planner, coder" }),
      {
        call: async ({ outputs, environment, runnerTemp }) => {
          secrets.set("request token", environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? "");
          for (const agent of ["planner", "coder"]) {
            const config = outputs("lanyard")[`mcp-config-${agent}`] ?? "";
            const { Authorization } = JSON.parse(readFileSync(config, "utf8")).mcpServers.files.headers;
            secrets.set(agent, Authorization.replace("Bearer ", ""));
            const connected = await connectAgent(config, "files", "first");
            await connected.listTools();
            // An agent that gives its secrets away as arguments.
            await connected.call("echo", { told: [...secrets.values()].join(" ") });
            await connected.call("hidden", { told: Object.fromEntries(secrets) });
            await connected.close();
          }
          for (const { pid, command } of await findTracked(environment["RUNNER_TRACKING_ID"] ?? "")) {
            processes.set(command, visibleOf(pid));
          }
          const directory = privateDirectory(runnerTemp);
          spool = readFileSync(join(directory, "spool.jsonl"), "utf8");
          others = contentsOf(directory);
        },
      },
    ],
    { job },
  );
  expect(result.conclusion).toBe("success");
  secrets.set("control token", findStep(result, "lanyard").state["control_token"] ?? "");
  expect([...secrets.values()].every((secret) => secret.length > 20)).toBe(true);

  const places = new Map<string, string>([
    ["the job's log", result.steps.map(({ output }) => output).join("\n")],
    ["summary", findStep(result, "lanyard", "post").summary],
    ["outputs", JSON.stringify(findStep(result, "lanyard").outputs)],
    ["spool", spool],
    ["bucket", await textOfBucket(join(world.directory, "audit"))],
    ...[...others].filter(([path]) => !path.includes("mcp-config-")),
    ...processes,
  ]);
  expect(processes.size).toBeGreaterThanOrEqual(2);
  expect(places.get("spool")).toContain('"kind":"call"');
  expect(places.get("bucket")).toContain('"kind":"seal"');
  for (const [place, text] of places) {
    for (const [name, secret] of secrets) {
      const forms = [secret, Buffer.from(secret).toString("base64").replace(/=+$/, "")];
      expect(
        forms.some((form) => text.includes(form)),
        `${name} in ${place}`,
      ).toBe(false);
    }
    // Access tokens, subject tokens and proofs are all JWTs; checkpoints are, too, and are meant to be public.
    const jwts = text.match(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g) ?? [];
    const types = jwts.map(
      (jwt) => JSON.parse(Buffer.from(jwt.split(".")[0] ?? "", "base64url").toString()).typ,
    );
    expect(
      types.filter((typ) => !/^lanyard-(checkpoint|manifest)\+jwt$/.test(typ)),
      place,
    ).toEqual([]);
  }
});

/** Everything in the bucket as text, segments unpacked. */
async function textOfBucket(directory: string): Promise<string> {
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const texts = paths.map(async (path) => {
    const bytes = readFileSync(path);
    return path.endsWith(".zst")
      ? (await unpackSegment(bytes, 2 ** 25)).toString("utf8")
      : bytes.toString("utf8");
  });
  return (await Promise.all(texts)).join("\n");
}
