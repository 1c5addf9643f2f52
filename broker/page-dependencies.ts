/**
 * What the pages for people are built from. They read; of the database they write only what is about operators and logins.
 */
import type { JSONWebKeySet } from "jose";
import type { Policies } from "../policies/policies.ts";
import type { Bucket } from "./custody/bucket.ts";
import type { Queries } from "./storage/schema.ts";

export interface PageDependencies {
  readonly database: Queries;
  readonly bucket: Bucket;
  /** Those in force at the moment it is asked. */
  readonly policies: () => Policies;
  /** Every key that ever signed checkpoints and manifests here. */
  readonly checkpointKeys: () => Promise<JSONWebKeySet>;
  /** An origin, without a slash at its end. */
  readonly publicUrl: string;
  /** Each of 32 bytes, derived from a sealing key for this purpose only. The first one signs, any of them verifies. */
  readonly cookieSecrets: () => readonly Uint8Array[];
  readonly login: LoginMode;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * `operator_token`: a token of `lanyard operator add`, in the form or as a bearer.
 * `one_time_link`: besides that, whoever holds a code that `redeem` accepts; each is good once.
 */
export type LoginMode =
  | { readonly kind: "operator_token" }
  | { readonly kind: "one_time_link"; redeem(code: string): boolean };
