/**
 * What main and the proxy's process say to each other: one line each way, over pipes that nobody else holds.
 * The secrets in it are never in an argument, an environment or a file.
 */
import * as z from "zod/mini";

/** On the proxy's standard input, one JSON line, then closed. */
export const ProxyConfiguration = z.strictObject({
  broker: z.string(),
  oidc: z.strictObject({ url: z.string(), token: z.string() }),
  /** `owner/repo/name`; undefined: the broker finds the one robot that is bound to this job. */
  robot: z.optional(z.string()),
  roles: z.array(z.string()),
  /** Names of servers; empty: all that the session reaches. */
  servers: z.array(z.string()),
  agents: z.array(z.string()),
  /** Private to this user; the spool and the proxy's other files lie in it. */
  directory: z.string(),
  runnerTemp: z.string(),
  workspace: z.string(),
  runnerEnvironment: z.string(),
  httpProxies: z.record(z.string(), z.string()),
});
export type ProxyConfiguration = z.infer<typeof ProxyConfiguration>;

/** On the pipe that main waits on, one JSON line, then closed. */
export const Readiness = z.discriminatedUnion("status", [
  z.strictObject({
    status: z.literal("ready"),
    url: z.string(),
    controlToken: z.string(),
    agents: z.array(z.strictObject({ name: z.string(), token: z.string() })),
    session: z.string(),
    robot: z.string(),
    roles: z.array(z.string()),
    servers: z.array(z.string()),
    maxExpiresAt: z.string(),
    reviewUrl: z.string(),
  }),
  /** One sentence that says what to change. */
  z.strictObject({ status: z.literal("failed"), message: z.string() }),
]);
export type Readiness = z.infer<typeof Readiness>;
export type Ready = Extract<Readiness, { status: "ready" }>;

/** Names in the private directory, known to main, the proxy and post. */
export const SPOOL_FILE = "spool.jsonl";
export const PROXY_OUTPUT_FILE = "proxy.log";
export const STDERR_DIRECTORY = "stderr";
