/**
 * Verification of a session's manifest by itself, and its comparison with what lies beside it. A manifest whose
 * signature does not verify is still compared, to say which of its members was changed; nothing is believed from it.
 */
import type { JSONWebKeySet } from "jose";
import { type Manifest, type SegmentEntry, StreamName } from "../manifest.ts";
import {
  MANIFEST_OBJECT,
  parseSegmentObject,
  RECOVERED_MANIFEST_OBJECT,
  RELAY_MANIFEST_OBJECT,
  segmentObject,
} from "../object-path.ts";
import type { ProblemList } from "./problem-list.ts";
import { GENESIS_PREV, type RecordOf } from "../record.ts";
import { type SignatureRefusal, verifyManifest } from "../signature.ts";
import type { ProblemCode } from "./verdict.ts";

/** A manifest of ten thousand segments has a third of it. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

export interface StoredManifest {
  readonly object: string;
  /** Undefined when it cannot be read at all. */
  readonly manifest: Manifest | undefined;
  /** The key whose signature verifies; undefined when none does. Only then it says what the segments should be. */
  readonly signedBy: string | undefined;
  readonly refusal: SignatureRefusal | undefined;
}

const REFUSAL_CODES: Record<SignatureRefusal["code"], ProblemCode> = {
  malformed: "manifest_malformed",
  key_unknown: "key_unknown",
  key_distrusted: "key_distrusted",
  signature: "manifest_signature",
};

export async function readManifest(
  object: string,
  bytes: Uint8Array,
  keys: JSONWebKeySet,
): Promise<StoredManifest> {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    const message = `it is larger than ${MAX_MANIFEST_BYTES} bytes`;
    return {
      object,
      manifest: undefined,
      signedBy: undefined,
      refusal: { ok: false, code: "malformed", message },
    };
  }
  const reading = await verifyManifest(bytes, keys);
  return reading.ok
    ? { object, manifest: reading.manifest, signedBy: reading.kid, refusal: undefined }
    : { object, manifest: reading.manifest, signedBy: undefined, refusal: reading };
}

/** Told last: when nothing else was found, the change is where nothing else could notice it. */
export function tellRefusal({ object, refusal }: StoredManifest, problems: ProblemList): void {
  if (refusal === undefined) {
    return;
  }
  const elsewhere =
    refusal.code === "signature" && problems.isEmpty
      ? ". All that can be compared with the log fits it: the change is in findings, written_at, status or signature"
      : "";
  const part = refusal.member === undefined ? object : `${object} ${refusal.member}`;
  problems.addBreak(part, { code: REFUSAL_CODES[refusal.code], message: refusal.message + elsewhere });
}

/** Whether a manifest can be what it says, seen by itself. */
export function checkManifest({ object, manifest }: StoredManifest, problems: ProblemList): void {
  if (manifest === undefined) {
    return;
  }
  const contradict = (member: string, message: string): void =>
    problems.addBreak(`${object} ${member}`, { code: "manifest_contradicts", message });
  const sealed = manifest.status === "sealed";
  if (object !== OBJECT_OF_STATUS[manifest.status]) {
    contradict("status", `a manifest that says ${manifest.status} does not belong there`);
  }
  if (manifest.status === "relay" && manifest.runner.length + manifest.recovered.length > 0) {
    contradict("runner", "a manifest of what was relayed names no other segments");
  }
  if (sealed && manifest.recovered.length > 0) {
    contradict("recovered", "a sealed log has no recovered tail");
  }
  if (sealed && manifest.runner.length === 0) {
    contradict("runner", "a sealed log has at least one segment");
  }
  for (const stream of StreamName.options) {
    let before = 0;
    const isWhole = sealed || stream === "relay";
    for (const [index, { object }] of (manifest[stream] ?? []).entries()) {
      const number = parseSegmentObject(stream, object) ?? 0;
      if (number <= before || (isWhole && number !== before + 1)) {
        contradict(`${stream}[${index}].object`, `${segmentObject(stream, before + 1)} is due there`);
      }
      before = Math.max(before, number);
    }
  }
  checkContinuity("runner", manifest.runner, contradict);
  checkContinuity("relay", manifest.relay ?? [], contradict);
}

const OBJECT_OF_STATUS: Record<Manifest["status"], string> = {
  sealed: MANIFEST_OBJECT,
  recovered: RECOVERED_MANIFEST_OBJECT,
  relay: RELAY_MANIFEST_OBJECT,
};

function checkContinuity(
  stream: StreamName,
  entries: readonly SegmentEntry[],
  contradict: (member: string, message: string) => void,
): void {
  let before = { object: "", last_seq: -1, head: GENESIS_PREV };
  for (const [index, entry] of entries.entries()) {
    // Where a segment was never stored, only what was continues itself.
    const adjoins = numberOf(stream, entry) === numberOf(stream, before) + 1;
    if (adjoins ? entry.first_seq !== before.last_seq + 1 : entry.first_seq <= before.last_seq) {
      contradict(
        `${stream}[${index}].first_seq`,
        `${before.last_seq + 1} is due there, not ${entry.first_seq}`,
      );
    }
    if (adjoins && entry.prev !== before.head) {
      contradict(`${stream}[${index}].prev`, "it is not the chain head before it");
    }
    if (entry.last_seq < entry.first_seq) {
      contradict(`${stream}[${index}].last_seq`, "it is before first_seq");
    }
    before = entry;
  }
}

function numberOf(stream: StreamName, { object }: { object: string }): number {
  return parseSegmentObject(stream, object) ?? 0;
}

/** What a segment is in fact, in the words of its entry. */
export type SegmentMeasure = Omit<SegmentEntry, "object">;

/** The members of an entry that are not what the segment is, each with its place in the manifest. */
export function compareEntry(
  entry: SegmentEntry,
  measured: SegmentMeasure,
  { stream, index }: { stream: StreamName; index: number },
): { member: string; message: string }[] {
  return (["bytes", "sha256", "first_seq", "last_seq", "prev", "head"] as const)
    .filter((name) => entry[name] !== measured[name])
    .map((name) => ({
      member: `${stream}[${index}].${name}`,
      message: `it says ${entry[name]}, ${entry.object} has ${measured[name]}`,
    }));
}

/** The members that a genesis does not share with the manifest of its session. */
export function compareGenesis(
  manifest: Manifest,
  genesis: Pick<RecordOf<"genesis">, "session" | "robot" | "workload">,
): string[] {
  const members = ["iss", "repository_id", "run_id", "run_attempt", "check_run_id"] as const;
  return [
    ...(manifest.session === genesis.session ? [] : ["session"]),
    ...(manifest.robot === genesis.robot ? [] : ["robot"]),
    ...members
      .filter((name) => manifest.workload[name] !== genesis.workload[name])
      .map((name) => `workload.${name}`),
  ];
}
