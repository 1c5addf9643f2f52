/** Whatever is wrong at the start ends with one message that says what to change. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunView } from "../../broker/review/view.ts";
import { findStep } from "../../dev/runner.ts";
import type { PlayOptions } from "../support/world.ts";
import { type ScenarioWorld, logOf, startScenarioWorld } from "./scenario-world.ts";

let world: ScenarioWorld;
beforeAll(async () => {
  world = await startScenarioWorld();
});
afterAll(() => world.close());

/** The one message of a job whose Lanyard step fails. */
async function complaintOf(inputs: Record<string, string>, options: PlayOptions = {}): Promise<string> {
  const result = await world.play([world.use(inputs)], options);
  expect(result.conclusion, logOf(result)).toBe("failure");
  expect(result.leftovers).toEqual([]);
  const annotations = result.steps.flatMap((step) => step.annotations);
  expect(annotations, logOf(result)).toHaveLength(1);
  expect(annotations[0]?.level).toBe("error");
  // Post has nothing to add.
  expect(findStep(result, "lanyard", "post")).toMatchObject({ exitCode: 0, output: "", summary: "" });
  return annotations[0]?.message ?? "";
}
const withoutPermission = { ACTIONS_ID_TOKEN_REQUEST_URL: "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" };

describe("one message for", () => {
  it("a job without id-token: write", async () => {
    expect(await complaintOf({}, { environment: withoutPermission })).toMatch(
      /^Lanyard needs `permissions: id-token: write` on this job.*Pull requests from forks/,
    );
  });

  it("Windows", async () => {
    expect(await complaintOf({}, { environment: { RUNNER_OS: "Windows" } })).toBe(
      "Lanyard does not run on Windows: use a Linux or macOS runner, as in `runs-on: ubuntu-latest`.",
    );
  });

  it.each([
    [{ broker: "lanyard.acme.dev" }, /^The input `broker` must be the broker's public URL/],
    [{ agents: "Planner!" }, /^The input `agents` must be one to 16 names/],
    [{ "fail-on": "sometimes" }, /^The input `fail-on` must be/],
    [{ agents: "-", "fail-on": "x" }, /`agents`.*\n.*`fail-on`/],
  ])("the malformed inputs %o", async (inputs, message) => {
    expect(await complaintOf(inputs)).toMatch(message);
  });

  it("a broker that cannot be reached", async () => {
    expect(await complaintOf({ broker: "http://127.0.0.1:1" })).toBe(
      "The broker at http://127.0.0.1:1 gave no session: it could not be reached (127.0.0.1:1: ECONNREFUSED). Check the input `broker`, and that the broker runs and can be reached from this runner.",
    );
  });

  it("something that is no broker", async () => {
    const server = createServer((_, response) => response.end("<html>hello</html>")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const broker = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await complaintOf({ broker })).toMatch(
      /^The broker's answer is not one.*Check that `broker` is a Lanyard/,
    );
    server.closeAllConnections();
    server.close();
  });

  it("a robot that is not bound to this job", async () => {
    expect(await complaintOf({ robot: "admin" })).toMatch(
      /^The broker did not accept this job: No robot with these roles is bound .* Reference: \w+$/,
    );
  });

  it("a workflow that no binding names", async () => {
    const job = world.newJob({ workflow: ".github/workflows/other.yml" });
    expect(await complaintOf({}, { job })).toMatch(
      /^The broker did not accept this job: No robot with these roles/,
    );
  });

  it("a broker that is called by another name than its own (wrong audience)", async () => {
    const broker = world.broker.url.replace("127.0.0.1", "localhost");
    expect(await complaintOf({ broker })).toMatch(/^The broker did not accept this job: .*public URL/);
  });

  it("an endpoint of GitHub that gives no token", async () => {
    const environment = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "canary-wrong" };
    const message = await complaintOf({}, { environment });
    expect(message).toMatch(
      /^GitHub's OIDC endpoint gave no token for this job: it answered with status 401/,
    );
    expect(message).not.toContain("canary");
  });

  it("a server that the session does not reach; the run shows a sealed log all the same", async () => {
    const job = world.newJob();
    expect(await complaintOf({ servers: "files, github" }, { job })).toBe(
      "The input `servers` names github, which this session does not reach. Available: files, memory.",
    );
    const { runs } = JSON.parse((await world.visit("/api/runs")).text);
    const run = runs.find((each: any) => each.run.run_id === job.runId);
    expect(run.status).toBe("complete");
  });
});

describe("a second Lanyard step in a job", () => {
  it("fails with a sentence that names `agents`, and the first one's session goes on", async () => {
    let config = "";
    const result = await world.play([
      world.use(),
      { ...world.use({ agents: "other" }, "second"), continueOnError: true },
      {
        call: async ({ outputs }) => {
          config = readFileSync(outputs("lanyard")["mcp-config"] ?? "", "utf8");
          const { url, headers } = JSON.parse(config).mcpServers.files;
          const answer = await fetch(url, {
            method: "GET",
            headers: { ...headers, accept: "text/event-stream" },
          });
          await answer.body?.cancel();
          expect(answer.status).not.toBe(401);
        },
      },
    ]);
    expect(result.conclusion, logOf(result)).toBe("success");
    expect(findStep(result, "second").annotations).toEqual([
      {
        level: "error",
        message:
          "This job already has a Lanyard step, and a job has one session: name several agents with `agents:` in the first one and remove this step.",
      },
    ]);
    expect(findStep(result, "second", "post").output).toBe("");
    expect(findStep(result, "lanyard", "post").output).toContain("The log is complete and sealed.");
    const url = new URL(findStep(result, "lanyard").outputs["review-url"] ?? "");
    const view = RunView.parse(JSON.parse((await world.visit(`/api${url.pathname}`)).text));
    expect(view.findings).toEqual([]);
  });
});
