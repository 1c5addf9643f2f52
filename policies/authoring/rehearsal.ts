/**
 * A session that is only played: real documents, the real compiled policy, and calls that nobody sent.
 * It decides and counts as the gate does, so that what an author is told is what an agent will meet.
 */
import { compilePolicy } from "../compilation.ts";
import type { Call, CompiledPolicy, Decision } from "../decision.ts";
import { type IssuedTo, sessionPolicyOf } from "../issuing.ts";
import type { Policies } from "../policies.ts";
import type { SessionPolicy } from "../session-policy.ts";
import { SessionUsage } from "../usage.ts";

/** `unreviewed`: a grant names it, but lanyard.lock does not hold it, so it does not exist for the agent. */
export type Verdict = Decision | { readonly effect: "deny"; readonly reason: "unreviewed" };

export interface Rehearsal {
  readonly source: SessionPolicy;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly compiled: CompiledPolicy;
  readonly usage: SessionUsage;
  /** Without counting it. */
  judge(call: Call): Verdict;
  /** Decides, and counts what was let through. */
  play(call: Call): Verdict;
}

export interface RehearsedSession extends IssuedTo {
  readonly claims: Readonly<Record<string, unknown>>;
}

export async function openRehearsal(policies: Policies, session: RehearsedSession): Promise<Rehearsal> {
  const { claims, ...issued } = session;
  return rehearse(sessionPolicyOf(policies, issued), claims);
}

/** The same, of a policy that was issued already. */
export async function rehearse(
  source: SessionPolicy,
  claims: Readonly<Record<string, unknown>>,
): Promise<Rehearsal> {
  const compiled = await compilePolicy(source, { claims });
  const usage = new SessionUsage(compiled);
  const judge = (call: Call): Verdict => {
    const decision = compiled.decide(call, usage);
    const known = decision.effect === "allow" || decision.reason !== "no_grant";
    return known && !isReviewed(compiled, call) ? { effect: "deny", reason: "unreviewed" } : decision;
  };
  return {
    source,
    claims,
    compiled,
    usage,
    judge,
    play: (call) => {
      const verdict = judge(call);
      if (verdict.effect === "allow") {
        usage.count(call, verdict);
      }
      return verdict;
    },
  };
}

function isReviewed(compiled: CompiledPolicy, { server, kind, name }: Call): boolean {
  const lock = compiled.lockOf(server);
  return kind !== "tool" || lock === undefined || Object.hasOwn(lock.tools, name);
}
