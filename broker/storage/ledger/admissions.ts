/**
 * Admissions: what an exchange writes, all of it or nothing, for many exchanges in one transaction.
 * The proof is spent before the token, the token whatever becomes of the request, and only then it is asked whose the
 * job is: the first key that is written, for all robots and for good. Of any number of exchanges at once, on any number
 * of replicas, each gets what it would have got if they had come one after the other.
 */
import { recordFindings } from "../sessions/findings.ts";
import { keepPolicies } from "../sessions/policies.ts";
import type { FindingRow, PolicyRow, SessionRow, WorkloadRow } from "../schema.ts";
import { openSessions, prolongSessions } from "../sessions/sessions.ts";
import { type SpendableProof, type SpendableToken, spendProofs, spendTokens } from "./spent.ts";
import type { Runner } from "./statements.ts";
import { bindWorkloads } from "./workloads.ts";

/** Data only: where the database has a thread of its own, it is decided there. */
export interface Admission {
  readonly proof: SpendableProof;
  readonly token: SpendableToken;
  /** Binds the job to the key of the proof, unless it belongs to one. */
  readonly workload: WorkloadRow;
  /** What is to be opened, its policy among those of the group; undefined when nothing is granted, which binds nothing. */
  readonly session: SessionRow | undefined;
  readonly takeover: TakeoverText;
}

/** What the run shows when the job belongs to another key, whose thumbprint stands between the two. */
export interface TakeoverText {
  readonly before: string;
  readonly after: string;
}

export interface Admissions {
  readonly admissions: readonly Admission[];
  /** Of all the sessions. */
  readonly policies: readonly PolicyRow[];
}

export type Decided =
  /** `attempt_over`: its run is in a later attempt. */
  | { readonly kind: "proof_replayed" | "token_replayed" | "attempt_over" | "nothing_granted" }
  /** The session that was given. */
  | { readonly kind: "opened" }
  | { readonly kind: "taken"; readonly detail: string }
  /** The session that the job has for this robot already: with other roles, or ended. */
  | { readonly kind: "differs" | "ended"; readonly session: SessionRow }
  /** The same, opened before by the same key and now prolonged. */
  | { readonly kind: "resumed"; readonly session: SessionRow };

/** In a transaction. The outcomes are in the order of the admissions. */
export async function admit(runner: Runner, { admissions, policies }: Admissions): Promise<Decided[]> {
  const decided = new Map<Admission, Decided>();
  const unproved = await spendProofs(
    runner,
    admissions.map(({ proof }) => proof),
  );
  const proved = admissions.filter((each, index) => {
    if (unproved[index] !== true) decided.set(each, { kind: "proof_replayed" });
    return unproved[index] === true;
  });
  // A policy says the same whatever becomes of the exchange: it is on its way together with the tokens.
  const [unspent] = await Promise.all([
    spendTokens(
      runner,
      proved.map(({ token }) => token),
    ),
    keepPolicies(runner, policies),
  ]);
  const presented = proved.filter((each, index) => {
    if (unspent[index] !== true) decided.set(each, { kind: "token_replayed" });
    return unspent[index] === true;
  });

  const { owners, over } = await bindWorkloads(
    runner,
    presented.filter(({ session }) => session !== undefined).map(({ workload }) => workload),
    presented.map(({ workload }) => workload.id),
  );
  const takeovers: Omit<FindingRow, "id">[] = [];
  const granted: { admission: Admission; session: SessionRow }[] = [];
  for (const admission of presented) {
    const { workload, session, takeover } = admission;
    const owner = owners.get(workload.id);
    if (owner !== undefined && owner.thumbprint !== workload.thumbprint) {
      const detail = takeover.before + owner.thumbprint + takeover.after;
      decided.set(admission, { kind: "taken", detail });
      takeovers.push(takeoverOf(workload, detail));
    } else if (session === undefined) {
      decided.set(admission, { kind: "nothing_granted" });
    } else if (over.has(workload.id)) {
      decided.set(admission, { kind: "attempt_over" });
    } else {
      granted.push({ admission, session });
    }
  }
  const opened = await openAll(
    runner,
    granted.map(({ session }) => session),
  );
  for (const [index, { admission }] of granted.entries()) {
    const outcome = opened[index];
    if (outcome !== undefined) decided.set(admission, outcome);
  }
  await recordFindings(runner, takeovers);
  return admissions.map((admission) => {
    const outcome = decided.get(admission);
    if (outcome === undefined) throw new Error("an exchange was not decided");
    return outcome;
  });
}

function takeoverOf({ id, run, bound_at }: WorkloadRow, detail: string): Omit<FindingRow, "id"> {
  return { run, workload: id, session: null, kind: "takeover_attempt", detail, time: bound_at };
}

async function openAll(runner: Runner, rows: readonly SessionRow[]): Promise<Decided[]> {
  const findHolding = await openSessions(runner, rows);
  const found = rows.map((row) => resume(row, findHolding(row)));
  const prolonged = await prolongSessions(
    runner,
    found.flatMap((outcome) =>
      outcome.kind === "resumed" ? [{ id: outcome.session.id, expiresAt: outcome.session.expires_at }] : [],
    ),
  );
  return found.map((outcome) =>
    outcome.kind === "resumed" && !prolonged.has(outcome.session.id)
      ? { kind: "ended", session: outcome.session }
      : outcome,
  );
}

/** What a request gets that finds a session: it is a request that got no answer, repeated, or asks for something else. */
function resume(row: SessionRow, session: SessionRow | undefined): Decided {
  if (session === undefined) throw new Error(`session ${row.id} was not stored, and no other is there`);
  if (session.id === row.id) return { kind: "opened" };
  if (session.roles !== row.roles) return { kind: "differs", session };
  const now = row.created_at;
  const expiresAt = Math.min(now + session.ttl_seconds * 1000, session.max_expires_at);
  if (expiresAt <= now) return { kind: "ended", session };
  return {
    kind: "resumed",
    session: { ...session, state: "active", expires_at: expiresAt, ended_at: null },
  };
}
