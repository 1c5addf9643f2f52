/**
 * The tables of the broker's database, as Kysely sees them.
 * Times are integers in milliseconds since the epoch, booleans 0 or 1, structures JSON text: the same on every database.
 */
import type { Kysely } from "kysely";
import type { CredentialTables } from "./credentials/credential-tables.ts";
import type { RelayTables } from "./sessions/relay-tables.ts";

/** Every query takes one of these; a transaction is one, too. */
export type Queries = Kysely<Database>;

export interface Database extends CredentialTables, RelayTables {
  signing_keys: SigningKeyRow;
  used_tokens: UsedTokenRow;
  used_proofs: UsedProofRow;
  workloads: WorkloadRow;
  policies: PolicyRow;
  sessions: SessionRow;
  policy_changes: PolicyChangeRow;
  segments: SegmentRow;
  findings: FindingRow;
  operators: OperatorRow;
}

/** `checkpoint` keys also sign manifests. They stay published for ever; a retired `token` key only as long as its tokens live. */
export type KeyPurpose = "token" | "checkpoint";

export interface SigningKeyRow {
  kid: string;
  purpose: KeyPurpose;
  /** Counted from 1 per purpose; the highest one signs. */
  serial: number;
  public_jwk: string;
  /** Compact JWE of the private JWK, under the sealing key. */
  sealed_private_jwk: string;
  created_at: number;
  /** From then on nothing that it signs counts. */
  distrusted_at: number | null;
}

/** A subject token that was presented: it is accepted once. */
interface UsedTokenRow {
  iss: string;
  jti: string;
  expires_at: number;
}

/** A DPoP proof that was presented at the token endpoint. */
interface UsedProofRow {
  thumbprint: string;
  jti: string;
  expires_at: number;
}

/** A job that exchanged once: from then on it is its key's, for as long as any token of it could be presented. */
export interface WorkloadRow {
  /** SHA-256 over the identifying claims, see sessions/run-id.ts. */
  id: string;
  /** The run's page. */
  run: string;
  iss: string;
  repository_id: string;
  run_id: string;
  run_attempt: string;
  check_run_id: string | null;
  /** RFC 7638 thumbprint of the key that the first exchange proved. */
  thumbprint: string;
  bound_at: number;
}

export interface PolicyRow {
  digest: string;
  /** Canonical `SessionPolicy`. */
  source: string;
  created_at: number;
}

/**
 * `active` may have run out of time without anybody having noticed: compare `expires_at`.
 * `expired` ran out unsealed: its log is incomplete until somebody with the key still seals it.
 */
export type SessionState = "active" | "expired" | "sealed" | "recovered" | "revoked";

/** `policy_change`: an edit of the documents took its robot or its binding away. */
export type RevocationCause = "policy_change";

export interface SessionRow {
  id: string;
  workload: string;
  run: string;
  /** `owner/repo/name`. */
  robot: string;
  /** JSON array of names. */
  roles: string;
  /** The binding that matched, counted from 1 in its robot's document. */
  binding: number;
  /** JSON object: the verified claims of the subject token that opened the session. */
  claims: string;
  /** What it was issued under. */
  policy: string;
  /** What is left of that since the documents changed; null: all of it. */
  narrowed_policy: string | null;
  /** 1: the robot's document said so when the session was issued. */
  revoke_on_change: number;
  /** Digest of the policy directory that it was last held against. */
  checked_against: string;
  /** JSON object: `StoredServer` by name. */
  servers: string;
  /** The `kid` of the sealing key that the salt of argument digests is derived from. */
  salt_key: string;
  /** Where its objects lie in the bucket; ends with a slash. */
  object_prefix: string;
  state: SessionState;
  ttl_seconds: number;
  created_at: number;
  expires_at: number;
  max_expires_at: number;
  ended_at: number | null;
  /** Set once the recovered tail and its manifest are stored. */
  recovered_at: number | null;
  /** Set by the first consistent request to seal: no segment after it is accepted. */
  final_segment: number | null;
  /** The operator who revoked it; null or absent: nobody did, or the job itself. */
  revoked_by?: string | null | undefined;
  /** Where no one revoked it by hand. */
  revocation_cause?: RevocationCause | null | undefined;
}

/** A session lost something while it ran. */
export interface PolicyChangeRow {
  session: string;
  /** From then on. */
  policy: string;
  /** Digest of the policy directory that took it away. */
  documents: string;
  /** JSON array of texts, see policies/change/loss.ts. */
  lost: string;
  time: number;
}

/** A segment that was announced and countersigned; whether it is stored is the bucket's to say. */
export interface SegmentRow {
  session: string;
  segment: number;
  bytes: number;
  sha256: string;
  md5: string;
  first_seq: number;
  last_seq: number;
  prev: string;
  head: string;
  checkpoint: string;
  announced_at: number;
}

export type FindingKind = "takeover_attempt" | "recovery_refused" | "recovered_while_alive";

/** What a reviewer must see. It belongs to a workload, and to one of its sessions where it is about that one. */
export interface FindingRow {
  id: string;
  run: string;
  workload: string;
  session: string | null;
  kind: FindingKind;
  detail: string;
  time: number;
}

export interface OperatorRow {
  id: string;
  name: string;
  /** SHA-256 of the token, in hex: the token itself is random and shown once. */
  token_hash: string;
  created_at: number;
  last_used_at: number | null;
}
