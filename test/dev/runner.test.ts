import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type JobOptions, type JobResult, type Step, findStep, runJob } from "../../dev/runner.ts";
import { findTracked } from "../../dev/runner/leftovers.ts";
import { parsePairs } from "../../dev/runner/step-files.ts";
import { Masks, StepOutput } from "../../dev/runner/step-output.ts";

const made: string[] = [];
function makeFolder(prefix: string): string {
  const path = mkdtempSync(join(tmpdir(), prefix));
  made.push(path);
  return path;
}

let folder = "";
beforeEach(() => {
  folder = makeFolder("lanyard-runner-");
});
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

const HELPERS = `
const fs = require("node:fs");
const put = (file, text) => fs.appendFileSync(process.env[file], text + "\\n");
`;

/** An action of these two scripts; its outputs are what they print and write. */
function action(main: string, post?: string, inputs = ""): string {
  const directory = makeFolder("lanyard-runner-action-");
  mkdirSync(join(directory, "dist"));
  // Whatever stands in the folders above.
  writeFileSync(join(directory, "package.json"), '{ "type": "commonjs" }');
  writeFileSync(join(directory, "dist/main.js"), HELPERS + main);
  if (post !== undefined) writeFileSync(join(directory, "dist/post.js"), HELPERS + post);
  const postLine = post === undefined ? "" : "  post: dist/post.js\n";
  writeFileSync(
    join(directory, "action.yml"),
    `name: sample\n${inputs}runs:\n  using: node24\n  main: dist/main.js\n${postLine}`,
  );
  return directory;
}

const play = (steps: readonly Step[], options: Partial<JobOptions> = {}): Promise<JobResult> =>
  runJob({ steps, folder, environment: { PATH: process.env["PATH"] ?? "" }, ...options });
const node = (script: string): Step => ({
  id: "node",
  run: () => [process.execPath, "-e", HELPERS + script],
});

describe("inputs", () => {
  it("are upper case with hyphens kept, spaces made underscores and defaults filled in", async () => {
    const uses = action(
      `put("GITHUB_OUTPUT", "seen=" + JSON.stringify(Object.entries(process.env).filter(([n]) => n.startsWith("INPUT_")).sort()))`,
      undefined,
      `inputs:\n  fail-on:\n    default: incomplete\n  two words:\n    default: x\n  none:\n    required: false\n  given:\n    default: y\n`,
    );
    const result = await play([{ id: "a", uses, with: { given: "z", undeclared: "w" } }]);
    expect(JSON.parse(findStep(result, "a").outputs["seen"] ?? "")).toEqual([
      ["INPUT_FAIL-ON", "incomplete"],
      ["INPUT_GIVEN", "z"],
      ["INPUT_NONE", ""],
      ["INPUT_TWO_WORDS", "x"],
      ["INPUT_UNDECLARED", "w"],
    ]);
  });

  it("an action that is not for Node 24 is not run", async () => {
    const uses = action("");
    writeFileSync(join(uses, "action.yml"), "name: x\nruns:\n  using: docker\n  main: Dockerfile\n");
    await expect(play([{ uses }])).rejects.toThrow(/node24/);
  });
});

describe("a step's process", () => {
  it("works in the workspace, with its standard input closed, and only with the job's environment", async () => {
    process.env["OF_THE_TEST"] = "1";
    const result = await play(
      [
        node(`
        const stdin = fs.readFileSync(0, "utf8");
        put("GITHUB_OUTPUT", "seen=" + JSON.stringify([stdin, process.cwd(), process.env.OF_THE_TEST ?? null, process.env.SET]))
      `),
      ],
      { environment: { PATH: process.env["PATH"] ?? "", SET: "yes" } },
    );
    delete process.env["OF_THE_TEST"];
    expect(JSON.parse(findStep(result, "node").outputs["seen"] ?? "")).toEqual([
      "",
      join(folder, "workspace"),
      null,
      "yes",
    ]);
  });

  it("that fails fails the job, and the steps after it are skipped", async () => {
    const result = await play([node("process.exit(3)"), { id: "later", call: async () => undefined }]);
    expect(result.conclusion).toBe("failure");
    expect(result.steps.map(({ outcome, exitCode }) => [outcome, exitCode])).toEqual([
      ["failure", 3],
      ["skipped", null],
    ]);
  });

  it("that fails with continueOnError is a failure the job survives", async () => {
    const result = await play([{ ...node("process.exit(1)"), continueOnError: true }, node("")]);
    expect(result.conclusion).toBe("success");
    expect(result.steps[0]?.outcome).toBe("failure");
  });

  it("whose child holds its output delays the step, and is reported", async () => {
    const result = await play([
      node(`
        require("node:child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "inherit", detached: true }).unref();
        process.exit(0);
      `),
    ]);
    const step = findStep(result, "node");
    expect(step.outputHeld).toBe(true);
    expect(step.durationMs).toBeGreaterThan(4_500);
    expect(result.leftovers).toHaveLength(1);
  });
});

describe("the files of a step", () => {
  it("are other ones for each step, and gone after it", async () => {
    const seen: string[] = [];
    const call = async ({ environment }: { environment: Readonly<Record<string, string>> }) => {
      seen.push(environment["GITHUB_OUTPUT"] ?? "");
      expect(existsSync(seen.at(-1) ?? "")).toBe(true);
    };
    await play([{ call }, { call }]);
    expect(new Set(seen).size).toBe(2);
    expect(seen.map((path) => existsSync(path))).toEqual([false, false]);
    expect(readdirSync(join(folder, "_temp", "_runner_file_commands"))).toEqual([]);
  });

  it("give outputs to later steps, state to post alone, environment and paths to all that follow", async () => {
    const uses = action(
      `put("GITHUB_OUTPUT", "greeting<<X\\nhello\\nworld\\nX"); put("GITHUB_STATE", "kept=for post");
       put("GITHUB_ENV", "ADDED=1"); put("GITHUB_PATH", "/added"); put("GITHUB_STEP_SUMMARY", "# done");`,
      `put("GITHUB_STEP_SUMMARY", process.env.STATE_kept + " " + process.env.ADDED)`,
    );
    let seen: unknown;
    const result = await play([
      { id: "a", uses },
      {
        call: async ({ outputs, environment }) => {
          seen = [
            outputs("a"),
            environment["STATE_kept"],
            environment["ADDED"],
            environment["PATH"]?.split(":")[0],
          ];
        },
      },
    ]);
    expect(seen).toEqual([{ greeting: "hello\nworld" }, undefined, "1", "/added"]);
    expect(findStep(result, "a").summary).toBe("# done\n");
    expect(findStep(result, "a", "post").summary).toBe("for post 1\n");
  });

  it("refuse NODE_OPTIONS and drop a summary that is too large", async () => {
    const result = await play([
      {
        ...node(
          `put("GITHUB_ENV", "NODE_OPTIONS=--inspect"); put("GITHUB_STEP_SUMMARY", "x".repeat(1024 * 1024))`,
        ),
      },
    ]);
    const { annotations, summary } = findStep(result, "node");
    expect(summary).toBe("");
    expect(annotations.map(({ message }) => message)).toEqual([
      expect.stringContaining("NODE_OPTIONS"),
      expect.stringContaining("1024k"),
    ]);
  });

  it.each(["no pair", "name<<X\nnever ended", "=value"])("of another format are an error: %j", (text) => {
    expect(() => parsePairs(text)).toThrow(/Invalid format|Matching delimiter/);
  });

  it("hold values with equals signs and angle brackets", () => {
    expect(parsePairs("a=b=c\nd<<E\nx<<y=z\nE\n")).toEqual({ a: "b=c", d: "x<<y=z" });
  });
});

describe("post steps", () => {
  it("run in reverse order, also after a main that failed, and for every use", async () => {
    const failing = action("process.exit(1)", "");
    const fine = action("", "");
    const result = await play([
      { id: "first", uses: fine },
      { id: "second", uses: failing },
      { id: "third", uses: fine },
    ]);
    expect(result.steps.map(({ step, phase, outcome }) => `${step} ${phase} ${outcome}`)).toEqual([
      "first main success",
      "second main failure",
      "third main skipped",
      "second post success",
      "first post success",
    ]);
  });

  it("that fail fail the job", async () => {
    const result = await play([{ uses: action("", "process.exit(1)") }]);
    expect(result.conclusion).toBe("failure");
  });
});

describe("output", () => {
  it("shows no masked value, in this step or a later one, nor in annotations", async () => {
    const lines: string[] = [];
    const result = await play(
      [
        node(`console.log("::add-mask::s3cret"); console.log("a s3cret b"); console.log("::error::s3cret!")`),
        node(`console.log("s3cret")`),
      ],
      { onLine: (line) => lines.push(line) },
    );
    expect([...lines].sort()).toEqual(["***", "a *** b", "error: ***!"]);
    expect(JSON.stringify(result)).not.toContain("s3cret");
  });

  it("takes lines for commands until it is told to stop, and again after the word", () => {
    const output = new StepOutput(new Masks(), () => undefined);
    for (const line of [
      "::stop-commands::word",
      "::error::no",
      "::word::",
      "  ::warning file=a.ts,line=1::yes%0Atwo",
      "::unknown::x",
    ]) {
      output.addLine(line);
    }
    expect(output.annotations).toEqual([{ level: "warning", message: "yes\ntwo" }]);
    expect(output.text).toBe("::error::no\nwarning: yes\ntwo\n::unknown::x");
  });
});

describe("cancelling", () => {
  it("interrupts the running step, skips the rest, and runs post to its end", async () => {
    const cancel = new AbortController();
    const uses = action(
      `process.on("SIGINT", () => { console.log("interrupted"); process.exit(0); }); console.log("up"); setInterval(() => {}, 1000)`,
      `setTimeout(() => console.log("post is done"), 100)`,
    );
    const result = await play(
      [
        { id: "a", uses },
        { id: "later", call: async () => undefined },
      ],
      {
        signal: cancel.signal,
        onLine: (line) => (line === "up" ? cancel.abort() : undefined),
      },
    );
    expect(result.conclusion).toBe("cancelled");
    expect(findStep(result, "a").output).toContain("interrupted");
    expect(findStep(result, "later").outcome).toBe("skipped");
    expect(findStep(result, "a", "post").output).toBe("post is done");
  });

  it("SIGINT, SIGTERM, then SIGKILL, 7.5 and 2.5 seconds apart", async () => {
    const cancel = new AbortController();
    const times: [string, number][] = [];
    const script = `for (const s of ["SIGINT", "SIGTERM"]) process.on(s, () => console.log(s)); console.log("up"); setInterval(() => {}, 1000)`;
    const startedAt = performance.now();
    const result = await play([node(script)], {
      signal: cancel.signal,
      onLine: (line) => {
        times.push([line, performance.now()]);
        if (line === "up") cancel.abort();
      },
    });
    expect(times.map(([line]) => line)).toEqual(["up", "SIGINT", "SIGTERM"]);
    const [, interrupted = 0, terminated = 0] = times.map(([, time]) => time);
    expect(terminated - interrupted).toBeGreaterThan(7_000);
    expect(performance.now() - startedAt).toBeGreaterThan(9_900);
    expect(findStep(result, "node")).toMatchObject({ exitCode: null, outcome: "cancelled" });
  });
});

it("what a job left running is ended after the last post, and only that", async () => {
  const spawnDetached = (environment: string): string => `
    const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore", env: ${environment} });
    child.unref(); put("GITHUB_OUTPUT", "pid=" + child.pid);`;
  let trackingId = "";
  const result = await play([
    { ...node(spawnDetached("process.env")), id: "tracked" },
    { ...node(spawnDetached("{}")), id: "untracked" },
    {
      call: async ({ environment }) => {
        trackingId = environment["RUNNER_TRACKING_ID"] ?? "";
        expect(await findTracked(trackingId)).toHaveLength(1);
      },
    },
  ]);
  const pidOf = (step: string): number => Number(findStep(result, step).outputs["pid"]);
  expect(result.conclusion).toBe("success");
  expect(result.leftovers.map(({ pid }) => pid)).toEqual([pidOf("tracked")]);
  await expect.poll(async () => (await findTracked(trackingId)).length).toBe(0);
  expect(() => process.kill(pidOf("untracked"), 0)).not.toThrow();
  process.kill(pidOf("untracked"), "SIGKILL");
});

it("a work folder's temporary files are emptied at the start", async () => {
  mkdirSync(join(folder, "_temp"), { recursive: true });
  writeFileSync(join(folder, "_temp", "lanyard-job-old"), "");
  await play([{ call: async () => undefined }]);
  expect(existsSync(join(folder, "_temp", "lanyard-job-old"))).toBe(false);
});
