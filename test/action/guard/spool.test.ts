import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readSpool } from "../../../action/conclusion/spool-reading.ts";
import { type Spool, type SpooledRecord, openSpool } from "../../../action/guard/spool.ts";
import { Chain } from "../../../audit/chain.ts";
import { RecordingFailed } from "../../../proxy/recorder.ts";
import { call, genesis, longCall, result } from "../log-entries.ts";

const disk = vi.hoisted(() => ({ write: undefined as ((bytes: Buffer) => number) | undefined }));
vi.mock("node:fs", async (importActual) => {
  const actual = await importActual<typeof fs>();
  const writeSync = (descriptor: number, bytes: Buffer, offset = 0): number =>
    actual.writeSync(
      descriptor,
      bytes,
      offset,
      disk.write?.(bytes.subarray(offset)) ?? bytes.length - offset,
    );
  return { ...actual, writeSync };
});

let path = "";
const seen: SpooledRecord[] = [];
beforeEach(() => {
  path = join(fs.mkdtempSync(join(tmpdir(), "lanyard-test-")), "spool.jsonl");
  seen.length = 0;
});
afterEach(() => {
  disk.write = undefined;
});

const open = (refuse: () => string | undefined = () => undefined): Spool =>
  openSpool({
    path,
    chain: new Chain(),
    now: () => new Date(),
    refuse,
    onRecord: (record) => seen.push(record),
  });
const lines = (): string[] => fs.readFileSync(path, "utf8").split("\n").slice(0, -1);

describe("the spool", () => {
  it("holds a record when it is returned, in a file for this user alone", () => {
    const record = open().record(genesis());
    expect(lines().map((line) => JSON.parse(line))).toEqual([record]);
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  it("tells where each record lies, and reads it there again, also when the file was renamed", () => {
    const spool = open();
    spool.record(genesis());
    const second = spool.record(call());
    fs.renameSync(path, `${path}.moved`);
    const place = seen[1];
    expect(place?.record).toEqual(second);
    expect(spool.read(place?.offset ?? 0, place?.line.length ?? 0)).toEqual(place?.line);
  });

  it("completes a write that was short", () => {
    disk.write = (bytes) => Math.ceil(bytes.length / 3);
    const spool = open();
    spool.record(genesis());
    spool.record(call());
    expect(lines().map((line) => JSON.parse(line).kind)).toEqual(["genesis", "call"]);
  });

  it("disk full: what cannot be written is not recorded, and nothing after it", () => {
    const spool = open();
    spool.record(genesis());
    let taken = 0;
    disk.write = (bytes) => {
      if (taken > 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      return (taken = bytes.length - 10);
    };
    expect(() => spool.record(call())).toThrow(RecordingFailed);
    disk.write = undefined;
    expect(() => spool.record(result())).toThrow(RecordingFailed);
    expect(seen.map(({ record }) => record.kind)).toEqual(["genesis"]);
  });

  it("refuses what must not be recorded now, and goes on when it may", () => {
    let reason: string | undefined = "too much of the log waits to be stored";
    const spool = open(() => reason);
    expect(() => spool.record(call())).toThrow(reason);
    reason = undefined;
    expect(spool.record(genesis()).seq).toBe(0);
  });

  it("does not go on in a file that is there already", () => {
    fs.writeFileSync(path, "");
    expect(() => open()).toThrow(/EEXIST/);
  });
});

describe("reading a spool whose proxy is gone", () => {
  it("gives everything after what the last checkpoint covers", () => {
    const spool = open();
    const first = spool.record(genesis());
    spool.record(call({ id: "in-flight" }));
    const { seq: last_seq, hash: head } = first;
    spool.record({ kind: "checkpoint", segment: 1, last_seq, head, signature: "s" });
    spool.record(result({ call: "in-flight" }));
    const content = readSpool(path);
    expect(content?.records).toBe(4);
    expect(content?.tail.trimEnd().split("\n")).toEqual(lines().slice(1));
    expect(content?.genesis?.session).toBe("session-1");
    expect(content?.tally.totals).toEqual({ calls: 1, allowed: 1, denied: 0, failed: 0 });
    expect(content?.isCutShort).toBe(false);
  });

  it("kill -9 during a write: the torn last line is left out", () => {
    const spool = open();
    spool.record(genesis());
    const whole = fs.readFileSync(path, "utf8");
    spool.record(call());
    fs.truncateSync(path, whole.length + 40);
    expect(readSpool(path)).toMatchObject({
      records: 1,
      tail: whole,
      isCutShort: true,
      endsWithSeal: false,
    });
  });

  it("a line that is no record ends what is read, whatever follows", () => {
    const spool = open();
    spool.record(genesis());
    fs.appendFileSync(path, "garbage\n");
    spool.record(call());
    expect(readSpool(path)).toMatchObject({ records: 1, isCutShort: true });
  });

  it("a record longer than a piece of the file is read whole", () => {
    const spool = open();
    spool.record(genesis());
    spool.record(longCall(3 * 1024 * 1024));
    expect(readSpool(path)).toMatchObject({ records: 2, isCutShort: false });
  });

  it("knows a log that was sealed, and one that is not there", () => {
    const spool = open();
    spool.record(genesis());
    spool.record({ kind: "seal", reason: "x", totals: { calls: 0, allowed: 0, denied: 0, failed: 0 } });
    expect(readSpool(path)?.endsWithSeal).toBe(true);
    expect(readSpool(`${path}.missing`)).toBeUndefined();
  });
});
