/**
 * What the endpoints stand on: opened once at the start, passed to whatever needs it.
 */
import type { Bucket } from "./custody/bucket.ts";
import type { BucketWatch } from "./custody/bucket-watch.ts";
import type { Credentials } from "./credentials/presenting.ts";
import type { Egress } from "./egress/egress.ts";
import type { CallerMemory } from "./identity/caller-memory.ts";
import type { RecentProofs } from "./identity/recent-proofs.ts";
import type { SubjectTokens } from "./identity/subject-token.ts";
import type { SealingKey } from "./keys/sealing-key.ts";
import type { SigningKeys } from "./keys/signing-keys.ts";
import type { PoliciesInForce } from "./policies/live-policies.ts";
import type { Ledger } from "./storage/ledger/ledger.ts";
import type { Queries } from "./storage/schema.ts";

export interface Services {
  /** An origin, without a slash at its end. */
  readonly publicUrl: string;
  readonly database: Queries;
  /** Writes to it that share their commits. */
  readonly ledger: Ledger;
  readonly bucket: Bucket;
  readonly bucketWatch: BucketWatch;
  /** Changes while the broker runs: a request that decides by them reads `current` once. */
  readonly policies: PoliciesInForce;
  readonly subjectTokens: SubjectTokens;
  readonly callerMemory: CallerMemory;
  readonly recentProofs: RecentProofs;
  readonly sealingKey: SealingKey;
  readonly signingKeys: SigningKeys;
  /** The one way out to servers and issuers. */
  readonly egress: Egress;
  readonly credentials: Credentials;
  /** Told of each session that an edit of the documents ended, by whichever of the ways it was noticed: for metrics. */
  readonly onPolicyRevocation: () => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
