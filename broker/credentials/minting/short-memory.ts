/** Remembers for moments, in this process: what many ask for at once is looked up once. */

export interface ShortMemory<T> {
  recall(key: string): T | undefined;
  keep(key: string, value: T, forMs: number): void;
  forget(key: string): void;
  /** What is remembered, or what `find` finds: called once, however many ask meanwhile. */
  findOnce(key: string, find: () => Promise<{ readonly value: T; readonly forMs: number }>): Promise<T>;
  /** Lets go of what is over. */
  sweep(): void;
}

export function createShortMemory<T>(now: () => number): ShortMemory<T> {
  const kept = new Map<string, { readonly value: T; readonly until: number }>();
  const underWay = new Map<string, Promise<T>>();
  const recall = (key: string): T | undefined => {
    const found = kept.get(key);
    return found !== undefined && found.until > now() ? found.value : undefined;
  };
  const keep = (key: string, value: T, forMs: number): void => {
    kept.set(key, { value, until: now() + forMs });
  };
  return {
    recall,
    keep,
    forget: (key) => {
      kept.delete(key);
      underWay.delete(key);
    },
    async findOnce(key, find) {
      const known = recall(key);
      if (known !== undefined) return known;
      const running = underWay.get(key);
      if (running !== undefined) return running;
      const finding = find()
        .then(({ value, forMs }) => {
          // What was forgotten meanwhile is not remembered.
          if (underWay.get(key) === finding) keep(key, value, forMs);
          return value;
        })
        .finally(() => {
          if (underWay.get(key) === finding) underWay.delete(key);
        });
      underWay.set(key, finding);
      return finding;
    },
    sweep() {
      for (const [key, { until }] of kept) if (until <= now()) kept.delete(key);
    },
  };
}
