/**
 * The clock of this process, which a test moves forward: brokers, peers and proxies in it agree on what time it is, and
 * whatever sleeps until a time that has come by then (`node:timers/promises`) wakes up. Child processes keep the machine's.
 */
import type * as Timers from "node:timers/promises";

const MachineDate = Date;
const sleeping = new Set<() => void>();
let aheadMs = 0;

const now = (): number => MachineDate.now() + aheadMs;

/** In place of `Date`. */
export const MovedDate = new Proxy(MachineDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});

/** In place of `performance`. */
export const movedPerformance = new Proxy(performance, {
  get: (target, name) => {
    if (name === "now") return () => target.now() + aheadMs;
    const value: unknown = Reflect.get(target, name);
    return typeof value === "function" ? value.bind(target) : value;
  },
});

export function moveClock(milliseconds: number): void {
  aheadMs += milliseconds;
  for (const wake of sleeping) wake();
}

type Options = NonNullable<Parameters<typeof Timers.setTimeout>[2]>;

/** In place of the module, of which it is given the real one. */
export function sleepByClock(real: typeof Timers): typeof Timers {
  /** Until the clock is moved. */
  const rest = async (ms: number, options: Options): Promise<void> => {
    const moved = new AbortController();
    const wake = (): void => moved.abort();
    sleeping.add(wake);
    const signals = options.signal === undefined ? [moved.signal] : [moved.signal, options.signal];
    try {
      await real.setTimeout(ms, undefined, { ...options, signal: AbortSignal.any(signals) });
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
    } finally {
      sleeping.delete(wake);
    }
  };
  const sleep = async <T>(ms = 0, value?: T, options: Options = {}): Promise<T> => {
    const dueAt = now() + ms;
    do await rest(Math.max(0, dueAt - now()), options);
    while (now() < dueAt);
    return value as T;
  };
  return { ...real, setTimeout: sleep };
}
