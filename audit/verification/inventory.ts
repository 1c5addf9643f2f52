/**
 * What lies under a session's prefix: its objects and its manifest, the first thing that verification looks at.
 * Whatever does not belong there is a problem by itself.
 */
import type { JSONWebKeySet } from "jose";
import type { Manifest, StreamName } from "../manifest.ts";
import {
  checkManifest,
  MAX_MANIFEST_BYTES,
  readManifest,
  type StoredManifest,
} from "./manifest-verification.ts";
import {
  MANIFEST_OBJECT,
  parseSegmentObject,
  RECOVERED_MANIFEST_OBJECT,
  RELAY_MANIFEST_OBJECT,
} from "../object-path.ts";
import type { ProblemList } from "./problem-list.ts";
import type { SessionSource, StreamListing } from "./stream-verification.ts";

/** A session of the longest kind, with a segment every few seconds, has some thousands. */
const MAX_OBJECTS = 50_000;

export interface Inventory {
  readonly objects: readonly string[];
  /** Undefined: there is none. */
  readonly stored: StoredManifest | undefined;
  /** The manifest, when its signature verifies. */
  readonly believed: Manifest | undefined;
  /** That of the relay's stream alone; undefined: there is none. */
  readonly relay: StoredManifest | undefined;
}

export async function takeInventory(
  source: SessionSource,
  keys: JSONWebKeySet,
  problems: ProblemList,
): Promise<Inventory> {
  const listed = await source.list();
  if (listed.length > MAX_OBJECTS) {
    const message = `there are ${listed.length} objects, the first ${MAX_OBJECTS} are looked at`;
    problems.addBreak("objects", { code: "too_many_objects", message });
  }
  const objects = listed.sort().slice(0, MAX_OBJECTS);
  const object = [MANIFEST_OBJECT, RECOVERED_MANIFEST_OBJECT].find((name) => objects.includes(name));
  const stored = object && (await readManifest(object, await source.read(object, MAX_MANIFEST_BYTES), keys));
  for (const name of objects) {
    if (name !== object && !belongs(name, stored || undefined) && !(stored && isSuperseded(name, stored))) {
      const message = "it is no part of this log, as far as its manifest tells";
      problems.addBreak(name, { code: "object_unexpected", message });
    }
  }
  const relay = objects.includes(RELAY_MANIFEST_OBJECT)
    ? await readManifest(
        RELAY_MANIFEST_OBJECT,
        await source.read(RELAY_MANIFEST_OBJECT, MAX_MANIFEST_BYTES),
        keys,
      )
    : undefined;
  [stored, relay].forEach((each) => each && checkManifest(each, problems));
  return {
    objects,
    stored: stored || undefined,
    believed: stored && stored.signedBy !== undefined ? stored.manifest : undefined,
    relay,
  };
}

/** What the manifest says about one of the streams. The relay's has one of its own, until the log has its manifest. */
export function listStream(inventory: Inventory, stream: StreamName): StreamListing | undefined {
  const { stored, relay } = inventory;
  const stating = stream === "relay" && stored === undefined ? relay : stored;
  return stating?.manifest === undefined
    ? undefined
    : {
        manifestObject: stating.object,
        entries: stating.manifest[stream] ?? [],
        trusted: stating.signedBy !== undefined,
        sealed: stream === "relay" || stating.manifest.status === "sealed",
      };
}

/** The objects that can be segments of a stream: beside a sealed log's manifest nothing was recovered. */
export function listCandidates({ objects, stored }: Inventory, stream: StreamName): readonly string[] {
  return objects.filter((name) => parseSegmentObject(stream, name) !== undefined && belongs(name, stored));
}

function belongs(name: string, stored: StoredManifest | undefined): boolean {
  const isRelayed = name === RELAY_MANIFEST_OBJECT || parseSegmentObject("relay", name) !== undefined;
  if (isRelayed) {
    // A manifest of the whole log names what was relayed, or there was nothing.
    return stored?.manifest === undefined || stored.manifest.relay !== undefined;
  }
  return (
    parseSegmentObject("runner", name) !== undefined ||
    (stored?.object !== MANIFEST_OBJECT && parseSegmentObject("recovered", name) !== undefined)
  );
}

/** What was handed in while the proxy lived, which then sealed: the manifest says so, and it is no part of the log. */
function isSuperseded(name: string, { manifest, signedBy }: StoredManifest): boolean {
  const outlived =
    signedBy !== undefined &&
    manifest?.status === "sealed" &&
    manifest.findings.some(({ kind }) => kind === "recovered_while_alive");
  return (
    outlived && (name === RECOVERED_MANIFEST_OBJECT || parseSegmentObject("recovered", name) !== undefined)
  );
}
