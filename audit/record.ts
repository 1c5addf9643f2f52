/**
 * The audit record: every kind of entry a log can hold, as one schema.
 * A record that does not fit is never written, and a log that holds one does not verify.
 */
import * as z from "zod/mini";
import type { Json } from "./canonical.ts";

/** SHA-256 in lower-case hex. */
export const Digest = z.string().check(z.regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits"));
export type Digest = z.infer<typeof Digest>;

/** `prev` of the first record: there is nothing before it. */
export const GENESIS_PREV: Digest = "0".repeat(64);

/** UTC with milliseconds, as `Date.prototype.toISOString` writes it: one text for one instant. */
export const Timestamp = z
  .string()
  .check(z.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/, "expected a UTC time with milliseconds"));

/**
 * Any JSON. What JSON cannot say is refused where the canonical bytes are made, which happens to every record
 * before it is written and before it is believed; looking twice would cost as much as the rest of the schema.
 */
const AnyJson = z.custom<Json>((value) => value !== undefined, "expected a JSON value");

const count = z.int().check(z.nonnegative());

/** One job of one attempt of one run. Ids are unique within an issuer only. */
export const Workload = z.strictObject({
  iss: z.string(),
  repository_id: z.string(),
  run_id: z.string(),
  run_attempt: z.string(),
  /** Null where the issuer does not send it (older GitHub Enterprise Servers). */
  check_run_id: z.nullable(z.string()),
});
export type Workload = z.infer<typeof Workload>;

const Genesis = z.strictObject({
  kind: z.literal("genesis"),
  session: z.string(),
  broker: z.string(),
  robot: z.string(),
  roles: z.array(z.string()),
  /** `observe`: calls to what is marked read-only were let through and only judged; `enforce` where it is absent. */
  mode: z.optional(z.enum(["enforce", "observe"])),
  workload: Workload,
  /** The verified claims of the subject token, under their wire names. */
  claims: z.record(z.string(), AnyJson),
  policy: Digest,
  proxy: z.strictObject({ version: z.string(), bundle: Digest }),
  agents: z.array(z.string()),
  servers: z.array(z.string()),
  /** Those of them that are reached through the broker, which keeps a log of its own of these calls. */
  relayed: z.optional(z.array(z.string())),
  /** What stands between the agent and the proxy: with `none` they share a user. */
  isolation: z.literal("none"),
  posture: z.strictObject({
    platform: z.string(),
    arch: z.string(),
    node: z.string(),
    user_id: z.nullable(count),
    runner_environment: z.string(),
  }),
});

/** The first record of the log that the broker keeps of the calls that it relays for a session. */
const RelayGenesis = z.strictObject({
  kind: z.literal("relay_genesis"),
  session: z.string(),
  broker: z.string(),
  version: z.string(),
  robot: z.string(),
  roles: z.array(z.string()),
  workload: Workload,
  policy: Digest,
  /** All that are reached through the broker. */
  servers: z.array(z.string()),
});

const Listed = z.array(
  z.strictObject({
    /** Of a resource its URI, of a template the URI template. */
    name: z.string(),
    digest: Digest,
    visible: z.boolean(),
    /**
     * The rule that shows it or `observed`; what hides it: `no_grant`, `flow` (what the session has read), `drifted`
     * or `unreviewed` (its definition is not the reviewed one).
     */
    why: z.string(),
  }),
);

/** One of a server's lists, each time it becomes known or changes, or others of it are visible: all that is on it. */
const Catalog = z.strictObject({
  kind: z.literal("catalog"),
  server: z.string(),
  tools: z.optional(Listed),
  resources: z.optional(Listed),
  resource_templates: z.optional(Listed),
  prompts: z.optional(Listed),
});

/** What was asked for and what was decided, written before anything is forwarded. */
const Call = z.strictObject({
  kind: z.literal("call"),
  id: z.string(),
  agent: z.string(),
  client: z.nullable(z.strictObject({ name: z.string(), version: z.string() })),
  server: z.string(),
  method: z.string(),
  /** What it names: one of these, or none where it names nothing. */
  tool: z.optional(z.string()),
  /** A URI, or a URI template whose variables are to be completed. */
  resource: z.optional(z.string()),
  prompt: z.optional(z.string()),
  /** With secrets replaced; as much of them as the grant's `audit` says. */
  arguments: z.optional(AnyJson),
  /** Salted per session: equal arguments can be recognised, short ones not guessed. */
  arguments_digest: z.optional(Digest),
  decision: z.enum(["allow", "deny"]),
  reason: z.string(),
  rule: z.optional(z.string()),
  /** Of a call that was let through to be observed: what the roles say of it. */
  observed: z.optional(z.strictObject({ reason: z.string(), rule: z.optional(z.string()) })),
  /** Labels that the session has from here on and had not before. */
  labels: z.optional(z.array(z.string()).check(z.minLength(1))),
  /** What the server gets to see with it: its name, its digest and, where it has one, its end. Never its secret. */
  credential: z.optional(
    z.strictObject({ id: z.string(), digest: Digest, expires_at: z.optional(Timestamp) }),
  ),
  traceparent: z.optional(z.string()),
});

const Result = z.strictObject({
  kind: z.literal("result"),
  /** `id` of the call it ends. */
  call: z.string(),
  outcome: z.enum(["ok", "tool_error", "error", "timeout", "cancelled", "blocked"]),
  duration_ms: count,
  /** Size and digest of the answer as the server sent it. */
  bytes: count,
  digest: z.optional(Digest),
  /** What the inspection replaced and took out before the agent had it, by kind. Absent where it was nothing. */
  redactions: z.optional(z.record(z.string(), count)),
  removals: z.optional(z.record(z.string(), count)),
  /** Names of the markers of prompt injection that are in it. */
  markers: z.optional(z.array(z.string()).check(z.minLength(1))),
});

/** The broker's countersignature of everything up to `last_seq`, written once the segment is stored. */
const Checkpoint = z.strictObject({
  kind: z.literal("checkpoint"),
  segment: z.int().check(z.positive()),
  last_seq: count,
  head: Digest,
  /** Compact JWS over `CheckpointClaims`. */
  signature: z.string(),
});

const Event = z.strictObject({
  kind: z.literal("event"),
  event: z.string(),
  severity: z.enum(["info", "warning", "finding"]),
  detail: z.record(z.string(), AnyJson),
});

export const Totals = z.strictObject({ calls: count, allowed: count, denied: count, failed: count });
export type Totals = z.infer<typeof Totals>;

const Seal = z.strictObject({
  kind: z.literal("seal"),
  reason: z.string(),
  totals: Totals,
});

/** What a writer supplies; the chain adds `seq`, `prev`, `time` and `hash`. */
export const Entry = z.discriminatedUnion("kind", [
  Genesis,
  RelayGenesis,
  Catalog,
  Call,
  Result,
  Checkpoint,
  Event,
  Seal,
]);
export type Entry = z.infer<typeof Entry>;
export type EntryOf<K extends Entry["kind"]> = Extract<Entry, { kind: K }>;

const link = { v: z.literal(1), seq: count, prev: Digest, time: Timestamp, hash: Digest };

export const AuditRecord = z.discriminatedUnion("kind", [
  z.extend(Genesis, link),
  z.extend(RelayGenesis, link),
  z.extend(Catalog, link),
  z.extend(Call, link),
  z.extend(Result, link),
  z.extend(Checkpoint, link),
  z.extend(Event, link),
  z.extend(Seal, link),
]);
export type AuditRecord = z.infer<typeof AuditRecord>;
export type RecordOf<K extends AuditRecord["kind"]> = Extract<AuditRecord, { kind: K }>;
