/**
 * What a schema cannot say about a file of tests: that each test asks something, and that what it names exists.
 */
import { GRANTED_KINDS } from "../checks/coverage.ts";
import type { PolicyDocument } from "../documents/document.ts";
import { suggestNames } from "../documents/nearest-name.ts";
import type { Path, Problem } from "../documents/problem.ts";
import type { EarlierCall, PolicyTest, TestDocument } from "../documents/test-document.ts";
import type { Policies } from "../policies.ts";
import { findRobot, listRobots, subjectOf, type TestSubject } from "./test-subject.ts";

interface Checked {
  readonly document: PolicyDocument<TestDocument>;
  readonly policies: Policies;
  readonly path: Path;
  readonly test: PolicyTest;
  readonly subject: TestSubject;
}

const aboutCalls = ["args", "after", "expect", "rule", "reason"] as const;

export function checkTests(document: PolicyDocument<TestDocument>, policies: Policies): Problem[] {
  return document.value.tests.flatMap((test, index) => {
    const subject = subjectOf(document.value, test);
    const checked = { document, policies, path: ["tests", index], test, subject };
    return [...checkQuestion(checked), ...checkSubject(checked), ...checkNames(checked)];
  });
}

export function isAboutCalls(test: PolicyTest): boolean {
  return GRANTED_KINDS.some((kind) => test[kind] !== undefined);
}

function checkQuestion({ document, path, test }: Checked): Problem[] {
  if (isAboutCalls(test)) {
    if (test.refused !== undefined) {
      const message = "a run that is refused calls nothing: make two tests of it";
      return [document.problemAtKey([...path, "refused"], message)];
    }
    return test.expect === undefined
      ? [document.problemAt(path, '"expect" is missing: say what you expect of the calls, allow or deny')]
      : [];
  }
  if (test.binds === undefined && test.refused === undefined) {
    const message =
      "this asks nothing: name tools, resources, prompts or asks and what you expect, or say binds or refused";
    return [document.problemAt(path, message)];
  }
  if (test.binds !== undefined && test.refused !== undefined) {
    return [
      document.problemAtKey([...path, "refused"], "a run gets roles or is refused: remove one of them"),
    ];
  }
  return aboutCalls
    .filter((key) => test[key] !== undefined)
    .map((key) =>
      document.problemAtKey(
        [...path, key],
        `no call is made here: name tools, resources, prompts or asks, or remove ${key}`,
      ),
    );
}

function checkSubject({ document, policies, path, test, subject }: Checked): Problem[] {
  const { robot, roles = [] } = subject;
  const at = (key: string, message: string): Problem =>
    document.problemAt(key in test ? [...path, key] : [key], message);
  if (robot !== undefined && subject.roles !== undefined) {
    return [at("roles", "roles stand in place of a robot: remove one of them")];
  }
  if (robot === undefined && subject.roles === undefined) {
    return [document.problemAt(path, "whose session is it? Say robot or roles, here or for the whole file")];
  }
  if (robot === undefined) {
    const about = (["binds", "refused", "binding"] as const).filter((key) => test[key] !== undefined);
    return [
      ...about.map((key) =>
        document.problemAtKey([...path, key], `roles by themselves are not bound: ${key} needs a robot`),
      ),
      ...roles
        .filter((role) => !policies.roles.has(role))
        .map((role) =>
          at("roles", `there is no role "${role}": ${suggestNames(role, policies.roles.keys())}`),
        ),
    ];
  }
  const found = findRobot(policies, robot);
  if (found === undefined) {
    return [at("robot", `there is no robot "${robot}": ${suggestNames(robot, listRobots(policies))}`)];
  }
  return subject.binding > found.robot.bindings.length
    ? [at("binding", `${robot} has ${found.robot.bindings.length} bindings`)]
    : [];
}

function checkNames({ document, policies, path, test, subject }: Checked): Problem[] {
  const checkServer = (server: string | undefined, where: Path): Problem[] => {
    if (server === undefined) {
      return [document.problemAt(where, "which server? Say server, here or for the whole file")];
    }
    return policies.servers.has(server)
      ? []
      : [
          document.problemAt(
            [...where, "server"],
            `there is no server "${server}": ${suggestNames(server, policies.servers.keys())}`,
          ),
        ];
  };
  return [
    ...(isAboutCalls(test) ? checkServer(subject.server, path) : []),
    ...(test.after ?? []).flatMap((call, index) => {
      const where = [...path, "after", index];
      return [...checkServer(call.server ?? subject.server, where), ...checkEarlier(document, where, call)];
    }),
    ...checkRule({ document, policies, path, test, subject }),
  ];
}

function checkEarlier(document: PolicyDocument<TestDocument>, path: Path, call: EarlierCall): Problem[] {
  const named = [call.tool, call.resource, call.prompt, call.ask].filter((name) => name !== undefined);
  return named.length === 1
    ? []
    : [document.problemAt(path, "an earlier call is one tool, one resource, one prompt or one ask")];
}

/** The rule that is expected must exist: a test of one that does not could never pass. */
function checkRule({ document, policies, path, test }: Checked): Problem[] {
  if (test.rule === undefined) {
    return [];
  }
  const known = [...policies.roles].flatMap(([role, { grants, flow = [] }]) => [
    ...grants.map((_, index) => `${role}#${index + 1}`),
    ...flow.map((_, index) => `${role}~${index + 1}`),
  ]);
  return known.includes(test.rule)
    ? []
    : [
        document.problemAt(
          [...path, "rule"],
          `there is no rule ${test.rule}: ${suggestNames(test.rule, known)}`,
        ),
      ];
}
