/**
 * A server that speaks over stdio, as if it were behind Streamable HTTP: with a handshake each session has a process
 * of its own, without one all requests share a process. Which of the two the server speaks is its own word: it is
 * asked once (`server/discover`), and the process that was asked is then used.
 */
import { randomUUID } from "node:crypto";
import type { Limits } from "../../limits.ts";
import type { ClientRequest } from "../../messages/envelope.ts";
import { type Answer, refuseMethod, refuseRevision } from "../../messages/refusals.ts";
import { findClaimedRevision } from "../../messages/revision.ts";
import { readServerMessages } from "../../messages/server-message.ts";
import { buildChildEnvironment, type Environment } from "./child-environment.ts";
import { watchHealth } from "./child-health.ts";
import type { OwnEnvironment } from "../connecting.ts";
import { ServerProcesses } from "./server-processes.ts";
import type { StdioChild } from "./stdio-child.ts";
import { probeRevisions } from "./stdio-probe.ts";
import { StdioSession } from "./stdio-session.ts";
import type { Forward, Loss, Sending, Sink, StreamRequest, Upstream, UpstreamEvents } from "../upstream.ts";
import { NOTHING_SENT, failUnsent, startAfter } from "./waiting-sending.ts";

export interface StdioUpstreamOptions {
  readonly command: readonly string[];
  readonly environment: {
    /** The proxy's own, of which it gets little. */
    readonly inherited: Environment;
    /** What the registry lists for it. */
    readonly listed: Readonly<Record<string, string>>;
    readonly own?: OwnEnvironment | undefined;
  };
  readonly cwd: string | undefined;
  /** `eager`: one is ready before the first request, and again after each that was lost. */
  readonly start: "eager" | "lazy";
  readonly limits: Limits;
  readonly events: UpstreamEvents;
  readonly stderr: (chunk: Buffer) => void;
}

interface Handshake {
  readonly message: ClientRequest;
  readonly sink: Sink;
  readonly opensSession: (session: string) => void;
}

export class StdioUpstream implements Upstream {
  readonly #options: StdioUpstreamOptions;
  readonly #processes: ServerProcesses;
  readonly #sessions = new Map<string, StdioSession>();
  /** Those without a handshake that the server speaks, once it said so. */
  #revisions: readonly string[] | undefined;
  #probing: Promise<Loss | undefined> | undefined;
  /** Asked for its era and given to nobody yet. */
  #spare: StdioChild | undefined;
  /** The one for requests without a handshake. */
  #shared: StdioChild | undefined;

  constructor(options: StdioUpstreamOptions) {
    this.#options = options;
    const { command, cwd, environment, limits, events, stderr, start } = options;
    const { inherited, listed, own } = environment;
    const restartable = (): void => (start === "eager" ? this.#prepare() : undefined);
    this.#processes = new ServerProcesses({
      command: () => ({
        ...{ command, cwd },
        environment: buildChildEnvironment(inherited, { ...listed, ...own?.read() }),
      }),
      events: { ...events, stderr },
      ...{ limits, restartable },
    });
    own?.onChange(() => this.#processes.replaceIdle());
    if (start === "eager") {
      this.#prepare();
    }
  }

  /** Before it is asked for, so that the first answer is quick: a slow one makes clients take the older era. */
  #prepare(): void {
    if (this.#revisions === undefined) {
      void this.#probe();
    } else if (this.#spare === undefined || this.#spare.isOver) {
      this.#spare = this.#processes.start();
    }
  }

  send(forward: Forward, sink: Sink, opensSession: (session: string) => void): Sending {
    const { message, era } = forward;
    const session = forward.session === undefined ? undefined : this.#sessions.get(forward.session);
    if (message.kind === "notification") {
      session?.child.notify(message);
      sink.status(session === undefined && era === "handshake" ? 404 : 202);
      return NOTHING_SENT;
    }
    const lack = this.#options.environment.own?.findLack();
    if (lack !== undefined && message.method === "tools/call") {
      return failUnsent(sink, { code: "not_authorized", detail: lack });
    }
    if (era === "stateless") {
      return this.#sendStateless(message, sink);
    }
    if (message.method === "initialize" && forward.session === undefined) {
      return startAfter(this.#spare === undefined ? undefined : this.#probing, () =>
        this.#openSession(message, sink, opensSession),
      );
    }
    const { loss } = this.#processes;
    if (session?.child.isOver === true && loss !== undefined) {
      return failUnsent(sink, loss);
    }
    if (session === undefined) {
      sink.status(forward.session === undefined ? 400 : 404);
      return NOTHING_SENT;
    }
    return session.child.request(message, era, sink);
  }

  openStream({ session }: StreamRequest, sink: Sink): Sending {
    const opened = session === undefined ? undefined : this.#sessions.get(session);
    if (opened === undefined) {
      sink.status(session === undefined ? 405 : 404);
      return NOTHING_SENT;
    }
    const { loss } = this.#processes;
    if (opened.child.isOver && loss !== undefined) {
      return failUnsent(sink, loss);
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
    await this.#processes.close();
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
        return failUnsent(sink, lost);
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
      return NOTHING_SENT;
    }
    const shared = this.#findShared();
    return shared === undefined
      ? this.#processes.whenStartable(sink, () =>
          (this.#findShared() ?? this.#share(this.#processes.start())).request(message, "stateless", sink),
        )
      : shared.request(message, "stateless", sink);
  }

  #findShared(): StdioChild | undefined {
    if (this.#shared?.isOver === false) {
      return this.#shared;
    }
    const spare = this.#takeSpare();
    return spare === undefined ? undefined : this.#share(spare);
  }

  #share(child: StdioChild): StdioChild {
    const { events, limits } = this.#options;
    child.owner = {
      over: () => undefined,
      unsolicited: (unasked) => {
        if (unasked.kind === "request") {
          child.notify(events.answer(unasked));
        } else if (unasked.method === "notifications/tools/list_changed") {
          events.toolsChanged(undefined);
        }
      },
    };
    watchHealth(child, "stateless", limits);
    this.#shared = child;
    return child;
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
    const spare = this.#takeSpare();
    if (spare !== undefined) {
      return this.#openSessionIn(spare, { message, sink, opensSession });
    }
    const { maxSessions } = this.#options.limits;
    return this.#processes.whenStartable(sink, () => {
      // One that is still being asked for its era is not given away.
      const prepared = this.#revisions === undefined ? undefined : this.#takeSpare();
      // Those that are being stopped count: somebody could begin and leave faster than they end.
      if (prepared === undefined && this.#processes.size > maxSessions) {
        return failUnsent(sink, { code: "too_many_sessions", detail: `more than ${maxSessions}` });
      }
      return this.#openSessionIn(prepared ?? this.#processes.start(), { message, sink, opensSession });
    });
  }

  #openSessionIn(child: StdioChild, { message, sink, opensSession }: Handshake): Sending {
    const { events, limits } = this.#options;
    const id = randomUUID();
    const session = new StdioSession(child, {
      answer: (request) => events.answer(request),
      toolsChanged: () => events.toolsChanged(id),
      over: () => {
        // Of a server that is down the agent hears just that, instead of a call for a session that cannot begin.
        if (this.#processes.loss === undefined && this.#sessions.delete(id)) {
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
          watchHealth(child, "handshake", limits);
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
    this.#probing ??= this.#askRevisions().then((loss) => {
      this.#probing = loss === undefined ? this.#probing : undefined;
      return loss;
    });
    return this.#probing;
  }

  async #askRevisions(): Promise<Loss | undefined> {
    while (this.#processes.pause !== undefined) {
      await this.#processes.pause;
    }
    if (this.#processes.loss !== undefined) {
      return this.#processes.loss;
    }
    const child = this.#processes.start();
    this.#spare = child;
    return probeRevisions(child, this.#options.limits.probeTimeoutMs, (revisions) => {
      this.#revisions = revisions;
    });
  }

  #takeSpare(): StdioChild | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare?.isOver === true ? undefined : spare;
  }
}
