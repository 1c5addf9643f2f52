/** What the credential room tells the log and the metrics. Nothing of it is secret. */
export const CREDENTIAL_EVENTS = [
  "credential_minted",
  "credential_failing",
  "credential_rejected",
  "credential_answer_lost",
  "credential_ended",
  "credential_not_ended",
  "credential_not_endable",
] as const;

export interface CredentialEvent {
  readonly code: (typeof CREDENTIAL_EVENTS)[number];
  readonly credential: string;
  /** "" for what the organisation shares. */
  readonly owner: string;
  /** Where it was minted for one. */
  readonly session?: string | undefined;
  /** What failed, and what to do. */
  readonly sentence?: string | undefined;
  readonly expiresAt?: number | undefined;
}
export type TellCredential = (event: CredentialEvent) => void;
