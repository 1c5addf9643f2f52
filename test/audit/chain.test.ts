import { hash } from "node:crypto";
import fc from "../support/properties.ts";
import { describe, expect, test } from "vitest";
import reference from "canonicalize";
import { CanonicalError } from "../../audit/canonical.ts";
import { Chain, EntryRefused } from "../../audit/chain.ts";
import { ChainVerifier, splitLines } from "../../audit/verification/chain-verification.ts";
import { AuditRecord, type Entry, GENESIS_PREV } from "../../audit/record.ts";
import { callOf, genesisOf, resultOf, sealOf, workOf } from "./stored-session.ts";

const noon = new Date("2026-11-22T12:00:00.000Z");
const entries: Entry[] = [
  genesisOf("s-1"),
  ...workOf(3),
  { kind: "event", event: "client_attached", severity: "info", detail: { era: "2026-07-28" } },
  { kind: "checkpoint", segment: 1, last_seq: 3, head: "a".repeat(64), signature: "x" },
  sealOf([]),
];

describe("a chain", () => {
  test("numbers and links its records, each the SHA-256 of its canonical text without the hash", () => {
    const chain = new Chain();
    let prev = GENESIS_PREV;
    for (const [seq, entry] of entries.entries()) {
      const { record, line } = chain.append(entry, noon);
      const { hash: stated, ...rest } = record;
      expect(record).toEqual({ ...entry, v: 1, seq, prev, time: noon.toISOString(), hash: stated });
      expect(stated).toBe(hash("sha256", reference(rest) ?? ""));
      expect(line).toBe(`${reference(record)}\n`);
      expect(AuditRecord.parse(JSON.parse(line))).toEqual(record);
      prev = stated;
    }
    expect(chain).toMatchObject({ nextSeq: entries.length, head: prev });
  });

  test("writes lines that verify, whatever the arguments of a call are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ stringUnit: "grapheme" }), { minLength: 1, maxLength: 5 }),
        (values) => {
          const chain = new Chain();
          const text = values.map(
            (value) => chain.append(callOf("a", { arguments: JSON.parse(JSON.stringify(value)) }), noon).line,
          );
          const verifier = new ChainVerifier({ nextSeq: 0, head: GENESIS_PREV });
          const readings = [...splitLines(Buffer.from(text.join("")))].map((line) =>
            verifier.verifyLine(line),
          );
          expect(readings.every(({ ok }) => ok)).toBe(true);
          expect(verifier.state).toMatchObject({ nextSeq: chain.nextSeq, head: chain.head });
        },
      ),
    );
  });

  test("goes on from where another one stood", () => {
    const whole = new Chain();
    whole.append(genesisOf("s-1"), noon);
    const rest = new Chain({ nextSeq: whole.nextSeq, head: whole.head });
    expect(rest.append(callOf("a"), noon)).toEqual(whole.append(callOf("a"), noon));
  });

  test("clock set back: the time of the record before it is repeated", () => {
    const chain = new Chain();
    const times = [5_000, 9_000, 1_000, 8_999, 9_001].map(
      (offset) => chain.append(callOf("a"), new Date(noon.getTime() + offset)).record.time,
    );
    expect(times.map((time) => Date.parse(time) - noon.getTime())).toEqual([
      5_000, 9_000, 9_000, 9_000, 9_001,
    ]);
  });

  test("clock set back across a restart: the time that is known is never undercut", () => {
    const chain = new Chain({ nextSeq: 3, head: "a".repeat(64), time: "2026-11-22T13:00:00.000Z" });
    expect(chain.append(callOf("a"), noon).record.time).toBe("2026-11-22T13:00:00.000Z");
  });

  test("a record whose size explodes is refused, and the chain stays where it was", () => {
    const chain = new Chain();
    const before = chain.append(genesisOf("s-1"), noon).record;
    const huge = callOf("a", { arguments: "x".repeat(9 * 1024 * 1024) });
    expect(() => chain.append(huge, noon)).toThrow(EntryRefused);
    expect(chain).toMatchObject({ nextSeq: 1, head: before.hash });
  });

  test("refuses an entry that does not fit the schema, and stays where it was", () => {
    const chain = new Chain();
    const before = chain.append(genesisOf("s-1"), noon).record;
    for (const wrong of [
      { duration_ms: -1 },
      { duration_ms: 0.5 },
      { digest: "A".repeat(64) },
      { color: "red" },
      { outcome: "fine" },
    ]) {
      const entry: Entry = Object.assign(resultOf("a"), wrong);
      expect(() => chain.append(entry, noon)).toThrow(EntryRefused);
    }
    for (const value of ["\ud800", Number.NaN]) {
      expect(() => chain.append(callOf("a", { arguments: { value } }), noon)).toThrow(CanonicalError);
    }
    expect(chain).toMatchObject({ nextSeq: 1, head: before.hash });
    expect(chain.append(callOf("a"), noon).record).toMatchObject({ seq: 1, prev: before.hash });
  });
});
