/** Decisions and events in words: what a reviewer reads has to say what happened, and never more than the log does. */
import { describe, expect, test } from "vitest";
import { describeEvent } from "../../../broker/review/event-text.ts";
import { type DecidedCall, explainDecision } from "../../../broker/review/explanation.ts";
import { readGrants } from "../../../broker/review/grants.ts";

const given = readGrants(
  JSON.stringify({
    v: 1,
    robot: "acme/payments/triager",
    roles: ["triager"],
    mode: "observe",
    grants: [
      { rule: "triager#1", server: "github", tools: ["get_issue"], limit: 3 },
      { rule: "triager#2", server: "github", tools: ["comment"], when: "args.n == 1" },
      { rule: "triager#3", server: "github", resources: ["repo://x/*"], prompts: ["review"], limit: 1 },
    ],
    flow: [{ rule: "triager~1", after: ["untrusted", "private"], deny: ["public"] }],
    servers: { github: {} },
  }),
);

const denied = (reason: string, rule?: string): DecidedCall => ({
  decision: "deny",
  reason,
  ...(rule !== undefined && { rule }),
});
const explain = (call: DecidedCall): string => explainDecision(given, call).explanation;

describe("a decision in words", () => {
  test.each<[string, DecidedCall, string]>([
    [
      "a limit",
      denied("limit_reached", "triager#1"),
      "Grant 1 of triager (get_issue) is used up: it allows 3 calls a session",
    ],
    [
      "a limit of one",
      denied("limit_reached", "triager#3"),
      "Grant 3 of triager (repo://x/*, review) is used up: it allows 1 call a session",
    ],
    [
      "flow",
      denied("flow", "triager~1"),
      "Flow rule 1 of triager took it away: the session had read untrusted or private content, and this writes where it is public: the agent was told that it does not exist",
    ],
    [
      "drifted",
      denied("drifted"),
      "Its definition is not the reviewed one: the agent was told that it does not exist",
    ],
    [
      "unreviewed",
      denied("unreviewed"),
      "Its definition was never reviewed: the agent was told that it does not exist",
    ],
    [
      "a rule that nobody gave",
      denied("flow", "x~9"),
      "x~9 took it away for what the session had read: the agent was told that it does not exist",
    ],
    ["a reason that nobody knows", denied("made_up"), "Refused: made up"],
    [
      "what was granted",
      { decision: "allow", reason: "granted", rule: "triager#1" },
      "Grant 1 of triager (get_issue)",
    ],
    [
      "what was observed",
      { decision: "allow", reason: "observed", observed: { reason: "no_grant" } },
      "Only observed, and would have been denied. No grant names it: the agent was told that it does not exist",
    ],
  ])("%s", (_name, call, words) => {
    expect(explain(call)).toBe(words);
  });

  test("what was observed shows the condition that would have refused it", () => {
    const observed = { reason: "condition_false", rule: "triager#2" };
    expect(explainDecision(given, { decision: "allow", reason: "observed", observed })).toEqual({
      explanation:
        "Only observed, and would have been denied. Grant 2 of triager (comment) allows it only when",
      condition: "args.n == 1",
    });
  });

  test("a policy from before there were modes, limits and flow rules is still readable", () => {
    const old = readGrants(
      '{"v":1,"robot":"r","roles":[],"grants":[{"rule":"a#1","server":"s","tools":["x"]}]}',
    );
    expect(old.mode).toBe("enforce");
    expect(old.grants.get("a#1")).toMatchObject({
      tools: ["x"],
      resources: [],
      limit: null,
      arguments: "full",
    });
  });
});

describe("an event in words", () => {
  test.each<[string, Record<string, unknown>, string]>([
    [
      "policy_changed",
      { from: "a".repeat(64), to: "b".repeat(64), lost: ["triager#2", "triager#3 x"] },
      "Lost: triager#2, triager#3 x. Policy aaaaaaaaaaaa became bbbbbbbbbbbb.",
    ],
    [
      "tool_drifted",
      { server: "github", tool: "get_issue", new_digest: "x", changed: ["description"] },
      "github sends another definition of get_issue than the reviewed one (description)",
    ],
    ["tool_unreviewed", { server: "github", tool: "new" }, "not in the lock"],
    ["instructions_drifted", { server: "github", new_digest: "x" }, "it was withheld"],
    [
      "text_cleaned",
      { server: "github", tool: "get_issue", removed: { tag_character: 4 } },
      "The definition of get_issue on github held tag character: 4.",
    ],
    [
      "text_cleaned",
      { server: "github", tool: null, in: "instructions", removed: {} },
      "What github says of itself",
    ],
    [
      "tool_shadowed",
      { server: "a", tool: "get_issue", other_server: "b", other_tool: "get-issue" },
      "get_issue on a can be taken for get-issue on b",
    ],
    [
      "injection_marker",
      { server: "a", call: "x", markers: ["ignore_instructions"] },
      "What a answered holds what is typical of an injection: ignore instructions.",
    ],
  ])("%s", (event, detail, words) => {
    expect(describeEvent(event, detail)).toContain(words);
  });

  test("one that lacks what its kind has, or is of no kind, is left as it is", () => {
    expect(describeEvent("policy_changed", { from: 1 })).toBeUndefined();
    expect(describeEvent("constructor", {})).toBeUndefined();
  });
});
