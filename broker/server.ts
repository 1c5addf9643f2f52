/**
 * A running broker: opens what it stands on, checks that all of it works, listens, and stops in order.
 * It starts completely or not at all: `StartFailed` carries one message per problem, each saying what to change.
 */
import { type Server, createServer } from "node:http";
import type { FastifyInstance } from "fastify";
import { buildApp } from "./app.ts";
import type { BrokerConfig } from "./config.ts";
import { createLoginLinks } from "./login-links.ts";
import type { LoginMode } from "./page-dependencies.ts";
import { StartFailed, openServices } from "./start.ts";
import { startSweeper } from "./sessions/sweeping.ts";

export { StartFailed } from "./start.ts";

/** Fastify sets no limits on a server that it is given. */
const LIMITS = {
  headersTimeout: 20_000,
  /** For a request with its body; the largest is the tail of a spool over a slow line. */
  requestTimeout: 120_000,
  /** Longer than the idle time of usual load balancers: who closes first is not the side that is about to answer. */
  keepAliveTimeout: 65_000,
};

export interface BrokerOptions {
  readonly config: BrokerConfig;
  /** With `one_time_link`, `loginUrl` works: for a broker on one's own machine. Default `operator_token`. */
  readonly login?: "operator_token" | "one_time_link";
  /** Where log lines (JSON) go; absent: nowhere. */
  readonly log?: { readonly level: "debug" | "info" | "warn" | "error"; write(line: string): void };
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
}

export interface RunningBroker {
  /** The public URL. */
  readonly url: string;
  readonly address: { readonly host: string; readonly port: number };
  /** `one_time_link` only: an address that logs in whoever opens it first and leads to `path`. */
  loginUrl(path: string): string;
  /** What the sweeper does every 15 seconds, now. */
  sweep(): Promise<void>;
  /** Stops listening, lets requests in flight end, closes the database. */
  close(): Promise<void>;
}

export async function startBroker({
  config,
  login,
  log,
  now = Date.now,
}: BrokerOptions): Promise<RunningBroker> {
  const server = createServer(LIMITS);
  // Without a public URL the address is one, so it has to be known before anything else.
  const early = config.publicUrl === undefined ? await listen(server, config.listen) : undefined;
  const publicUrl = config.publicUrl ?? `http://${hostOf(early)}:${early?.port}`;
  const links = createLoginLinks(now);
  const mode: LoginMode =
    login === "one_time_link"
      ? { kind: "one_time_link", redeem: (code) => links.redeem(code) }
      : { kind: "operator_token" };

  const opened = await openServices({ config, publicUrl, now }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  const { services, sealingKey } = opened;
  let app: FastifyInstance | undefined;
  try {
    app = await buildApp({
      services,
      uploads: opened.uploads,
      pages: {
        database: services.database,
        bucket: services.bucket,
        checkpointKeys: async () => services.signingKeys.checkpointKeys,
        publicUrl,
        cookieSecret: sealingKey.derive("login cookies"),
        login: mode,
        now,
      },
      log,
      server,
    });
    await app.ready();
    for (const { message, ...place } of opened.warnings) app.log.warn({ ...place }, message);
    const address = early ?? (await listen(server, config.listen));
    const sweeper = startSweeper(services, (error) => app?.log.error({ err: error }, "sweeping failed"));
    const close = stopOnce(async () => {
      sweeper.stop();
      await stopServer(server);
      await app?.close();
      await opened.close();
    });
    return {
      url: publicUrl,
      address,
      loginUrl: (path) => `${publicUrl}/login/once/${links.issue()}?next=${encodeURIComponent(path)}`,
      sweep: () => sweeper.sweep(),
      close,
    };
  } catch (error) {
    server.close();
    await app?.close();
    await opened.close();
    throw error;
  }
}

type Address = { readonly host: string; readonly port: number };

async function listen(server: Server, { host, port }: Address): Promise<Address> {
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ host, port }, resolve);
    await promise;
    server.removeAllListeners("error");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartFailed(
      [`LANYARD_LISTEN: cannot listen on ${host}:${port} (${reason}): choose another port`],
      { cause },
    );
  }
  const bound = server.address();
  return { host, port: typeof bound === "object" && bound !== null ? bound.port : port };
}

function hostOf(address: Address | undefined): string {
  const host = address?.host ?? "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

async function stopServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  await promise;
}

function stopOnce(stop: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => (stopped ??= stop());
}
