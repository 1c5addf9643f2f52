/**
 * Continuous group commit: the requests that came while a transaction was on its way to the disk share the next one.
 * There is no timer: whoever comes alone leaves at once, and a slow disk makes larger groups, not longer queues.
 * What the transaction decides for each member is what it would have decided for it alone, and a member that makes
 * the transaction fail does not fail the others.
 */
import { DatabaseUnavailable } from "../unavailable.ts";

/** A bound on how long one transaction keeps others waiting. */
const MAX_MEMBERS = 256;
/** Far more than a broker has connections: a bound on memory, not on load. */
const MAX_WAITING = 20_000;
/** Whoever waited longer for a place is told that the database cannot be used. */
const WAIT_TIMEOUT_MS = 5_000;
/** A transaction that takes longer waits for something that most others do not need, such as a row that is locked … */
const SLOW_MS = 500;
/** … and so many of them leave their lane to others. */
const MAX_SLOW = 3;

interface Member<Request, Outcome> {
  readonly request: Request;
  readonly since: number;
  readonly settle: PromiseWithResolvers<Outcome>;
}

export interface GroupCommitOptions<Request, Outcome> {
  /** One durable transaction: the outcomes of the requests, in their order. What it throws, it has undone. */
  readonly commit: (requests: readonly Request[]) => Promise<readonly Outcome[]>;
  /** How many transactions may be on their way at once, beside a few slow ones. */
  readonly lanes: number;
}

export class GroupCommit<Request, Outcome> {
  readonly #options: GroupCommitOptions<Request, Outcome>;
  #waiting: Member<Request, Outcome>[] = [];
  #running = 0;
  #slow = 0;

  constructor(options: GroupCommitOptions<Request, Outcome>) {
    this.#options = options;
  }

  /** Its outcome, once it is durable. */
  async submit(request: Request): Promise<Outcome> {
    if (this.#waiting.length >= MAX_WAITING) {
      throw new DatabaseUnavailable("too many requests wait for the database");
    }
    const settle = Promise.withResolvers<Outcome>();
    this.#waiting.push({ request, since: performance.now(), settle });
    this.#start();
    return settle.promise;
  }

  #start(): void {
    while (this.#running < this.#options.lanes && this.#waiting.length > 0) {
      const group = this.#waiting.slice(0, MAX_MEMBERS);
      this.#waiting = this.#waiting.slice(MAX_MEMBERS);
      const leave = this.#enter();
      void this.#commit(group.filter(isInTime)).finally(() => {
        leave();
        this.#start();
      });
    }
  }

  /** Takes a lane; what it returns gives it back, if that has not happened before. */
  #enter(): () => void {
    this.#running += 1;
    let isSlow = false;
    const timer = setTimeout(() => {
      if (this.#slow === MAX_SLOW) return;
      isSlow = true;
      this.#slow += 1;
      this.#running -= 1;
      this.#start();
    }, SLOW_MS);
    return () => {
      clearTimeout(timer);
      if (isSlow) this.#slow -= 1;
      else this.#running -= 1;
    };
  }

  async #commit(group: readonly Member<Request, Outcome>[]): Promise<void> {
    if (group.length === 0) return;
    try {
      const outcomes = await this.#options.commit(group.map(({ request }) => request));
      for (const [index, outcome] of outcomes.entries()) group[index]?.settle.resolve(outcome);
    } catch (error) {
      if (group.length === 1 || error instanceof DatabaseUnavailable) {
        for (const { settle } of group) settle.reject(error);
        return;
      }
      for (const member of group) await this.#commit([member]);
    }
  }
}

function isInTime<Request, Outcome>({ since, settle }: Member<Request, Outcome>): boolean {
  const inTime = performance.now() - since < WAIT_TIMEOUT_MS;
  if (!inTime) settle.reject(new DatabaseUnavailable("waited too long for the database"));
  return inTime;
}
