import { Chain } from "../../../audit/chain.ts";
import type { Finding, SegmentEntry } from "../../../audit/manifest.ts";
import { segmentObject, sessionPrefix } from "../../../audit/object-path.ts";
import type { AuditRecord, Entry, EntryOf } from "../../../audit/record.ts";
import { packSegment } from "../../../audit/segment.ts";
import { serializeManifest, signCheckpoint, signManifest } from "../../../audit/signature.ts";
import { Tally } from "../../../audit/verification/tally.ts";
import { runIdOf, workloadIdOf } from "../../../broker/sessions/run-id.ts";
import { recordFinding } from "../../../broker/storage/sessions/findings.ts";
import type { FindingKind, SessionState } from "../../../broker/storage/schema.ts";
import type { ReviewStore } from "./review-store.ts";
import { claimsOf, insertSession, type SessionFacts, workloadOf } from "./session-rows.ts";

/** A session and its log as it is written; what it does is what the proxy and the broker do together. */
export class WrittenSession {
  readonly prefix: string;
  readonly run: string;
  readonly #store: ReviewStore;
  readonly #facts: Required<SessionFacts>;
  #chain = new Chain();
  readonly #tally = new Tally();
  readonly #segments: SegmentEntry[] = [];
  #lines: string[] = [];
  #records: AuditRecord[] = [];
  #calls = 0;

  private constructor(store: ReviewStore, facts: Required<SessionFacts>) {
    this.#store = store;
    this.#facts = facts;
    this.run = runIdOf(workloadOf(this.#facts.claims));
    this.prefix = sessionPrefix({
      repositoryId: workloadOf(this.#facts.claims).repository_id,
      date: new Date(facts.startedAt).toISOString().slice(0, 10),
      robot: facts.robot.slice(facts.robot.lastIndexOf("/") + 1),
      runId: workloadOf(this.#facts.claims).run_id,
      runAttempt: workloadOf(this.#facts.claims).run_attempt,
      session: facts.id,
    });
  }

  static async open(store: ReviewStore, facts: SessionFacts): Promise<WrittenSession> {
    const session = new WrittenSession(store, {
      robot: "acme/payments/triager",
      agents: ["agent"],
      startedAt: store.clock,
      ...facts,
      claims: claimsOf(facts.claims),
    });
    await insertSession(store, session.#facts, session.prefix);
    return session;
  }

  get nextSeq(): number {
    return this.#chain.nextSeq;
  }

  append(entry: Entry): AuditRecord {
    this.#store.clock += 137;
    const { record, line } = this.#chain.append(entry, new Date(this.#store.clock));
    this.#lines.push(line);
    this.#records.push(record);
    this.#tally.add(entry);
    return record;
  }

  genesis(): AuditRecord {
    const { id, robot, agents, claims } = this.#facts;
    return this.append({
      kind: "genesis",
      session: id,
      broker: "https://lanyard.acme.dev",
      robot,
      roles: ["triager"],
      workload: workloadOf(this.#facts.claims),
      claims,
      policy: "a".repeat(64),
      proxy: { version: "0.1.0", bundle: "b".repeat(64) },
      agents,
      servers: ["github", "memory"],
      isolation: "none",
      posture: {
        platform: "linux",
        arch: "x64",
        node: "24.21.0",
        user_id: 1001,
        runner_environment: "github-hosted",
      },
    });
  }

  catalog(server: string, tools: { name: string; visible: boolean; why: string }[]): AuditRecord {
    return this.append({
      kind: "catalog",
      server,
      tools: tools.map((tool) => ({ ...tool, digest: "c".repeat(64) })),
    });
  }

  /** A call and, unless it is denied or left open, its result. */
  call(call: Partial<EntryOf<"call">>, outcome?: EntryOf<"result">["outcome"]): AuditRecord {
    this.#calls += 1;
    const id = call.id ?? `call-${this.#calls}`;
    const record = this.append({
      kind: "call",
      id,
      agent: this.#facts.agents[0] ?? "agent",
      client: { name: "claude-code", version: "2.1.330" },
      server: "github",
      method: "tools/call",
      tool: "get_issue",
      decision: "allow",
      reason: "granted",
      rule: "triager#1",
      ...call,
    });
    if (outcome !== undefined) {
      this.append({
        kind: "result",
        call: id,
        outcome,
        duration_ms: 84,
        bytes: 2048,
        digest: "d".repeat(64),
      });
    }
    return record;
  }

  event(
    event: string,
    severity: EntryOf<"event">["severity"],
    detail: EntryOf<"event">["detail"],
  ): AuditRecord {
    return this.append({ kind: "event", event, severity, detail });
  }

  /** From here on the records continue another log: what whoever hands in a tail could make up. */
  leaveChain(): void {
    this.#chain = new Chain({ nextSeq: this.#chain.nextSeq, head: "e".repeat(64) });
  }

  /** What was appended becomes a segment: announced, countersigned, stored, and its checkpoint the next record. */
  async flush({ store = true, checkpoint = true } = {}): Promise<SegmentEntry> {
    const segment = this.#segments.length + 1;
    const { entry, body, md5 } = await this.#pack(segmentObject("runner", segment));
    const signature = await signCheckpoint(
      {
        session: this.#facts.id,
        segment,
        sha256: entry.sha256,
        seq: entry.last_seq,
        head: entry.head,
        iat: Math.floor(this.#store.clock / 1000),
      },
      this.#store.key,
    );
    await this.#store.database
      .insertInto("segments")
      .values({
        session: this.#facts.id,
        segment,
        bytes: entry.bytes,
        sha256: entry.sha256,
        md5,
        first_seq: entry.first_seq,
        last_seq: entry.last_seq,
        prev: entry.prev,
        head: entry.head,
        checkpoint: signature,
        announced_at: this.#store.clock,
      })
      .execute();
    this.#segments.push(entry);
    if (store) {
      await this.#store.bucket.putOnce(this.prefix + entry.object, body);
    }
    if (checkpoint) {
      this.append({ kind: "checkpoint", segment, last_seq: entry.last_seq, head: entry.head, signature });
    }
    return entry;
  }

  /** Seals: the last segment, the manifest, the state. */
  async seal(): Promise<void> {
    this.append({ kind: "seal", reason: "job_ended", totals: this.#tally.totals() });
    await this.flush({ checkpoint: false });
    await this.#writeManifest("manifest.json", "sealed", []);
    await this.end("sealed");
  }

  /** What was appended since the last segment is handed in without a key, after the proxy was gone. */
  async recover(): Promise<void> {
    const { entry, body } = await this.#pack("recovered/000001.jsonl.zst");
    await this.#store.bucket.putOnce(this.prefix + entry.object, body);
    await this.#writeManifest("recovered/manifest.json", "recovered", [entry]);
    await this.end("recovered", { recovered_at: this.#store.clock });
  }

  async end(state: SessionState, more: { recovered_at?: number } = {}): Promise<void> {
    await this.#store.database
      .updateTable("sessions")
      .set({ state, ended_at: this.#store.clock, ...more })
      .where("id", "=", this.#facts.id)
      .execute();
  }

  async find(kind: FindingKind, detail: string, { ofSession = true } = {}): Promise<void> {
    await recordFinding(this.#store.database, {
      run: this.run,
      workload: workloadIdOf(workloadOf(this.#facts.claims)),
      session: ofSession ? this.#facts.id : null,
      kind,
      detail,
      time: this.#store.clock,
    });
  }

  async #pack(object: string): Promise<{ entry: SegmentEntry; body: Buffer; md5: string }> {
    const { body, sha256, md5 } = await packSegment(this.#lines.join(""));
    const [first, last] = [this.#records.at(0), this.#records.at(-1)];
    if (first === undefined || last === undefined) {
      throw new Error("a segment needs records");
    }
    this.#lines = [];
    this.#records = [];
    const entry = {
      object,
      bytes: body.length,
      sha256,
      first_seq: first.seq,
      last_seq: last.seq,
      prev: first.prev,
      head: last.hash,
    };
    return { entry, body, md5 };
  }

  async #writeManifest(
    object: string,
    status: "sealed" | "recovered",
    recovered: SegmentEntry[],
  ): Promise<void> {
    const rows = await this.#store.database
      .selectFrom("findings")
      .selectAll()
      .where("session", "=", this.#facts.id)
      .orderBy("time")
      .execute();
    const findings = rows.map(
      ({ kind, time, detail }): Finding => ({ kind, time: new Date(time).toISOString(), detail }),
    );
    const manifest = await signManifest(
      {
        v: 1,
        session: this.#facts.id,
        workload: workloadOf(this.#facts.claims),
        robot: this.#facts.robot,
        status,
        runner: this.#segments,
        recovered,
        findings,
        written_at: new Date(this.#store.clock).toISOString(),
      },
      this.#store.key,
    );
    await this.#store.bucket.putOnce(this.prefix + object, Buffer.from(serializeManifest(manifest)));
  }
}
