import { mkdtempSync, writeFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { sealLog } from "../../../action/guard/sealing.ts";
import { type SessionLog, openSessionLog } from "../../../action/guard/session-log.ts";
import { MAX_UNSENT_BYTES } from "../../../broker/contract.ts";
import { type CustodyPeer, startCustodyPeer } from "../custody-peer.ts";
import { call, genesis, longCall, result } from "../log-entries.ts";
import { sessionDocument } from "../session-document.ts";

let peer: CustodyPeer;
let directory: string;
let halted: string[];
beforeEach(async () => {
  peer = await startCustodyPeer();
  directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
  halted = [];
});

const open = (plan: { segment_bytes?: number; segment_interval_ms?: number } = {}): SessionLog =>
  openSessionLog({
    directory,
    plan: { ...sessionDocument().audit, segment_interval_ms: 60_000, ...plan },
    client: peer.client,
    http: peer.http,
    onHalt: (reason) => halted.push(reason),
  });
const seal = (log: SessionLog, timeoutMs = 5_000) =>
  sealLog({ client: peer.client, log, closeProxy: async () => undefined, timeoutMs }, "the job ended");
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 20_000, interval: 5 });
const kinds = async (): Promise<string[]> => (await peer.records()).map(({ kind }) => kind);

describe("shipping", () => {
  it("stores a segment at its size, and records the checkpoint once it is stored", async () => {
    const log = open({ segment_bytes: 4_000 });
    log.record(genesis());
    log.record(longCall(4_000));
    await until(() => peer.stored.size === 2);
    await until(() => log.shipping.unsentBytes < 1_000);
    log.record(longCall(4_000));
    await until(() => peer.stored.size === 4);
    expect(await kinds()).toEqual(["genesis", "call", "checkpoint", "checkpoint", "call"]);
    const checkpoint = (await peer.records()).find((record) => record.kind === "checkpoint");
    expect(checkpoint).toMatchObject({ segment: 1, last_seq: 0, signature: "signature-1" });
  });

  it("stores a segment at its time, and none of checkpoints alone", async () => {
    const log = open({ segment_interval_ms: 30 });
    log.record(genesis());
    await until(() => peer.stored.size === 1);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(peer.stored.size).toBe(1);
    log.record(call());
    await until(() => peer.stored.size === 2);
    expect(await kinds()).toEqual(["genesis", "checkpoint", "call"]);
  });

  it("S3 down for a while: nothing is lost, the delay is recorded once", async () => {
    peer.bucketStatus = 503;
    const log = open({ segment_interval_ms: 10 });
    log.record(genesis());
    await until(() => log.tally.report().events.length > 0);
    log.record(call());
    log.record(result());
    peer.bucketStatus = undefined;
    await until(() => peer.stored.size >= 2);
    expect((await seal(log)).status).toBe("sealed");
    const records = await peer.records();
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index));
    const events = records.flatMap((record) => (record.kind === "event" ? [record.event] : []));
    expect(events).toEqual(["shipping_delayed", "shipping_resumed"]);
  });

  it("a segment uploaded twice: that it is there already counts as stored", async () => {
    const log = open();
    log.record(genesis());
    peer.bucketStatus = 412;
    await log.shipping.drain();
    expect(log.shipping.segments).toBe(1);
  });

  it("what the broker refuses ends it, and whoever guards the calls is told", async () => {
    peer.refusal = { ok: false, status: 403, error: "session_over", sentence: "The session has ended." };
    const log = open({ segment_interval_ms: 10 });
    log.record(genesis());
    await until(() => halted.length > 0);
    expect(halted).toEqual([expect.stringContaining("The session has ended.")]);
    expect(peer.stored.size).toBe(0);
  });

  it("a session that the broker ended takes no more of its log: shipping halts at once, and says so", async () => {
    peer.refusal = { ok: false, status: 401, error: "session_over", sentence: "The session has ended." };
    const log = open({ segment_interval_ms: 10 });
    log.record(genesis());
    await until(() => halted.length > 0);
    expect(halted).toEqual(["the broker ended the session: The session has ended."]);
  });

  it("S3 down for good: calls are refused before more waits than can be recovered, their results are not", () => {
    peer.bucketStatus = 503;
    const log = open({ segment_bytes: MAX_UNSENT_BYTES });
    log.record(genesis());
    const bytes = 2 ** 21;
    expect(() => {
      for (let written = 0; written < MAX_UNSENT_BYTES; written += bytes) log.record(longCall(bytes));
    }).toThrow("too much of the log waits to be stored");
    expect(log.shipping.unsentBytes).toBeLessThan(MAX_UNSENT_BYTES);
    expect(log.record(result()).kind).toBe("result");
    expect(() => log.record(call())).toThrow("too much of the log waits to be stored");
  });
});

describe("sealing", () => {
  it("ends the log with a seal whose totals are those of the records", async () => {
    const log = open();
    log.record(genesis());
    log.record(call());
    log.record(result({ outcome: "error" }));
    log.record(call({ id: "call-2", decision: "deny", reason: "no_grant" }));
    expect(await seal(log)).toEqual({ status: "sealed" });
    const records = await peer.records();
    const last = records.at(-1);
    expect(last).toMatchObject({
      kind: "seal",
      reason: "the job ended",
      totals: { calls: 2, allowed: 1, denied: 1, failed: 1 },
    });
    expect(peer.sealed).toEqual([{ segments: 2, last_seq: last?.seq, head: last?.hash }]);
    expect(() => log.record(call())).toThrow("the log is sealed");
  });

  it("S3 that answers 200 and keeps nothing: what is missing is stored again", async () => {
    const log = open();
    peer.bucketForgets = true;
    log.record(genesis());
    await log.shipping.drain();
    peer.bucketForgets = false;
    expect(await seal(log)).toEqual({ status: "sealed" });
    expect([...peer.stored.keys()].sort()).toEqual([1, 2]);
  });

  it("S3 that never keeps anything: the log is not called sealed", async () => {
    const log = open();
    peer.bucketForgets = true;
    log.record(genesis());
    expect(await seal(log)).toEqual({
      status: "unsealed",
      reason: "the bucket does not keep what is stored in it",
    });
  });

  it("a spool that was changed is not stored in place of what was countersigned", async () => {
    const log = open();
    peer.bucketForgets = true;
    log.record(genesis());
    await log.shipping.drain();
    peer.bucketForgets = false;
    for (const name of readdirSync(directory)) writeFileSync(join(directory, name), "x".repeat(5_000));
    expect(await seal(log)).toMatchObject({ status: "unsealed" });
    expect(peer.stored.has(1)).toBe(false);
  });

  it("a broker that is away costs a bounded time and says so", async () => {
    const log = open();
    log.record(genesis());
    peer.bucketStatus = 503;
    const startedAt = performance.now();
    expect(await seal(log, 300)).toEqual({
      status: "unsealed",
      reason: "the log could not be stored within 0.3 s",
    });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(halted).toHaveLength(1);
  });

  it("a log that is sealed is not sealed a second time", async () => {
    const log = open();
    log.record(genesis());
    await seal(log);
    expect(await seal(log)).toEqual({ status: "unsealed", reason: "the log is sealed" });
    expect(peer.sealed).toHaveLength(1);
  });
});
