/** Where sealing keys are kept: read whole, one added, one dropped. */

export class SealingKeyUnusable extends Error {
  readonly code = "sealing_key_unusable";
}

export interface StoredSealingKey {
  /** Names it, and says nothing about it. */
  readonly kid: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Milliseconds since the epoch. It opens at any time; from then on it is the one that seals. */
  readonly sealsFrom: number;
}

export interface KeySource {
  /** Throws `SealingKeyUnusable` with what to change. */
  read(): Promise<readonly StoredSealingKey[]>;
  /** Makes one that seals from then on. */
  add(sealsFrom: number): Promise<StoredSealingKey>;
  /** What was sealed with it never opens again. */
  drop(kid: string): Promise<void>;
}
