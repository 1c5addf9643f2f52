/**
 * When a signing key is published, signs, and retires: a pure function of what is stored and the clock, so that every
 * replica comes to the same answer. A key is published before it signs, and a token key stays as long as its tokens.
 * One that is distrusted signs nothing from that moment on, and the next one signs at once.
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
 * `retired`: not published; only token keys retire. `distrusted`: what it signs does not count; a token key is not
 * published any more, a checkpoint key is, with the time from which its signatures count for nothing.
 */
type KeyPhase = "pending" | "signing" | "verifying" | "retired" | "distrusted";

export interface ScheduledKey {
  readonly kid: string;
  readonly phase: KeyPhase;
  readonly signsFrom: number;
  /** When the next key takes over, if there is one, or it was distrusted. */
  readonly signsUntil: number | undefined;
  /** Undefined: for ever, or as long as there is no successor. */
  readonly publishedUntil: number | undefined;
  /** From then on its private half has no use. */
  readonly privateUntil: number | undefined;
  readonly distrustedAt: number | undefined;
}

type StoredKey = Pick<SigningKeyRow, "kid" | "serial" | "created_at" | "distrusted_at">;

/** `keys` of one purpose, oldest first. Exactly one of them is `signing`, unless none is trusted. */
export function scheduleKeys(
  purpose: KeyPurpose,
  keys: readonly StoredKey[],
  now: number,
): readonly ScheduledKey[] {
  const turns = listTurns(keys);
  // Where the clock that made the first key is ahead of this one, it signs all the same: nothing else can.
  const current = Math.max(
    0,
    turns.findLastIndex(({ start, comes }) => comes && start <= now),
  );
  const signing = keys.findIndex((key, index) => index >= current && key.distrusted_at === null);
  return keys.map(({ kid, distrusted_at }, index) => {
    const next = turns.find(({ comes }, later) => later > index && comes)?.start;
    const distrustedAt = distrusted_at ?? undefined;
    const signsUntil = distrustedAt === undefined ? next : Math.min(distrustedAt, next ?? distrustedAt);
    const after = (ms: number): number | undefined => distrustedAt ?? (next === undefined ? next : next + ms);
    const publishedUntil = purpose === "token" ? after(TOKEN_KEY_KEPT_MS) : undefined;
    const isOver = publishedUntil !== undefined && publishedUntil <= now;
    return {
      kid,
      phase: distrustedAt === undefined ? phaseOf({ index, signing, isOver }) : "distrusted",
      signsFrom: turns[index]?.start ?? now,
      signsUntil,
      publishedUntil,
      privateUntil: after(PRIVATE_HALF_KEPT_MS),
      distrustedAt,
    };
  });
}

interface Turn {
  readonly start: number;
  /** False of a key that was distrusted while it still waited: it never signs. */
  readonly comes: boolean;
}

function listTurns(keys: readonly StoredKey[]): Turn[] {
  let before: StoredKey | undefined;
  return keys.map((key) => {
    const { created_at, distrusted_at } = key;
    const start = before === undefined ? created_at : startAfter(before, created_at);
    const comes = distrusted_at === null || distrusted_at >= start;
    if (comes) before = key;
    return { start, comes };
  });
}

/** Ahead of time only where the key before it must not sign any more. */
function startAfter({ distrusted_at }: StoredKey, createdAt: number): number {
  const planned = createdAt + PUBLISH_AHEAD_MS;
  return distrusted_at === null ? planned : Math.min(planned, Math.max(createdAt, distrusted_at));
}

function phaseOf({ index, signing, isOver }: { index: number; signing: number; isOver: boolean }): KeyPhase {
  if (index === signing) return "signing";
  if (index > signing) return "pending";
  return isOver ? "retired" : "verifying";
}
