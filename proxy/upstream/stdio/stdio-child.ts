/**
 * One process of a stdio server. Ids, progress tokens and subscription ids that it sees are its own and are given
 * out here, so that nobody can answer, follow or cancel what somebody else asked.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Limits } from "../../limits.ts";
import type { ClientNotification, ClientRequest, RequestId } from "../../messages/envelope.ts";
import type { Era } from "../../messages/revision.ts";
import {
  readServerMessages,
  type ServerAnswer,
  type ServerMessage,
  type ServerNotification,
} from "../../messages/server-message.ts";
import { LastWords } from "./last-words.ts";
import { LineReader } from "./line-reader.ts";
import { stopProcessGroup } from "./process-group.ts";
import {
  findCancelled,
  findStatus,
  restoreAnswer,
  restoreNotification,
  writeForChild,
  writeNotification,
} from "./stdio-message.ts";
import type { Loss, Sending, Sink } from "../upstream.ts";

export interface ChildCommand {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
}

export interface ChildEvents {
  stderr(chunk: Buffer): void;
  /** Once, whatever ended it; `isExpected` when it was told to stop. */
  over(loss: Loss, isExpected: boolean): void;
  noteOutputDropped(): void;
  noteMessageDropped(): void;
}

/** Whoever a child works for at the moment. */
export interface ChildOwner {
  /** A message that belongs to no request of ours. */
  unsolicited(message: Exclude<ServerMessage, ServerAnswer>): void;
  over(): void;
}

interface Pending {
  readonly id: RequestId;
  readonly progressToken: RequestId | undefined;
  readonly era: Era;
  readonly sink: Sink;
  readonly isUnhurried: boolean;
}

/** They say nothing of whether the server is at work: one has no end of its own, others may never be answered. */
const UNHURRIED = new Set(["subscriptions/listen", "server/discover", "ping"]);

/** After its exit, output that is still in the pipe is waited for so long: a fork can hold the pipe open for ever. */
const LAST_OUTPUT_MS = 200;

export class StdioChild {
  owner: ChildOwner | undefined;
  readonly #limits: Limits;
  readonly #events: ChildEvents;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #pending = new Map<number, Pending>();
  readonly #lastWords = new LastWords();
  #lastId = 0;
  #heardAt = performance.now();
  #owesAnswer = false;
  #graceMs: number;
  #isOver = false;
  #stopping: Promise<void> | undefined;

  constructor({ command, environment, cwd }: ChildCommand, limits: Limits, events: ChildEvents) {
    const [file = "", ...args] = command;
    this.#limits = limits;
    this.#graceMs = limits.stopGraceMs;
    this.#events = events;
    this.#process = spawn(file, args, {
      cwd,
      env: environment,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    const lines = new LineReader(limits.maxAnswerBytes, {
      line: (text) => this.#readLine(text),
      tooLong: () => events.noteOutputDropped(),
    });
    const { stdin, stdout, stderr } = this.#process;
    // A server that closes either of them can be asked nothing more, however long it lives; an exit says more.
    const closed = (detail: string): void => {
      setTimeout(() => this.#end({ code: "closed", detail }), LAST_OUTPUT_MS).unref();
    };
    stdin.on("error", () => closed("stdin"));
    stdout.once("end", () => closed("stdout"));
    stdout.on("data", (chunk: Buffer) => lines.read(chunk));
    stderr.on("data", (chunk: Buffer) => {
      this.#lastWords.write(chunk);
      events.stderr(chunk);
    });
    this.#process.once("error", (error: NodeJS.ErrnoException) =>
      this.#end({ code: "start_failed", detail: error.code ?? "error" }),
    );
    this.#process.once("exit", (code, signal) => {
      const loss: Loss = { code: "exited", detail: signal ?? `exit code ${code}` };
      const timer = setTimeout(() => this.#end(loss), LAST_OUTPUT_MS);
      this.#process.once("close", () => {
        clearTimeout(timer);
        this.#end(loss);
      });
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Of its process group; undefined where it could not be started. */
  get group(): number | undefined {
    return this.#process.pid;
  }

  /** The end of its stderr, as it was written. */
  get lastWords(): string {
    return this.#lastWords.text;
  }

  /** When it last sent a message, or began. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** It was asked for something that was given up, and has said nothing since. */
  get owesAnswer(): boolean {
    return this.#owesAnswer;
  }

  /** Nothing was asked of it that it should be answering. */
  get isIdle(): boolean {
    return ![...this.#pending.values()].some(({ isUnhurried }) => !isUnhurried);
  }

  /** Of what it was asked last and has not answered, whoever can be asked something on it. */
  get latestSink(): Sink | undefined {
    return [...this.#pending.values()].findLast(({ sink }) => sink.asked !== undefined)?.sink;
  }

  request(message: ClientRequest, era: Era, sink: Sink): Sending {
    const loss = this.#findLoss();
    if (loss !== undefined) {
      sink.failed(loss);
      return { cancel: () => undefined, leave: () => undefined };
    }
    this.#lastId++;
    const id = this.#lastId;
    const { text, progressToken } = writeForChild(message, id);
    const isUnhurried = UNHURRIED.has(message.method);
    this.#pending.set(id, { id: message.id, progressToken, era, sink, isUnhurried });
    this.#process.stdin.write(text);
    const cancel = (reason?: string): void => {
      const isPending = this.#pending.delete(id);
      this.#owesAnswer ||= isPending && !isUnhurried;
      if (isPending && message.method !== "initialize" && !this.#isOver) {
        const params = { requestId: id, ...(reason !== undefined && { reason }) };
        this.#process.stdin.write(writeNotification({ method: "notifications/cancelled", params }));
      }
    };
    return { cancel, leave: cancel };
  }

  /** Sends a notification, or an answer to a request of the server. */
  notify(message: Pick<ClientNotification, "method" | "params"> | string): void {
    if (this.#findLoss() === undefined) {
      this.#process.stdin.write(typeof message === "string" ? `${message}\n` : writeNotification(message));
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Ends it for a fault of its own: what it was asked fails with `loss`. Without `graceMs` it has no time to end. */
  giveUp(loss: Loss, graceMs = 0): void {
    this.#graceMs = graceMs;
    this.#end(loss);
  }

  async #stop(): Promise<void> {
    const { pid, stdin, stdout, stderr } = this.#process;
    stdin.end();
    if (pid !== undefined) {
      await stopProcessGroup(pid, this.#graceMs);
    }
    stdin.destroy();
    stdout.destroy();
    stderr.destroy();
    this.#end({ code: "exited", detail: "stopped" });
  }

  #findLoss(): Loss | undefined {
    if (this.#isOver || this.#stopping !== undefined) {
      return { code: "exited", detail: "not running" };
    }
    return this.#process.stdin.writableLength > this.#limits.maxUnreadBytes
      ? { code: "unread", detail: `more than ${this.#limits.maxUnreadBytes} bytes` }
      : undefined;
  }

  #end(loss: Loss): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    // Before anybody hears of it: whoever does may tell it to stop.
    const isExpected = this.#stopping !== undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    pending.forEach(({ sink }) => sink.failed(loss));
    this.#events.over(loss, isExpected);
    this.owner?.over();
    // What it forked goes with it.
    void this.stop();
  }

  #readLine(text: string): void {
    const messages = readServerMessages(text);
    if (messages === undefined) {
      this.#events.noteOutputDropped();
      return;
    }
    this.#heardAt = performance.now();
    this.#owesAnswer = false;
    messages.forEach((message) => this.#deliver(message));
  }

  #deliver(message: ServerMessage): void {
    switch (message.kind) {
      case "result":
      case "error":
        this.#deliverAnswer(message);
        break;
      case "notification":
        if (!this.#endCancelled(message) && !this.#deliverRelated(message)) {
          this.owner?.unsolicited(message);
        }
        break;
      case "request":
        this.owner?.unsolicited(message);
    }
  }

  #deliverAnswer(answer: ServerAnswer): void {
    const { id } = answer;
    const pending = typeof id === "number" ? this.#pending.get(id) : undefined;
    if (pending === undefined || typeof id !== "number") {
      this.#events.noteMessageDropped();
      return;
    }
    this.#pending.delete(id);
    const status = pending.era === "stateless" ? findStatus(answer) : undefined;
    void pending.sink.message(restoreAnswer(answer, pending.id), { status });
    pending.sink.ended();
  }

  /** How a server ends a subscription (2026-07-28, Cancellation). */
  #endCancelled(message: ServerNotification): boolean {
    const id = findCancelled(message);
    const pending = id === undefined ? undefined : this.#pending.get(id);
    // With a handshake a server takes back what it asked itself, by ids of its own.
    if (id === undefined || pending?.era !== "stateless") {
      return false;
    }
    this.#pending.delete(id);
    pending.sink.ended();
    return true;
  }

  #deliverRelated(message: ServerNotification): boolean {
    const restored = restoreNotification(message, (id) => this.#pending.get(id));
    if (restored === undefined) {
      return false;
    }
    void restored.pending.sink.message(restored.message, {});
    return true;
  }
}
