/**
 * One credential as an operator looks at it: what it is, who uses it, how it fares and what to do about that.
 * The schemas are also the list of what may leave the broker: of secrets, digests alone.
 */
import * as z from "zod";

/** What needs somebody stands first. */
export const HEALTHS = [
  "failing",
  "expired",
  "not set",
  "expires soon",
  "not in the documents",
  "good",
] as const;

/** Presented to nobody any more, and may still count at its issuer. */
const FormerView = z.object({
  /** Null: a grant that was taken out. Otherwise it was minted for this session. */
  session: z.string().nullable(),
  /** Null for a grant, and where the run is not kept any more. */
  run: z.string().nullable(),
  /** Of the secret that it is, or was minted from, as far as there is one. */
  version: z.int().nullable(),
  /** The address of the server that it is for; "" for servers that the proxy starts. */
  server: z.string(),
  digest: z.string().nullable(),
  /** `ending`: it is tried, or waits for another one. `lapsing`: no broker can end it. */
  state: z.enum(["ending", "lapsing"]),
  /** When a grant was taken out, or the other was minted. */
  since: z.string(),
  /** When what was minted runs out; null for a grant, which does not. */
  expires_at: z.string().nullable(),
  attempts: z.int(),
  /** Why it is not ended; null: it is tried in a moment, or its kind has no end. */
  failure: z.string().nullable(),
});
export type FormerView = z.infer<typeof FormerView>;

export const CredentialView = z.object({
  credential: z.string(),
  /** Null where neither the documents nor the database know it any more. */
  kind: z.string().nullable(),
  /** `shared`, or the robot whose own it is: `owner/repo/name`. */
  owner: z.string(),
  /** Null where the documents do not name it. */
  delivery: z.enum(["broker", "runner"]).nullable(),
  servers: z.array(z.string()),
  roles: z.array(z.string()),
  health: z.enum(HEALTHS),
  /** What is wrong and what to do; null where nothing is. */
  sentence: z.string().nullable(),
  failing: z
    .object({
      since: z.string(),
      /** `refused`: somebody must act. `unavailable`: it is tried again. */
      code: z.enum(["refused", "unavailable"]),
      sentence: z.string(),
    })
    .nullable(),
  /** Of the secret that counts; null where none is stored. */
  version: z.int().nullable(),
  /** Its beginning. */
  digest: z.string().nullable(),
  set_at: z.string().nullable(),
  set_by: z.string().nullable(),
  /** The version before counts until then, where a server refuses the newest. */
  fallback_until: z.string().nullable(),
  last_used_at: z.string().nullable(),
  last_good_at: z.string().nullable(),
  /** When the secret runs out where it was made, as far as somebody said it: it must be set anew before. */
  expires_at: z.string().nullable(),
  /** When what is presented in all sessions runs out: it is renewed before, without anybody. */
  presented_until: z.string().nullable(),
  former: z.array(FormerView),
  former_left_out: z.int(),
});
export type CredentialView = z.infer<typeof CredentialView>;

export const CredentialList = z.object({ credentials: z.array(CredentialView) });
export type CredentialList = z.infer<typeof CredentialList>;
