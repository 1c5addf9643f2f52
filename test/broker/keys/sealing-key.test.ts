/** The sealing key: what it seals opens only with it, for the purpose it was sealed for. */
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSealingKey } from "../../../broker/keys/sealing-key.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-keys-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test("made at the first load, read at the next, once even when ten start at the same time", async () => {
  const path = join(directory, "new", "sealing-key.json");
  const keys = await Promise.all(Array.from({ length: 10 }, async () => loadSealingKey(path)));
  const derived = new Set(
    [...keys, await loadSealingKey(path)].map((key) => key.derive("x").toString("hex")),
  );
  expect(derived.size).toBe(1);
  expect(await readdir(join(directory, "new"))).toEqual(["sealing-key.json"]);
});

test("what is sealed for one purpose opens for no other, and not with another key", async () => {
  const key = await loadSealingKey(join(directory, "a.json"));
  const other = await loadSealingKey(join(directory, "b.json"));
  const sealed = await key.seal("salt of ses_1", Buffer.from("secret"));
  expect(sealed).not.toContain(Buffer.from("secret").toString("base64url"));
  expect(Buffer.from(await key.open("salt of ses_1", sealed)).toString()).toBe("secret");
  await expect(key.open("salt of ses_2", sealed)).rejects.toMatchObject({ code: "sealing_key_unusable" });
  await expect(other.open("salt of ses_1", sealed)).rejects.toMatchObject({ code: "sealing_key_unusable" });
  const [header = "", , ...rest] = sealed.split(".");
  const swapped = [
    Buffer.from(Buffer.from(header, "base64url").toString().replace("ses_1", "ses_2")).toString("base64url"),
    "",
    ...rest,
  ].join(".");
  await expect(key.open("salt of ses_2", swapped)).rejects.toMatchObject({ code: "sealing_key_unusable" });
});

test("keys for single purposes differ from each other and from the key itself", async () => {
  const path = join(directory, "a.json");
  const key = await loadSealingKey(path);
  const { k } = JSON.parse(await readFile(path, "utf8"));
  const all = [key.derive("uploads"), key.derive("login cookies"), Buffer.from(k, "base64url")].map((each) =>
    each.toString("hex"),
  );
  expect(new Set(all).size).toBe(3);
});
