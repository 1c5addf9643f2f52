/** What a session was given, on its run's page: everything that decides stands there, and no text of a log is markup. */
import { expect, test } from "vitest";
import { renderCalls } from "../../../../broker/pages/run/call-list.ts";
import { renderGrants } from "../../../../broker/pages/run/grants-table.ts";
import type { CallView, GrantView, SessionView } from "../../../../broker/review/view.ts";

const grant: GrantView = {
  ...{
    rule: "triager#1",
    server: "github",
    tools: ["get_*"],
    resources: ["repo://x/*"],
    prompts: ["review"],
    asks: ["roots"],
  },
  ...{ when: null, limit: 3, arguments: "digest" },
};
const session = (parts: Partial<SessionView>): SessionView =>
  ({ mode: "enforce", grants: [grant], flow: [], policy_changes: [], ...parts }) as SessionView;
const textOf = (parts: Partial<SessionView>): string =>
  renderGrants(session(parts))
    .text.replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");

test("a grant with everything it names, its limit and what the log holds of its calls", () => {
  const text = textOf({});
  expect(text).toContain("get_* resources repo://x/* prompts review asks for roots");
  expect(text).toContain("always , at most 3 calls arguments are not in the log");
  expect(text).not.toContain("Flow");
  expect(text).not.toContain("observed");
});

test("flow rules, an observed session, and what was lost", () => {
  const text = textOf({
    mode: "observe",
    flow: [{ rule: "triager~1", after: ["untrusted"], deny: ["public"] }],
    policy_changes: [{ time: "2026-11-22T10:00:00.000Z", policy: "a".repeat(64), lost: ["triager#2 post"] }],
  });
  expect(text).toContain("Only observed");
  expect(text).toContain(
    "triager~1 Once the session has read untrusted content, what writes where it is public is gone.",
  );
  expect(text).toContain("22 Nov 2026, 10:00:00 UTC : lost triager#2 post. Policy aaaaaaaaaaaa");
});

test("names that are markup are text", () => {
  const hostile = "<img src=x onerror=alert(1)>";
  const { text } = renderGrants(
    session({
      grants: [{ ...grant, tools: [hostile], resources: [hostile], prompts: [hostile], when: hostile }],
      flow: [{ rule: hostile, after: [hostile], deny: [hostile] }],
      policy_changes: [{ time: hostile, policy: hostile, lost: [hostile] }],
    }),
  );
  expect(text).toContain("img src&#61;x");
  expect(text).not.toContain("<img");
});

test("a call that was only observed is marked, with what would have refused it", () => {
  const call: CallView = {
    ...{ session: "s", stream: "runner", seq: 4, time: "2026-11-22T10:00:00.000Z", agent: "agent" },
    ...{ client: null, server: "github", method: "tools/call", tool: "get_issue", arguments: null },
    ...{ resource: null, prompt: null, ask: null, inspected: [] },
    ...{ arguments_omitted: 0, decision: "allow", reason: "observed", rule: null, condition: "args.n == 1" },
    ...{
      observed: { reason: "condition_false", rule: "triager#1" },
      labels: ["untrusted"],
      credential: null,
    },
    ...{
      explanation: "Only observed, and would have been denied.",
      outcome: "ok",
      duration_ms: 3,
      witnessed: true,
    },
  };
  const text = renderCalls({ calls: [call], sessions: [] })
    .text.replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");
  expect(text).toContain("Observed");
  expect(text).not.toContain("Allowed");
  expect(text).toContain("args.n &#61;&#61; 1");
  expect(text).toContain("triager#1 (observed, otherwise condition_false)");
  expect(text).toContain("from here on the session has read untrusted content");
});
