import { describe, expect, it } from "vitest";
import { type LogOutcome, decideVerdict } from "../../../action/conclusion/verdict.ts";

const sealed: LogOutcome = { status: "sealed", early: false };
const early: LogOutcome = { status: "sealed", early: true };
const recovered: LogOutcome = {
  status: "recovered",
  records: 3,
  reason: "the proxy ended before the job did",
};
const lost: LogOutcome = {
  status: "lost",
  reason: "the broker did not answer",
  spool: "/temp/lanyard-1/spool.jsonl",
};
const reviewUrl = "https://lanyard.acme.dev/runs/1";

describe("a job fails by its log", () => {
  it.each([
    ["never", sealed, 1, false],
    ["never", recovered, 0, false],
    ["never", lost, 1, false],
    ["incomplete", sealed, 0, false],
    ["incomplete", early, 0, false],
    ["incomplete", sealed, 1, false],
    ["incomplete", recovered, 0, true],
    ["incomplete", lost, 0, true],
    ["denied", sealed, 0, false],
    ["denied", sealed, 1, true],
    ["denied", recovered, 0, true],
    ["denied", lost, 1, true],
  ] as const)("with fail-on %s, %o and %i denied: %s", (failOn, outcome, denied, fails) => {
    const { failsJob, messages } = decideVerdict({ outcome, denied, failOn, reviewUrl });
    expect(failsJob).toBe(fails);
    expect(messages.some(({ level }) => level === "error")).toBe(fails);
  });
});

it("an incomplete log is said even where nothing fails by it, with what was saved and where", () => {
  const textOf = (outcome: LogOutcome): string =>
    decideVerdict({ outcome, denied: 0, failOn: "never", reviewUrl })
      .messages.map(({ level, text }) => `${level}: ${text}`)
      .join("\n");
  expect(textOf(recovered)).toBe(
    `warning: The log of this job is incomplete: the proxy ended before the job did. 3 records were recovered from the runner; nobody witnessed them when they were made. Review: ${reviewUrl}`,
  );
  expect(textOf(lost)).toBe(
    `warning: The log of this job is incomplete: the broker did not answer. What was recorded lies on this runner in /temp/lanyard-1/spool.jsonl. Review: ${reviewUrl}`,
  );
});
