/**
 * What an operator wants to know of the relay: how calls ended by server, what was refused and why, what servers fail
 * with, how much later a call leaves for it, how many streams are open. It looks at what passes and changes nothing.
 */
import type { Entry } from "../../audit/record.ts";
import type { Sending, Sink, Upstream } from "../../proxy/upstream/upstream.ts";

export interface RelayMetrics {
  readonly countRelayed: (server: string, outcome: RelayOutcome) => void;
  readonly countRelayRefusal: (reason: RelayRefusal) => void;
  readonly countUpstreamFailure: (server: string, failure: UpstreamFailure) => void;
  readonly observeRelayDelay: (seconds: number) => void;
  readonly countRelayStreams: (by: 1 | -1) => void;
}

export const RELAY_OUTCOMES = ["ok", "tool_error", "error", "timeout", "cancelled", "blocked"] as const;
type RelayOutcome = (typeof RELAY_OUTCOMES)[number];

/** As they stand in the log; `other` is for what is none of them. */
export const RELAY_REFUSALS = [
  ...(["no_grant", "flow", "condition_false", "condition_error", "limit_reached", "session_over"] as const),
  ...(["server_limit", "invalid_params", "header_mismatch", "method_not_granted", "drifted"] as const),
  ...(["unreviewed", "unlisted", "unverified", "other"] as const),
];
type RelayRefusal = (typeof RELAY_REFUSALS)[number];

export const UPSTREAM_FAILURES = [
  ...(["unreachable", "closed", "credentials_refused", "not_authorized", "redirected"] as const),
  ...(["unreadable", "too_large", "unread", "server_error", "other"] as const),
];
type UpstreamFailure = (typeof UPSTREAM_FAILURES)[number];

/** Calls that never end are forgotten beyond it, the oldest first. */
const MAX_KNOWN = 10_000;
const SERVER_ERROR = 500;

/** Of one session. */
export class RelayMeter {
  readonly #metrics: RelayMetrics;
  /** Calls that were let through, with their servers. */
  readonly #servers = new Map<string, string>();
  /** By call: when the request came that brought it. */
  readonly #arrivals = new Map<string, number>();

  constructor(metrics: RelayMetrics) {
    this.#metrics = metrics;
  }

  /** `at`: as `performance.now()` says it. */
  arrived(call: string | undefined, at: number): void {
    if (call !== undefined) keep(this.#arrivals, call, at);
  }

  /** What goes on the log. */
  note(entry: Entry): void {
    if (entry.kind === "call" && entry.decision === "allow") {
      keep(this.#servers, entry.id, entry.server);
    } else if (entry.kind === "call") {
      this.#arrivals.delete(entry.id);
      this.#metrics.countRelayRefusal(findListed(RELAY_REFUSALS, entry.reason) ?? "other");
    } else if (entry.kind === "result") {
      const server = this.#servers.get(entry.call);
      this.#servers.delete(entry.call);
      if (server !== undefined) this.#metrics.countRelayed(server, entry.outcome);
    }
  }

  watch(upstream: Upstream, server: string): Upstream {
    return {
      ...{ close: () => upstream.close(), answer: (from, text) => upstream.answer?.(from, text) },
      endSession: (session, revision, agent) => upstream.endSession(session, revision, agent),
      send: (forward, sink, opensSession) => {
        forward.calls?.forEach((call) => this.#left(call));
        return this.#watchStream(sink, server, (watched) => upstream.send(forward, watched, opensSession));
      },
      openStream: (request, sink) =>
        this.#watchStream(sink, server, (watched) => upstream.openStream(request, watched)),
    };
  }

  #left(call: string): void {
    const arrivedAt = this.#arrivals.get(call);
    this.#arrivals.delete(call);
    if (arrivedAt !== undefined) {
      this.#metrics.observeRelayDelay((performance.now() - arrivedAt) / 1000);
    }
  }

  #watchStream(sink: Sink, server: string, start: (sink: Sink) => Sending): Sending {
    const metrics = this.#metrics;
    let isOpen = false;
    const close = (): void => {
      if (isOpen) metrics.countRelayStreams(-1);
      isOpen = false;
    };
    const sending = start({
      opened: () => {
        isOpen = true;
        metrics.countRelayStreams(1);
        sink.opened();
      },
      message: (message, carriage) => sink.message(message, carriage),
      filler: (carriage) => sink.filler(carriage),
      status: (status) => {
        close();
        if (status >= SERVER_ERROR) metrics.countUpstreamFailure(server, "server_error");
        sink.status(status);
      },
      ended: () => {
        close();
        sink.ended();
      },
      failed: (loss) => {
        close();
        metrics.countUpstreamFailure(server, findListed(UPSTREAM_FAILURES, loss.code) ?? "other");
        sink.failed(loss);
      },
      ...(sink.asked !== undefined && { asked: (request, asking) => sink.asked?.(request, asking) }),
    });
    return {
      leave: () => {
        close();
        sending.leave();
      },
      cancel: (reason) => {
        close();
        sending.cancel(reason);
      },
    };
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  const [oldest = ""] = map.size > MAX_KNOWN ? map.keys() : [];
  map.delete(oldest);
}

function findListed<const T extends string>(listed: readonly T[], text: string): T | undefined {
  return listed.find((each) => each === text);
}
