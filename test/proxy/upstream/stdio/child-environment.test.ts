import { expect, it } from "vitest";
import { buildChildEnvironment } from "../../../../proxy/upstream/stdio/child-environment.ts";

it("takes what programs need and what is listed, and nothing else", () => {
  const inherited = {
    ...{ PATH: "/bin", HOME: "/root", LC_ALL: "C", TZ: "UTC", RUNNER_TRACKING_ID: "t" },
    ...{ ACTIONS_ID_TOKEN_REQUEST_TOKEN: "secret", ACTIONS_RUNTIME_TOKEN: "secret", GITHUB_TOKEN: "secret" },
    ...{ NODE_OPTIONS: "--require evil", LD_PRELOAD: "evil.so", INPUT_TOKEN: "secret", path: "other" },
  };
  expect(buildChildEnvironment(inherited, { MEMORY_FILE: "/tmp/m", PATH: "/own" })).toEqual({
    ...{
      PATH: "/own",
      HOME: "/root",
      LC_ALL: "C",
      TZ: "UTC",
      RUNNER_TRACKING_ID: "t",
      MEMORY_FILE: "/tmp/m",
    },
  });
});

it("leaves the variable by which the runner finds what outlives the job", () => {
  expect(buildChildEnvironment({ RUNNER_TRACKING_ID: "t" }, { RUNNER_TRACKING_ID: "" })).toEqual({
    RUNNER_TRACKING_ID: "t",
  });
});
