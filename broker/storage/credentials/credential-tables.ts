/**
 * The tables of the credential room. Whatever is sealed in them is a compact JWE that opens only in its own row: its
 * key columns are part of what is authenticated.
 * An owner is "" for what the organisation shares, and `owner/repo/name` for what a robot has of its own.
 */

export interface CredentialTables {
  data_keys: DataKeyRow;
  credential_secrets: CredentialSecretRow;
  minted_credentials: MintedCredentialRow;
  credential_health: CredentialHealthRow;
  leases: LeaseRow;
  pending_connections: PendingConnectionRow;
}

/** A sealing key that only KMS can open. Where the sealing key is a file, there is none. */
export interface DataKeyRow {
  kid: string;
  /** Counted from 1. */
  serial: number;
  /** The KMS key that it was made under, as KMS names it (an ARN). */
  kms_key: string;
  /** KMS's CiphertextBlob, in base64. */
  sealed: string;
  /** It opens what it sealed at any time; from then on it is the one that seals. */
  seals_from: number;
  created_at: number;
}

/**
 * One version of what a person set, or an authorization server granted. A number is never given twice, so that no
 * earlier row passes for a later one. What was removed or is over keeps its row without the secret: who did what, when.
 */
export interface CredentialSecretRow {
  name: string;
  owner: string;
  /** Counted from 1 per name and owner; the highest one counts, and those before it as long as `valid_until` says. */
  version: number;
  /** The kind that it was set for: a secret never serves as one of another kind. */
  kind: string;
  /** Null once it was erased. */
  sealed: string | null;
  /** HMAC under a key of the broker, in hex: equal secrets have equal digests, and nobody else can try guesses. */
  digest: string;
  created_at: number;
  /** Who set it, as they said; null: the broker, in exchange for the version before. */
  created_by: string | null;
  /** When it runs out at its issuer, as far as somebody said; null: unknown. */
  expires_at: number | null;
  /** Null: as long as it is the highest version. */
  valid_until: number | null;
  /** To the minute. */
  last_used_at: number | null;
  erased_at: number | null;
  /** Who removed it; null: nobody, its time was over or a new one took its place. */
  erased_by: string | null;
}

/**
 * `asked`: its issuer is asked for it, and nothing is known yet. `active`: presented to servers, and at most one for each
 * credential, owner, session and server. `ending`: to be ended at its issuer, tried again at `next_attempt_at`. `lapsing`: nobody presents it any more and no issuer can end it: it is over
 * when it expires. `ended`: over.
 */
export type MintedState = "asked" | "active" | "ending" | "lapsing" | "ended";

export interface MintedCredentialRow {
  id: string;
  credential: string;
  owner: string;
  /** "" where it serves all sessions of the owner. */
  session: string;
  /** The address of the server that it is for; "" where it serves all that the proxy starts. */
  server: string;
  /** SHA-256 of what the documents said of it: another entry gives another one. */
  basis: string;
  /** The version that a person set of the secret behind it, or of the one that it was exchanged for; null: none. */
  secret_version: number | null;
  /** SHA-256 of the secret, in hex. "" where no answer was ever stored. */
  digest: string;
  /** What is presented. Null once it is not active. */
  sealed: string | null;
  /** What its issuer needs to end it. Null where no issuer can, and once it is ended. */
  sealed_ticket: string | null;
  state: MintedState;
  created_at: number;
  /** Null: it does not expire by itself. */
  expires_at: number | null;
  ended_at: number | null;
  /** How often its end was tried in vain. */
  attempts: number;
  /** Set exactly while it is `ending`. */
  next_attempt_at: number | null;
  /** Why the last attempt was in vain: a sentence without secrets. */
  failure: string | null;
}

export interface CredentialHealthRow {
  credential: string;
  owner: string;
  last_used_at: number | null;
  /** When something was last minted from it, or a server took it. */
  last_good_at: number | null;
  /** Null: it works, as far as is known. */
  failing_since: number | null;
  /** `refused`: somebody must act. `unavailable`: it is tried again. */
  failure_code: "refused" | "unavailable" | null;
  /** What failed, and what to do: a sentence without secrets. */
  failure: string | null;
}

/** Who may do something alone for a while. Whoever finds one that is over takes it. */
export interface LeaseRow {
  name: string;
  holder: string;
  until: number;
}

/** Somebody began to connect a credential, and waits for what comes back through the browser. */
export interface PendingConnectionRow {
  id: string;
  /** SHA-256 of the redirect address and the state that the browser carries, in hex. */
  state_hash: string;
  credential: string;
  owner: string;
  created_at: number;
  expires_at: number;
  /** What the browser brought. It is good for nothing without what the command that began it keeps to itself. */
  sealed_answer: string | null;
}
