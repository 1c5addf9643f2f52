/**
 * Runs the unit tests of a policy: each call against the compiled policy that the test's run would get.
 * What was expected and what came are both kept, with the explanation of the decision, so that a failure can be read.
 */
import { GRANTED_KINDS } from "../checks/coverage.ts";
import type { Call } from "../decision.ts";
import type { PolicyDocument } from "../documents/document.ts";
import type { EarlierCall, PolicyTest, TestDocument } from "../documents/test-document.ts";
import type { Policies } from "../policies.ts";
import { type CallExplanation, explainCall } from "./explanation.ts";
import { openRehearsal, type Rehearsal, type Verdict } from "./rehearsal.ts";
import { isAboutCalls } from "./test-check.ts";
import { describeRoles, openTestSession, type TestFailure } from "./test-session.ts";
import { subjectOf, type TestSubject } from "./test-subject.ts";

export interface TestOutcome {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly name: string;
  readonly failures: readonly TestFailure[];
  /** The rules that decided its calls, earlier ones aside. */
  readonly rules: readonly string[];
}

export async function runTests(
  policies: Policies,
  documents: readonly PolicyDocument<TestDocument>[],
  isWanted: (name: string) => boolean = () => true,
): Promise<TestOutcome[]> {
  const outcomes: TestOutcome[] = [];
  for (const document of documents) {
    for (const [index, test] of document.value.tests.entries()) {
      const subject = subjectOf(document.value, test);
      const name = test.name ?? nameTest(test, subject);
      if (isWanted(`${document.path}: ${name}`)) {
        const { line, column } = document.problemAt(["tests", index], "");
        const result = await runTest(policies, test, subject);
        outcomes.push({ file: document.path, line, column, name, ...result });
      }
    }
  }
  return outcomes;
}

/** The rules of roles.yaml that decided no call of any test. */
export function listUntestedRules({ roles }: Policies, outcomes: readonly TestOutcome[]): string[] {
  const decided = new Set(outcomes.flatMap(({ rules }) => rules));
  return [...roles].flatMap(([role, { grants, flow = [] }]) =>
    [
      ...grants.map((_, index) => `${role}#${index + 1}`),
      ...flow.map((_, index) => `${role}~${index + 1}`),
    ].filter((rule) => !decided.has(rule)),
  );
}

type Result = Pick<TestOutcome, "failures" | "rules">;

async function runTest(policies: Policies, test: PolicyTest, subject: TestSubject): Promise<Result> {
  const session = openTestSession(policies, test, subject);
  if (!session.ok) {
    return { failures: session.failures, rules: [] };
  }
  const rehearsal = isAboutCalls(test) ? await openRehearsal(policies, session.session) : undefined;
  if (rehearsal === undefined) {
    return { failures: [], rules: [] };
  }
  for (const earlier of test.after ?? []) {
    const call = callOf(earlier, subject);
    for (let count = 1; count <= (earlier.times ?? 1); count++) {
      const explanation = await explainDenied(policies, rehearsal, call);
      if (explanation !== undefined) {
        const about = `${nameCall(call)}, called before${count > 1 ? ` (time ${count})` : ""}`;
        const got = describeVerdict(explanation.verdict);
        return { failures: [{ about, expected: "allow", got, explanation }], rules: [] };
      }
      rehearsal.play(call);
    }
  }
  const failures: TestFailure[] = [];
  const rules: string[] = [];
  for (const call of callsOf(test, subject)) {
    const verdict = rehearsal.judge(call);
    rules.push(...("rule" in verdict ? [verdict.rule] : []));
    if (!isExpected(test, verdict)) {
      const explanation = await explainCall(policies, rehearsal, call);
      const hint =
        test.reason === undefined && verdict.effect === test.expect && verdict.reason === "condition_error"
          ? "; where its condition is not to be evaluated, say reason: condition_error"
          : "";
      const expected = `${describeExpected(test)}${hint}`;
      failures.push({ about: nameCall(call), expected, got: describeVerdict(verdict), explanation });
    }
  }
  return { failures, rules };
}

async function explainDenied(
  policies: Policies,
  rehearsal: Rehearsal,
  call: Call,
): Promise<CallExplanation | undefined> {
  return rehearsal.judge(call).effect === "deny" ? explainCall(policies, rehearsal, call) : undefined;
}

function callsOf(
  { tools = [], resources = [], prompts = [], asks = [], args = {} }: PolicyTest,
  subject: TestSubject,
): Call[] {
  const { server = "", agent } = subject;
  const of = (kind: Call["kind"]) => (name: string) => ({ server, kind, name, args, agent });
  return [
    ...tools.map(of("tool")),
    ...resources.map(of("resource")),
    ...prompts.map(of("prompt")),
    ...asks.map(of("ask")),
  ];
}

function callOf({ tool, resource, prompt, ask, ...call }: EarlierCall, subject: TestSubject): Call {
  return {
    server: call.server ?? subject.server ?? "",
    ...nameOf({ tool, resource, prompt, ask }),
    args: call.args ?? {},
    agent: call.agent ?? subject.agent,
  };
}

function nameOf({ tool, resource, prompt, ask }: Omit<EarlierCall, "args">): Pick<Call, "kind" | "name"> {
  if (resource !== undefined) {
    return { kind: "resource", name: resource };
  }
  if (prompt !== undefined) {
    return { kind: "prompt", name: prompt };
  }
  return ask === undefined ? { kind: "tool", name: tool ?? "" } : { kind: "ask", name: ask };
}

/** A condition that cannot be evaluated denies every call: a test with a misspelled argument would show nothing by it. */
function isExpected({ expect, rule, reason }: PolicyTest, verdict: Verdict): boolean {
  return (
    verdict.effect === expect &&
    (reason === undefined ? verdict.reason !== "condition_error" : verdict.reason === reason) &&
    (rule === undefined || ("rule" in verdict && verdict.rule === rule))
  );
}

function describeExpected({ expect = "allow", rule, reason }: PolicyTest): string {
  return `${expect}${reason === undefined ? "" : ` (${reason})`}${rule === undefined ? "" : ` by ${rule}`}`;
}

/** `deny (condition_false) by triager#2`. */
export function describeVerdict(verdict: Verdict): string {
  const rule = "rule" in verdict ? ` by ${verdict.rule}` : "";
  return `${verdict.effect} (${verdict.reason})${rule}`;
}

/** `tool get_issue of github`. */
export function nameCall({ kind, name, server }: Call): string {
  return `${kind} ${name} of ${server}`;
}

function nameTest(test: PolicyTest, { robot, roles = [], server }: TestSubject): string {
  const names = GRANTED_KINDS.flatMap((kind): readonly string[] => test[kind] ?? []);
  const who = robot ?? roles.join(" and ");
  if (names.length > 0) {
    return `${who}: ${describeExpected(test)} ${names.join(", ")} of ${server}`;
  }
  return `${who}: ${test.refused ?? describeRoles(test.binds ?? [])}`;
}
