/**
 * Manifests: what the broker saw stored, with the findings of the workload, signed and written once.
 * If one is there already, it is taken only when it says the same: a broker that died after writing it goes on.
 */
import type { Manifest, SegmentEntry } from "../../audit/manifest.ts";
import {
  MANIFEST_OBJECT,
  RECOVERED_MANIFEST_OBJECT,
  RELAY_MANIFEST_OBJECT,
} from "../../audit/object-path.ts";
import { serializeManifest, signManifest, verifyManifest } from "../../audit/signature.ts";
import type { Services } from "../services.ts";
import { timestampOf, workloadOf } from "../sessions/session-row.ts";
import { listFindings } from "../storage/sessions/findings.ts";
import type { SessionRow } from "../storage/schema.ts";
import { BucketUnusable } from "./bucket.ts";

const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

export interface ManifestContents {
  readonly status: Manifest["status"];
  readonly runner: SegmentEntry[];
  readonly recovered: SegmentEntry[];
  /** Undefined: nothing was relayed. */
  readonly relay: SegmentEntry[] | undefined;
}

/** Returns the manifest that is stored now. Throws `BucketUnusable` when another one stands in its place. */
export async function writeManifest(
  session: SessionRow,
  { relay, ...contents }: ManifestContents,
  services: Pick<Services, "database" | "bucket" | "signingKeys" | "now">,
): Promise<Manifest> {
  const { database, bucket, signingKeys } = services;
  const findings = await listFindings(database, { ...session, session: session.id });
  const manifest = await signManifest(
    {
      v: 1,
      session: session.id,
      workload: workloadOf(session),
      robot: session.robot,
      ...contents,
      ...(relay !== undefined && { relay }),
      findings: findings.map(({ kind, time, detail }) => ({ kind, time: timestampOf(time), detail })),
      written_at: timestampOf(services.now()),
    },
    signingKeys.checkpoint,
  );
  const key = session.object_prefix + objectOf(contents.status);
  if ((await bucket.putOnce(key, Buffer.from(serializeManifest(manifest)))) === "stored") {
    return manifest;
  }
  const present = await readManifest(session, contents.status, services);
  if (present === undefined || !saysSame(present, manifest)) {
    throw new BucketUnusable(`${key} is there already and is not what the broker would write`);
  }
  return present;
}

/** Undefined when there is none, or none that this broker signed for this session. */
async function readManifest(
  session: SessionRow,
  status: Manifest["status"],
  { bucket, signingKeys }: Pick<Services, "bucket" | "signingKeys">,
): Promise<Manifest | undefined> {
  const bytes = await bucket.read(session.object_prefix + objectOf(status), MAX_MANIFEST_BYTES);
  if (bytes === undefined) return undefined;
  const verified = await verifyManifest(bytes, signingKeys.checkpointKeys);
  return verified.ok && verified.manifest.session === session.id ? verified.manifest : undefined;
}

function objectOf(status: Manifest["status"]): string {
  switch (status) {
    case "sealed":
      return MANIFEST_OBJECT;
    case "recovered":
      return RECOVERED_MANIFEST_OBJECT;
    case "relay":
      return RELAY_MANIFEST_OBJECT;
  }
}

function saysSame(one: Manifest, other: Manifest): boolean {
  const essence = ({ status, runner, recovered, relay }: Manifest): string =>
    JSON.stringify([status, runner, recovered, relay]);
  return essence(one) === essence(other);
}
