/**
 * The processes of one stdio server. One that ends on its own is replaced, later each time and only so often: then the
 * server is down for the session. Nothing is started while what ended before is still being stopped.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Limits } from "../../limits.ts";
import { memoryWatch } from "./memory-watch.ts";
import { RestartPlan } from "./restart-plan.ts";
import { type ChildCommand, type ChildEvents, StdioChild } from "./stdio-child.ts";
import type { Loss, Sending, Sink, UpstreamEvents } from "../upstream.ts";
import { NOTHING_SENT, startAfter } from "./waiting-sending.ts";

/** Whether one that is to be replaced is idle by now. */
const LOOK_EVERY_MS = 250;

export interface ServerProcessesOptions {
  /** For the next one. */
  readonly command: () => ChildCommand;
  readonly limits: Limits;
  readonly events: Omit<ChildEvents, "over"> &
    Pick<UpstreamEvents, "noteEnded" | "noteRestarted" | "noteDown">;
  /** Another one can be started. */
  restartable(): void;
}

export class ServerProcesses {
  readonly #options: ServerProcessesOptions;
  readonly #plan: RestartPlan;
  /** Those that are being stopped are among them. */
  readonly #running = new Set<StdioChild>();
  readonly #outdated = new Set<StdioChild>();
  #looking: NodeJS.Timeout | undefined;
  #down: Loss | undefined;
  #pause: Promise<void> | undefined;
  #isReplacing = false;
  #isClosed = false;

  constructor(options: ServerProcessesOptions) {
    this.#options = options;
    this.#plan = new RestartPlan(options.limits);
  }

  get size(): number {
    return this.#running.size;
  }

  /** Why none is started any more. */
  get loss(): Loss | undefined {
    return this.#isClosed ? { code: "exited", detail: "not running" } : this.#down;
  }

  /** For as long as none may be started: whoever waited looks again. */
  get pause(): Promise<void> | undefined {
    return this.#pause;
  }

  /** Calls `then` once a process may be started; `sink` hears why none is started any more. */
  whenStartable(sink: Sink, then: () => Sending): Sending {
    const { loss } = this;
    if (loss !== undefined) {
      sink.failed(loss);
      return NOTHING_SENT;
    }
    return startAfter(this.#pause, this.#pause === undefined ? then : () => this.whenStartable(sink, then));
  }

  /** Only where there is neither a `loss` nor a `pause`. */
  start(): StdioChild {
    const { command, limits, events } = this.#options;
    const { stderr, noteOutputDropped, noteMessageDropped } = events;
    const child = new StdioChild(command(), limits, {
      ...{ stderr, noteOutputDropped, noteMessageDropped },
      over: (loss, isExpected) => {
        unwatch?.();
        this.#noteOver(child, loss, isExpected);
      },
    });
    const unwatch = this.#watchMemory(child);
    this.#running.add(child);
    if (this.#isReplacing) {
      this.#isReplacing = false;
      events.noteRestarted(this.#plan.count);
    }
    return child;
  }

  /** Those that run now are stopped as soon as nothing is asked of them; whoever has a session with one begins anew. */
  replaceIdle(): void {
    for (const child of this.#running) {
      this.#outdated.add(child);
    }
    this.#stopIdle();
  }

  #stopIdle(): void {
    clearTimeout(this.#looking);
    const idle = [...this.#outdated].filter((child) => child.isOver || child.isIdle);
    for (const child of idle) {
      this.#outdated.delete(child);
      void child.stop().then(() => this.#tellRestartable());
    }
    if (this.#outdated.size > 0) {
      this.#looking = setTimeout(() => this.#stopIdle(), LOOK_EVERY_MS).unref();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#looking);
    await Promise.all([...this.#running].map((child) => child.stop()));
  }

  #noteOver(child: StdioChild, loss: Loss, isExpected: boolean): void {
    const stopped = child.stop().then(() => {
      this.#running.delete(child);
    });
    if (isExpected || this.#isClosed) {
      return;
    }
    const { events, limits } = this.#options;
    events.noteEnded(loss, child.lastWords);
    if (this.#down !== undefined) {
      return;
    }
    const restart = this.#plan.noteEnd(performance.now());
    if (!restart.ok) {
      const minutes = Math.ceil(limits.restartWindowMs / 60_000);
      const times = limits.maxRestarts === 1 ? "once" : `${limits.maxRestarts} times`;
      const detail =
        limits.maxRestarts === 0 ? "never restarted" : `restarted ${times} in ${minutes} minutes`;
      this.#down = { code: "down", detail };
      events.noteDown(this.#down);
      return;
    }
    this.#isReplacing = true;
    const pause = Promise.all([delay(restart.afterMs, undefined, { ref: false }), stopped]).then(() => {
      if (this.#pause === pause) {
        this.#pause = undefined;
        this.#tellRestartable();
      }
    });
    this.#pause = pause;
  }

  /** One that ended by itself may be among those that were to be replaced: that does not shorten the wait for the next. */
  #tellRestartable(): void {
    if (this.loss === undefined && this.#pause === undefined) {
      this.#options.restartable();
    }
  }

  #watchMemory(child: StdioChild): (() => void) | undefined {
    const { maxMemoryBytes: maxBytes, memoryCheckMs } = this.#options.limits;
    const over = (): void => child.giveUp({ code: "out_of_memory", detail: `more than ${maxBytes} bytes` });
    return child.group === undefined
      ? undefined
      : memoryWatch.watch(child.group, { maxBytes, over }, memoryCheckMs);
  }
}
