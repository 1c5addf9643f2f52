/**
 * The exchange: a subject token and a proof of a key become a session of a robot, by whatever grant they came.
 * The first exchange of a job binds the job to its key, for all robots and for good; the same key gets the same
 * session again; another key is refused, and the run shows it.
 */
import { matchBinding } from "../../policies/binding/binding.ts";
import type { TokenResponse } from "../contract.ts";
import type { Proof } from "../identity/dpop-proof.ts";
import type { VerifiedSubject } from "../identity/subject-token.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import type { Admitted } from "../storage/ledger/ledger.ts";
import type { SessionRow, WorkloadRow } from "../storage/schema.ts";
import { runIdOf, workloadIdOf } from "./run-id.ts";
import { describeOverAttempt } from "./over-attempt.ts";
import type { Scope } from "./scope.ts";
import { draftSession } from "./session-draft.ts";
import { issueSessionToken } from "./session-token.ts";
import { describeTakeover } from "./takeover.ts";

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
  readonly response: Omit<TokenResponse, "issued_token_type">;
}

/** One transaction, whose group shares its way to the disk: what is refused in it is spent all the same. */
export async function exchange(request: ExchangeRequest, services: Services): Promise<Exchanged | Refused> {
  const { ledger, now } = services;
  const snapshot = services.policies.current;
  const { subject, proof, scope } = request;
  const { iss, jti } = subject.claims;
  const workload: WorkloadRow = {
    id: workloadIdOf(subject.workload),
    run: runIdOf(subject.workload),
    ...subject.workload,
    thumbprint: proof.thumbprint,
    bound_at: now(),
  };
  const match = matchBinding(snapshot.policies, subject.claims, scope);
  const admitted = await ledger.admit({
    proof,
    token: { iss, jti, expiresAt: subject.expiresAt },
    workload,
    draft: match.ok ? draftSession({ subject, workload, match, snapshot }, services) : undefined,
    takeover: describeTakeover({ subject, proof, scope }),
  });
  if (!match.ok && admitted.kind === "nothing_granted") {
    return refuse("robot_refused", `${match.code}: ${JSON.stringify(match.detail)}`, match.detail.mismatches);
  }
  if (!match.ok || admitted.kind !== "opened") return refuseAdmission(admitted, request);

  const { session } = admitted;
  const {
    token,
    expiresIn,
    scope: granted,
  } = await issueSessionToken(session, {
    thumbprint: proof.thumbprint,
    workload: subject.workload,
    services,
  });
  return {
    ok: true,
    session,
    renamedTo: match.renamedTo,
    response: {
      access_token: token,
      token_type: "DPoP",
      expires_in: expiresIn,
      scope: granted,
    },
  };
}

function refuseAdmission(admitted: Admitted, { subject, proof }: ExchangeRequest): Refused {
  switch (admitted.kind) {
    case "proof_replayed":
      return refuse("proof_replayed", `jti ${JSON.stringify(proof.jti)}`);
    case "token_replayed":
      return refuse("subject_token_replayed", `jti ${JSON.stringify(subject.claims.jti)}`);
    case "attempt_over":
      return refuse("attempt_over", describeOverAttempt(subject.workload));
    case "taken":
      return refuse("workload_taken", admitted.detail);
    case "differs":
      return refuse(
        "session_differs",
        `session ${admitted.session.id} has ${admitted.session.roles}, now asked for others`,
      );
    case "ended":
      return refuse("session_ended", `session ${admitted.session.id} is ${admitted.session.state}`);
    case "nothing_granted":
    case "opened":
      throw new Error(`an exchange was decided as ${admitted.kind} against its binding`);
  }
}
