import { describe, expect, test } from "vitest";
import { verifySession } from "../../../audit/verification/verification.ts";
import {
  genesisOf,
  makeKey,
  robot,
  sealOf,
  SessionWriter,
  sourceOf,
  storeRecovered,
  storeSealed,
  tell,
  verify,
  workOf,
} from "../stored-session.ts";

describe("the manifest", () => {
  test("a manifest of another session", async () => {
    const [{ objects }, other] = [await storeSealed("s-1"), await storeSealed("s-2")];
    objects.set("manifest.json", other.objects.get("manifest.json") ?? Buffer.alloc(0));
    const verdict = await verify(objects);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toContain("runner/000001.jsonl.zst record 0: genesis_mismatch");
  });

  test("the manifest deleted", async () => {
    const { objects } = await storeSealed();
    objects.delete("manifest.json");
    const verdict = await verify(objects);
    expect(verdict).toMatchObject({ status: "incomplete", checkpoints: 2, witnessedSeq: 13 });
    expect(verdict.problems[0]?.message).toContain(
      "it ends with its seal, but the broker did not confirm it",
    );
  });

  test("any member of the manifest changed is named where the log can tell", async () => {
    for (const [from, to, part] of [
      [`"robot":"${robot}"`, '"robot":"acme/payments/admin"', "manifest.json robot: manifest_contradicts"],
      ['"run_id":"123456"', '"run_id":"123457"', "manifest.json workload.run_id: manifest_contradicts"],
      ['"session":"s-1"', '"session":"s-2"', "manifest.json session: manifest_contradicts"],
      ['"last_seq":13', '"last_seq":14', "manifest.json runner[1].last_seq: manifest_contradicts"],
      [
        /"sha256":".{64}/,
        `"sha256":"${"0".repeat(64)}`,
        "manifest.json runner[0].sha256: manifest_contradicts",
      ],
      ['"first_seq":14', '"first_seq":13', "manifest.json runner[2].first_seq: manifest_contradicts"],
      [/"bytes":\d+/, '"bytes":1', "manifest.json runner[0].bytes: manifest_contradicts"],
      [
        '"object":"runner/000002',
        '"object":"runner/000004',
        "manifest.json runner[1].object: manifest_contradicts",
      ],
    ] as const) {
      const { objects } = await storeSealed();
      const manifest = objects.get("manifest.json")?.toString("utf8") ?? "";
      const changed = manifest.replace(from, to);
      expect(changed).not.toBe(manifest);
      objects.set("manifest.json", Buffer.from(changed));
      const verdict = await verify(objects);
      expect(verdict).toMatchObject({ status: "broken", manifest: undefined });
      expect(tell(verdict)).toContain(part);
      expect(tell(verdict)).toContain("manifest.json: manifest_signature");
    }
  });

  test("a changed member that the log cannot tell is narrowed down", async () => {
    const { objects } = await storeSealed();
    const manifest = objects.get("manifest.json")?.toString("utf8") ?? "";
    objects.set("manifest.json", Buffer.from(manifest.replace("12:30", "12:31")));
    const verdict = await verify(objects);
    expect(tell(verdict)).toEqual(["manifest.json: manifest_signature"]);
    expect(verdict.problems[0]?.message).toContain("findings, written_at, status or signature");
  });

  test("a manifest that says the same in other bytes", async () => {
    const { objects } = await storeSealed();
    const manifest = objects.get("manifest.json")?.toString("utf8") ?? "";
    for (const other of [
      manifest.trimEnd(),
      `${manifest}\n`,
      ` ${manifest}`,
      JSON.stringify(JSON.parse(manifest), null, 1),
    ]) {
      objects.set("manifest.json", Buffer.from(other));
      expect(tell(await verify(objects))).toEqual(["manifest.json: manifest_malformed"]);
    }
  });

  test("a manifest with a member that does not fit the schema is named", async () => {
    const { objects } = await storeSealed();
    const manifest = objects.get("manifest.json")?.toString("utf8") ?? "";
    objects.set("manifest.json", Buffer.from(manifest.replace('"last_seq":13', '"last_seq":-13')));
    expect(tell(await verify(objects))).toContain("manifest.json runner[1].last_seq: manifest_malformed");
  });

  test("a manifest signed by a key that is not among the broker's", async () => {
    const { objects } = await storeSealed();
    const other = await makeKey("checkpoint-2");
    const verdict = await verifySession(sourceOf(objects), other.keys);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toEqual([
      "runner/000002.jsonl.zst record 7: key_unknown",
      "runner/000003.jsonl.zst record 18: key_unknown",
      "manifest.json: key_unknown",
    ]);
  });

  test("a manifest signed by somebody else under the broker's key id", async () => {
    const forger = await makeKey("checkpoint-1");
    const writer = new SessionWriter("s-1", { key: forger.key });
    const work = workOf(3);
    await writer.store([genesisOf("s-1"), ...work, sealOf(work)]);
    await writer.writeManifest("sealed");
    const verdict = await verify(writer.objects);
    expect(verdict).toMatchObject({ status: "broken", manifest: undefined, witnessedSeq: undefined });
    expect(tell(verdict)).toEqual(["manifest.json: manifest_signature"]);
  });

  test("a manifest of a recovery in the place of the sealed one", async () => {
    const { objects } = await storeRecovered();
    objects.set("manifest.json", objects.get("recovered/manifest.json") ?? Buffer.alloc(0));
    objects.delete("recovered/manifest.json");
    const verdict = await verify(objects);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toContain("manifest.json status: manifest_contradicts");
  });
});
