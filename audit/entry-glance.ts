/**
 * A glance at the two kinds of entries that are written for every call: whether the schema of records would surely
 * take one as it is. It never says yes where the schema says no; where it says no, the schema has the word.
 */

type Check = (value: unknown) => boolean;

/** Every member that there may be, and those that there must be. */
interface Shape {
  readonly checks: ReadonlyMap<string, Check>;
  readonly required: ReadonlySet<string>;
}

const DIGEST = /^[0-9a-f]{64}$/;
const OUTCOMES = new Set<unknown>(["ok", "tool_error", "error", "timeout", "cancelled", "blocked"]);

const isText: Check = (value) => typeof value === "string";
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isDigest: Check = (value) => typeof value === "string" && DIGEST.test(value);

const CLIENT = describe({ name: isText, version: isText }, {});

const SHAPES = new Map<unknown, Shape>([
  [
    "call",
    describe(
      {
        kind: isText,
        ...{ id: isText, agent: isText, server: isText, method: isText, reason: isText },
        client: (value) => value === null || fits(value, CLIENT),
        decision: (value) => value === "allow" || value === "deny",
      },
      {
        ...{ tool: isText, resource: isText, prompt: isText, rule: isText, traceparent: isText },
        arguments: (value) => value !== undefined,
        arguments_digest: isDigest,
      },
    ),
  ],
  [
    "result",
    describe(
      {
        ...{ kind: isText, call: isText, duration_ms: isCount, bytes: isCount },
        outcome: (value) => OUTCOMES.has(value),
      },
      { digest: isDigest },
    ),
  ],
]);

export function surelyFits(entry: { readonly kind: string }): boolean {
  const shape = SHAPES.get(entry.kind);
  return shape !== undefined && fits(entry, shape);
}

function describe(required: Record<string, Check>, optional: Record<string, Check>): Shape {
  return {
    required: new Set(Object.keys(required)),
    checks: new Map(Object.entries({ ...required, ...optional })),
  };
}

function fits(value: unknown, { checks, required }: Shape): boolean {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return false;
  }
  let missing = required.size;
  for (const [name, member] of Object.entries(value)) {
    if (checks.get(name)?.(member) !== true) {
      return false;
    }
    missing -= required.has(name) ? 1 : 0;
  }
  return missing === 0;
}
