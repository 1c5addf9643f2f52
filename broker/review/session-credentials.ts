/**
 * The credentials of one session for its reviewer: what its log says that calls were sent with, and what was minted for
 * it alone and whether that is over.
 */
import * as z from "zod";
import type { PresentedCredential } from "../../audit/verification/presented-credentials.ts";
import { timestampOf } from "../sessions/session-row.ts";
import type { MintedCredentialRow } from "../storage/credentials/credential-tables.ts";
import { clipName } from "./bounded-text.ts";

/** What a server got to see with a call: never its secret. */
export const SentWithView = z.object({
  id: z.string(),
  digest: z.string(),
  expires_at: z.string().nullable(),
  /** Whose record of the call names it: who sent the call to the server. */
  by: z.enum(["runner", "relay"]),
});

/** What was minted for a session, and whether it is over. */
export const MintedView = z.object({
  credential: z.string(),
  /** Null where its answer was lost with a broker. */
  digest: z.string().nullable(),
  /**
   * `asked`: not known yet. `active`: presented. `ending`: to be ended at its issuer, and tried again until it is.
   * `lapsing`: nobody can end it, it runs out by itself. `ended`: over.
   */
  state: z.enum(["asked", "active", "ending", "lapsing", "ended"]),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  /** How often its end was tried in vain, and why the last time. */
  attempts: z.int(),
  failure: z.string().nullable(),
});
export type MintedView = z.infer<typeof MintedView>;

/** A credential as the log names it, with the calls that were sent with it. */
export const PresentedView = z.object({
  credential: z.string(),
  digest: z.string(),
  /** Null: it has none, or the log does not say it. */
  expires_at: z.string().nullable(),
  /** Whose log: of `recovered`, nobody witnessed it. */
  stream: z.enum(["runner", "relay", "recovered"]),
  servers: z.array(z.string()),
  first_at: z.string(),
  last_at: z.string(),
  /** 0: it was renewed to this one, and no call came after it. */
  calls: z.int(),
  calls_after_end: z.int(),
});
export type PresentedView = z.infer<typeof PresentedView>;

export function describeMinted(row: MintedCredentialRow): MintedView {
  const { credential, digest, state, attempts, failure, created_at, expires_at, ended_at } = row;
  return {
    ...{ credential, digest: digest === "" ? null : digest, state, attempts, failure },
    created_at: timestampOf(created_at),
    expires_at: expires_at === null ? null : timestampOf(expires_at),
    ended_at: ended_at === null ? null : timestampOf(ended_at),
  };
}

export function describePresented(presented: PresentedCredential): PresentedView {
  const { id, digest, expiresAt, stream, servers, firstAt, lastAt, calls, callsAfterEnd } = presented;
  return {
    ...{ credential: clipName(id), digest, expires_at: expiresAt ?? null, stream },
    servers: servers.map(clipName),
    ...{ first_at: firstAt, last_at: lastAt, calls, calls_after_end: callsAfterEnd },
  };
}
