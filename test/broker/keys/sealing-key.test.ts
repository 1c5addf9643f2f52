/** The sealing key: what it seals opens only with it, for the purpose it was sealed for. */
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openKeyFile } from "../../../broker/keys/key-file.ts";
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

test("another key is added and dropped without a moment in which the file is not whole", async () => {
  const path = join(directory, "a.json");
  const key = await loadSealingKey(path);
  const first = key.kid;
  const sealed = await key.seal("p", Buffer.from("secret"));
  const source = openKeyFile(path);
  const added = await source.add(0);
  expect(((await stat(path)).mode & 0o777).toString(8)).toBe("600");
  const other = await loadSealingKey(path);
  expect(other.kid).toBe(added.kid);
  const later = await other.seal("p", Buffer.from("later"));
  // This one has not read the file since: it meets a key that it does not know.
  expect(key.kids).toEqual([first]);
  expect(Buffer.from(await key.open("p", later)).toString()).toBe("later");
  expect(key.kids).toEqual([added.kid, first]);
  await source.drop(first);
  await key.refresh();
  await expect(key.open("p", sealed)).rejects.toMatchObject({ code: "sealing_key_unusable" });
  expect(await readdir(directory)).toEqual(["a.json"]);
});

test("what is no sealing key is refused without a word of what it holds", async () => {
  const path = join(directory, "a.json");
  for (const text of ["geheim", '{"kty":"oct","k":"geheim"}', '{"keys":[]}']) {
    await writeFile(path, text, { mode: 0o600 });
    const error: unknown = await loadSealingKey(path).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "sealing_key_unusable" });
    expect(inspect(error, { depth: 9 })).not.toContain("geheim");
  }
});
