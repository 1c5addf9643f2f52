/** Random policies, each condition with its meaning beside it, and random calls that have to do with them. */
import { Ask } from "../../policies/asks.ts";
import fc from "../support/properties.ts";
import type { Call } from "../../policies/decision.ts";
import type { SessionGrant, SessionPolicy } from "../../policies/session-policy.ts";
import type { Facts, Meaning, Reference } from "./reference-policy.ts";

const claims = { repository: "acme/payments", repository_owner: "acme", event_name: "schedule" };

const servers = ["a", "b"];
const names = ["get", "get_x", "get_xy", "put", "p", "", "__proto__", "constructor"];
const namePatterns = ["get", "get_*", "get_x", "g*", "*", "put", "p*", "get_xy*", "constructor"];
const uris = [
  "repo://acme/payments/a",
  "repo://acme/payments/a/b",
  "repo://acme/payments/../b",
  "repo://acme/ledger/a",
  "repo://acme/payments",
  "note:x",
  "note:x/./y",
];
const uriPatterns = [
  "repo://{run.repository}/*",
  "repo://{run.repository}/a*",
  "repo://{run.repository}",
  "repo://{run.repository_owner}/payments/a",
  "repo://acme/payments/../b",
  "repo://{run.environment}/*",
  "repo://*",
  "note:*",
  "note:x",
];

const argument = ({ call }: Facts, name: string): unknown =>
  Object.hasOwn(call.args, name) ? call.args[name] : undefined;

const atoms: readonly Meaning[] = [
  { text: "true", holds: () => true },
  { text: "false", holds: () => false },
  {
    text: "args.n == 1",
    holds: (facts) => {
      const n = argument(facts, "n");
      return n === undefined ? undefined : n === 1;
    },
  },
  {
    text: "args.n < 2",
    holds: (facts) => {
      const n = argument(facts, "n");
      return typeof n === "number" ? n < 2 : undefined;
    },
  },
  { text: 'has(args.s) && args.s == "x"', holds: (facts) => argument(facts, "s") === "x" },
  { text: "has(args.s)", holds: (facts) => argument(facts, "s") !== undefined },
  {
    text: "args.s == run.repository_owner",
    holds: (facts) => {
      const s = argument(facts, "s");
      return s === undefined ? undefined : s === facts.claims["repository_owner"];
    },
  },
  {
    text: 'args.s.startsWith("ac")',
    holds: (facts) => {
      const s = argument(facts, "s");
      return typeof s === "string" ? s.startsWith("ac") : undefined;
    },
  },
  {
    text: 'args.l.all(each, each in ["x", "y"])',
    holds: (facts) => {
      const l = argument(facts, "l");
      return Array.isArray(l) ? l.every((each) => each === "x" || each === "y") : undefined;
    },
  },
  { text: 'run.environment == "agents"', holds: () => undefined },
  { text: "session.calls < 2", holds: ({ calls }) => calls < 2 },
  { text: 'tool == "get"', holds: ({ call }) => call.name === "get" },
  {
    text: 'server == "a" && agent == "one"',
    holds: ({ call }) => call.server === "a" && call.agent === "one",
  },
];

/** Of true, false and "cannot be evaluated": false decides an "and", true decides an "or", whatever the rest is. */
function join(decisive: boolean, sign: string): (left: Meaning, right: Meaning) => Meaning {
  return (left, right) => ({
    text: `(${left.text}) ${sign} (${right.text})`,
    holds: (facts) => {
      const sides = [left.holds(facts), right.holds(facts)];
      return sides.includes(decisive) ? decisive : sides.includes(undefined) ? undefined : !decisive;
    },
  });
}

function negate({ text, holds }: Meaning): Meaning {
  return {
    text: `!(${text})`,
    holds: (facts) => {
      const value = holds(facts);
      return value === undefined ? undefined : !value;
    },
  };
}

const meanings: fc.Arbitrary<Meaning> = fc.letrec<{ any: Meaning }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(...atoms),
    fc.tuple(tie("any"), tie("any")).map(([left, right]) => join(false, "&&")(left, right)),
    fc.tuple(tie("any"), tie("any")).map(([left, right]) => join(true, "||")(left, right)),
    tie("any").map(negate),
  ),
})).any;

const some = (values: readonly string[]): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(values, { nil: undefined });

const named = fc.oneof(
  some(namePatterns).map((tools) => ({ tools })),
  some(uriPatterns).map((resources) => ({ resources })),
  some(namePatterns).map((prompts) => ({ prompts })),
  fc.subarray(Ask.options, { minLength: 1 }).map((asks) => ({ asks })),
);

export interface RandomGrant {
  readonly grant: Omit<SessionGrant, "rule">;
  readonly meaning: Meaning | undefined;
}

export const grants: fc.Arbitrary<RandomGrant> = fc
  .record({
    server: fc.constantFrom(...servers),
    named,
    meaning: maybe(meanings),
    limit: maybe(fc.integer({ min: 1, max: 3 })),
  })
  .map(({ server, named: what, meaning, limit }) => ({
    meaning,
    grant: {
      server,
      ...what,
      ...(meaning !== undefined && { when: meaning.text }),
      ...(limit !== undefined && { limit }),
    },
  }));

const labels = maybe(fc.subarray<"untrusted" | "private">(["untrusted", "private"]));
const writes = maybe(fc.subarray<"public">(["public"]));
const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;

const toolFacts = fc.record({ reads: labels, writes, read_only: maybe(fc.boolean()) }).map(withoutUndefined);
const serverFacts = fc
  .record({
    reads: labels,
    writes,
    tools: maybe(
      fc.dictionary(fc.constantFrom("get", "get_x", "put", "p"), toolFacts, { noNullPrototype: true }),
    ),
  })
  .map(withoutUndefined);

export function policyOf(
  given: readonly RandomGrant[],
  rest: Pick<SessionPolicy, "mode" | "flow" | "servers">,
): Reference {
  return {
    claims,
    meanings: given.flatMap(({ meaning }) => meaning ?? []),
    source: {
      v: 1,
      robot: "acme/payments/triager",
      roles: ["role"],
      grants: given.map(({ grant }, index) => ({ rule: `role#${index + 1}`, ...grant })),
      ...rest,
    },
  };
}

/** The grants apart, so that a test can add one. */
export const policies = fc.record({
  grants: fc.array(grants, { maxLength: 8 }),
  rest: fc.record({
    mode: fc.constantFrom("enforce" as const, "observe" as const),
    flow: fc.array(
      fc.record({
        rule: fc.constantFrom("role~1", "role~2"),
        after: fc.subarray<"untrusted" | "private">(["untrusted", "private"], { minLength: 1 }),
        deny: fc.constant<"public"[]>(["public"]),
      }),
      { maxLength: 2 },
    ),
    servers: fc.record({ a: serverFacts, b: serverFacts }),
  }),
});

const asked = fc.oneof(
  fc.record({ kind: fc.constantFrom("tool" as const, "prompt" as const), name: fc.constantFrom(...names) }),
  fc.record({ kind: fc.constant("resource" as const), name: fc.constantFrom(...uris) }),
  fc.record({ kind: fc.constant("ask" as const), name: fc.constantFrom(...Ask.options) }),
);

export const calls: fc.Arbitrary<Call> = fc
  .record({
    server: fc.constantFrom(...servers, "c", "__proto__"),
    asked,
    agent: fc.constantFrom("one", "two"),
    args: fc.record(
      {
        n: fc.constantFrom<unknown>(1, 1.5, 2, -0, "1", null, true, [1], { n: 1 }),
        s: fc.constantFrom<unknown>("x", "acme", "y", "", 1, null, ["x"]),
        l: fc.constantFrom<unknown>(["x"], ["x", "z"], [], ["x", 1], "x", null),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  })
  .map(({ server, asked: { kind, name }, agent, args }) => ({ server, kind, name, agent, args }));
