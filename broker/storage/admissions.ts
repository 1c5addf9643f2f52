/**
 * Admissions: what an exchange writes, all of it or nothing, for many exchanges in one transaction.
 * The proof is spent before the token, the token whatever becomes of the request, and only then it is asked whose the
 * job is: the first key that is written, for all robots and for good. Of any number of exchanges at once, on any number
 * of replicas, each gets what it would have got if they had come one after the other.
 */
import { recordFindings } from "./findings.ts";
import { keepPolicies } from "./policies.ts";
import type { FindingRow, PolicyRow, Queries, SessionRow, WorkloadRow } from "./schema.ts";
import { openSessions, prolongSessions } from "./sessions.ts";
import { type SpendableProof, type SpendableToken, spendProofs, spendTokens } from "./spent.ts";
import { bindWorkloads } from "./workloads.ts";

export interface Admission {
  readonly proof: SpendableProof;
  readonly token: SpendableToken;
  /** Binds the job to the key of the proof, unless it belongs to one. */
  readonly workload: WorkloadRow;
  /** What is to be opened; undefined when nothing is granted, which binds nothing. */
  readonly draft: { readonly session: SessionRow; readonly policy: PolicyRow } | undefined;
  /** What the run shows when the job belongs to another key. */
  readonly describeTakeover: (owner: WorkloadRow) => string;
}

export type Admitted =
  | { readonly kind: "proof_replayed" | "token_replayed" | "nothing_granted" }
  | { readonly kind: "taken"; readonly detail: string }
  /** The session that the job has for this robot already: with other roles, or ended. */
  | { readonly kind: "differs" | "ended"; readonly session: SessionRow }
  /** A new session, or the one that the same key opened before, prolonged. */
  | { readonly kind: "opened"; readonly session: SessionRow };

type Draft = NonNullable<Admission["draft"]>;

/** In a transaction. The outcomes are in the order of the admissions. */
export async function admit(db: Queries, admissions: readonly Admission[]): Promise<Admitted[]> {
  const decided = new Map<Admission, Admitted>();
  const unproved = await spendProofs(
    db,
    admissions.map(({ proof }) => proof),
  );
  const proved = admissions.filter((each, index) => {
    if (unproved[index] !== true) decided.set(each, { kind: "proof_replayed" });
    return unproved[index] === true;
  });
  const unspent = await spendTokens(
    db,
    proved.map(({ token }) => token),
  );
  const presented = proved.filter((each, index) => {
    if (unspent[index] !== true) decided.set(each, { kind: "token_replayed" });
    return unspent[index] === true;
  });

  const owners = await bindWorkloads(
    db,
    presented.filter(({ draft }) => draft !== undefined).map(({ workload }) => workload),
    presented.map(({ workload }) => workload.id),
  );
  const takeovers: Omit<FindingRow, "id">[] = [];
  const granted: { admission: Admission; draft: Draft }[] = [];
  for (const admission of presented) {
    const { workload, draft, describeTakeover } = admission;
    const owner = owners.get(workload.id);
    if (owner !== undefined && owner.thumbprint !== workload.thumbprint) {
      const detail = describeTakeover(owner);
      decided.set(admission, { kind: "taken", detail });
      takeovers.push(takeoverOf(workload, detail));
    } else if (draft === undefined) {
      decided.set(admission, { kind: "nothing_granted" });
    } else {
      granted.push({ admission, draft });
    }
  }
  await keepPolicies(
    db,
    granted.map(({ draft }) => draft.policy),
  );
  const opened = await openAll(
    db,
    granted.map(({ draft }) => draft.session),
  );
  for (const [index, { admission }] of granted.entries()) {
    const outcome = opened[index];
    if (outcome !== undefined) decided.set(admission, outcome);
  }
  await recordFindings(db, takeovers);
  return admissions.map((admission) => {
    const outcome = decided.get(admission);
    if (outcome === undefined) throw new Error("an exchange was not decided");
    return outcome;
  });
}

function takeoverOf({ id, run, bound_at }: WorkloadRow, detail: string): Omit<FindingRow, "id"> {
  return { run, workload: id, session: null, kind: "takeover_attempt", detail, time: bound_at };
}

async function openAll(db: Queries, rows: readonly SessionRow[]): Promise<Admitted[]> {
  const findHolding = await openSessions(db, rows);
  const found = rows.map((row) => resume(row, findHolding(row)));
  const prolonged = await prolongSessions(
    db,
    found.flatMap(({ kind, session, again }) =>
      kind === "opened" && again ? [{ id: session.id, expiresAt: session.expires_at }] : [],
    ),
  );
  return found.map(
    ({ kind, session, again }): Admitted =>
      kind === "opened" && again && !prolonged.has(session.id)
        ? { kind: "ended", session }
        : { kind, session },
  );
}

/** What a request gets that finds a session: it is a request that got no answer, repeated, or asks for something else. */
function resume(
  row: SessionRow,
  session: SessionRow | undefined,
): { kind: "opened" | "differs" | "ended"; session: SessionRow; again: boolean } {
  if (session === undefined) throw new Error(`session ${row.id} was not stored, and no other is there`);
  if (session.id === row.id) return { kind: "opened", session, again: false };
  if (session.roles !== row.roles) return { kind: "differs", session, again: true };
  const now = row.created_at;
  const expiresAt = Math.min(now + session.ttl_seconds * 1000, session.max_expires_at);
  if (expiresAt <= now) return { kind: "ended", session, again: true };
  return {
    kind: "opened",
    session: { ...session, state: "active", expires_at: expiresAt, ended_at: null },
    again: true,
  };
}
