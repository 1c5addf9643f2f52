import { describe, expect, test } from "vitest";
import { callOf, genesisOf, makeKey, rewrite, SessionWriter, tell, verify } from "../stored-session.ts";

describe("checkpoints", () => {
  test("that were changed, or that another key signed under the broker's key id", async () => {
    const forger = await makeKey("checkpoint-1");
    const writer = new SessionWriter("s-1", { key: forger.key });
    const checkpoint = await writer.store([genesisOf("s-1")]);
    await writer.store([checkpoint]);
    const verdict = await verify(writer.objects);
    expect(verdict).toMatchObject({ status: "broken", checkpoints: 0, witnessedSeq: undefined });
    expect(tell(verdict)[0]).toBe("runner/000002.jsonl.zst record 1: checkpoint_signature");
  });

  test("of another session, of a later segment, or that say something else than was signed", async () => {
    const other = new SessionWriter("s-2");
    const foreign = await other.store([genesisOf("s-2")]);
    for (const change of [
      () => foreign,
      (own: typeof foreign) => ({ ...own, last_seq: own.last_seq + 1 }),
      (own: typeof foreign) => ({ ...own, head: "f".repeat(64) }),
      (own: typeof foreign) => ({ ...own, segment: 2 }),
    ]) {
      const writer = new SessionWriter("s-1");
      const own = await writer.store([genesisOf("s-1")]);
      await writer.store([change(own)]);
      const verdict = await verify(writer.objects);
      expect(verdict).toMatchObject({ status: "broken", checkpoints: 0 });
      expect(tell(verdict)[0]).toBe("runner/000002.jsonl.zst record 1: checkpoint_mismatch");
    }
  });

  test("in the segment that they witness or before it", async () => {
    const early = new SessionWriter("s-1");
    const checkpoint = await early.store([genesisOf("s-1")]);
    const writer = new SessionWriter("s-1");
    await writer.store([genesisOf("s-1"), checkpoint]);
    expect(tell(await verify(writer.objects))[0]).toBe(
      "runner/000001.jsonl.zst record 1: checkpoint_mismatch",
    );
  });

  test("name the segment that was replaced where there is no manifest", async () => {
    const writer = new SessionWriter("s-1");
    const witnessed = await writer.store([genesisOf("s-1"), callOf("a")]);
    await writer.store([witnessed]);
    // The same records, packed into other bytes.
    const { objects } = writer;
    await rewrite(objects, "runner/000001.jsonl.zst", (lines) => lines);
    expect((await verify(objects)).status).toBe("incomplete");
    const forged = new SessionWriter("s-1");
    await forged.store([genesisOf("s-1"), callOf("b")]);
    await forged.store([witnessed]);
    const verdict = await verify(forged.objects);
    expect(verdict).toMatchObject({ status: "broken", checkpoints: 0, witnessedSeq: undefined });
    expect(tell(verdict)[0]).toBe("runner/000001.jsonl.zst: segment_changed");
  });
});
