/**
 * Why one call of one session is allowed or denied: what each grant that names it says, and what would have to change.
 * Every answer comes from the compiled policy itself, grant by grant: nothing here decides a second time in its own way.
 */
import type { Call } from "../decision.ts";
import type { Policies } from "../policies.ts";
import { collectRunFacts } from "../run-facts.ts";
import type { SessionGrant } from "../session-policy.ts";
import { adviseOn } from "./advice.ts";
import { describePresented, presentedBy } from "./credential-difference.ts";
import { type Rehearsal, rehearse, type Verdict } from "./rehearsal.ts";

export interface ConsideredGrant {
  readonly rule: string;
  readonly says: "allows" | "condition_false" | "condition_error" | "limit_reached";
  readonly condition?: {
    readonly source: string;
    readonly value: "true" | "false" | "error";
    /** What it looked at: `args.owner` → `"acme"`. */
    readonly saw: readonly { readonly name: string; readonly value: string | undefined }[];
  };
  readonly limit?: { readonly calls: number; readonly used: number };
}

export interface CallExplanation {
  readonly call: Call;
  readonly verdict: Verdict;
  /** The grants that name what is called, in the order in which they are tried. */
  readonly considered: readonly ConsideredGrant[];
  /** What the session has read, and where the call would write: flow rules compare the two. */
  readonly labels: readonly string[];
  /** The credential that the server is shown, its kind, whose it is, and where it is used; undefined: none. */
  readonly credential: string | undefined;
  /** What would have to change for the other answer, most likely first. */
  readonly advice: readonly string[];
}

/** The calls that came before are counted in the rehearsal already. */
export async function explainCall(
  policies: Policies,
  rehearsal: Rehearsal,
  call: Call,
): Promise<CallExplanation> {
  const verdict = rehearsal.judge(call);
  const considered: ConsideredGrant[] = [];
  for (const grant of rehearsal.source.grants) {
    const answer = await askGrant(rehearsal, grant, call);
    if (answer !== undefined) {
      considered.push(answer);
    }
  }
  const presented = presentedBy(policies, policies.servers.get(call.server) ?? {});
  return {
    call,
    verdict,
    credential: presented && describePresented(presented),
    considered,
    labels: [...rehearsal.usage.labels].sort(),
    advice: adviseOn({ policies, rehearsal, call, verdict }),
  };
}

/** Undefined where the grant does not name it. */
async function askGrant(
  { source, claims, usage }: Rehearsal,
  grant: SessionGrant,
  call: Call,
): Promise<ConsideredGrant | undefined> {
  const alone = (limit: number | undefined) => {
    const { limit: _limit, ...unlimited } = grant;
    const grants = [limit === undefined ? unlimited : { ...unlimited, limit }];
    return rehearse({ ...source, mode: "enforce", flow: [], grants }, claims);
  };
  const unlimited = (await alone(undefined)).compiled.decide(call, usage);
  if (unlimited.effect === "deny" && unlimited.reason === "no_grant") {
    return undefined;
  }
  const decision = (await alone(grant.limit)).compiled.decide(call, usage);
  const value =
    unlimited.effect === "allow" ? "true" : unlimited.reason === "condition_error" ? "error" : "false";
  return {
    rule: grant.rule,
    says:
      value === "error"
        ? "condition_error"
        : value === "false"
          ? "condition_false"
          : decision.effect === "allow"
            ? "allows"
            : "limit_reached",
    ...(grant.when !== undefined && {
      condition: { source: grant.when, value, saw: listSeen(grant.when, { source, claims, usage, call }) },
    }),
    ...(grant.limit !== undefined && {
      limit: { calls: grant.limit, used: usage.callsOf(grant.rule) },
    }),
  };
}

const references =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\b(args|run|session)\.([A-Za-z_]\w*)|\b(tool|server|robot|agent)\b/g;
const longestValue = 80;

/** For reading only: the values of what the condition's text mentions. */
function listSeen(
  when: string,
  { source, claims, usage, call }: Pick<Rehearsal, "source" | "claims" | "usage"> & { call: Call },
): { name: string; value: string | undefined }[] {
  const run = collectRunFacts(claims);
  const own = new Map<string, unknown>([
    ["tool", call.name],
    ["server", call.server],
    ["robot", source.robot],
    ["agent", call.agent],
  ]);
  const values = new Map<string, unknown>();
  for (const [, from, member = "", name] of when.matchAll(references)) {
    if (name !== undefined) {
      values.set(name, own.get(name));
    } else if (from === "args") {
      values.set(`args.${member}`, Object.hasOwn(call.args, member) ? call.args[member] : undefined);
    } else if (from === "run") {
      values.set(`run.${member}`, run.get(member));
    } else if (from === "session") {
      values.set(`session.${member}`, member === "calls" ? usage.calls : undefined);
    }
  }
  return [...values].map(([name, value]) => ({ name, value: shorten(JSON.stringify(value)) }));
}

function shorten(text: string | undefined): string | undefined {
  return text !== undefined && text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
