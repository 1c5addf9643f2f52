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
  /** Where it is kept, as it is configured. */
  readonly place: string;
}

export interface KeySource {
  /** Where they are kept; in the first of them keys are made. */
  readonly places: readonly [string, ...string[]];
  /** Throws `SealingKeyUnusable` with what to change. */
  read(): Promise<readonly StoredSealingKey[]>;
  /** Makes the first of all, where there is none. Of two that do so at once, both get the same key. */
  begin(): Promise<void>;
  /** Makes one that seals from then on. */
  add(sealsFrom: number): Promise<StoredSealingKey>;
  /** What was sealed with it never opens again. */
  drop(kid: string): Promise<void>;
}

/**
 * Keys on their way from one place to another: made in the first, opened from all. A key of the first that is no later
 * than one of another place does not seal, so that naming places changes nothing by itself.
 */
export function joinKeySources([first, ...others]: readonly [KeySource, ...KeySource[]]): KeySource {
  const sources = [first, ...others];
  return {
    places: [...first.places, ...others.flatMap(({ places }) => places)],
    read: async () => (await Promise.all(sources.map((source) => source.read()))).flat(),
    begin: () => first.begin(),
    add: (sealsFrom) => first.add(sealsFrom),
    async drop(kid) {
      for (const source of sources) await source.drop(kid);
    },
  };
}
