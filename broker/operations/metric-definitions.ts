/**
 * The metrics of a broker, as the documentation lists them. No label holds what a caller chose: each has a closed list
 * of values, or is the name of an issuer, a server, a credential or the digest of the policies that the operator
 * configured.
 */
import { CREDENTIAL_EVENTS } from "../credentials/credential-event.ts";
import { REFUSALS } from "../refusals.ts";
import { RELAY_OUTCOMES, RELAY_REFUSALS, UPSTREAM_FAILURES } from "../relay/relay-meter.ts";

export type LabelValues = readonly string[] | "issuers" | "digest" | "credentials" | "servers";

export interface MetricDefinition {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** The values a label can have, where they are not those of LANYARD_ISSUERS or one digest of what is loaded. */
  readonly labels?: Readonly<Record<string, LabelValues>>;
  /** Upper bounds, in seconds. */
  readonly buckets?: readonly number[];
}

const refusalCodes = Object.keys(REFUSALS);
/** From a fast machine's best case to the proxy's patience. */
const DURATION_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const METRICS = {
  lanyard_exchanges_total: {
    kind: "counter",
    help: "Requests to the token endpoint, by how they ended: issued, or the code of the refusal",
    labels: { outcome: ["issued", ...refusalCodes] },
  },
  lanyard_exchange_duration_seconds: {
    kind: "histogram",
    help: "From the last header of a request to the token endpoint to its answer",
    labels: { outcome: ["issued", "refused"] },
    buckets: DURATION_BUCKETS,
  },
  lanyard_refusals_total: {
    kind: "counter",
    help: "Refusals at any endpoint, by code",
    labels: { code: refusalCodes },
  },
  lanyard_takeovers_total: {
    kind: "counter",
    help: "Exchanges by a job that belongs to another key",
  },
  lanyard_sessions_total: {
    kind: "counter",
    help: "Sessions that came into a state by a request to this process; one that is repeated counts again",
    labels: { state: ["active", "expired", "sealed", "recovered", "revoked"] },
  },
  lanyard_revoked_sessions: {
    kind: "gauge",
    help: "Sessions in the database that are revoked, by whatever way, `lanyard session revoke` among them: every replica shows the same",
  },
  lanyard_renewals_total: {
    kind: "counter",
    help: "Renewals of sessions, by how they ended",
    labels: { outcome: ["renewed", "refused"] },
  },
  lanyard_segments_announced_total: {
    kind: "counter",
    help: "Announced segments of logs; one that is announced again counts again",
    labels: { outcome: ["countersigned", "refused"] },
  },
  lanyard_seals_total: {
    kind: "counter",
    help: "Requests to seal a log, by how they ended",
    labels: { outcome: ["sealed", "segments_missing", "refused"] },
  },
  lanyard_recoveries_total: {
    kind: "counter",
    help: "Requests to recover the log of a lost proxy, by how they ended",
    labels: { outcome: ["recovered", "refused"] },
  },
  lanyard_jwks_fetches_total: {
    kind: "counter",
    help: "Fetches of an issuer's keys",
    labels: { issuer: "issuers", outcome: ["fetched", "failed"] },
  },
  lanyard_database_errors_total: {
    kind: "counter",
    help: "Requests and rounds of the sweeper that failed because the database did not answer",
  },
  lanyard_policy_loads_total: {
    kind: "counter",
    help: "Changes of the policy directory that were noticed: loaded, or refused for their problems",
    labels: { outcome: ["loaded", "refused"] },
  },
  lanyard_policy_problems: {
    kind: "gauge",
    help: "Problems of the policy directory as it is now; while it is not 0, what was loaded before stays in force",
  },
  lanyard_policy_loaded_timestamp_seconds: {
    kind: "gauge",
    help: "When the policies in force were loaded",
  },
  lanyard_policy_info: {
    kind: "gauge",
    help: "Always 1; its label is the digest of the policies in force, the same on all replicas that read the same files",
    labels: { digest: "digest" },
  },
  lanyard_credential_events_total: {
    kind: "counter",
    help: "What became of credentials, by code: minted, failing to be minted, rejected by a server, ended or not ended at their issuer, lost with a broker that died",
    labels: { code: CREDENTIAL_EVENTS },
  },
  lanyard_credentials_failing: {
    kind: "gauge",
    help: "Credentials in the database that cannot be minted, or that a server does not accept: every replica shows the same",
  },
  lanyard_credential_expiry_timestamp_seconds: {
    kind: "gauge",
    help: "When a credential that serves all sessions of its owner runs out, as it is now; it is renewed before, or set anew by a person",
    labels: { credential: "credentials", owner: "credentials" },
  },
  lanyard_credentials_to_end: {
    kind: "gauge",
    help: "Minted credentials in the database whose session is over and that are still to be ended at their issuer; failed: it was tried in vain",
    labels: { outcome: ["waiting", "failed"] },
  },
  lanyard_relayed_calls_total: {
    kind: "counter",
    help: "Calls that the relay let through, and what servers asked of agents, by how they ended",
    labels: { server: "servers", outcome: RELAY_OUTCOMES },
  },
  lanyard_relay_refusals_total: {
    kind: "counter",
    help: "Calls that the relay did not let through, by the reason in its log; requests that are none stand in lanyard_refusals_total",
    labels: { reason: RELAY_REFUSALS },
  },
  lanyard_relay_upstream_failures_total: {
    kind: "counter",
    help: "Requests of the relay that a server did not answer, or not with anything that is an answer; of HTTP statuses those from 500 on",
    labels: { server: "servers", failure: UPSTREAM_FAILURES },
  },
  lanyard_relay_delay_seconds: {
    kind: "histogram",
    help: "From the last header of a call to its way on: who calls, what it may, its record, its credential",
    buckets: DURATION_BUCKETS,
  },
  lanyard_relay_streams: {
    kind: "gauge",
    help: "Event streams of relayed servers that are open",
  },
  lanyard_requests_in_progress: { kind: "gauge", help: "Requests that are not answered yet" },
  lanyard_event_loop_delay_seconds: {
    kind: "gauge",
    help: "How late timers were on average in the last second",
  },
} as const satisfies Record<`lanyard_${string}`, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
