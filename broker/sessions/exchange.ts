/**
 * The exchange (RFC 8693): a subject token and a proof of a key become a session of a robot.
 * The first exchange of a job binds the job to its key, for all robots and for good; the same key gets the same
 * session again; another key is refused, and the run shows it.
 */
import { matchBinding } from "../../policies/binding.ts";
import { ACCESS_TOKEN_TYPE, type TokenResponse } from "../contract.ts";
import type { Proof } from "../identity/dpop-proof.ts";
import type { VerifiedSubject } from "../identity/subject-token.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import { keepPolicy } from "../storage/policies.ts";
import type { Queries, SessionRow } from "../storage/schema.ts";
import { openSession, prolongSession } from "../storage/sessions.ts";
import { spendProof, spendToken } from "../storage/spent.ts";
import { bindWorkload, findWorkload } from "../storage/workloads.ts";
import { workloadIdOf } from "./run-id.ts";
import { type Scope, writeScope } from "./scope.ts";
import { type SessionDraft, draftSession } from "./session-draft.ts";
import { rolesOf } from "./session-row.ts";
import { issueSessionToken } from "./session-token.ts";
import { recordTakeover } from "./takeover.ts";

export interface ExchangeRequest {
  readonly subject: VerifiedSubject;
  readonly proof: Proof;
  readonly scope: Scope;
}

export interface Exchanged {
  readonly ok: true;
  readonly session: SessionRow;
  /** The repository's present name, where it is no longer the one of the policies: for the log. */
  readonly renamedTo: string | undefined;
  readonly response: TokenResponse;
}
type Opened = { readonly ok: true; readonly session: SessionRow } | Refused;

export async function exchange(request: ExchangeRequest, services: Services): Promise<Exchanged | Refused> {
  const { database, policies, now } = services;
  const { subject, proof, scope } = request;

  // A token that was shown once is spent, whatever becomes of the request: it cannot be tried on robot after robot.
  const replay = await database.transaction().execute(async (db) => spend(db, request));
  if (replay !== undefined) return replay;

  const bound = await findWorkload(database, workloadIdOf(subject.workload));
  if (bound !== undefined && bound.thumbprint !== proof.thumbprint) {
    return recordTakeover(database, { ...request, bound, now: now() });
  }
  const match = matchBinding(policies, subject.claims, scope);
  if (!match.ok) {
    return refuse("robot_refused", `${match.code}: ${JSON.stringify(match.detail)}`);
  }
  const draft = await draftSession({ subject, match, services });
  const opened = await database.transaction().execute(async (db) => open(db, { request, draft, now: now() }));
  if (!opened.ok) return opened;

  const { session } = opened;
  const { token, expiresIn } = await issueSessionToken(session, { thumbprint: proof.thumbprint, services });
  return {
    ok: true,
    session,
    renamedTo: match.renamedTo,
    response: {
      access_token: token,
      issued_token_type: ACCESS_TOKEN_TYPE,
      token_type: "DPoP",
      expires_in: expiresIn,
      scope: writeScope(session.robot, rolesOf(session)),
    },
  };
}

async function spend(db: Queries, { subject, proof }: ExchangeRequest): Promise<Refused | undefined> {
  const { iss, jti } = subject.claims;
  if (!(await spendProof(db, proof))) {
    return refuse("proof_replayed", `jti ${JSON.stringify(proof.jti)}`);
  }
  if (!(await spendToken(db, { iss, jti, expiresAt: subject.expiresAt }))) {
    return refuse("subject_token_replayed", `jti ${JSON.stringify(jti)}`);
  }
  return undefined;
}

/** Binds the job and stores the session, both or neither. */
async function open(
  db: Queries,
  { request, draft, now }: { request: ExchangeRequest; draft: SessionDraft; now: number },
): Promise<Opened> {
  const { subject, proof } = request;
  const { row, policy } = draft;
  const bound = await bindWorkload(db, {
    id: row.workload,
    run: row.run,
    ...subject.workload,
    thumbprint: proof.thumbprint,
    bound_at: now,
  });
  if (bound.thumbprint !== proof.thumbprint) {
    return recordTakeover(db, { ...request, bound, now });
  }
  await keepPolicy(db, policy);
  const session = await openSession(db, row);
  if (session.id === row.id) return { ok: true, session };

  // A request that got no answer, repeated: the session is there already.
  if (session.roles !== row.roles) {
    return refuse(
      "session_differs",
      `session ${session.id} has ${session.roles}, now asked for ${row.roles}`,
    );
  }
  const expiresAt = Math.min(now + session.ttl_seconds * 1000, session.max_expires_at);
  if (expiresAt <= now || !(await prolongSession(db, session.id, expiresAt))) {
    return refuse("session_ended", `session ${session.id} is ${session.state}`);
  }
  return { ok: true, session: { ...session, state: "active", expires_at: expiresAt, ended_at: null } };
}
