/**
 * The broker's custody and a bucket beside it, as far as shipping sees them: announcements must continue one another,
 * objects are written once and only as announced. A test can take either of them away, or let the bucket forget.
 */
import { createHash } from "node:crypto";
import { unpackSegment } from "../../audit/segment.ts";
import { AuditRecord } from "../../audit/record.ts";
import type { SealRequest, SegmentRequest } from "../../broker/contract.ts";
import type { Reply, SessionClient } from "../../action/wire/broker-client.ts";
import { type Http, createHttp } from "../../action/wire/http-request.ts";
import { listen } from "./local-server.ts";

export interface CustodyPeer {
  readonly client: SessionClient;
  readonly http: Http;
  /** Bodies by number of the segment. */
  readonly stored: Map<number, Buffer>;
  readonly announced: SegmentRequest[];
  readonly sealed: SealRequest[];
  /** Status that the bucket answers with in place of storing; undefined: it works. */
  bucketStatus: number | undefined;
  /** The bucket says yes and keeps nothing. */
  bucketForgets: boolean;
  /** What the broker says to an announcement; undefined: it works. */
  refusal: Reply<never> | undefined;
  /** The digest that the broker says the session has. */
  policy: string;
  /** All records that are stored, in order. */
  records(): Promise<AuditRecord[]>;
}

export async function startCustodyPeer(): Promise<CustodyPeer> {
  const announced: SegmentRequest[] = [];
  const stored = new Map<number, Buffer>();
  const sealed: SealRequest[] = [];
  const bucket = await listen([], (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const segment = Number(request.url?.slice(1));
      const body = Buffer.concat(chunks);
      const isAsAnnounced = digest(body) === announced[segment - 1]?.sha256;
      const status = peer.bucketStatus ?? (stored.has(segment) ? 412 : isAsAnnounced ? 200 : 400);
      if (status === 200 && !peer.bucketForgets) stored.set(segment, body);
      response.writeHead(status).end();
    });
  });
  const peer: CustodyPeer = {
    announced,
    stored,
    sealed,
    http: createHttp({}),
    bucketStatus: undefined,
    bucketForgets: false,
    refusal: undefined,
    policy: "0".repeat(64),
    client: {
      read: () => Promise.reject(new Error("not of this test")),
      renew: () => Promise.reject(new Error("not of this test")),
      announceSegment: async (request) => {
        if (peer.refusal !== undefined) return peer.refusal;
        const last = announced.at(-1);
        if (request.segment > announced.length) {
          if (request.segment !== announced.length + 1 || request.prev !== (last?.head ?? "0".repeat(64))) {
            return { ok: false, status: 409, error: "segment_out_of_order", sentence: "Out of order." };
          }
          announced.push(request);
        }
        const upload = { url: `${bucket.url}/${request.segment}`, headers: { "x-signed": "1" } };
        return {
          ok: true,
          value: { checkpoint: `signature-${request.segment}`, upload, policy: peer.policy },
        };
      },
      seal: async (request) => {
        sealed.push(request);
        const missing = announced.map(({ segment }) => segment).filter((segment) => !stored.has(segment));
        return missing.length > 0
          ? { ok: true, value: { status: "segments_missing", segments: missing } }
          : { ok: true, value: { status: "sealed", review_url: "https://lanyard.acme.dev/runs/1" } };
      },
    },
    records: async () => {
      const texts: string[] = [];
      for (const [, body] of [...stored].sort(([a], [b]) => a - b)) {
        texts.push((await unpackSegment(body, 2 ** 25)).toString("utf8"));
      }
      const lines = texts
        .join("")
        .split("\n")
        .filter((line) => line !== "");
      return lines.map((line) => AuditRecord.parse(JSON.parse(line)));
    },
  };
  return peer;
}

function digest(body: Buffer): string {
  return createHash("sha256").update(body).digest("hex");
}
