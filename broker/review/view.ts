/**
 * What a reviewer sees of a run, as plain values: the pages render it and the API answers with it.
 * The schema is also the list of what may leave the broker: a member that is not named here does not.
 */
import * as z from "zod";
import { IntegrityView } from "./integrity-view.ts";
import { MintedView, PresentedView, SentWithView } from "./session-credentials.ts";

/**
 * `running`: may still write. `complete`: sealed, and every part verifies. `incomplete`: ended without a seal.
 * `recovered`: ended without a seal, its tail handed in later and witnessed by nobody. `broken`: does not verify.
 */
export const SessionStatus = z.enum(["running", "complete", "incomplete", "recovered", "broken"]);
export type SessionStatus = z.infer<typeof SessionStatus>;

/** The worst of its sessions counts; a recovered session makes a run incomplete. */
export const RunStatus = z.enum(["running", "complete", "incomplete", "broken"]);
export type RunStatus = z.infer<typeof RunStatus>;

export const Counts = z.object({
  calls: z.int(),
  allowed: z.int(),
  denied: z.int(),
  /** Allowed to be observed: the roles would have denied them. */
  observed: z.int(),
  /** Allowed, but without a good answer. */
  failed: z.int(),
  /** Of all calls, those that no checkpoint of the broker covers. */
  unwitnessed: z.int(),
});
export type Counts = z.infer<typeof Counts>;

export const FindingView = z.object({
  /** Null when it is about the run: an exchange that never became a session. */
  session: z.string().nullable(),
  kind: z.string(),
  /** In words, for a reader who has never seen the kind. */
  title: z.string(),
  time: z.string(),
  detail: z.string(),
  severity: z.enum(["warning", "finding"]),
  /** Who says so: the broker, the witnessed log, or a tail that nobody witnessed. */
  source: z.enum(["broker", "log", "unwitnessed"]),
});
export type FindingView = z.infer<typeof FindingView>;

export const CallView = z.object({
  session: z.string(),
  stream: z.enum(["runner", "recovered"]),
  seq: z.int(),
  time: z.string(),
  agent: z.string(),
  client: z.string().nullable(),
  server: z.string(),
  method: z.string(),
  /** What it names: one of these, or none. */
  tool: z.string().nullable(),
  resource: z.string().nullable(),
  prompt: z.string().nullable(),
  /** Who asked whom for what, in words, where it is no call of an agent's: sampling, elicitation, roots, logging. */
  ask: z.string().nullable(),
  /** As stored, secrets replaced; null when there were none, or when they are too large for this view. */
  arguments: z.json().nullable(),
  /** Length in characters of arguments that were left out; 0 when nothing was. */
  arguments_omitted: z.int(),
  decision: z.enum(["allow", "deny"]),
  reason: z.string(),
  rule: z.string().nullable(),
  /** Of a call that was only observed: what the roles say of it. */
  observed: z.object({ reason: z.string(), rule: z.string().nullable() }).nullable(),
  /** Null: none, or one that only a record of the relay names that is not in the bucket yet. */
  credential: SentWithView.nullable(),
  /** What the session had read from here on and not before. */
  labels: z.array(z.string()),
  /** The rule or the reason in words. */
  explanation: z.string(),
  /** The CEL expression of the rule, where it has one. */
  condition: z.string().nullable(),
  /** Null while there is no result: still under way, or never written. */
  outcome: z.string().nullable(),
  duration_ms: z.int().nullable(),
  /** What the inspection found in the answer and did with it, in sentences; empty where it was nothing. */
  inspected: z.array(z.string()),
  /** Whether a checkpoint of the broker covers the call, and its result where there is one. */
  witnessed: z.boolean(),
});
export type CallView = z.infer<typeof CallView>;

/** What an agent saw on a list. */
const ListedView = z.object({ name: z.string(), rule: z.string() });

export const ServerView = z.object({
  name: z.string(),
  /** False when no catalogue of it was written: it was never asked, or never answered. */
  listed: z.boolean(),
  tools: z.array(ListedView),
  /** Templates of resources, too. */
  resources: z.array(ListedView),
  prompts: z.array(ListedView),
  /** Visible ones beyond those. */
  more: z.int(),
  hidden: z.int(),
  /** How often one of its lists was another than before, in names or definitions. */
  list_changes: z.int(),
  /** How often its command was started again. */
  restarts: z.int(),
});
export type ServerView = z.infer<typeof ServerView>;

export const GrantView = z.object({
  rule: z.string(),
  server: z.string(),
  tools: z.array(z.string()),
  resources: z.array(z.string()),
  prompts: z.array(z.string()),
  /** What the server may ask the agent for. */
  asks: z.array(z.string()),
  when: z.string().nullable(),
  /** Calls of the session; null: any number. */
  limit: z.int().nullable(),
  /** How much of the arguments the log holds. */
  arguments: z.enum(["full", "redacted", "digest"]),
});
export type GrantView = z.infer<typeof GrantView>;

export const FlowView = z.object({
  rule: z.string(),
  /** Once the session has asked for one of these … */
  after: z.array(z.string()),
  /** … whatever writes to one of these is gone. */
  deny: z.array(z.string()),
});
export type FlowView = z.infer<typeof FlowView>;

/** The documents changed, and a running session lost something by it. */
export const PolicyChangeView = z.object({
  time: z.string(),
  /** Digest of what the session has from then on. */
  policy: z.string(),
  lost: z.array(z.string()),
});
export type PolicyChangeView = z.infer<typeof PolicyChangeView>;

export const SessionView = z.object({
  session: z.string(),
  status: SessionStatus,
  robot: z.string(),
  roles: z.array(z.string()),
  agents: z.array(z.string()),
  run_attempt: z.string(),
  check_run_id: z.string().nullable(),
  /** False: the issuer sends no `check_run_id`, so that all jobs of the attempt are one workload. */
  job_told_apart: z.boolean(),
  started_at: z.string(),
  expires_at: z.string(),
  ended_at: z.string().nullable(),
  /** It was revoked; `by` is the operator who did, null where the session's own key did, or `cause`. */
  revoked: z
    .object({
      by: z.string().nullable(),
      /** `policy_change`: nobody did, an edit of the documents took its robot or its binding away. */
      cause: z.enum(["policy_change"]).nullable(),
    })
    .nullable(),
  /** Digest of what it was issued under. */
  policy: z.string(),
  /** `observe`: what is marked read_only was let through and only judged. */
  mode: z.enum(["enforce", "observe"]),
  /** The oldest first. */
  policy_changes: z.array(PolicyChangeView),
  proxy_version: z.string().nullable(),
  isolation: z.string().nullable(),
  seal_reason: z.string().nullable(),
  counts: Counts,
  servers: z.array(ServerView),
  /** What it was issued, whatever it lost since. */
  grants: z.array(GrantView),
  flow: z.array(FlowView),
  /** What was minted for it alone, the newest last. */
  credentials: z.array(MintedView),
  /** What its calls were sent with, as far as its log is in the bucket. */
  presented: z.array(PresentedView),
  /** Records that name others. */
  presented_left_out: z.int(),
  claims: z.record(z.string(), z.json()),
  integrity: IntegrityView,
});
export type SessionView = z.infer<typeof SessionView>;

export const RunHeader = z.object({
  /** Names the page: `/runs/<id>` is one attempt of one run. */
  id: z.string(),
  iss: z.string(),
  repository: z.string(),
  repository_id: z.string(),
  run_id: z.string(),
  run_number: z.string().nullable(),
  run_attempt: z.string(),
  workflow: z.string(),
  workflow_ref: z.string(),
  event: z.string(),
  ref: z.string(),
  sha: z.string().nullable(),
  actor: z.string().nullable(),
  started_at: z.string(),
  ended_at: z.string().nullable(),
  /** The run's page at its forge, where the issuer says where that is. */
  url: z.string().nullable(),
});
export type RunHeader = z.infer<typeof RunHeader>;

export const RunView = z.object({
  run: RunHeader,
  /** Attempts of the same run that have a page of their own, this one included. */
  attempts: z.array(z.object({ id: z.string(), run_attempt: z.string() })),
  status: RunStatus,
  /** The answer in words: one for the eye, the rest for the reader. */
  verdict: z.object({
    tone: z.enum(["good", "busy", "warning", "alarm"]),
    headline: z.string(),
    sentences: z.array(z.string()),
  }),
  counts: Counts,
  agents: z.array(z.string()),
  findings: z.array(FindingView),
  more_findings: z.int(),
  /** The first denied calls of the run. */
  denied: z.array(CallView),
  more_denied: z.int(),
  /** One page of all calls, in the order of their time. */
  calls: z.object({ rows: z.array(CallView), offset: z.int(), limit: z.int(), total: z.int() }),
  sessions: z.array(SessionView),
  more_sessions: z.int(),
});
export type RunView = z.infer<typeof RunView>;

export const RunSummary = z.object({
  run: RunHeader,
  status: RunStatus,
  robots: z.array(z.string()),
  counts: Counts,
  findings: z.int(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const RunList = z.object({
  runs: z.array(RunSummary),
  /** Give it back as `before` to see older runs; null at the end. */
  next: z.string().nullable(),
});
export type RunList = z.infer<typeof RunList>;
