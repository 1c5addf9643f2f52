/**
 * Random policies of a fuzzed world, each with everything that a second reader needs to say what they allow: the
 * conditions stand here twice, as CEL and as the plain function that says the same.
 */
import type { SessionFlow, ServerFacts, SessionGrant } from "../../policies/session-policy.ts";
import fc from "../support/properties.ts";
import { TOOL_NAMES } from "./names.ts";

export interface Facts {
  readonly args: Readonly<Record<string, unknown>>;
  readonly agent: string;
  /** That were let through before. */
  readonly calls: number;
}

const conditions: Readonly<Record<string, (facts: Facts) => boolean>> = {
  "args.amount < 100": ({ args }) => typeof args["amount"] === "number" && args["amount"] < 100,
  'args.path.startsWith("docs/")': ({ args }) =>
    typeof args["path"] === "string" && args["path"].startsWith("docs/"),
  "args.owner == run.repository_owner": ({ args }) => args["owner"] === "acme",
  "has(args.force) && args.force == false": ({ args }) => args["force"] === false,
  'agent == "other"': ({ agent }) => agent === "other",
  "session.calls < 3": ({ calls }) => calls < 3,
};

export type FuzzedGrant = Omit<SessionGrant, "rule">;

export interface FuzzedPolicy {
  readonly mode: "enforce" | "observe";
  readonly grants: readonly FuzzedGrant[];
  readonly flow: SessionFlow[];
  readonly servers: Readonly<Record<string, FuzzedServerFacts>>;
}

export interface FuzzedServerFacts extends Pick<ServerFacts, "reads" | "writes" | "tools"> {
  /** By tool: whether the lock holds the definition that the server lists, or one that it no longer has. */
  readonly lock?: Readonly<Record<string, "reviewed" | "drifted">>;
}

/** Whether the grant's condition, in plain words, holds. */
export function holds({ when }: FuzzedGrant, facts: Facts): boolean {
  return when === undefined || conditions[when]?.(facts) === true;
}

const SERVERS = ["one", "two"] as const;

const toolPatterns = fc.constantFrom("echo", "echo*", "pay", "read_*", "send_note", "p*", "*", "*");
const resourcePatterns = fc.constantFrom(
  "repo://acme/*",
  "repo://acme/*",
  "repo://acme/docs/a",
  "repo://{run.repository_owner}/docs/*",
);
const promptPatterns = fc.constantFrom("review", "rev*", "fix_*");

/** Absent `times` times for each time that it is there. */
export const rarely = <T>(value: fc.Arbitrary<T>, times: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: times, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const few = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(values, { minLength: 1, maxLength: 2 });

const plain = {
  server: fc.constantFrom(...SERVERS),
  tools: few(toolPatterns),
  resources: few(resourcePatterns),
  prompts: few(promptPatterns),
};
const when = fc.constantFrom(...Object.keys(conditions));
const limit = fc.integer({ min: 1, max: 3 });
const grants: fc.Arbitrary<FuzzedGrant> = fc.oneof(
  { weight: 2, arbitrary: fc.record(plain, { requiredKeys: ["server", "tools"] }) },
  {
    weight: 1,
    arbitrary: fc.record({ ...plain, when, limit }, { requiredKeys: ["server", "tools", "when"] }),
  },
  { weight: 1, arbitrary: fc.record({ ...plain, limit }, { requiredKeys: ["server", "limit"] }) },
);

const reads = fc.constantFrom<("untrusted" | "private")[]>(
  ["untrusted"],
  ["private"],
  ["untrusted", "private"],
);
const writes = fc.constant<["public"]>(["public"]);
const toolNames = fc.constantFrom(...TOOL_NAMES);
const byTool = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.dictionary(toolNames, values, { maxKeys: 4, noNullPrototype: true });

const labelled = {
  reads,
  writes,
  tools: byTool(fc.record({ reads, writes, read_only: fc.boolean() }, { requiredKeys: [] })),
};
const lock = byTool(fc.constantFrom("reviewed", "drifted"));
const serverFacts: fc.Arbitrary<FuzzedServerFacts> = fc.oneof(
  { weight: 4, arbitrary: fc.record(labelled, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.record({ ...labelled, lock }, { requiredKeys: ["lock"] }) },
);

export const policies: fc.Arbitrary<FuzzedPolicy> = fc.record({
  mode: fc.constantFrom("enforce", "enforce", "enforce", "observe"),
  grants: fc.array(grants, { minLength: 2, maxLength: 6 }),
  flow: fc.constantFrom<SessionFlow[]>(
    [],
    [{ rule: "triager~1", after: ["untrusted"], deny: ["public"] }],
    [{ rule: "triager~1", after: ["private"], deny: ["public"] }],
  ),
  servers: fc.record({ one: serverFacts, two: serverFacts }),
});
