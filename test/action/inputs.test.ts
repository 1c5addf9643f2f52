import { describe, expect, it } from "vitest";
import {
  ID_TOKEN_PERMISSION,
  readMainInputs,
  readPostInputs,
  selectProxyEnvironment,
} from "../../action/inputs.ts";

const runner = {
  RUNNER_OS: "Linux",
  RUNNER_TEMP: "/tmp/runner",
  RUNNER_ENVIRONMENT: "github-hosted",
  GITHUB_WORKSPACE: "/tmp/workspace",
  GITHUB_REPOSITORY: "acme/payments",
  GITHUB_RUN_ID: "1",
  GITHUB_RUN_ATTEMPT: "1",
  GITHUB_JOB: "triage",
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.example/idtoken?api-version=2.0",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
  INPUT_BROKER: "https://lanyard.acme.dev",
  INPUT_ROBOT: "triager",
  INPUT_ROLES: "",
  INPUT_SERVERS: "",
  INPUT_AGENTS: "agent",
  "INPUT_FAIL-ON": "incomplete",
};

const problemsOf = (changes: Record<string, string | undefined>): string[] => {
  const read = readMainInputs({ ...runner, ...changes });
  return read.ok ? [] : read.problems;
};
const valueOf = (changes: Record<string, string | undefined> = {}) => {
  const read = readMainInputs({ ...runner, ...changes });
  if (!read.ok) throw new Error(read.problems.join(" "));
  return read.value;
};

describe("the inputs of main", () => {
  it("are read under the runner's names, hyphens and all", () => {
    expect(valueOf({ "INPUT_FAIL-ON": "denied" })).toMatchObject({
      broker: "https://lanyard.acme.dev",
      robot: "triager",
      roles: [],
      servers: [],
      agents: ["agent"],
      failOn: "denied",
      runnerTemp: "/tmp/runner",
      oidc: { token: "request-token" },
    });
  });

  it("name a variable that is no HTTP proxy, and never quote it: it can hold a password", () => {
    for (const wrong of [
      "http://robot:hunter2@bad host:80",
      "ftp://robot:hunter2@proxy",
      "robot:hunter2@proxy",
    ]) {
      const problems = problemsOf({ https_proxy: wrong });
      expect(problems).toEqual([expect.stringContaining("The variable https_proxy")]);
      expect(problems.join()).not.toContain("hunter2");
      expect(selectProxyEnvironment({ https_proxy: wrong, NO_PROXY: "x" })).not.toHaveProperty("https_proxy");
    }
    expect(problemsOf({ HTTPS_PROXY: "http://robot:hunter2@proxy:3128" })).toEqual([]);
  });

  it("split lists at commas, spaces and lines, once each", () => {
    const { roles, agents } = valueOf({
      INPUT_ROLES: "reader, labeller\nreader",
      INPUT_AGENTS: "planner coder",
    });
    expect(roles).toEqual(["reader", "labeller"]);
    expect(agents).toEqual(["planner", "coder"]);
  });

  it("have their defaults where the runner fills in nothing", () => {
    const { agents, failOn } = valueOf({ INPUT_AGENTS: undefined, "INPUT_FAIL-ON": "" });
    expect(agents).toEqual(["agent"]);
    expect(failOn).toBe("incomplete");
  });

  it("take the broker's origin with a slash at its end, and plain http on loopback", () => {
    expect(valueOf({ INPUT_BROKER: "https://lanyard.acme.dev/" }).broker).toBe("https://lanyard.acme.dev");
    expect(valueOf({ INPUT_BROKER: "http://127.0.0.1:8080" }).broker).toBe("http://127.0.0.1:8080");
  });

  it.each([
    "",
    "lanyard.acme.dev",
    "http://lanyard.acme.dev",
    "https://lanyard.acme.dev/path",
    "https://user:secret@lanyard.acme.dev",
    "https://lanyard.acme.dev?x=1",
    "file:///etc/passwd",
  ])("refuse %j as a broker", (broker) => {
    expect(problemsOf({ INPUT_BROKER: broker })).toEqual([
      expect.stringContaining("The input `broker` must be"),
    ]);
  });

  it.each([
    ["INPUT_ROBOT", "../triager", "The input `robot`"],
    ["INPUT_ROBOT", "acme/triager", "The input `robot`"],
    ["INPUT_ROLES", "reader;drop", "The input `roles`"],
    ["INPUT_SERVERS", "git hub!", "The input `servers`"],
    ["INPUT_AGENTS", "Planner", "The input `agents`"],
    ["INPUT_AGENTS", "../planner", "The input `agents`"],
    ["INPUT_AGENTS", ",", "The input `agents`"],
    ["INPUT_AGENTS", Array.from({ length: 17 }, (_, index) => `a${index}`).join(), "The input `agents`"],
    ["INPUT_FAIL-ON", "always", "The input `fail-on`"],
    ["RUNNER_TEMP", undefined, "The runner did not set RUNNER_TEMP"],
  ])("name what is wrong with %s = %j", (name, value, sentence) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(sentence);
  });

  it("name the permission that is missing, and that forks never have it", () => {
    const problems = problemsOf({ ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined });
    expect(problems).toEqual([ID_TOKEN_PERMISSION]);
    expect(problems[0]).toMatch(/`permissions: id-token: write`.*forks/);
  });

  it("report every problem at once", () => {
    const changes = { INPUT_BROKER: "x", INPUT_AGENTS: "A", ACTIONS_ID_TOKEN_REQUEST_URL: "" };
    expect(problemsOf(changes)).toHaveLength(3);
  });

  it("say nothing but that Windows is no place for it", () => {
    expect(problemsOf({ RUNNER_OS: "Windows", INPUT_BROKER: "x" })).toEqual([
      expect.stringContaining("does not run on Windows: use a Linux or macOS runner"),
    ]);
  });
});

describe("the environment of the proxy's process", () => {
  it("has nothing of the workflow, of the inputs and of the runner's tokens", () => {
    const environment = selectProxyEnvironment({
      ...runner,
      PATH: "/bin",
      HOME: "/home/runner",
      RUNNER_TRACKING_ID: "github_1",
      ACTIONS_RUNTIME_TOKEN: "runtime",
      ANTHROPIC_API_KEY: "key",
      NODE_OPTIONS: "--require ./evil.js",
    });
    expect(environment).toEqual({ PATH: "/bin", HOME: "/home/runner", RUNNER_TRACKING_ID: "github_1" });
  });

  it("has the HTTP proxies, and tells Node to use them", () => {
    expect(selectProxyEnvironment({ https_proxy: "http://proxy:3128", NO_PROXY: "localhost" })).toEqual({
      https_proxy: "http://proxy:3128",
      NO_PROXY: "localhost",
      NODE_USE_ENV_PROXY: "1",
    });
  });
});

describe("the inputs of post", () => {
  it("are what main saved", () => {
    const { state, failOn } = readPostInputs({
      ...runner,
      STATE_directory: "/tmp/runner/lanyard-1",
      STATE_pid: "4711",
      STATE_started: "99",
      STATE_control: "http://127.0.0.1:1",
      STATE_control_token: "token",
    });
    expect(state).toMatchObject({ directory: "/tmp/runner/lanyard-1", pid: 4711, controlToken: "token" });
    expect(failOn).toBe("incomplete");
  });

  it("never fail: what cannot be read counts as not there", () => {
    expect(readPostInputs({ STATE_pid: "rm -rf", "INPUT_FAIL-ON": "perhaps", INPUT_BROKER: "?" })).toEqual({
      state: {},
      broker: undefined,
      failOn: "incomplete",
      oidc: undefined,
    });
  });
});
