/**
 * When a signing key is published, signs, and retires: a pure function of what is stored and the clock, so that every
 * replica comes to the same answer. A key is published before it signs, and a token key stays as long as its tokens.
 */
import type { KeyPurpose, SigningKeyRow } from "../storage/schema.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Running replicas read the keys anew this often. */
export const KEY_REFRESH_MS = MINUTE_MS / 2;
/**
 * How long a new key is published before it signs: whoever cached the key set (5 minutes, as its Cache-Control says)
 * and every replica have it by then.
 */
export const PUBLISH_AHEAD_MS = 10 * MINUTE_MS;
/**
 * How long a token key stays published after its successor began to sign: one hour is the longest that a token lives,
 * for a day more it still hands in the rest of a log, and a replica may be an hour late to notice.
 */
export const TOKEN_KEY_KEPT_MS = 26 * HOUR_MS;
/** How long the private half of a key is kept that no longer signs: until no replica can believe that it does. */
const PRIVATE_HALF_KEPT_MS = HOUR_MS;

/**
 * `pending`: published, signs later. `signing`: the one that signs. `verifying`: signs no more, what it signed counts.
 * `retired`: not published; only token keys retire.
 */
type KeyPhase = "pending" | "signing" | "verifying" | "retired";

export interface ScheduledKey {
  readonly kid: string;
  readonly phase: KeyPhase;
  readonly signsFrom: number;
  /** When the next key takes over, if there is one. */
  readonly signsUntil: number | undefined;
  /** Undefined: for ever, or as long as there is no successor. */
  readonly publishedUntil: number | undefined;
  /** From then on its private half has no use. */
  readonly privateUntil: number | undefined;
}

type StoredKey = Pick<SigningKeyRow, "kid" | "serial" | "created_at">;

/** `keys` of one purpose, oldest first. Exactly one of them is `signing`, unless there are none. */
export function scheduleKeys(
  purpose: KeyPurpose,
  keys: readonly StoredKey[],
  now: number,
): readonly ScheduledKey[] {
  const starts = keys.map(({ created_at }, index) =>
    index === 0 ? created_at : created_at + PUBLISH_AHEAD_MS,
  );
  // Where the clock that made the first key is ahead of this one, it signs all the same: nothing else can.
  const signing = Math.max(
    0,
    starts.findLastIndex((start) => start <= now),
  );
  return keys.map(({ kid }, index) => {
    const signsUntil = starts[index + 1];
    const after = (ms: number): number | undefined =>
      signsUntil === undefined ? undefined : signsUntil + ms;
    const publishedUntil = purpose === "token" ? after(TOKEN_KEY_KEPT_MS) : undefined;
    return {
      kid,
      phase: phaseOf({ index, signing, isOver: publishedUntil !== undefined && publishedUntil <= now }),
      signsFrom: starts[index] ?? now,
      signsUntil,
      publishedUntil,
      privateUntil: after(PRIVATE_HALF_KEPT_MS),
    };
  });
}

function phaseOf({ index, signing, isOver }: { index: number; signing: number; isOver: boolean }): KeyPhase {
  if (index === signing) return "signing";
  if (index > signing) return "pending";
  return isOver ? "retired" : "verifying";
}
