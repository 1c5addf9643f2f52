/**
 * A running broker: opens what it stands on, checks that all of it works, listens, and stops in order.
 * It starts completely or not at all: `StartFailed` carries one message per problem, each saying what to change.
 */
import { type Server, createServer } from "node:http";
import { type App, buildApp } from "./app.ts";
import type { BrokerConfig } from "./config.ts";
import type { Resolve } from "./egress/address-guard.ts";
import type { StaleKeys } from "./identity/issuer-keys.ts";
import { createLoginLinks } from "./login-links.ts";
import { KEY_REFRESH_MS } from "./keys/key-schedule.ts";
import { createMetricsServer } from "./operations/metrics-listener.ts";
import type { LoginMode } from "./page-dependencies.ts";
import { keepPolicies } from "./policies/policy-upkeep.ts";
import { StartFailed, openServices } from "./start.ts";
import { logCredential, watchCredentials } from "./credentials/credential-watch.ts";
import type { Credentials } from "./credentials/presenting.ts";
import { packEndedRelays } from "./relay/relay-sweeping.ts";
import { openRelay } from "./relay/relay.ts";
import { startSweeper } from "./sessions/sweeping.ts";
import { countRevoked } from "./storage/sessions/sessions.ts";
import { DatabaseUnavailable } from "./storage/unavailable.ts";

export { StartFailed } from "./start.ts";

/** Fastify sets no limits on a server that it is given. */
const LIMITS = {
  headersTimeout: 20_000,
  /** For a request with its body; the largest is the tail of a spool over a slow line. */
  requestTimeout: 120_000,
  /** Longer than the idle time of usual load balancers: who closes first is not the side that is about to answer. */
  keepAliveTimeout: 65_000,
  /** How often the first two are looked at. */
  connectionsCheckingInterval: 5_000,
};
/** For what is in progress when the broker is stopped; then it is cut off. */
const STOP_TIMEOUT_MS = 10_000;
/** For relayed calls in flight; then they are cancelled, which is written and answered. */
const RELAY_GRACE_MS = 5_000;

export interface BrokerOptions {
  readonly config: BrokerConfig;
  /** With `one_time_link`, `loginUrl` works: for a broker on one's own machine. Default `operator_token`. */
  readonly login?: "operator_token" | "one_time_link";
  /** Where log lines (JSON) go; absent: nowhere. */
  readonly log?: { readonly level: "debug" | "info" | "warn" | "error"; write(line: string): void };
  /** Finds the addresses of issuers; for tests. By default the system's resolver. */
  readonly resolve?: Resolve;
  /** What the relay presents to servers; for tests. */
  readonly credentials?: Credentials;
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
}

export interface RunningBroker {
  /** The public URL. */
  readonly url: string;
  readonly address: { readonly host: string; readonly port: number };
  /** Where the metrics are served, if they are. */
  readonly metricsAddress: { readonly host: string; readonly port: number } | undefined;
  /** `one_time_link` only: an address that logs in whoever opens it first and leads to `path`. */
  loginUrl(path: string): string;
  /** What the sweeper does every 15 seconds, now. */
  sweep(): Promise<void>;
  /** What the upkeep of credentials does every second and every 15 seconds, now. */
  keepCredentials(): Promise<void>;
  /** Reads the policy directory anew, which happens when it changes, now. */
  reloadPolicies(): Promise<void>;
  /** Reads the signing keys anew, which happens every half minute, now. */
  refreshKeys(): Promise<void>;
  /** Stops listening, lets what is in progress end (ten seconds at most), closes the database. */
  close(): Promise<void>;
}

export async function startBroker({
  config,
  login,
  log,
  resolve,
  credentials,
  now = Date.now,
}: BrokerOptions): Promise<RunningBroker> {
  const server = createServer(LIMITS);
  // Without a public URL the address is one, so it has to be known before anything else.
  const early =
    config.publicUrl === undefined ? await listen(server, config.listen, "LANYARD_LISTEN") : undefined;
  const publicUrl = config.publicUrl ?? `http://${hostOf(early)}:${early?.port}`;
  const links = createLoginLinks(now);
  const mode: LoginMode =
    login === "one_time_link"
      ? { kind: "one_time_link", redeem: (code) => links.redeem(code) }
      : { kind: "operator_token" };

  let app: App | undefined;
  const onStaleKeys = (iss: string, { reason, ageMs, goodForMs }: StaleKeys): void => {
    const [ageSeconds, goodForSeconds] = [Math.round(ageMs / 1000), Math.round(goodForMs / 1000)];
    app?.fastify.log.warn({ iss, reason, ageSeconds, goodForSeconds }, "the issuer's keys are old");
  };
  const opened = await openServices({
    ...{ config, publicUrl, resolve, credentials, onStaleKeys, now },
    onCredential: (event) => {
      if (app !== undefined) logCredential(event, app.fastify.log);
      opened.metrics.countCredential(event.code);
    },
    onCredentialError: (error) => {
      if (error instanceof DatabaseUnavailable) opened.metrics.countDatabaseError();
      app?.fastify.log.error({ err: error }, "the upkeep of credentials failed");
    },
  }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  const { services, sealingKey, limits, metrics } = opened;
  server.maxConnections = limits.maxConnections;
  const metricsServer = config.metrics && createMetricsServer(metrics);
  const relay = openRelay(services, {
    metrics,
    onError: (error) => {
      if (error instanceof DatabaseUnavailable) metrics.countDatabaseError();
      app?.fastify.log.error({ err: error }, "the relay's log could not be written");
    },
  });
  try {
    app = await buildApp({
      services,
      relay,
      uploads: opened.uploads,
      pages: {
        database: services.database,
        bucket: services.bucket,
        policies: () => services.policies.current.policies,
        checkpointKeys: async () => services.signingKeys.checkpointKeys,
        publicUrl,
        cookieSecrets: () => sealingKey.kids.map((kid) => sealingKey.derive("login cookies", kid)),
        login: mode,
        now,
      },
      log,
      server,
      operations: { limits, metrics, trustedProxies: config.trustedProxies ?? [] },
    });
    const { fastify, graceful } = app;
    await fastify.ready();
    for (const { message, ...place } of opened.warnings) fastify.log.warn({ ...place }, message);
    if (config.database.kind === "postgres" && config.audit.kind === "folder") {
      fastify.log.warn(
        { folder: config.audit.path },
        "the audit log lies in a folder: all brokers of this database must share it, LANYARD_AUDIT can be a bucket of S3",
      );
    }
    const metricsAddress =
      metricsServer &&
      config.metrics &&
      (await listen(metricsServer, config.metrics, "LANYARD_METRICS_LISTEN"));
    if (metricsServer !== undefined) {
      metrics.watchProcess();
      metrics.watchRevoked(async () => countRevoked(services.database));
    }
    const address = early ?? (await listen(server, config.listen, "LANYARD_LISTEN"));
    const { retentionDays = Number.POSITIVE_INFINITY } = config;
    const sweeper = startSweeper(
      { ...services, retentionDays, packRelays: async () => packEndedRelays(services) },
      {
        onExpired: (sessions) => metrics.countSessions("expired", sessions),
        onRemoved: (sessions) => fastify.log.info({ sessions, retentionDays }, "sessions are no longer kept"),
        onError: (error) => {
          if (error instanceof DatabaseUnavailable) metrics.countDatabaseError();
          fastify.log.error({ err: error }, "sweeping failed");
        },
      },
    );
    metrics.watchPolicies(services.policies);
    watchCredentials(metrics, services.database);
    const stopCredentials = opened.credentialRoom.start();
    const upkeep = keepPolicies({ live: opened.policies, services, metrics, log: fastify.log });
    const refreshKeys = async (): Promise<void> => {
      await sealingKey.refresh();
      await services.signingKeys.refresh();
    };
    const keyRefresh = setInterval(() => {
      refreshKeys().catch((error: unknown) => {
        fastify.log.error({ err: error }, "reading the keys failed: those that are known stay");
      });
    }, KEY_REFRESH_MS);
    keyRefresh.unref();
    const close = stopOnce(async () => {
      sweeper.stop();
      stopCredentials();
      upkeep.stop();
      clearInterval(keyRefresh);
      await Promise.all([graceful.stop(STOP_TIMEOUT_MS), relay.close(RELAY_GRACE_MS)]);
      // Of what still came in over connections that were open.
      await relay.close(0);
      await fastify.close();
      metricsServer?.close();
      metricsServer?.closeAllConnections();
      await opened.close();
    });
    return {
      url: publicUrl,
      address,
      metricsAddress,
      loginUrl: (path) => `${publicUrl}/login/once/${links.issue()}?next=${encodeURIComponent(path)}`,
      sweep: () => sweeper.sweep(),
      keepCredentials: async () => {
        await opened.credentialRoom.end();
        await opened.credentialRoom.tidy();
      },
      reloadPolicies: () => upkeep.reload(),
      refreshKeys,
      close,
    };
  } catch (error) {
    server.close();
    await relay.close(0);
    metricsServer?.close();
    await app?.fastify.close();
    await opened.close();
    throw error;
  }
}

type Address = { readonly host: string; readonly port: number };

async function listen(server: Server, { host, port }: Address, variable: string): Promise<Address> {
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ host, port }, resolve);
    await promise;
    server.removeAllListeners("error");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartFailed(
      [`${variable}: cannot listen on ${host}:${port} (${reason}): choose another port`],
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

function stopOnce(stop: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => (stopped ??= stop());
}
