import { describe, expect, it } from "vitest";
import { renderSummary } from "../../../action/conclusion/job-summary.ts";
import { type TallyReport, createTally } from "../../../action/guard/tally.ts";
import type { LogOutcome } from "../../../action/conclusion/verdict.ts";
import { Chain } from "../../../audit/chain.ts";
import type { Entry, EntryOf } from "../../../audit/record.ts";
import { call, genesis, result } from "../log-entries.ts";

function tallyOf(entries: readonly Entry[]): TallyReport {
  const [chain, tally] = [new Chain(), createTally()];
  for (const entry of entries) tally.add(chain.append(entry, new Date()).record);
  return tally.report();
}
const denied = (tool: string, changes: Partial<EntryOf<"call">> = {}): Entry => {
  const { rule: _, ...rest } = call({ tool, decision: "deny", reason: "no_grant", ...changes });
  return rest;
};
const catalog = (tools: readonly string[]): Entry => ({
  kind: "catalog",
  server: "files",
  tools: tools.map((name) => ({ name, digest: "0".repeat(64), visible: false, why: "no_grant" })),
});

describe("a tally", () => {
  it("counts calls by agent, server, tool, decision and rule, with those that failed", () => {
    const { rows, totals } = tallyOf([
      genesis(),
      call({ id: "1" }),
      result({ call: "1" }),
      call({ id: "2" }),
      result({ call: "2", outcome: "tool_error" }),
      call({ id: "3", agent: "coder" }),
      call({ id: "4", decision: "deny", reason: "condition_false" }),
    ]);
    expect(totals).toEqual({ calls: 4, allowed: 3, denied: 1, failed: 1 });
    expect(rows.map(({ agent, decision, calls, failed }) => [agent, decision, calls, failed])).toEqual([
      ["agent", "allow", 2, 1],
      ["coder", "allow", 1, 0],
      ["agent", "deny", 1, 0],
    ]);
  });

  it("names a denied tool that the server has, and none that only the agent made up", () => {
    const { rows } = tallyOf([
      catalog(["write_file"]),
      denied("write_file"),
      denied("canary-1"),
      denied("canary-2"),
    ]);
    expect(rows.map(({ tool, calls }) => [tool, calls])).toEqual([
      ["write_file", 1],
      [null, 2],
    ]);
  });

  it("stays bounded, and counts what found no place", () => {
    const names = Array.from({ length: 600 }, (_, index) => `tool_${index}`);
    const { rows, more_calls } = tallyOf([catalog(names), ...names.map((name) => denied(name))]);
    expect(rows).toHaveLength(500);
    expect(more_calls).toBe(100);
  });

  it("counts events that a reader should see, and no others", () => {
    const event = (severity: "info" | "warning" | "finding"): Entry => ({
      kind: "event",
      event: `an_${severity}`,
      severity,
      detail: { canary: "x" },
    });
    expect(tallyOf([event("info"), event("warning"), event("warning"), event("finding")]).events).toEqual([
      { event: "an_warning", severity: "warning", times: 2 },
      { event: "an_finding", severity: "finding", times: 1 },
    ]);
  });
});

describe("a job summary", () => {
  const render = (
    tally: TallyReport,
    outcome: LogOutcome = { status: "sealed", early: false },
    agents = ["agent"],
  ): string =>
    renderSummary({
      report: {
        facts: {
          session: "s",
          robot: "acme/payments/triager",
          roles: ["reader"],
          servers: ["files"],
          agents,
        },
        tally,
        reviewUrl: "https://lanyard.acme.dev/runs/1?a=1&b=2",
      },
      outcome,
    });

  it("shows what was called and decided, denied calls first, and where to review it", () => {
    const tally = tallyOf([
      call({ id: "1" }),
      result({ call: "1" }),
      catalog(["write_file"]),
      denied("write_file"),
    ]);
    expect(render(tally)).toBe(`### Lanyard: <code>acme/payments/triager</code>

**The log is complete and sealed.** 2 calls: 1 allowed, 1 denied, 0 failed. <a href="https&#58;//lanyard.acme.dev/runs/1?a=1&#38;b=2">Review this run</a>

Roles: <code>reader</code>. Servers: <code>files</code>. Agents: <code>agent</code>.

| Server | Tool | Decision | Rule or reason | Calls | Failed |
| --- | --- | --- | --- | --- | --- |
| <code>files</code> | <code>write&#95;file</code> | <b>denied</b> | <code>no&#95;grant</code> | 1 |  |
| <code>files</code> | <code>read&#95;file</code> | allowed | <code>reader&#35;1</code> | 1 |  |
`);
  });

  it("says who asked whom in words, which a tool of that name cannot pass for, and titles what is worth a look", () => {
    const words = "the server asked the agent: sampling";
    const { tool: _, ...ask } = call({ id: "1", method: "sampling/createMessage" });
    const { rule: __, ...guessed } = {
      ...ask,
      id: "2",
      decision: "deny",
      reason: "method_not_granted",
    } as const;
    const event = { kind: "event", event: "tool_drifted", severity: "finding", detail: {} } as const;
    const summary = render(tallyOf([ask, guessed, call({ id: "3", tool: words }), event, event]));
    expect(summary).toContain("| <i>the server asked the agent&#58; sampling</i> | allowed |");
    expect(summary).toContain("| <code>the server asked the agent&#58; sampling</code> | allowed |");
    expect(summary).toContain("| <i>a name that is not known</i> | <b>denied</b> |");
    expect(summary).toContain(
      "- finding: A tool is not the reviewed one (<code>tool&#95;drifted</code>, 2 times)",
    );
  });

  it("shows the prompts and resources that the server lists; of any other URI only that one was read", () => {
    const { tool: _, ...anything } = call();
    const { rule: __, ...unruled } = anything;
    const listed = { name: "note://a", digest: "0".repeat(64), visible: true, why: "reader#1" };
    const { rows } = tallyOf([
      { kind: "catalog", server: "files", resources: [listed] },
      { ...anything, method: "resources/read", resource: "note://a" },
      { ...anything, method: "resources/read", resource: "note://canary" },
      { ...anything, method: "prompts/get", prompt: "greet" },
      { ...unruled, method: "prompts/get", prompt: "canary", decision: "deny", reason: "no_grant" },
    ]);
    expect(rows.map(({ tool }) => tool)).toEqual(["note://a", "resources/read", "greet", null]);
  });

  it("holds neither arguments nor results", () => {
    const tally = tallyOf([call({ arguments: { path: "canary" } }), result({ digest: "c".repeat(64) })]);
    expect(render(tally)).not.toMatch(/canary|cccc/);
  });

  it("shows no Markdown and no HTML of others", () => {
    const hostile = "x | y\n# Title <img src=x> [link](http://evil) `code` \u202e@everyone ::error::";
    const shown = render(tallyOf([catalog([hostile]), denied(hostile)]));
    const row = shown.split("\n").find((line) => line.includes("denied</b>")) ?? "";
    expect(row.replaceAll("&#124;", "").split("|")).toHaveLength(8);
    expect(shown).not.toMatch(/<img|\[link\]|`code`|\u202e|@everyone|::error/);
  });

  it("says that a log is incomplete, and why", () => {
    const outcome = {
      status: "recovered",
      records: 3,
      reason: "the proxy ended before the job did",
    } as const;
    expect(render(tallyOf([]), outcome)).toContain(
      "**The log is incomplete:** the proxy ended before the job did. 3 records were recovered; nobody witnessed them.",
    );
  });

  it("stays far below what the runner takes", () => {
    const long = (index: number): string => `${index}${"&".repeat(500)}`;
    const names = Array.from({ length: 600 }, (_, index) => long(index));
    const shown = render(tallyOf([catalog(names), ...names.map((name) => denied(name))]));
    expect(Buffer.byteLength(shown)).toBeLessThan(512 * 1024);
    expect(shown).toContain("500 more calls are on the review page.");
  });
});
