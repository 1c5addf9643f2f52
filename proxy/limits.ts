/**
 * The bounds of a proxy: nothing an agent or a server sends can take more than these.
 * Each can be set when a proxy is started; what happens at the limit stands beside it.
 */
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
  /** Streams that stay open (GET, `subscriptions/listen`). Beyond it: 503. */
  readonly maxStreams: number;
  /** TCP connections. Beyond it they are closed at once. */
  readonly maxConnections: number;
  /** Sessions of one server, and so its stdio children. Beyond it: 503. */
  readonly maxSessions: number;
  /** Unread bytes towards one reader (a client, a child). Beyond it notifications are dropped, requests fail. */
  readonly maxUnreadBytes: number;
  /** From a call's start to its answer. Beyond it the server is told to stop and the call has timed out. */
  readonly callTimeoutMs: number;
  /** For an agent to ask again for an answer whose stream broke. Beyond it the call is cancelled. */
  readonly resumeGraceMs: number;
  /** For the gate's own look at a locked server's tools. Beyond it the call that needs it is refused. */
  readonly lookTimeoutMs: number;
  /** To connect to a server. */
  readonly connectTimeoutMs: number;
  /** For a stdio server to say which era it speaks; one that stays silent is taken for a server with a handshake. */
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
}

const KIB = 1024;
const MIB = 1024 * KIB;
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
  maxStreams: 128,
  maxConnections: 1024,
  maxSessions: 64,
  maxUnreadBytes: 8 * MIB,
  callTimeoutMs: 10 * MINUTE,
  resumeGraceMs: MINUTE,
  lookTimeoutMs: 10 * SECOND,
  connectTimeoutMs: 10 * SECOND,
  probeTimeoutMs: 3 * SECOND,
  headersTimeoutMs: 10 * SECOND,
  requestTimeoutMs: 30 * SECOND,
  sessionIdleMs: 30 * MINUTE,
  keepAliveMs: 15 * SECOND,
  closeGraceMs: 2 * SECOND,
  stopGraceMs: 2 * SECOND,
};
