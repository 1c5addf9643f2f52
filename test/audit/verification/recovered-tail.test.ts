import { describe, expect, test } from "vitest";
import {
  callOf,
  genesisOf,
  resultOf,
  rewrite,
  robot,
  SessionWriter,
  storeRecovered,
  tell,
  verify,
} from "../stored-session.ts";

describe("a recovered tail", () => {
  async function storeTail(write: (writer: SessionWriter) => Promise<void>): Promise<SessionWriter> {
    const writer = new SessionWriter("s-1");
    await writer.store([genesisOf("s-1"), callOf("a")]);
    await write(writer);
    return writer;
  }

  test("that does not continue the chain is told, and the log stays recovered", async () => {
    const writer = await storeTail(async () => {});
    const forged = new SessionWriter("s-1", { from: { nextSeq: 2, head: "9".repeat(64) } });
    await forged.store([resultOf("a"), callOf("b")], "recovered");
    writer.objects.set(
      "recovered/000001.jsonl.zst",
      forged.objects.get("recovered/000001.jsonl.zst") ?? Buffer.alloc(0),
    );
    writer.recovered.push(...forged.recovered);
    await writer.writeManifest("recovered");
    const verdict = await verify(writer.objects);
    expect(verdict).toMatchObject({ status: "recovered", witnessedSeq: 1, recoveredCount: 2 });
    expect(tell(verdict)).toEqual([
      "recovered/000001.jsonl.zst record 2: tail_discontinuous",
      "recovered/manifest.json: recovered",
    ]);
  });

  test("that begins with records which were stored is taken from where they end", async () => {
    const writer = await storeTail(async () => {});
    const again = new SessionWriter("s-1");
    await again.store([genesisOf("s-1"), callOf("a"), resultOf("a"), callOf("b")], "recovered");
    writer.objects.set(
      "recovered/000001.jsonl.zst",
      again.objects.get("recovered/000001.jsonl.zst") ?? Buffer.alloc(0),
    );
    writer.recovered.push(...again.recovered);
    await writer.writeManifest("recovered");
    const verdict = await verify(writer.objects);
    expect(verdict).toMatchObject({ status: "recovered", recordCount: 2, recoveredCount: 2 });
    expect(tell(verdict)).toEqual(["recovered/manifest.json: recovered"]);
  });

  test("whose records contradict the log is told", async () => {
    const writer = await storeTail(async (log) => {
      await log.store([resultOf("nobody's"), genesisOf("s-2")], "recovered");
      await log.writeManifest("recovered");
    });
    const verdict = await verify(writer.objects);
    expect(verdict.status).toBe("recovered");
    expect(tell(verdict)).toEqual([
      "recovered/000001.jsonl.zst record 2: result_without_call",
      "recovered/000001.jsonl.zst record 3: genesis_repeated",
      "recovered/000001.jsonl.zst record 3: genesis_mismatch",
      "recovered/manifest.json: recovered",
    ]);
  });

  test("that was changed after the broker stored it breaks the log", async () => {
    const { objects } = await storeRecovered();
    await rewrite(objects, "recovered/000001.jsonl.zst", (lines) => lines.slice(0, 1));
    const verdict = await verify(objects);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toContain("recovered/000001.jsonl.zst record 11: segment_changed");
  });

  test("of a log of which nothing was stored", async () => {
    const writer = new SessionWriter("s-1");
    await writer.store([genesisOf("s-1"), callOf("a")], "recovered");
    await writer.writeManifest("recovered");
    const verdict = await verify(writer.objects);
    expect(verdict).toMatchObject({
      status: "recovered",
      robot,
      recordCount: 0,
      recoveredCount: 2,
      witnessedSeq: undefined,
    });
    expect(tell(verdict)).toEqual(["recovered/manifest.json: recovered"]);
  });

  test("without a manifest is shown, and the log is incomplete", async () => {
    const { objects } = await storeRecovered();
    objects.delete("recovered/manifest.json");
    const verdict = await verify(objects);
    expect(verdict).toMatchObject({ status: "incomplete", recoveredCount: 2 });
    expect(tell(verdict)).toEqual(["recovered/manifest.json: recovered", "manifest.json: manifest_missing"]);
  });

  test("across a segment that was announced and never stored", async () => {
    const writer = new SessionWriter("s-1");
    await writer.store([genesisOf("s-1"), callOf("a")]);
    await writer.store([resultOf("a")]);
    await writer.store([callOf("b")]);
    const again = new SessionWriter("s-1");
    await again.store([genesisOf("s-1"), callOf("a")]);
    await again.store([resultOf("a"), callOf("b"), resultOf("b")], "recovered");
    const { objects } = writer;
    objects.delete("runner/000002.jsonl.zst");
    // The same clock wrote both, so the tail repeats what the third segment holds.
    objects.set(
      "recovered/000001.jsonl.zst",
      again.objects.get("recovered/000001.jsonl.zst") ?? Buffer.alloc(0),
    );
    const runner = writer.runner.filter(({ object }) => !object.includes("000002"));
    await writer.writeManifest("recovered", { runner, recovered: again.recovered });
    const verdict = await verify(objects);
    expect(tell(verdict)).toEqual([
      "runner/000002.jsonl.zst: segment_missing",
      "recovered/manifest.json: recovered",
    ]);
    expect(verdict).toMatchObject({ status: "recovered", recordCount: 3, recoveredCount: 2 });
    expect(verdict.recovered.map(({ seq }) => seq)).toEqual([2, 4]);
  });

  test("and a segment that came after it is told and left unread", async () => {
    const writer = await storeRecovered();
    writer.objects.set("runner/000003.jsonl.zst", Buffer.from("late"));
    const verdict = await verify(writer.objects);
    expect(verdict.status).toBe("recovered");
    expect(tell(verdict)).toContain("runner/000003.jsonl.zst: segment_unlisted");
  });
});
