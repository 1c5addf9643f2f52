/**
 * What the gate writes to the log: calls before they leave, their results, and events.
 * Everything that came from an agent or a server is redacted first. Whatever goes wrong in writing is thrown as
 * `RecordingFailed`, and whoever asked must then not forward.
 */
import { hash, randomUUID } from "node:crypto";
import { canonicalize, type Json } from "../audit/canonical.ts";
import type { Digest, Entry, EntryOf, Totals } from "../audit/record.ts";
import type { Redactor } from "../audit/redaction/redaction.ts";
import type { ArgumentsInLog } from "../policies/session-policy.ts";
import type { ServerLimitName } from "./limits.ts";
import { RecordingFailed } from "./recorder.ts";

export interface ClientInfo {
  readonly name: string;
  readonly version: string;
}

/** What a call names. */
interface Named {
  readonly kind: "tool" | "resource" | "prompt";
  readonly name: string;
}

/** What is recorded of a call besides the decision. */
export interface CallFacts {
  /** Where it has one already; otherwise it is given one. */
  readonly id?: string | undefined;
  readonly credential?: EntryOf<"call">["credential"];
  readonly agent: string;
  readonly client: ClientInfo | undefined;
  readonly server: string;
  readonly method: string;
  readonly named?: Named | undefined;
  readonly args?: Json | undefined;
  /** How much of them the log holds; all of it unless it says otherwise. */
  readonly argumentsInLog?: ArgumentsInLog;
  readonly traceparent?: string | undefined;
}

export interface CallDecision {
  readonly decision: "allow" | "deny";
  readonly reason: string;
  readonly rule?: string | undefined;
  /** What the roles say of a call that was only observed. */
  readonly observed?: EntryOf<"call">["observed"];
  /** Labels that the session gains by it. */
  readonly labels?: readonly string[];
}

export type ResultFacts = Omit<EntryOf<"result">, "kind">;
export type Outcome = EntryOf<"result">["outcome"];
export type Severity = EntryOf<"event">["severity"];

export type EventName =
  | "client_attached"
  | "upstream_lost"
  | "server_start_failed"
  | "server_exited"
  | "server_restarted"
  | "server_down"
  | "server_output_dropped"
  | "server_message_dropped"
  | "server_request_refused"
  | "agent_answer_dropped"
  | "message_refused"
  | "request_refused"
  | "limit_reached"
  | "tool_drifted"
  | "tool_unreviewed"
  | "instructions_drifted"
  | "text_cleaned"
  | "secret_redacted"
  | "credential_renewed"
  | "injection_marker"
  | "tool_shadowed"
  | "internal_error";

export interface RecordingOptions {
  /** As a `Recorder` does it. */
  readonly recorder: { record(entry: Entry): unknown };
  readonly redactor: Redactor;
  readonly salt: Uint8Array;
}

/** Kinds of an event that are told apart when they are counted; beyond it they are counted together. */
const MAX_KINDS = 500;
const MAX_TEXT_LENGTH = 1000;
const WITHHELD = "[withheld]";

export class Recording {
  readonly #options: RecordingOptions;
  readonly #counts = new Map<string, number>();
  #allowed = 0;
  #denied = 0;
  #failed = 0;

  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  /** `failed`: allowed calls that ended otherwise than `ok`. */
  totals(): Totals {
    return {
      calls: this.#allowed + this.#denied,
      allowed: this.#allowed,
      denied: this.#denied,
      failed: this.#failed,
    };
  }

  /** Returns the id of the call. Throws `RecordingFailed`. */
  recordCall(facts: CallFacts, decided: CallDecision): string {
    const { redactor } = this.#options;
    const { id = randomUUID(), client, named, credential } = facts;
    const { labels = [] } = decided;
    this.#record({
      kind: "call",
      id,
      agent: facts.agent,
      client: client === undefined ? null : this.#redactClient(client),
      server: facts.server,
      method: this.#redact(facts.method),
      ...(named !== undefined && { [named.kind]: redactor.redactText(named.name).text }),
      ...this.#describeArguments(facts),
      decision: decided.decision,
      reason: decided.reason,
      ...(decided.rule !== undefined && { rule: decided.rule }),
      ...(decided.observed !== undefined && { observed: decided.observed }),
      ...(labels.length > 0 && { labels: [...labels] }),
      ...(credential !== undefined && { credential }),
      ...(facts.traceparent !== undefined && { traceparent: facts.traceparent }),
    });
    if (decided.decision === "allow") {
      this.#allowed++;
    } else {
      this.#denied++;
    }
    return id;
  }

  /** `digest` and `bytes` are those of the answer as the server sent it. Throws `RecordingFailed`. */
  recordResult(result: ResultFacts): void {
    if (result.outcome !== "ok") {
      this.#failed++;
    }
    this.#record({ kind: "result", ...result });
  }

  /** Throws `RecordingFailed`. */
  recordCatalog(catalog: Omit<EntryOf<"catalog">, "kind">): void {
    const { server, ...lists } = catalog;
    const redacted: Partial<EntryOf<"catalog">> = Object.fromEntries(
      Object.entries(lists).map(([list, entries]) => [
        list,
        (entries ?? []).map((entry) => ({ ...entry, name: this.#redact(entry.name) })),
      ]),
    );
    this.#record({ ...redacted, kind: "catalog", server });
  }

  /** Throws `RecordingFailed`. */
  recordEvent(event: EventName, severity: Severity, detail: { [name: string]: Json }): void {
    const redacted: { [name: string]: Json } = {};
    for (const [name, value] of Object.entries(detail)) {
      redacted[name] =
        typeof value === "string" ? this.#redact(value) : this.#options.redactor.redactJson(value).value;
    }
    this.#record({ kind: "event", event, severity, detail: redacted });
  }

  /** An event that forwards nothing and therefore holds nothing up when it cannot be written. */
  noteEvent(event: EventName, severity: Severity, detail: { [name: string]: Json }): void {
    try {
      this.recordEvent(event, severity, detail);
    } catch (error) {
      if (!(error instanceof RecordingFailed)) {
        throw error;
      }
    }
  }

  /**
   * An event that an attacker can repeat at will: the 1st, 10th, 100th … of a kind is noted, with their number.
   * `kind` must not hold what an attacker chooses freely.
   */
  noteRepeated(event: EventName, kind: string, detail: { [name: string]: Json }): void {
    const wanted = `${event} ${kind}`;
    const key = this.#counts.has(wanted) || this.#counts.size < MAX_KINDS ? wanted : event;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (/^10*$/.test(String(count))) {
      this.noteEvent(event, "warning", { ...detail, count });
    }
  }

  /** A limit of one server: by its name in the registry, where it can be set there. */
  noteLimit(server: string, limit: ServerLimitName | "inspection"): void {
    this.noteRepeated("limit_reached", `${server} ${limit}`, { server, limit });
  }

  /** All of it, before any of it is cut away. */
  redact(text: string): string {
    return this.#options.redactor.redactText(text).text;
  }

  #record(entry: Entry): void {
    try {
      this.#options.recorder.record(entry);
    } catch (cause) {
      throw cause instanceof RecordingFailed
        ? cause
        : new RecordingFailed("a record was not written", { cause });
    }
  }

  #describeArguments({ args, argumentsInLog = "full" }: CallFacts): Partial<EntryOf<"call">> {
    if (args === undefined) {
      return {};
    }
    const arguments_digest = this.#digestArguments(args);
    const shown = argumentsInLog === "redacted" ? withholdValues(args) : args;
    return argumentsInLog === "digest"
      ? { arguments_digest }
      : { arguments: this.#options.redactor.redactJson(shown).value, arguments_digest };
  }

  #redactClient({ name, version }: ClientInfo): { name: string; version: string } {
    return { name: this.#redact(name), version: this.#redact(version) };
  }

  #redact(text: string): string {
    // Redacted before it is cut: nobody recognises half a secret.
    return this.#options.redactor.redactText(text).text.slice(0, MAX_TEXT_LENGTH).toWellFormed();
  }

  #digestArguments(args: Json): Digest {
    const { salt } = this.#options;
    const text = canonicalize(args);
    const salted = Buffer.allocUnsafe(salt.length + Buffer.byteLength(text));
    salted.set(salt);
    salted.write(text, salt.length, "utf8");
    return hash("sha256", salted, "hex");
  }
}

/** The names of the arguments alone: what stands in their values, names of members too, is data. */
function withholdValues(args: Json): Json {
  return typeof args === "object" && args !== null && !Array.isArray(args)
    ? Object.fromEntries(Object.keys(args).map((name) => [name, WITHHELD]))
    : WITHHELD;
}
