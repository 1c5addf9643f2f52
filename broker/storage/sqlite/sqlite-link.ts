/**
 * The broker's end of the line to the thread that holds the SQLite file: a question, its answer, then the next.
 * A thread that ended answers nothing any more, and whoever asks is told so.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Decisions, Group } from "../ledger/group.ts";
import type {
  SqliteAnswer,
  SqliteDecisions,
  SqliteFailure,
  SqliteRequest,
  SqliteSettings,
} from "./sqlite-messages.ts";
import { DatabaseUnavailable } from "../unavailable.ts";

export class SqliteLink {
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;
  #end: Error | undefined;
  #giveUp: ((reason: Error) => void) | undefined;

  constructor(settings: SqliteSettings) {
    this.#worker = new Worker(new URL("./sqlite-thread.ts", import.meta.url));
    this.#worker.postMessage(settings);
    // `error` comes before `exit`.
    this.#worker.on("error", (cause) => this.#stop(new DatabaseUnavailable("its thread failed", { cause })));
    this.#worker.on("exit", () => this.#stop(new DatabaseUnavailable("its thread has ended")));
    this.#ended = once(this.#worker, "exit");
  }

  /** Throws what the file system says about the file. */
  async open(): Promise<void> {
    await this.#receive<SqliteAnswer>();
  }

  /** One question at a time. Throws `DatabaseUnavailable`, or an error that says what is wrong with a statement. */
  async ask<Row>(request: Exclude<SqliteRequest, { kind: "group" }>): Promise<SqliteAnswer<Row>> {
    this.#send(request);
    return this.#receive<SqliteAnswer<Row>>();
  }

  /** The same: a whole transaction. */
  async decide(group: Group): Promise<Decisions> {
    this.#send({ kind: "group", group: JSON.stringify(group) });
    const { decisions } = await this.#receive<SqliteDecisions>();
    // What the thread wrote, which is of the same program.
    return JSON.parse(decisions) as Decisions;
  }

  #send(request: SqliteRequest): void {
    this.#worker.postMessage(request);
  }

  async close(): Promise<void> {
    if (this.#end === undefined) await this.ask({ kind: "close" });
    this.#worker.ref();
    await this.#ended;
  }

  /** Keeps the process alive while somebody waits, and no longer. */
  async #receive<Answer extends { readonly ok: true }>(): Promise<Answer> {
    if (this.#end !== undefined) throw this.#end;
    const { promise, resolve, reject } = Promise.withResolvers<Answer | SqliteFailure>();
    this.#giveUp = reject;
    this.#worker.ref();
    this.#worker.once("message", resolve);
    const reply = await promise.finally(() => this.#worker.unref());
    if (reply.ok) return reply;
    throw reply.unavailable
      ? new DatabaseUnavailable(`the database refused: ${reply.message}`)
      : new Error(`SQLite: ${reply.message}`);
  }

  #stop(reason: Error): void {
    this.#end ??= reason;
    this.#giveUp?.(this.#end);
  }
}
