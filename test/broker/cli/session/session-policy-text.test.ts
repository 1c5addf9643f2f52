/** What `lanyard session show` says of a session's grants and of what it lost. */
import { expect, test } from "vitest";
import { describeGiven, listGivenLines } from "../../../../broker/cli/session/session-policy-text.ts";

const policy = JSON.stringify({
  v: 1,
  robot: "acme/payments/triager",
  roles: ["triager"],
  mode: "observe",
  grants: [
    { rule: "triager#1", server: "github", tools: ["get_*", "list_*"], when: "args.n == 1", limit: 1 },
    {
      rule: "triager#2",
      server: "github",
      resources: ["repo://x/*"],
      prompts: ["review"],
      arguments: "digest",
    },
  ],
  flow: [{ rule: "triager~1", after: ["untrusted"], deny: ["public"] }],
  servers: {},
});
const change = { session: "s", policy: "d", documents: "e", lost: '["triager#2"]', time: 1_764_000_000_000 };

test("mode, grants, flow and losses, one a line", () => {
  expect(listGivenLines(describeGiven(policy, [change]))).toEqual([
    ["mode", "observe: tools marked read_only pass without a grant"],
    ["grant", "triager#1  github: get_*, list_*  when args.n == 1  at most 1 call"],
    ["grant", "triager#2  github: resources repo://x/*; prompts review  arguments in the log: digest"],
    ["flow", "triager~1  after untrusted, nothing that writes public"],
    ["lost", "2025-11-24T16:00:00.000Z triager#2"],
  ]);
});

test("a session whose policy is not stored any more is shown without it", () => {
  expect(listGivenLines(describeGiven(undefined, []))).toEqual([]);
});
