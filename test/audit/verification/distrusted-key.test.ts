/** Logs whose key was distrusted: before they were written, after, and in between. */
import type { JSONWebKeySet } from "jose";
import { expect, test } from "vitest";
import { serializeManifest, signManifest } from "../../../audit/signature.ts";
import { verifySession } from "../../../audit/verification/verification.ts";
import type { Verdict } from "../../../audit/verification/verdict.ts";
import {
  type Objects,
  brokerKeys,
  makeKey,
  sourceOf,
  storeSealed,
  storeUnsealed,
  tell,
} from "../stored-session.ts";

const [checkpointsAt, manifestAt] = [Date.parse("2026-11-22T12:00:00Z"), Date.parse("2026-11-22T12:30:00Z")];

const distrusted = (revoked: unknown): JSONWebKeySet => ({
  keys: brokerKeys.keys.map((key) => ({ ...key, revoked })),
});
const since = (at: number): JSONWebKeySet => distrusted({ revoked_at: at / 1000, reason: "compromised" });
const verify = async (objects: Objects, keys: JSONWebKeySet): Promise<Verdict> =>
  verifySession(sourceOf(objects), keys);

test("a log that was sealed before is complete", async () => {
  const { objects } = await storeSealed();
  const verdict = await verify(objects, since(manifestAt + 1_000));
  expect([verdict.status, tell(verdict), verdict.checkpoints]).toEqual(["complete", [], 2]);
});

test("a manifest of the very second, or later, is not believed", async () => {
  const { objects } = await storeSealed();
  for (const at of [manifestAt, manifestAt - 60_000]) {
    const verdict = await verify(objects, since(at));
    expect([verdict.status, tell(verdict)]).toEqual(["broken", ["manifest.json: key_distrusted"]]);
    expect(verdict.manifest).toBeUndefined();
  }
});

test("later checkpoints witness nothing: a log that has no more is broken at the first of them", async () => {
  const { objects } = await storeUnsealed();
  const verdict = await verify(objects, since(checkpointsAt));
  expect(verdict.status).toBe("broken");
  expect(tell(verdict)).toEqual([
    expect.stringMatching(/^runner\/000002\.jsonl\.zst record \d+: key_distrusted$/),
    expect.stringMatching(/^runner\/000003\.jsonl\.zst record \d+: key_distrusted$/),
    "manifest.json: manifest_missing",
  ]);
  expect([verdict.checkpoints, verdict.witnessedSeq]).toEqual([0, undefined]);
});

test("where the next key signed a manifest over all of it, late checkpoints are a remark", async () => {
  const next = await makeKey("checkpoint-2");
  const writer = await storeUnsealed();
  const { signature: _, ...unsigned } = await writer.writeManifest("sealed");
  const manifest = await signManifest(unsigned, next.key);
  writer.objects.set("manifest.json", Buffer.from(serializeManifest(manifest)));
  const keys = { keys: [...since(checkpointsAt).keys, ...next.keys.keys] };
  const verdict = await verify(writer.objects, keys);
  expect(verdict.status).toBe("complete");
  expect(verdict.problems.map(({ code, breaks }) => [code, breaks])).toEqual([
    ["key_distrusted", false],
    ["key_distrusted", false],
  ]);
  expect(verdict.keys).toEqual(["checkpoint-2"]);
});

test.each([[null], [true], [{}], [{ revoked_at: "2026-11-22" }], [{ reason: "compromised" }]])(
  "a key that says %j of its distrust was never trusted",
  async (revoked) => {
    const { objects } = await storeSealed();
    const verdict = await verify(objects, distrusted(revoked));
    expect(verdict.status).toBe("broken");
    expect(verdict.checkpoints).toBe(0);
  },
);
