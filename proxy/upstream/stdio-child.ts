/**
 * One process of a stdio server. Ids, progress tokens and subscription ids that it sees are its own and are given
 * out here, so that nobody can answer, follow or cancel what somebody else asked.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Limits } from "../limits.ts";
import type { ClientNotification, ClientRequest, RequestId } from "../messages/envelope.ts";
import type { Era } from "../messages/revision.ts";
import {
  readServerMessages,
  type ServerAnswer,
  type ServerMessage,
  type ServerNotification,
} from "../messages/server-message.ts";
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
import type { Loss, Sending, Sink } from "./upstream.ts";

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
}

/** After its exit, output that is still in the pipe is waited for so long: a fork can hold the pipe open for ever. */
const LAST_OUTPUT_MS = 200;

export class StdioChild {
  owner: ChildOwner | undefined;
  readonly #limits: Limits;
  readonly #events: ChildEvents;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #isOver = false;
  #stopping: Promise<void> | undefined;

  constructor({ command, environment, cwd }: ChildCommand, limits: Limits, events: ChildEvents) {
    const [file = "", ...args] = command;
    this.#limits = limits;
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
    stderr.on("data", (chunk: Buffer) => events.stderr(chunk));
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

  request(message: ClientRequest, era: Era, sink: Sink): Sending {
    const loss = this.#findLoss();
    if (loss !== undefined) {
      sink.failed(loss);
      return { cancel: () => undefined, leave: () => undefined };
    }
    this.#lastId++;
    const id = this.#lastId;
    const { text, progressToken } = writeForChild(message, id);
    this.#pending.set(id, { id: message.id, progressToken, era, sink });
    this.#process.stdin.write(text);
    const cancel = (reason?: string): void => {
      if (this.#pending.delete(id) && message.method !== "initialize" && !this.#isOver) {
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

  async #stop(): Promise<void> {
    const { pid, stdin, stdout, stderr } = this.#process;
    stdin.end();
    if (pid !== undefined) {
      await stopProcessGroup(pid, this.#limits.stopGraceMs);
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
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    pending.forEach(({ sink }) => sink.failed(loss));
    this.#events.over(loss, this.#stopping !== undefined);
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
    if (id === undefined || pending === undefined) {
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
