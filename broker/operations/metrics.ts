/**
 * What a broker counts, for Prometheus. Every series of a closed label exists from the start, at zero, so that an
 * alert can tell "none" from "not known"; no caller can make another one.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { CredentialEvent } from "../credentials/credential-event.ts";
import type { RefusalCode } from "../refusals.ts";
import type { RelayMetrics } from "../relay/relay-meter.ts";
import type { CredentialExpiry } from "../storage/credentials/minted-credentials.ts";
import type { SessionState } from "../storage/schema.ts";
import type { Load } from "./load-shedding.ts";
import type { PoliciesInForce } from "../policies/live-policies.ts";
import { type LabelValues, METRICS, type MetricDefinition, type MetricName } from "./metric-definitions.ts";

type ValuesOf<Name extends MetricName> = (typeof METRICS)[Name] extends {
  labels: infer Labels extends Record<string, LabelValues>;
}
  ? { [Label in keyof Labels]: Labels[Label] extends readonly (infer Value)[] ? Value : string }
  : Record<string, never>;

export interface Metrics extends RelayMetrics {
  readonly countExchange: (outcome: "issued" | RefusalCode, seconds: number) => void;
  readonly countRefusal: (code: RefusalCode) => void;
  readonly countSessions: (state: SessionState, count: number) => void;
  readonly countRenewal: (outcome: "renewed" | "refused") => void;
  readonly countSegment: (outcome: "countersigned" | "refused") => void;
  readonly countSeal: (outcome: "sealed" | "segments_missing" | "refused") => void;
  readonly countRecovery: (outcome: "recovered" | "refused") => void;
  readonly countKeyFetch: (issuer: string, outcome: "fetched" | "failed") => void;
  readonly countDatabaseError: () => void;
  readonly countCredential: (code: CredentialEvent["code"]) => void;
  readonly countPolicyLoad: (outcome: "loaded" | "refused") => void;
  /** Read whenever somebody asks. */
  readonly watchPolicies: (policies: PoliciesInForce) => void;
  /** Read whenever somebody asks. */
  readonly watchLoad: (load: Load) => void;
  /** The same; where it fails, what was read last stands. */
  readonly watchRevoked: (count: () => Promise<number>) => void;
  /** The same. */
  readonly watchCredentials: (figures: CredentialFigures) => void;
  /** Adds what prom-client knows of the process, under the same prefix. */
  readonly watchProcess: () => void;
  /** In the format that Prometheus reads, with its media type. */
  readonly render: () => Promise<{ readonly text: string; readonly mediaType: string }>;
}

interface CredentialFigures {
  readonly countFailing: () => Promise<number>;
  readonly listExpiries: () => Promise<readonly CredentialExpiry[]>;
  readonly countEnding: () => Promise<{ readonly waiting: number; readonly failed: number }>;
}

export function createMetrics(issuers: readonly string[]): Metrics {
  const registry = new Registry();
  const counters = new Map<MetricName, Counter>();
  for (const [name, definition] of definitions()) {
    if (definition.kind !== "counter") continue;
    const counter = new Counter({ ...describe(name), registers: [registry] });
    for (const labels of listSeries(definition, { issuers, servers: [] })) counter.inc(labels, 0);
    counters.set(name, counter);
  }
  const count = <Name extends MetricName>(name: Name, labels: ValuesOf<Name>, by = 1): void => {
    counters.get(name)?.inc(labels, by);
  };
  const beginServers = (servers: readonly string[]): void => {
    for (const [name, definition] of definitions()) {
      const isOfServers = Object.values(definition.labels ?? {}).includes("servers");
      const series = isOfServers ? listSeries(definition, { issuers, servers }) : [];
      for (const labels of series) counters.get(name)?.inc(labels, 0);
    }
  };
  const createHistogram = (name: "lanyard_exchange_duration_seconds" | "lanyard_relay_delay_seconds") =>
    new Histogram({ ...describe(name), buckets: [...METRICS[name].buckets], registers: [registry] });
  const durations = createHistogram("lanyard_exchange_duration_seconds");
  const delays = createHistogram("lanyard_relay_delay_seconds");
  const streams = new Gauge({ ...describe("lanyard_relay_streams"), registers: [registry] });

  const gauge = (name: MetricName, read: () => number): Gauge =>
    new Gauge({
      ...describe(name),
      registers: [registry],
      collect() {
        this.set(read());
      },
    });

  return {
    countExchange(outcome, seconds) {
      count("lanyard_exchanges_total", { outcome });
      durations.observe({ outcome: outcome === "issued" ? "issued" : "refused" }, seconds);
    },
    countRefusal(code) {
      count("lanyard_refusals_total", { code });
      if (code === "workload_taken") count("lanyard_takeovers_total", {});
      if (code === "database_unavailable") count("lanyard_database_errors_total", {});
    },
    countSessions: (state, sessions) => count("lanyard_sessions_total", { state }, sessions),
    countRenewal: (outcome) => count("lanyard_renewals_total", { outcome }),
    countSegment: (outcome) => count("lanyard_segments_announced_total", { outcome }),
    countSeal: (outcome) => count("lanyard_seals_total", { outcome }),
    countRecovery: (outcome) => count("lanyard_recoveries_total", { outcome }),
    countKeyFetch: (issuer, outcome) => count("lanyard_jwks_fetches_total", { issuer, outcome }),
    countDatabaseError: () => count("lanyard_database_errors_total", {}),
    countCredential: (code) => count("lanyard_credential_events_total", { code }),
    countRelayed: (server, outcome) => count("lanyard_relayed_calls_total", { server, outcome }),
    countRelayRefusal: (reason) => count("lanyard_relay_refusals_total", { reason }),
    countUpstreamFailure: (server, failure) =>
      count("lanyard_relay_upstream_failures_total", { server, failure }),
    observeRelayDelay: (seconds) => delays.observe(seconds),
    countRelayStreams: (by) => streams.inc(by),
    countPolicyLoad: (outcome) => count("lanyard_policy_loads_total", { outcome }),
    watchPolicies(policies) {
      beginServers([...policies.current.policies.servers.keys()]);
      gauge("lanyard_policy_problems", () => policies.broken?.problems.length ?? 0);
      gauge("lanyard_policy_loaded_timestamp_seconds", () => policies.current.loadedAt / 1000);
      new Gauge({
        ...describe("lanyard_policy_info"),
        registers: [registry],
        collect() {
          this.reset();
          this.set({ digest: policies.current.digest }, 1);
          beginServers([...policies.current.policies.servers.keys()]);
        },
      });
    },
    watchLoad(load) {
      gauge("lanyard_requests_in_progress", () => load.inFlight());
      gauge("lanyard_event_loop_delay_seconds", () => load.delayMs() / 1000);
    },
    watchRevoked(read) {
      new Gauge({
        ...describe("lanyard_revoked_sessions"),
        registers: [registry],
        async collect() {
          const revoked = await read().catch(() => undefined);
          if (revoked !== undefined) this.set(revoked);
        },
      });
    },
    watchCredentials({ countFailing, listExpiries, countEnding }) {
      const watch = (name: MetricName, read: (own: Gauge) => Promise<void>): Gauge =>
        new Gauge({
          ...describe(name),
          registers: [registry],
          async collect() {
            await read(this).catch(() => undefined);
          },
        });
      watch("lanyard_credentials_failing", async (own) => own.set(await countFailing()));
      watch("lanyard_credential_expiry_timestamp_seconds", async (own) => {
        const expiries = await listExpiries();
        own.reset();
        for (const { credential, owner, expiresAt } of expiries)
          own.set({ credential, owner }, expiresAt / 1000);
      });
      watch("lanyard_credentials_to_end", async (own) => {
        const { waiting, failed } = await countEnding();
        own.set({ outcome: "waiting" }, waiting);
        own.set({ outcome: "failed" }, failed);
      });
    },
    watchProcess: () => collectDefaultMetrics({ register: registry, prefix: "lanyard_" }),
    render: async () => ({ text: await registry.metrics(), mediaType: registry.contentType }),
  };
}

function definitions(): [MetricName, MetricDefinition][] {
  return Object.entries(METRICS) as [MetricName, MetricDefinition][];
}

function describe(name: MetricName): { name: string; help: string; labelNames: string[] } {
  const { help, labels = {} }: MetricDefinition = METRICS[name];
  return { name, help, labelNames: Object.keys(labels) };
}

interface KnownNames {
  readonly issuers: readonly string[];
  readonly servers: readonly string[];
}

/** Every combination of the values that the labels can have. */
function listSeries({ labels = {} }: MetricDefinition, known: KnownNames): readonly Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (series, [label, values]) =>
      series.flatMap((one) => valuesOf(values, known).map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}

function valuesOf(values: LabelValues, known: KnownNames): readonly string[] {
  if (typeof values !== "string") return values;
  return values === "issuers" || values === "servers" ? known[values] : [];
}
