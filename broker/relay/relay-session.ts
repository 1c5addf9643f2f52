/**
 * One session at the relay, as far as this replica has it: a gate before each of its servers, with the session's policy
 * and the code that the proxy decides with. What it must agree on with other replicas is in the database: what was used
 * up, and the log.
 */
import { createRedactor } from "../../audit/redaction/redaction.ts";
import { compilePolicy } from "../../policies/compilation.ts";
import type { CompiledPolicy, Usage } from "../../policies/decision.ts";
import { SessionPolicy } from "../../policies/session-policy.ts";
import { SessionUsage } from "../../policies/usage.ts";
import type { SessionState } from "../../proxy/gate/gate-context.ts";
import type { Gate } from "../../proxy/gate/gate.ts";
import { openServerGate } from "../../proxy/gate/server-gate.ts";
import { VisibleNames } from "../../proxy/gate/lists/visible-names.ts";
import { createInspector } from "../../proxy/inspection/inspector.ts";
import { DEFAULT_LIMITS, type Limits, limitsOfServer } from "../../proxy/limits.ts";
import { Places } from "../../proxy/places.ts";
import { Recording } from "../../proxy/recording.ts";
import { ReplaceablePolicy } from "../../proxy/replaceable-policy.ts";
import { HttpUpstream } from "../../proxy/upstream/http/http-upstream.ts";
import type { Services } from "../services.ts";
import { deriveSalt } from "../sessions/salt.ts";
import { claimsOf, policyOf, serversOfRow } from "../sessions/session-row.ts";
import { readPolicy } from "../storage/sessions/policies.ts";
import type { SessionRow } from "../storage/schema.ts";
import { findSession } from "../storage/sessions/sessions.ts";
import { admitInTurns } from "./admission-in-turns.ts";
import { CredentialHolder } from "./credential-holder.ts";
import { describeRelayGenesis } from "./relay-genesis.ts";
import { RelayLedger } from "./relay-ledger.ts";
import { RelayMeter, type RelayMetrics } from "./relay-meter.ts";
import { sealNames } from "./sealed-names.ts";
import { shareAsks } from "./sealed-asks.ts";
import { nameUserAgent } from "./user-agent.ts";

/** Many sessions share a broker; nobody but the runner's proxy sends it requests. */
const RELAY_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  maxAnswerBytes: 32 * 1024 * 1024,
  maxStreams: 1_000,
  maxSessions: 256,
  /** The proxy holds its agents to less; what was answered by way of another replica is known here until its time is up. */
  maxAsks: 1_000,
};

export interface RelaySessionOptions {
  readonly services: Services;
  /** Told after each transaction how much of the log is not in the bucket. */
  readonly written: (session: SessionRow, unpackedBytes: number) => void;
  readonly onError: (error: unknown) => void;
  readonly metrics: RelayMetrics;
}

export interface Door {
  readonly gate: Gate;
  readonly holder: CredentialHolder;
}

export class RelaySession {
  readonly recording: Recording;
  readonly ledger: RelayLedger;
  readonly meter: RelayMeter;
  readonly #options: RelaySessionOptions;
  readonly #policy: ReplaceablePolicy;
  readonly #usage: SessionUsage;
  readonly #redactor = createRedactor([]);
  /** Of what the relay itself presents. */
  readonly #known = createRedactor([], { formats: false });
  readonly #streams = new Places(RELAY_LIMITS.maxStreams);
  readonly #names = new VisibleNames();
  /** Of asks that end: each waits for the database before it is on record. */
  readonly #ending = new Set<Promise<void>>();
  readonly #doors = new Map<string, Door>();
  #row: SessionRow;
  /** Of the policy in force here. */
  #digest: string;
  /** Another replica has seen that the session lost something, and this one has not taken it over yet. */
  #isOutdated = false;
  #refreshing: Promise<void> | undefined;

  private constructor(
    row: SessionRow,
    options: RelaySessionOptions,
    { policy, salt }: { policy: CompiledPolicy; salt: string },
  ) {
    this.#row = row;
    this.#digest = policyOf(row);
    this.#options = options;
    const { services, onError, written } = options;
    this.meter = new RelayMeter(options.metrics);
    this.#policy = new ReplaceablePolicy(policy);
    this.#usage = new SessionUsage(this.#policy);
    this.ledger = new RelayLedger({
      ...{ database: services.database, session: row.id, usage: this.#usage, now: services.now, onError },
      genesis: describeRelayGenesis(row, services),
      labelsGained: (before) => this.#tellLess(before),
      sessionRead: (read) => {
        this.#row = read;
        this.#isOutdated = policyOf(read) !== this.#digest;
        if (this.#isOutdated) this.#refreshPolicy().catch(onError);
      },
      written: (bytes) => written(this.#row, bytes),
    });
    this.recording = new Recording({
      recorder: {
        record: (entry) => {
          this.ledger.record(entry);
          this.meter.note(entry);
        },
      },
      redactor: this.#redactor,
      salt: Buffer.from(salt, "base64url"),
    });
  }

  static async open(row: SessionRow, options: RelaySessionOptions): Promise<RelaySession> {
    const { services } = options;
    const salt = await deriveSalt(row, services.sealingKey);
    return new RelaySession(row, options, { policy: await compile(row, services), salt });
  }

  /** The session as its caller was identified by it: what has been taken away since is gone from here on. */
  async update(row: SessionRow): Promise<void> {
    this.#row = row;
    if (policyOf(row) !== this.#digest) await this.#refreshPolicy();
  }

  /** By what is stored now: what a request was identified by may be older than what another one brought. */
  #refreshPolicy(): Promise<void> {
    this.#refreshing ??= this.#takeOverPolicy().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #takeOverPolicy(): Promise<void> {
    const { services } = this.#options;
    const row = await findSession(services.database, this.#row.id);
    if (row === undefined || policyOf(row) === this.#digest) return;
    const policy = await compile(row, services);
    const gates = [...this.#doors.values()].map(({ gate }) => [gate, gate.listVisible()] as const);
    this.#policy.replace(policy);
    this.#digest = policyOf(row);
    this.#isOutdated = false;
    gates.forEach(([gate, before]) => gate.tellChanged(before));
  }

  /** Undefined: the session reaches no such server through the broker. Throws `AddressRefused`. */
  doorOf(server: string): Door | undefined {
    const known = this.#doors.get(server);
    if (known !== undefined || !this.#policy.reaches(server)) return known;
    const stored = Object.entries(serversOfRow(this.#row)).find(([name]) => name === server)?.[1];
    if (stored?.transport !== "relay") return undefined;
    const door = this.#openDoor(server, stored);
    this.#doors.set(server, door);
    return door;
  }

  async close(graceMs: number): Promise<void> {
    await Promise.all([...this.#doors.values()].map(({ gate }) => gate.close(graceMs)));
    await Promise.all(this.#ending);
    await this.ledger.flush();
    this.ledger.close();
  }

  #noteEnding(written: Promise<void>): void {
    this.#ending.add(written);
    void written.finally(() => this.#ending.delete(written));
  }

  #openDoor(
    server: string,
    { url, limits: own }: { readonly url: string; readonly limits?: Parameters<typeof limitsOfServer>[1] },
  ): Door {
    const { services } = this.#options;
    const isPrivate = services.policies.current.policies.servers.get(server)?.private === true;
    const connection = services.egress.guard({ url, isPrivate });
    const limits = limitsOfServer(RELAY_LIMITS, own);
    const holder = this.#holdCredential(server);
    const full = createInspector(this.#redactor);
    const reflections = {
      redactor: this.#known,
      inspector: createInspector(this.#known, { everywhere: true }),
    };
    const gate = openServerGate({
      ...{ server, policy: this.#policy, usage: this.#usage, names: this.#names, inspector: full },
      ...{ recording: this.recording, streams: this.#streams, environment: {} },
      limits,
      connect: ({ events }) =>
        this.meter.watch(
          new HttpUpstream({ ...{ limits, events, connection }, url: new URL(url), authority: holder }),
          server,
        ),
      stderr: () => undefined,
      admission: admitInTurns(this.ledger, this.#options.onError),
      sessionNames: sealNames({ session: this.#row.id, server }, services.sealingKey),
      sharedAsks: shareAsks(
        { session: this.#row.id, server, timeoutMs: limits.callTimeoutMs },
        { ...services, onError: this.#options.onError, ending: (written) => this.#noteEnding(written) },
      ),
      credential: { provenance: () => holder.provenance, reflections },
      sessionState: () => this.#state(),
      labelsGained: (before) => this.#tellLess(before),
    });
    return { gate, holder };
  }

  #holdCredential(server: string): CredentialHolder {
    const { credentials } = this.#options.services;
    return new CredentialHolder({
      present: async () => credentials.present({ server, session: this.#row }),
      reject: async (presented) => credentials.reject(presented),
      keepSecret: (id, value) => {
        this.#redactor.add({ id, kind: "credential", value });
        this.#known.add({ id, kind: "credential", value });
      },
      changed: (from, to) => {
        const detail = { server, credential: to.id, from: from.digest, to: to.digest };
        this.recording.noteEvent("credential_renewed", "info", detail);
      },
      userAgent: nameUserAgent(this.#row),
    });
  }

  #state(): SessionState {
    if (this.#isOutdated) return { active: false, reason: "what it may do has just changed: ask again" };
    const { state, expires_at } = this.#row;
    if (state === "active" && this.#options.services.now() < expires_at) return { active: true };
    return { active: false, reason: `the session is ${state === "active" ? "expired" : state}` };
  }

  #tellLess(before: Usage["labels"]): void {
    this.#doors.forEach(({ gate }) => gate.tellLess(before));
  }
}

async function compile(row: SessionRow, { database }: Services): Promise<CompiledPolicy> {
  const source = await readPolicy(database, policyOf(row));
  if (source === undefined) throw new Error(`the policy ${policyOf(row)} of session ${row.id} is not stored`);
  return compilePolicy(SessionPolicy.parse(JSON.parse(source)), { claims: claimsOf(row) });
}
