/**
 * The bounds of a proxy: nothing an agent or a server sends can take more than these.
 * Each can be set when a proxy is started, some for one server; what happens at the limit stands beside it.
 */
import type { ServerLimits } from "../policies/server-limits.ts";

export interface Limits {
  /** Largest body of a request. Beyond it: 413, and the connection is closed. */
  readonly maxRequestBytes: number;
  /** Largest single message of a server. Beyond it: its request fails; a line of stdout is dropped. */
  readonly maxAnswerBytes: number;
  /** Nesting of a message, in either direction. Beyond it: the message is refused. */
  readonly maxDepth: number;
  /** Names and values of a request's headers together. Beyond it: 431. */
  readonly maxHeaderBytes: number;
  /** Members of one JSON-RPC batch. Beyond it: 400. */
  readonly maxBatchLength: number;
  /** Tools, resources, templates or prompts of one server, over all pages of the list. Beyond it the list is refused. */
  readonly maxListed: number;
  /** Requests in work at the same time, over all agents and servers. Beyond it: 503. */
  readonly maxConcurrentRequests: number;
  /** Requests in work at one server. Beyond it: a call is refused as a tool's error, everything else gets a 503. */
  readonly maxConcurrentCalls: number;
  /** Calls of one server within any 60 seconds. Beyond it: a call is refused as a tool's error, others get a 429. */
  readonly maxCallsPerMinute: number;
  /** Requests of one server that wait for one agent's answer (sampling, elicitation, roots). Beyond it: refused. */
  readonly maxAsks: number;
  /** Streams that stay open (GET, `subscriptions/listen`). Beyond it: 503. */
  readonly maxStreams: number;
  /** TCP connections. Beyond it they are closed at once. */
  readonly maxConnections: number;
  /** Sessions of one server, and so its processes. Beyond it: 503. */
  readonly maxSessions: number;
  /** Unread bytes towards one reader (a client, a child). Beyond it notifications are dropped, requests fail. */
  readonly maxUnreadBytes: number;
  /** From a call's start to its answer. Beyond it the server is told to stop and the call has timed out. */
  readonly callTimeoutMs: number;
  /** Of a stream that belongs to no call. One on which the server said nothing for so long is closed. */
  readonly streamIdleMs: number;
  /** For an agent to ask again for an answer whose stream broke. Beyond it the call is cancelled. */
  readonly resumeGraceMs: number;
  /** For the gate's own look at a locked server's tools. Beyond it the call that needs it is refused. */
  readonly lookTimeoutMs: number;
  /** To connect to a server. */
  readonly connectTimeoutMs: number;
  /**
   * For a stdio server to start and to say which era it speaks; one that stays silent is taken for a server with a
   * handshake. Longer than a slow start on a busy runner: a client without a handshake could not use it.
   */
  readonly probeTimeoutMs: number;
  /** To send a whole header, and a whole request (slow loris). Beyond it: 408. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** A session that nobody used for so long is ended. */
  readonly sessionIdleMs: number;
  /** Between comments on streams that stay open, so that nobody between takes them for dead. */
  readonly keepAliveMs: number;
  /** For calls in flight when the proxy closes. Beyond it they are cancelled. */
  readonly closeGraceMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly stopGraceMs: number;
  /** How often a stdio server is started again within the window. Beyond it, it is down for the session. */
  readonly maxRestarts: number;
  readonly restartWindowMs: number;
  /** Before the first restart within the window; four times as long before each that follows, up to the second. */
  readonly restartDelayMs: number;
  readonly maxRestartDelayMs: number;
  /** A process that is asked for nothing and silent for so long is pinged. */
  readonly pingIntervalMs: number;
  /** For a sign of life after a ping. Beyond it the process is stopped and started again. */
  readonly pingTimeoutMs: number;
  /** Memory of a process with all that it forked (Linux). Beyond it they are stopped and started again. */
  readonly maxMemoryBytes: number;
  /** Between two looks at it: so long a process can go beyond it. */
  readonly memoryCheckMs: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const DEFAULT_LIMITS: Limits = {
  maxRequestBytes: 4 * MIB,
  maxAnswerBytes: 96 * MIB,
  maxDepth: 128,
  maxHeaderBytes: 16 * KIB,
  maxBatchLength: 50,
  maxListed: 2_000,
  maxConcurrentRequests: 256,
  maxConcurrentCalls: 64,
  maxCallsPerMinute: 6_000,
  maxAsks: 16,
  maxStreams: 128,
  maxConnections: 1024,
  maxSessions: 64,
  maxUnreadBytes: 8 * MIB,
  callTimeoutMs: 10 * MINUTE,
  streamIdleMs: 30 * MINUTE,
  resumeGraceMs: MINUTE,
  lookTimeoutMs: 10 * SECOND,
  connectTimeoutMs: 10 * SECOND,
  probeTimeoutMs: 15 * SECOND,
  headersTimeoutMs: 10 * SECOND,
  requestTimeoutMs: 30 * SECOND,
  sessionIdleMs: 30 * MINUTE,
  keepAliveMs: 15 * SECOND,
  closeGraceMs: 2 * SECOND,
  stopGraceMs: 2 * SECOND,
  maxRestarts: 5,
  restartWindowMs: 10 * MINUTE,
  restartDelayMs: SECOND / 4,
  maxRestartDelayMs: 16 * SECOND,
  pingIntervalMs: 30 * SECOND,
  pingTimeoutMs: 30 * SECOND,
  maxMemoryBytes: 2 * GIB,
  memoryCheckMs: 2 * SECOND,
};

/** What one server has of its own, by its name in the registry. */
export const SERVER_LIMITS = {
  request_size: "maxRequestBytes",
  answer_size: "maxAnswerBytes",
  concurrent_calls: "maxConcurrentCalls",
  calls_per_minute: "maxCallsPerMinute",
  call_time: "callTimeoutMs",
  stream_idle: "streamIdleMs",
  sessions: "maxSessions",
  restarts: "maxRestarts",
  memory: "maxMemoryBytes",
} as const satisfies Record<string, keyof Limits>;

export type ServerLimitName = keyof typeof SERVER_LIMITS;

export function limitsOfServer(limits: Limits, own: ServerLimits = {}): Limits {
  const inMs = (seconds: number | undefined): number | undefined =>
    seconds === undefined ? undefined : seconds * SECOND;
  return {
    ...limits,
    maxRequestBytes: own.request_bytes ?? limits.maxRequestBytes,
    maxAnswerBytes: own.answer_bytes ?? limits.maxAnswerBytes,
    maxConcurrentCalls: own.concurrent_calls ?? limits.maxConcurrentCalls,
    maxCallsPerMinute: own.calls_per_minute ?? limits.maxCallsPerMinute,
    callTimeoutMs: inMs(own.call_seconds) ?? limits.callTimeoutMs,
    streamIdleMs: inMs(own.stream_idle_seconds) ?? limits.streamIdleMs,
    maxSessions: own.sessions ?? limits.maxSessions,
    maxRestarts: own.restarts ?? limits.maxRestarts,
    maxMemoryBytes: own.memory_bytes ?? limits.maxMemoryBytes,
  };
}
