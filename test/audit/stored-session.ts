/**
 * Sessions as a proxy and a broker leave them in a bucket, with real keys, and the changes that somebody with access
 * to the bucket can make to them.
 */
import { hash } from "node:crypto";
import { exportJWK, generateKeyPair, type JSONWebKeySet } from "jose";
import { canonicalize } from "../../audit/canonical.ts";
import { Chain, type ChainState } from "../../audit/chain.ts";
import type { Manifest, SegmentEntry, StreamName } from "../../audit/manifest.ts";
import {
  MANIFEST_OBJECT,
  RECOVERED_MANIFEST_OBJECT,
  RELAY_MANIFEST_OBJECT,
  segmentObject,
} from "../../audit/object-path.ts";
import type { Entry, EntryOf, Workload } from "../../audit/record.ts";
import { packSegment, unpackSegment } from "../../audit/segment.ts";
import { serializeManifest, type SigningKey, signCheckpoint, signManifest } from "../../audit/signature.ts";
import {
  type SessionSource,
  type VerificationOptions,
  verifySession,
} from "../../audit/verification/verification.ts";
import type { Verdict } from "../../audit/verification/verdict.ts";

export type Objects = Map<string, Buffer>;

export async function makeKey(kid: string): Promise<{ key: SigningKey; keys: JSONWebKeySet }> {
  const { publicKey, privateKey } = await generateKeyPair("Ed25519");
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: "Ed25519", use: "sig" };
  return { key: { kid, privateKey }, keys: { keys: [jwk] } };
}

export const { key: brokerKey, keys: brokerKeys } = await makeKey("checkpoint-1");

export const workload: Workload = {
  iss: "https://token.actions.githubusercontent.com",
  repository_id: "456789",
  run_id: "123456",
  run_attempt: "1",
  check_run_id: "987",
};

export const robot = "acme/payments/triager";

export function genesisOf(session: string, change: Partial<EntryOf<"genesis">> = {}): EntryOf<"genesis"> {
  return {
    kind: "genesis",
    session,
    broker: "https://lanyard.acme.dev",
    robot,
    roles: ["triager"],
    workload,
    claims: { iss: workload.iss, repository: "acme/payments", event_name: "schedule", sub: "rèpo:😀" },
    policy: "a".repeat(64),
    proxy: { version: "0.1.0", bundle: "b".repeat(64) },
    agents: ["agent"],
    servers: ["github"],
    isolation: "none",
    posture: {
      platform: "linux",
      arch: "x64",
      node: "v24",
      user_id: 1001,
      runner_environment: "github-hosted",
    },
    ...change,
  };
}

export function callOf(id: string, change: Partial<EntryOf<"call">> = {}): EntryOf<"call"> {
  return {
    kind: "call",
    id,
    agent: "agent",
    client: { name: "claude-code", version: "2.1.330" },
    server: "github",
    method: "tools/call",
    tool: "add_issue_comment",
    arguments: { owner: "acme", repo: "payments", issue_number: 7, body: "Thänks for the report 👍\n" },
    arguments_digest: "c".repeat(64),
    decision: "allow",
    reason: "granted",
    rule: "roles.triager.grants[1]",
    ...change,
  };
}

export function resultOf(call: string, change: Partial<EntryOf<"result">> = {}): EntryOf<"result"> {
  return {
    kind: "result",
    call,
    outcome: "ok",
    duration_ms: 12,
    bytes: 345,
    digest: "d".repeat(64),
    ...change,
  };
}

/** What a proxy would have written between genesis and seal: `calls` calls, every third denied, every fifth failed. */
export function workOf(calls: number): Entry[] {
  const catalog: Entry = {
    kind: "catalog",
    server: "github",
    tools: [
      { name: "add_issue_comment", digest: "e".repeat(64), visible: true, why: "roles.triager.grants[1]" },
    ],
  };
  const work = Array.from({ length: calls }, (_, index): Entry[] => {
    const id = `call-${index}`;
    return index % 3 === 2
      ? [callOf(id, { decision: "deny", reason: "no_grant", tool: "delete_repository" })]
      : [callOf(id), resultOf(id, { outcome: index % 5 === 4 ? "tool_error" : "ok" })];
  });
  return [catalog, ...work.flat()];
}

export function sealOf(entries: readonly Entry[]): EntryOf<"seal"> {
  const calls = entries.filter((entry) => entry.kind === "call");
  const allowed = calls.filter((call) => call.decision === "allow").length;
  const failed = entries.filter((entry) => entry.kind === "result" && entry.outcome !== "ok").length;
  return {
    kind: "seal",
    reason: "job ended",
    totals: { calls: calls.length, allowed, denied: calls.length - allowed, failed },
  };
}

const MANIFEST_OF_STATUS: Record<Manifest["status"], string> = {
  sealed: MANIFEST_OBJECT,
  recovered: RECOVERED_MANIFEST_OBJECT,
  relay: RELAY_MANIFEST_OBJECT,
};

/** Writes the log of one session as a proxy does, and keeps what the broker would keep. */
export class SessionWriter {
  readonly objects: Objects = new Map();
  readonly session: string;
  readonly runner: SegmentEntry[] = [];
  readonly recovered: SegmentEntry[] = [];
  readonly relay: SegmentEntry[] = [];
  readonly #chain: Chain;
  readonly #key: SigningKey;
  #time = Date.parse("2026-11-22T12:00:00Z");

  constructor(session: string, { key = brokerKey, from }: { key?: SigningKey; from?: ChainState } = {}) {
    this.session = session;
    this.#key = key;
    this.#chain = new Chain(from);
  }

  get state(): ChainState {
    return { nextSeq: this.#chain.nextSeq, head: this.#chain.head };
  }

  /** Stores the entries as the next segment and returns its checkpoint, which the next segment would hold. */
  async store(entries: readonly Entry[], stream: StreamName = "runner"): Promise<EntryOf<"checkpoint">> {
    const prev = this.#chain.head;
    const first_seq = this.#chain.nextSeq;
    const text = entries
      .map((entry) => this.#chain.append(entry, new Date((this.#time += 250))).line)
      .join("");
    const segment = this[stream].length + 1;
    const { body, sha256 } = await packSegment(text);
    const [last_seq, head] = [this.#chain.nextSeq - 1, this.#chain.head];
    const object = segmentObject(stream, segment);
    this.objects.set(object, body);
    this[stream].push({ object, bytes: body.length, sha256, first_seq, last_seq, prev, head });
    const claims = { session: this.session, segment, sha256, seq: last_seq, head, iat: 1_795_348_800 };
    const signature = await signCheckpoint(claims, this.#key);
    return { kind: "checkpoint", segment, last_seq, head, signature };
  }

  async writeManifest(status: Manifest["status"], change: Partial<Manifest> = {}): Promise<Manifest> {
    const manifest = await signManifest(
      {
        v: 1,
        session: this.session,
        workload,
        robot,
        status,
        runner: this.runner,
        recovered: this.recovered,
        findings: [],
        written_at: "2026-11-22T12:30:00.000Z",
        ...change,
      },
      this.#key,
    );
    const object = MANIFEST_OF_STATUS[status];
    this.objects.set(object, Buffer.from(serializeManifest(manifest)));
    return manifest;
  }
}

/** A session of three segments with the checkpoints of the first two, sealed. */
export async function storeSealed(session = "s-1", calls = 9): Promise<SessionWriter> {
  const writer = await storeUnsealed(session, calls);
  await writer.writeManifest("sealed");
  return writer;
}

/** The same without its manifest, as a broker that never sealed it leaves it. */
export async function storeUnsealed(session = "s-1", calls = 9): Promise<SessionWriter> {
  const writer = new SessionWriter(session);
  const work = workOf(calls);
  const third = Math.ceil(work.length / 3);
  const first = await writer.store([genesisOf(session), ...work.slice(0, third)]);
  const second = await writer.store([first, ...work.slice(third, 2 * third)]);
  await writer.store([...work.slice(2 * third), second, sealOf(work)]);
  return writer;
}

/** A session whose proxy was killed: two segments in the bucket, and a tail that was handed in later. */
export async function storeRecovered(session = "s-1"): Promise<SessionWriter> {
  const writer = new SessionWriter(session);
  const first = await writer.store([genesisOf(session), ...workOf(2)]);
  await writer.store([first, callOf("late-1"), resultOf("late-1"), callOf("late-2")]);
  await writer.store([resultOf("late-2"), callOf("last")], "recovered");
  await writer.writeManifest("recovered");
  return writer;
}

export function sourceOf(objects: Objects): SessionSource {
  return {
    list: async () => [...objects.keys()],
    read: async (object) => {
      const body = objects.get(object);
      if (body === undefined) {
        throw new Error(`there is no ${object}`);
      }
      return body;
    },
  };
}

export async function verify(objects: Objects, options: VerificationOptions = {}): Promise<Verdict> {
  return verifySession(sourceOf(objects), brokerKeys, options);
}

/** What a verdict says, short enough to compare. */
export function tell({ problems }: Verdict): string[] {
  return problems.map(({ part, code }) => `${part}: ${code}`);
}

export async function linesOf(objects: Objects, object: string): Promise<string[]> {
  const content = await unpackSegment(objects.get(object) ?? Buffer.alloc(0), 1 << 25);
  return content.toString("utf8").trimEnd().split("\n");
}

/** Packs a segment again with other lines, as an attacker with a zstd would. */
export async function rewrite(
  objects: Objects,
  object: string,
  edit: (lines: string[]) => string[],
): Promise<void> {
  const lines = edit(await linesOf(objects, object));
  objects.set(object, (await packSegment(lines.map((line) => `${line}\n`).join(""))).body);
}

/** A line with other members and the hash that then fits. */
export function rehash(line: string, change: object): string {
  const { hash: _hash, ...record } = { ...JSON.parse(line), ...change };
  return canonicalize({ ...record, hash: hash("sha256", canonicalize(record)) });
}

/** The lines with one of them changed, and everything from there on linked and hashed anew. */
export function rechain(lines: string[], at: number, change: object): string[] {
  let prev: string | undefined;
  return lines.map((line, index) => {
    if (index < at) {
      return line;
    }
    const written = rehash(line, {
      ...(index === at ? change : {}),
      ...(prev === undefined ? {} : { prev }),
    });
    prev = JSON.parse(written).hash;
    return written;
  });
}
