/**
 * What the policy bench decides: one role of 200 grants over ten servers, each with a condition, and a thousand calls.
 * Every contender is given the same rules in its own language; what each call's answer must be stands beside it.
 */
import type { Call } from "../../policies/decision.ts";

/** One condition, as what it asks: a contender says it in its own words. */
export type Test =
  /** `owner` and `repo` are those of the run. */
  | { readonly kind: "own_repository" }
  /** `path` begins with this. */
  | { readonly kind: "under"; readonly folder: string }
  /** `channel` is this one, and nobody is `notify`-ed. */
  | { readonly kind: "quiet"; readonly channel: string }
  /** `count` is at most this. */
  | { readonly kind: "at_most"; readonly count: number }
  /** The owner wrote the `issue`: a value inside an object. */
  | { readonly kind: "own_issue" }
  /** Each of `labels` is one of these. */
  | { readonly kind: "labels"; readonly labels: readonly string[] };

export interface SampleRule {
  readonly server: string;
  /** A tool's name, or its beginning with `*` at the end. */
  readonly tool: string;
  readonly test: Test;
}

export interface SampleCall {
  readonly call: Call;
  readonly allowed: boolean;
}

const SERVERS = 10;
const RULES_OF_SERVER = 20;
const CALLS = 1_000;

/** Of the run that the session belongs to. */
export const claims = {
  repository: "acme/payments",
  repository_owner: "acme",
  event_name: "schedule",
  ref: "refs/heads/main",
};

/** As roles are: half of the tests compare with the run's repository, one in ten looks into a list or an object. */
function testOf(index: number): Test {
  if (index === 19) return { kind: "own_issue" };
  if (index % 2 === 0) return { kind: "own_repository" };
  if (index % 10 === 9) return { kind: "labels", labels: ["bug", "question", "help wanted"] };
  if (index % 10 === 7) return { kind: "at_most", count: 100 };
  return index % 4 === 1
    ? { kind: "under", folder: `docs/${index}/` }
    : { kind: "quiet", channel: `builds-${index}` };
}

/** Every fifth rule names the beginning of what it grants; every tenth is of a name that another rule grants, too. */
function toolOf(index: number): string {
  if (index % 5 === 3) return `list_${index}_*`;
  return index % 10 === 6 ? `update_${index - 1}` : `update_${index}`;
}

export const rules: readonly SampleRule[] = Array.from(
  { length: SERVERS * RULES_OF_SERVER },
  (_, position) => {
    const index = position % RULES_OF_SERVER;
    return {
      server: `server-${Math.floor(position / RULES_OF_SERVER)}`,
      tool: toolOf(index),
      test: testOf(index),
    };
  },
);

const ownRepository = { owner: "acme", repo: "payments" };

/** Arguments as an agent sends them, of which the condition looks at some. */
function argumentsOf(test: Test, fits: boolean): Call["args"] {
  const rest = { title: "A title that nobody compares", body: "A text of some length. ".repeat(20) };
  switch (test.kind) {
    case "own_repository":
      return fits ? { ...ownRepository, ...rest } : { ...ownRepository, repo: "ledger", ...rest };
    case "under":
      return { ...rest, path: fits ? `${test.folder}page.md` : "src/main.ts" };
    case "quiet":
      return { ...rest, channel: test.channel, notify: !fits };
    case "at_most":
      return { ...rest, count: fits ? test.count : test.count + 1 };
    case "own_issue":
      return { ...rest, issue: { author: fits ? "acme" : "mallory", number: 7 } };
    case "labels":
      return { ...rest, labels: fits ? ["bug", "help wanted"] : ["bug", "security"] };
  }
}

/** Two of three are allowed; of the others some name what no rule names, and the rest fail their test. */
export const calls: readonly SampleCall[] = Array.from({ length: CALLS }, (_, position) => {
  const rule = rules[(position * 37) % rules.length] ?? rules[0];
  if (rule === undefined) throw new RangeError("there are no rules");
  const { server, tool, test } = rule;
  const kind = position % 12;
  const fits = kind < 8;
  const name = kind === 8 ? `delete_${position}` : tool.replace("*", "items");
  return {
    call: { server, kind: "tool", name, args: argumentsOf(test, fits), agent: "agent" },
    allowed: fits,
  };
});
