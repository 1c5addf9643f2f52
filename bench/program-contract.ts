/**
 * What a bench and the programs it starts say to each other, as schemas. Of the small zod, so that a contender whose
 * start is measured loads little that is the bench's.
 */
import * as z from "zod/mini";

/** Where an MCP server is reached, and with which headers besides MCP's own. */
export const Endpoint = z.strictObject({ url: z.url(), headers: z.record(z.string(), z.string()) });
export type Endpoint = z.infer<typeof Endpoint>;

const count = z.int().check(z.positive());

/** One measurement: `calls` calls in a closed loop, at most `concurrency` at a time, each on a connection that is kept. */
export const LoadRequest = z.strictObject({
  endpoint: Endpoint,
  result_bytes: count,
  concurrency: count,
  calls: count,
});
export type LoadRequest = z.infer<typeof LoadRequest>;

/** Of calls whose answers were all compared with what the server must have said. */
export const LoadResult = z.strictObject({
  elapsed_ms: z.number().check(z.positive()),
  p50_us: z.number().check(z.positive()),
  p99_us: z.number().check(z.positive()),
});
export type LoadResult = z.infer<typeof LoadResult>;

/** The options of whatever stands between load and upstream server. */
export const Upstream = z.strictObject({ upstream: z.url() });

/** The same for a stdio server, which becomes the contender's child: the file that Node runs. */
export const StdioUpstream = z.strictObject({ program: z.string() });

export const UpstreamChoice = z.union([Upstream, StdioUpstream]);

/** A command from npm; `{port}`, `{node}`, `{program}` and `{command}` stand for what only its process knows. */
export const NpmPeer = z.strictObject({ file: z.string(), args: z.array(z.string()) });
export type NpmPeer = z.infer<typeof NpmPeer>;

/** One job for the job runner: what is compared with, or Lanyard's step. */
export const JobRequest = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("node") }),
  z.strictObject({
    kind: z.literal("action"),
    broker: z.url(),
    /** Number of the run: a new one for each job. */
    run: count,
    /** What the runner adds for a job with `id-token: write`. */
    environment: z.record(z.string(), z.string()),
  }),
]);
export type JobRequest = z.infer<typeof JobRequest>;

/** Both from the start of the step's process. */
export const JobTimes = z.strictObject({
  exit_ms: z.number().check(z.positive()),
  /** To the first answered `tools/list` of an agent's step after it. */
  listed_ms: z.optional(z.number().check(z.positive())),
});
export type JobTimes = z.infer<typeof JobTimes>;

/** One measurement of a token endpoint: every exchange is of a job, a key and a proof of its own. */
export const ExchangeLoadRequest = z.strictObject({
  /** The token endpoint. */
  url: z.url(),
  /** What the subject token is presented as: itself, or the assertion of a client (RFC 7523, section 2.2). */
  presented_as: z.enum(["subject_token", "client_assertion"]),
  exchanges: count,
  /** Each of them kept, with one exchange at a time. */
  connections: count,
});
export type ExchangeLoadRequest = z.infer<typeof ExchangeLoadRequest>;

/** Times are of all answers; the clock starts when every token and proof is made. */
export const ExchangeLoadResult = z.strictObject({
  elapsed_ms: z.number().check(z.positive()),
  p50_us: z.number().check(z.positive()),
  p99_us: z.number().check(z.positive()),
  /** How many were answered with 200 and an access token that no other answer had. */
  accepted: z.int(),
  /** What became of the first that was not. */
  refusal: z.optional(z.string()),
});
export type ExchangeLoadResult = z.infer<typeof ExchangeLoadResult>;

/** The options of a server whose token endpoint is measured: who signs the subject tokens. */
export const SubjectIssuer = z.strictObject({ issuer: z.url() });

const Postgres = z.strictObject({ kind: z.literal("postgres"), url: z.string() });

/** The same for the broker, with where it keeps its rows. */
export const ExchangeBroker = z.extend(SubjectIssuer, {
  database: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("sqlite"), commit_delay_ms: z.number().check(z.nonnegative()) }),
    Postgres,
  ]),
});
export type ExchangeBroker = z.infer<typeof ExchangeBroker>;

/** The options of a broker that admits jobs; without a database it has SQLite in a directory of its own. */
export const LocalBroker = z.extend(Upstream, {
  database: z.optional(Postgres),
  /** It relays to the server, with a bearer token that was typed in. */
  relays: z.optional(z.boolean()),
});

/** The options of a proxy whose server is reached through the broker: the job's own way to a session. */
export const RelayedJob = z.strictObject({
  broker: z.url(),
  /** What the runner adds for a job with `id-token: write`. */
  environment: z.strictObject({
    ACTIONS_ID_TOKEN_REQUEST_URL: z.url(),
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: z.string(),
  }),
});

/** Streams that belong to no request: to open them at each endpoint, to count those that nobody closed. */
export const StreamQuestion = z.discriminatedUnion("ask", [
  z.strictObject({ ask: z.literal("open"), endpoints: z.array(Endpoint), at_each: count }),
  z.strictObject({ ask: z.literal("count") }),
]);

export const StreamCount = z.strictObject({
  alive: z.int().check(z.nonnegative()),
  /** Those that got the message which the server sent on each. */
  told: z.int().check(z.nonnegative()),
});
export type StreamCount = z.infer<typeof StreamCount>;

/** Who decides the sample calls: our compiled policy, a table written by hand, Cedar, or casbin. */
export const PolicyContender = z.enum(["lanyard", "table", "cedar", "casbin"]);
export type PolicyContender = z.infer<typeof PolicyContender>;

/** One measurement: so many decisions in a loop, and then as many whose times are taken one by one. */
export const DecisionRequest = z.strictObject({ decisions: count });
export type DecisionRequest = z.infer<typeof DecisionRequest>;

/** Of decisions that were all compared with what they must be. Taking one time costs about 50 ns, which is included. */
export const DecisionResult = z.strictObject({
  elapsed_ms: z.number().check(z.positive()),
  p50_us: z.number().check(z.positive()),
  p99_us: z.number().check(z.positive()),
});
export type DecisionResult = z.infer<typeof DecisionResult>;

/** A directory of policies with one document for each of so many repositories. */
export const PolicyDirectory = z.strictObject({ directory: z.string(), repositories: count });
export type PolicyDirectory = z.infer<typeof PolicyDirectory>;

/** From the call of the loader to its answer, in a process that has loaded nothing before. */
export const LoadingTime = z.strictObject({ elapsed_ms: z.number().check(z.positive()) });
export type LoadingTime = z.infer<typeof LoadingTime>;

/** What the proxy of a long run is asked: what it holds, to close, what its log holds. */
export const SoakQuestion = z.enum(["holdings", "close", "log"]);

/** After a forced collection. */
export const Holdings = z.strictObject({
  heap_bytes: count,
  sockets: z.int().check(z.nonnegative()),
  children: z.int().check(z.nonnegative()),
});
export type Holdings = z.infer<typeof Holdings>;

/** Of a log that verified; `unmatched`: calls without a result, and results without a call. */
export const LogCount = z.strictObject({
  calls: z.int().check(z.nonnegative()),
  results: z.int().check(z.nonnegative()),
  unmatched: z.int().check(z.nonnegative()),
});
export type LogCount = z.infer<typeof LogCount>;
