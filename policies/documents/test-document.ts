/**
 * `tests/*.yaml` as a schema: unit tests of a policy. A file says once whose run it is about, each test what is called.
 * Strict: an unknown key is an error. What needs more than one value to judge is checked when the tests are read.
 */
import * as z from "zod/mini";
import { Ask } from "../asks.ts";
import { nameOf, textLike } from "./document-fields.ts";

const nameList = (description: string) =>
  z.optional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1), z.describe(description)));

const Arguments = z.optional(
  z.record(z.string(), z.unknown()).check(z.describe("The arguments of the call.")),
);

const Server = nameOf("the server that is called");

const agent = z.optional(
  z.string().check(z.minLength(1), z.describe("The agent that calls: agent by default.")),
);

const Run = z.strictObject({
  workflow: z.optional(z.string().check(z.describe("The workflow file: .github/workflows/triage.yml."))),
  event: z.optional(z.string().check(z.describe("The event that triggered the run: schedule."))),
  ref: z.optional(z.string().check(z.describe("The ref in full: refs/heads/main, refs/pull/7/merge."))),
  base_ref: z.optional(
    z.string().check(z.describe("Of a pull request: the plain name of its target branch.")),
  ),
  environment: z.optional(z.string().check(z.describe("The deployment environment of the job."))),
  runner: z.optional(z.string().check(z.describe("Where the job runs: github-hosted or self-hosted."))),
  job_workflow_ref: z.optional(z.string().check(z.describe("The reusable workflow the job runs in."))),
});

/** Whose session it is: of a file for all its tests, of a test for itself. */
const session = {
  robot: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.describe("The robot: acme/payments/triager. Its bindings decide what it gets."),
      ),
  ),
  binding: z.optional(
    z
      .int()
      .check(
        z.minimum(1),
        z.describe(
          "The binding of the robot that the run is taken from, counted from 1: the first by default.",
        ),
      ),
  ),
  run: z.optional(Run.check(z.describe("What the run is, where it is not as the binding says."))),
  claims: z.optional(
    z
      .record(z.string(), z.string())
      .check(z.describe("Claims of the token under their own names, for all else.")),
  ),
  roles: z.optional(
    z
      .array(nameOf("a role in roles.yaml"))
      .check(z.minLength(1), z.describe("In place of robot: the roles by themselves, whoever has them.")),
  ),
  server: z.optional(Server),
  agent,
};

const EarlierCall = z.strictObject({
  server: z.optional(Server),
  tool: z.optional(z.string().check(z.describe("The tool that was called."))),
  resource: z.optional(z.string().check(z.describe("The URI of the resource that was read."))),
  prompt: z.optional(z.string().check(z.describe("The prompt that was asked for."))),
  ask: z.optional(Ask.check(z.describe("What the server asked the agent for."))),
  args: Arguments,
  agent,
  times: z.optional(
    z
      .int()
      .check(
        z.minimum(1),
        z.maximum(10_000, "expected at most 10000"),
        z.describe("How many times: once by default."),
      ),
  ),
});
export type EarlierCall = z.infer<typeof EarlierCall>;

/** Every reason that a decision can have. */
const Reason = z.enum([
  "granted",
  "observed",
  "no_grant",
  "flow",
  "condition_false",
  "condition_error",
  "limit_reached",
  "unreviewed",
]);

export const PolicyTest = z.strictObject({
  name: z.optional(z.string().check(z.minLength(1), z.describe("What the test shows, as a sentence."))),
  ...session,
  tools: nameList("The tools that are called, each by itself: [get_issue, list_issues]."),
  resources: nameList("The URIs of the resources that are read, each by itself."),
  prompts: nameList("The prompts that are asked for, each by itself."),
  asks: z.optional(
    z
      .array(Ask)
      .check(
        z.minLength(1),
        z.describe("What the server asks the agent for, each by itself: [elicitation]."),
      ),
  ),
  args: Arguments,
  after: z.optional(
    z
      .array(EarlierCall)
      .check(
        z.minLength(1),
        z.describe("The calls of the session that came before; all of them must be allowed."),
      ),
  ),
  expect: z.optional(z.enum(["allow", "deny"]).check(z.describe("The decision on each of the calls."))),
  rule: z.optional(
    textLike(
      /^[a-z0-9][a-z0-9_-]*[#~][1-9][0-9]*$/,
      "expected the name of a rule: reader#1 for a role's first grant, reader~1 for its first flow rule",
      "The rule that decides: reader#1 is the first grant of reader, reader~1 its first flow rule.",
    ),
  ),
  reason: z.optional(Reason.check(z.describe("The reason of the decision."))),
  binds: z.optional(
    z
      .array(nameOf("a role"))
      .check(z.describe("The roles that the run gets, in any order, no more and no fewer.")),
  ),
  refused: z.optional(
    z
      .enum([
        "no_binding",
        "claims_contradictory",
        "repository_unknown",
        "owner_mismatch",
        "robot_unnamed",
        "robot_unknown",
      ])
      .check(z.describe("Why the run gets no session: no_binding where no binding matches.")),
  ),
});
export type PolicyTest = z.infer<typeof PolicyTest>;

export const TestDocument = z.strictObject({
  ...session,
  tests: z.array(PolicyTest).check(z.minLength(1), z.describe("The tests, one by one.")),
});
export type TestDocument = z.infer<typeof TestDocument>;
