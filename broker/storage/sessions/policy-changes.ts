/**
 * Sessions whose policy became narrower while they ran: what they have now, and what they had at each time.
 */
import { keepPolicies } from "./policies.ts";
import { runnerOf } from "../ledger/runner.ts";
import type { PolicyChangeRow, PolicyRow, Queries, SessionRow } from "../schema.ts";

/** In a transaction, on a locked session. */
export async function narrowSession(
  db: Queries,
  policy: PolicyRow,
  change: Omit<PolicyChangeRow, "policy">,
): Promise<void> {
  await keepPolicies(runnerOf(db), [policy]);
  await db
    .updateTable("sessions")
    .set({ narrowed_policy: policy.digest })
    .where("id", "=", change.session)
    .execute();
  await db
    .insertInto("policy_changes")
    .values({ ...change, policy: policy.digest })
    .execute();
}

/** The documents of this digest take nothing more from the session. */
export async function noteChecked(db: Queries, session: string, documents: string): Promise<void> {
  await db.updateTable("sessions").set({ checked_against: documents }).where("id", "=", session).execute();
}

/** The oldest first. */
export async function listPolicyChanges(db: Queries, session: string): Promise<PolicyChangeRow[]> {
  return db
    .selectFrom("policy_changes")
    .selectAll()
    .where("session", "=", session)
    .orderBy("time")
    .orderBy("policy")
    .execute();
}

export interface UncheckedQuery {
  /** The digest of the documents. */
  readonly documents: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The last id of the part before; empty at first. */
  readonly after: string;
  readonly limit: number;
}

/** Sessions that are alive and were not held against these documents yet, in the order of their ids. */
export async function listUnchecked(
  db: Queries,
  { documents, now, after, limit }: UncheckedQuery,
): Promise<SessionRow[]> {
  return db
    .selectFrom("sessions")
    .selectAll()
    .where("state", "=", "active")
    .where("expires_at", ">", now)
    .where("checked_against", "!=", documents)
    .where("id", ">", after)
    .orderBy("id")
    .limit(limit)
    .execute();
}
