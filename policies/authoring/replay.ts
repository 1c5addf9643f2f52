/**
 * Recorded sessions, decided once more under other documents: from the binding that a run matches to each call,
 * with limits and flow counted as they would have been.
 * What a log does not hold is not guessed: a call whose condition looks at arguments that are not there is undecidable.
 */
import { type BindingMatch, type BindingRefusal, matchBinding } from "../binding/binding.ts";
import { Claims } from "../claims.ts";
import { compilePolicy } from "../compilation.ts";
import type { Call, CompiledPolicy } from "../decision.ts";
import type { Policies } from "../policies.ts";
import type { RecordedCall, RecordedSession } from "./recorded-session.ts";
import { openRehearsal, type Rehearsal, type Verdict } from "./rehearsal.ts";
import type { SessionGrant } from "../session-policy.ts";

export type Change = "same" | "would_deny" | "would_allow" | "undecidable";

export interface ReplayedCall {
  readonly call: RecordedCall;
  readonly change: Change;
  /** Undefined where the session would not have begun, or where it cannot be told. */
  readonly verdict: Verdict | undefined;
}

export interface ReplayedSession {
  readonly recorded: RecordedSession;
  /** Why the run would have got no session; undefined: it would. */
  readonly refusal: BindingRefusal | undefined;
  readonly roles: readonly string[];
  readonly calls: readonly ReplayedCall[];
}

export async function replaySession(policies: Policies, recorded: RecordedSession): Promise<ReplayedSession> {
  const claims = Claims.safeParse(recorded.claims);
  if (!claims.success) {
    throw new Error(`the claims of session ${recorded.session} are not those of a run`);
  }
  const match = matchRecorded(policies, claims.data, recorded);
  if (!match.ok) {
    const calls = recorded.calls.map((call) => compare(call, undefined));
    return { recorded, refusal: match, roles: [], calls };
  }
  const rehearsal = await openRehearsal(policies, { ...match, claims: claims.data });
  const bounds = await openBounds(rehearsal);
  const calls = recorded.calls.map((call) => replayCall(rehearsal, bounds, call));
  return { recorded, refusal: undefined, roles: match.roles, calls };
}

/** A run that was given fewer roles than it is bound to asks for as few again, as long as they are still bound. */
function matchRecorded(
  policies: Policies,
  claims: Claims,
  { robot, roles }: RecordedSession,
): BindingMatch | BindingRefusal {
  const name = robot.slice(robot.lastIndexOf("/") + 1);
  const match = matchBinding(policies, claims, { robot: name, roles });
  return match.ok || match.code !== "role_not_bound"
    ? match
    : matchBinding(policies, claims, { robot: name });
}

/** What is decided whatever the arguments are: as if no condition on them held, and as if each did. */
interface Bounds {
  readonly least: CompiledPolicy;
  readonly most: CompiledPolicy;
}

async function openBounds({ source, claims }: Rehearsal): Promise<Bounds> {
  const looksAtArguments = ({ when }: SessionGrant): boolean => when !== undefined && /\bargs\b/.test(when);
  const compile = (grants: SessionGrant[]) => compilePolicy({ ...source, grants }, { claims });
  return {
    least: await compile(source.grants.filter((grant) => !looksAtArguments(grant))),
    most: await compile(
      source.grants.map((grant) => (looksAtArguments(grant) ? withoutCondition(grant) : grant)),
    ),
  };
}

function withoutCondition({ when: _, ...grant }: SessionGrant): SessionGrant {
  return grant;
}

function replayCall(rehearsal: Rehearsal, { least, most }: Bounds, call: RecordedCall): ReplayedCall {
  const asked: Call = { ...call, args: call.args ?? {} };
  const { usage } = rehearsal;
  const assumed = most.decide(asked, usage);
  const isOpen =
    (call.args === undefined || call.redacted.length > 0) &&
    least.decide(asked, usage).effect !== assumed.effect;
  if (isOpen) {
    if (call.wasAllowed) {
      // It went, so what comes after it is decided as after a call that went.
      usage.count(asked, assumed);
    }
    return { call, change: "undecidable", verdict: undefined };
  }
  return compare(call, rehearsal.play(asked));
}

function compare(call: RecordedCall, verdict: Verdict | undefined): ReplayedCall {
  const isAllowed = verdict?.effect === "allow";
  const change = isAllowed === call.wasAllowed ? "same" : isAllowed ? "would_allow" : "would_deny";
  return { call, change, verdict };
}
