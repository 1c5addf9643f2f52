/**
 * A server that speaks over stdio, as if it were behind Streamable HTTP: with a handshake each session has a process
 * of its own, without one all requests share a process. Which of the two the server speaks is its own word: it is
 * asked once (`server/discover`), and the process that was asked is then used.
 */
import { randomUUID } from "node:crypto";
import type { Limits } from "../limits.ts";
import type { ClientRequest } from "../messages/envelope.ts";
import { type Answer, refuseMethod, refuseRevision } from "../messages/refusals.ts";
import { findClaimedRevision } from "../messages/revision.ts";
import { readServerMessages } from "../messages/server-message.ts";
import { buildChildEnvironment, type Environment } from "./child-environment.ts";
import { StdioChild } from "./stdio-child.ts";
import { probeRevisions } from "./stdio-probe.ts";
import { StdioSession } from "./stdio-session.ts";
import type { Forward, Loss, Sending, Sink, StreamRequest, Upstream, UpstreamEvents } from "./upstream.ts";

export interface StdioUpstreamOptions {
  readonly command: readonly string[];
  /** What the registry lists for it, and the proxy's own, of which it gets little. */
  readonly environment: { readonly inherited: Environment; readonly own: Readonly<Record<string, string>> };
  readonly cwd: string | undefined;
  readonly limits: Limits;
  readonly events: UpstreamEvents;
  readonly stderr: (chunk: Buffer) => void;
}

const NOTHING: Sending = { cancel: () => undefined, leave: () => undefined };

export class StdioUpstream implements Upstream {
  readonly #options: StdioUpstreamOptions;
  readonly #running = new Set<StdioChild>();
  readonly #sessions = new Map<string, StdioSession>();
  /** Those without a handshake that the server speaks, once it said so. */
  #revisions: readonly string[] | undefined;
  #probing: Promise<Loss | undefined> | undefined;
  /** Asked for its era and given to nobody yet. */
  #spare: StdioChild | undefined;
  /** The one for requests without a handshake. */
  #shared: StdioChild | undefined;
  #isClosed = false;

  constructor(options: StdioUpstreamOptions) {
    this.#options = options;
  }

  /** Before the first request, so that the first answer is quick: a slow one makes clients take the older era. */
  start(): void {
    void this.#probe();
  }

  send(forward: Forward, sink: Sink, opensSession: (session: string) => void): Sending {
    const { message, era } = forward;
    const session = forward.session === undefined ? undefined : this.#sessions.get(forward.session);
    if (message.kind === "notification") {
      session?.child.notify(message);
      sink.status(session === undefined && era === "handshake" ? 404 : 202);
      return NOTHING;
    }
    if (era === "stateless") {
      return this.#sendStateless(message, sink);
    }
    if (message.method === "initialize" && forward.session === undefined) {
      return startAfter(this.#spare === undefined ? undefined : this.#probing, () =>
        this.#openSession(message, sink, opensSession),
      );
    }
    if (session === undefined) {
      sink.status(forward.session === undefined ? 400 : 404);
      return NOTHING;
    }
    return session.child.request(message, era, sink);
  }

  openStream({ session }: StreamRequest, sink: Sink): Sending {
    const opened = session === undefined ? undefined : this.#sessions.get(session);
    if (opened === undefined) {
      sink.status(session === undefined ? 405 : 404);
      return NOTHING;
    }
    return opened.openStream(sink);
  }

  async endSession(session: string): Promise<number> {
    const ended = this.#sessions.get(session);
    this.#sessions.delete(session);
    await ended?.child.stop();
    return ended === undefined ? 404 : 200;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#running].map((child) => child.stop()));
  }

  #sendStateless(message: ClientRequest, sink: Sink): Sending {
    if (this.#revisions !== undefined) {
      return this.#sendShared(message, sink);
    }
    let lost: Loss | undefined;
    const probed = this.#probe().then((loss) => {
      lost = loss;
    });
    return startAfter(probed, () => {
      if (lost !== undefined) {
        sink.failed(lost);
        return NOTHING;
      }
      return this.#sendShared(message, sink);
    });
  }

  #sendShared(message: ClientRequest, sink: Sink): Sending {
    const refusal = this.#findRefusal(message);
    if (refusal !== undefined) {
      const [answer] = readServerMessages(refusal.text) ?? [];
      if (answer?.kind === "error") {
        void sink.message(answer, { status: refusal.status });
      }
      sink.ended();
      return NOTHING;
    }
    if (this.#shared === undefined || this.#shared.isOver) {
      const shared = this.#takeSpare() ?? this.#startChild();
      shared.owner = {
        over: () => undefined,
        unsolicited: (unasked) => {
          if (unasked.kind === "request") {
            shared.notify(this.#options.events.answer(unasked));
          } else if (unasked.method === "notifications/tools/list_changed") {
            this.#options.events.toolsChanged(undefined);
          }
        },
      };
      this.#shared = shared;
    }
    return this.#shared.request(message, "stateless", sink);
  }

  #findRefusal(message: ClientRequest): Answer | undefined {
    const supported = this.#revisions ?? [];
    const requested = findClaimedRevision(message) ?? "";
    if (supported.length === 0) {
      // What a server with a handshake says over HTTP; clients that know both eras then begin one.
      return refuseMethod(message.id, "stateless");
    }
    // A server on a pipe may hold what its first request claimed for settled. Others share the pipe.
    return supported.includes(requested)
      ? undefined
      : refuseRevision(message.id, { requested, supported: [...supported] });
  }

  #openSession(message: ClientRequest, sink: Sink, opensSession: (session: string) => void): Sending {
    const { events } = this.#options;
    const spare = this.#takeSpare();
    // Those that are being stopped count: somebody could begin and leave faster than they end.
    if (spare === undefined && this.#running.size > this.#options.limits.maxSessions) {
      sink.failed({ code: "too_many_sessions", detail: `more than ${this.#options.limits.maxSessions}` });
      return NOTHING;
    }
    const child = spare ?? this.#startChild();
    const id = randomUUID();
    const session = new StdioSession(child, {
      answer: (request) => events.answer(request),
      toolsChanged: () => events.toolsChanged(id),
      over: () => {
        if (this.#sessions.delete(id)) {
          events.sessionEnded(id);
        }
      },
    });
    child.owner = session;
    const sending = child.request(message, "handshake", {
      opened: () => sink.opened(),
      filler: (carriage) => sink.filler(carriage),
      status: (status) => sink.status(status),
      ended: () => sink.ended(),
      message: (answer, carriage) => {
        if (answer.kind === "result") {
          this.#sessions.set(id, session);
          opensSession(id);
        } else if (answer.kind === "error") {
          void child.stop();
        }
        return sink.message(answer, carriage);
      },
      failed: (loss) => {
        void child.stop();
        sink.failed(loss);
      },
    });
    const cancel = (): void => {
      sending.cancel();
      void child.stop();
    };
    return { cancel, leave: cancel };
  }

  /** Single flight; after a process that did not start, the next request tries again. */
  #probe(): Promise<Loss | undefined> {
    if (this.#probing === undefined) {
      const child = this.#startChild();
      this.#spare = child;
      this.#probing = probeRevisions(child, this.#options.limits.probeTimeoutMs, (revisions) => {
        this.#revisions = revisions;
      }).then((loss) => {
        this.#probing = loss === undefined ? this.#probing : undefined;
        return loss;
      });
    }
    return this.#probing;
  }

  #takeSpare(): StdioChild | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare?.isOver === true ? undefined : spare;
  }

  #startChild(): StdioChild {
    const { events, limits, stderr, command, cwd } = this.#options;
    const { inherited, own } = this.#options.environment;
    const environment = buildChildEnvironment(inherited, own);
    const child = new StdioChild({ command, cwd, environment }, limits, {
      stderr,
      noteOutputDropped: () => events.noteOutputDropped(),
      noteMessageDropped: () => events.noteMessageDropped(),
      over: (loss, isExpected) => {
        this.#running.delete(child);
        if (!isExpected) {
          events.noteLost(loss);
        }
      },
    });
    this.#running.add(child);
    if (this.#isClosed) {
      void child.stop();
    }
    return child;
  }
}

/** Starts at once when there is nothing to wait for. */
function startAfter(ready: Promise<unknown> | undefined, start: () => Sending): Sending {
  if (ready === undefined) {
    return start();
  }
  let sending: Sending | undefined;
  let isOver = false;
  void ready.then(() => {
    sending = isOver ? undefined : start();
  });
  return {
    cancel: (reason) => {
      isOver = true;
      sending?.cancel(reason);
    },
    leave: () => {
      isOver = true;
      sending?.leave();
    },
  };
}
