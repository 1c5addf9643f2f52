/**
 * Running sessions and documents that have changed since: where the robot's document says `revoke_on_change`, a session
 * loses what was taken away, and ends when its robot or binding is gone. Nothing is ever given back to it.
 * It is held against the documents whenever somebody asks for it, so no request is answered by what is no longer there.
 */
import { type Json, canonicalize } from "../../audit/canonical.ts";
import { matchBinding } from "../../policies/binding/binding.ts";
import { narrowPolicy } from "../../policies/change/narrowing.ts";
import { describeLoss } from "../../policies/change/loss.ts";
import { Claims } from "../../policies/claims.ts";
import { sessionPolicyOf } from "../../policies/issuing.ts";
import { type Policies, type RegisteredServer, serversOf } from "../../policies/policies.ts";
import { digestPolicy, SessionPolicy } from "../../policies/session-policy.ts";
import type { Services } from "../services.ts";
import { readPolicy } from "../storage/sessions/policies.ts";
import { listUnchecked, narrowSession, noteChecked } from "../storage/sessions/policy-changes.ts";
import type { Queries, SessionRow } from "../storage/schema.ts";
import { endSession, findSession } from "../storage/sessions/sessions.ts";
import { inTransaction, lockSession } from "../storage/transactions.ts";
import { policyOf, rolesOf, serversOfRow } from "./session-row.ts";
import type { StoredServer } from "./stored-server.ts";

type Holding = Pick<Services, "database" | "policies" | "onPolicyRevocation" | "now">;

/** The session as it is once the documents in force were looked at. */
export async function holdToDocuments(session: SessionRow, services: Holding): Promise<SessionRow> {
  const { policies, digest: documents } = services.policies.current;
  if (session.state !== "active" || session.checked_against === documents) return session;
  const { held, isEnded } = await inTransaction(services.database, async (db) => {
    const row = await lockSession(db, session.id);
    if (row === undefined || row.state !== "active" || row.checked_against === documents) {
      return { held: row ?? session, isEnded: false };
    }
    const outcome = await judge(row, policies, db);
    if (outcome === "gone") {
      await endSession(db, row.id, {
        to: "revoked",
        from: ["active"],
        at: services.now(),
        cause: "policy_change",
      });
    } else if (outcome !== "kept") {
      const { held, left } = outcome;
      const time = services.now();
      const policy = { digest: digestPolicy(left), source: canonicalize(left), created_at: time };
      const lost = JSON.stringify(describeLoss(held, left));
      await narrowSession(db, policy, { session: row.id, documents, lost, time });
    }
    await noteChecked(db, row.id, documents);
    return { held: (await findSession(db, row.id)) ?? row, isEnded: outcome === "gone" };
  });
  if (isEnded) services.onPolicyRevocation();
  return held;
}

type Outcome = "kept" | "gone" | { readonly held: SessionPolicy; readonly left: SessionPolicy };

async function judge(row: SessionRow, policies: Policies, db: Queries): Promise<Outcome> {
  const match = matchBinding(policies, Claims.parse(JSON.parse(row.claims)), { robot: row.robot });
  // A robot that says so by now counts, too: the edit that adds it can be the one that matters.
  if (row.revoke_on_change === 0 && !(match.ok && match.revokeOnChange)) return "kept";
  if (!match.ok) return "gone";
  const source = await readPolicy(db, policyOf(row));
  if (source === undefined) throw new Error(`the policy ${policyOf(row)} of session ${row.id} is not stored`);
  const held = SessionPolicy.parse(JSON.parse(source));
  const roles = rolesOf(row).filter((role) => match.roles.includes(role));
  const present = sessionPolicyOf(policies, { ...match, robot: row.robot, roles });
  const [before, now] = [serversOfRow(row), serversOf(policies, present)];
  const left = narrowPolicy({ held, present, isSameServer: (name) => isSame(before[name], now[name]) });
  return left === held ? "kept" : { held, left };
}

/** When a command is started says nothing about what it is. */
function isSame(before: StoredServer | undefined, now: RegisteredServer | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  return canonicalize(identify(before)) === canonicalize(identify(now));
}

function identify(server: StoredServer | RegisteredServer): Json {
  const { transport, credential = null } = server;
  const where = transport === "stdio" ? [server.command, server.env] : [server.url];
  return [transport, credential, ...where];
}

const SESSIONS_AT_A_TIME = 100;

/**
 * Holds every session that is alive against the documents in force, without waiting for its proxy to ask. Returns how
 * many have ended or lost something by it.
 */
export async function holdAllToDocuments(services: Holding): Promise<{ ended: number; narrowed: number }> {
  const documents = services.policies.current.digest;
  const changed = { ended: 0, narrowed: 0 };
  for (let after = ""; ; ) {
    const query = { documents, now: services.now(), after, limit: SESSIONS_AT_A_TIME };
    const sessions = await listUnchecked(services.database, query);
    for (const session of sessions) {
      const held = await holdToDocuments(session, services);
      if (held.state === "revoked") changed.ended += 1;
      else if (policyOf(held) !== policyOf(session)) changed.narrowed += 1;
    }
    const last = sessions.at(-1);
    if (last === undefined || sessions.length < SESSIONS_AT_A_TIME) return changed;
    after = last.id;
  }
}
