/**
 * The session that a test's run would get from the broker: its claims against the bindings, as in an exchange.
 * Where the test is about that itself, what it expected is compared here.
 */
import { describeRefusal, matchBinding } from "../binding/binding.ts";
import type { PolicyTest } from "../documents/test-document.ts";
import type { Policies } from "../policies.ts";
import type { CallExplanation } from "./explanation.ts";
import type { RehearsedSession } from "./rehearsal.ts";
import { changeRun, claimsOfRun, EXAMPLE_REPOSITORY, EXAMPLE_RUN, runOfBinding } from "./run-fixture.ts";
import { findRobot, type TestSubject } from "./test-subject.ts";

export interface TestFailure {
  /** What was asked: `tool get_issue of github`, `the binding`. */
  readonly about: string;
  readonly expected: string;
  readonly got: string;
  readonly explanation?: CallExplanation;
}

type TestSession =
  | { readonly ok: true; readonly session: RehearsedSession }
  /** None where that is what was expected. */
  | { readonly ok: false; readonly failures: readonly TestFailure[] };

export function openTestSession(policies: Policies, test: PolicyTest, subject: TestSubject): TestSession {
  const found = subject.robot === undefined ? undefined : findRobot(policies, subject.robot);
  const binding = found?.robot.bindings[subject.binding - 1];
  const run = changeRun(binding === undefined ? EXAMPLE_RUN : runOfBinding(binding), subject.run);
  const read = claimsOfRun(run, found?.repository ?? EXAMPLE_REPOSITORY, subject.claims);
  const fail = (failure: Omit<TestFailure, "about">): TestSession => ({
    ok: false,
    failures: [{ about: "the run", ...failure }],
  });
  if (!read.ok) {
    return fail({ expected: `a claim ${read.claim} that can be`, got: read.message });
  }
  const { claims } = read;
  if (found === undefined) {
    const roles = subject.roles ?? [];
    return { ok: true, session: { robot: `${claims.repository}/example`, roles, mode: "enforce", claims } };
  }
  const match = matchBinding(policies, claims, { robot: found.name });
  const expected = test.refused ?? (test.binds === undefined ? "a binding" : describeRoles(test.binds));
  if (!match.ok) {
    return match.code === test.refused
      ? { ok: false, failures: [] }
      : fail({ expected, got: `refused: ${describeRefusal(match)}` });
  }
  const asExpected =
    test.refused === undefined &&
    (test.binds === undefined || new Set(test.binds).symmetricDifference(new Set(match.roles)).size === 0);
  if (!asExpected) {
    return fail({ expected, got: `binding ${match.binding}: ${describeRoles(match.roles)}` });
  }
  const { robot, roles, boundRoles, mode } = match;
  return { ok: true, session: { robot, roles, boundRoles, mode, claims } };
}

export function describeRoles(roles: readonly string[]): string {
  return roles.length === 0 ? "no roles" : `roles ${[...roles].sort().join(", ")}`;
}
