import { describe, expect, test } from "vitest";
import {
  callOf,
  genesisOf,
  resultOf,
  sealOf,
  SessionWriter,
  tell,
  verify,
  workload,
} from "../stored-session.ts";

describe("what records say together", () => {
  async function store(entries: Parameters<SessionWriter["store"]>[0]): Promise<string[]> {
    const writer = new SessionWriter("s-1");
    await writer.store(entries);
    await writer.writeManifest("sealed");
    const verdict = await verify(writer.objects);
    expect(verdict.status).toBe("broken");
    return tell(verdict);
  }

  test("a result without its call", async () => {
    const entries = [resultOf("nobody's")];
    expect(await store([genesisOf("s-1"), ...entries, sealOf(entries)])).toEqual([
      "runner/000001.jsonl.zst record 1: result_without_call",
    ]);
  });

  test("a second result of one call", async () => {
    const entries = [callOf("a"), resultOf("a"), resultOf("a")];
    expect(await store([genesisOf("s-1"), ...entries, sealOf(entries)])).toEqual([
      "runner/000001.jsonl.zst record 3: result_without_call",
    ]);
  });

  test("a call id used twice", async () => {
    const entries = [callOf("a"), callOf("a")];
    expect(await store([genesisOf("s-1"), ...entries, sealOf(entries)])).toEqual([
      "runner/000001.jsonl.zst record 2: call_repeated",
    ]);
  });

  test("a call after the seal", async () => {
    expect(await store([genesisOf("s-1"), sealOf([]), callOf("a"), resultOf("a")])).toEqual([
      "runner/000001.jsonl.zst record 2: record_after_seal",
    ]);
  });

  test("a seal that counts fewer denials than there are", async () => {
    const denied = callOf("a", { decision: "deny", reason: "no_grant" });
    expect(await store([genesisOf("s-1"), denied, sealOf([])])).toEqual([
      "runner/000001.jsonl.zst record 2: totals_mismatch",
      "runner/000001.jsonl.zst record 2: totals_mismatch",
    ]);
  });

  test("a sealed log without its seal", async () => {
    expect(await store([genesisOf("s-1"), callOf("a")])).toEqual([
      "runner/000001.jsonl.zst record 1: seal_missing",
    ]);
  });

  test("a log without its genesis, or with two", async () => {
    expect(await store([sealOf([])])).toEqual(["runner/000001.jsonl.zst record 0: genesis_missing"]);
    expect(await store([genesisOf("s-1"), genesisOf("s-1"), sealOf([])])).toEqual([
      "runner/000001.jsonl.zst record 1: genesis_repeated",
    ]);
  });

  test("a genesis of another session, workload or robot than the manifest's", async () => {
    for (const [change, member] of [
      [{ session: "s-2" }, "session"],
      [{ robot: "acme/payments/admin" }, "robot"],
      [{ workload: { ...workload, run_id: "1" } }, "workload.run_id"],
      [{ workload: { ...workload, check_run_id: null } }, "workload.check_run_id"],
    ] as const) {
      const writer = new SessionWriter("s-1");
      await writer.store([genesisOf("s-1", change), sealOf([])]);
      await writer.writeManifest("sealed");
      const verdict = await verify(writer.objects);
      expect(tell(verdict)).toEqual(["runner/000001.jsonl.zst record 0: genesis_mismatch"]);
      expect(verdict.problems[0]?.message).toContain(member);
    }
  });
});
