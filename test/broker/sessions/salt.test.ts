/** The salt of a session: nobody can compute it without the sealing key, and each session has its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type SealingKey, loadSealingKey } from "../../../broker/keys/sealing-key.ts";
import { deriveSalt, nameSaltKey } from "../../../broker/sessions/salt.ts";

let directory: string;
let key: SealingKey;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-salt-"));
  key = await loadSealingKey(join(directory, "a.json"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const rowOf = (id: string, of = key) => ({ id, salt_key: nameSaltKey(of) });

test("32 bytes, the same whenever they are asked for, others for another session", async () => {
  const salt = await deriveSalt(rowOf("ses_1"), key);
  expect(Buffer.from(salt, "base64url")).toHaveLength(32);
  expect(await deriveSalt(rowOf("ses_1"), await loadSealingKey(join(directory, "a.json")))).toBe(salt);
  expect(await deriveSalt(rowOf("ses_2"), key)).not.toBe(salt);
});

test("what is stored of it says nothing about it", () => {
  expect(rowOf("ses_1").salt_key).toBe(rowOf("ses_2").salt_key);
});

test("another sealing key gives no salt, rather than another one", async () => {
  const other = await loadSealingKey(join(directory, "b.json"));
  await expect(deriveSalt(rowOf("ses_1"), other)).rejects.toMatchObject({ code: "sealing_key_unusable" });
});
