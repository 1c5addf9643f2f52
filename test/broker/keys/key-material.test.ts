/** Names of keys are typed by people. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createKey } from "../../../broker/keys/key-material.ts";
import { loadSealingKey } from "../../../broker/keys/sealing-key.ts";

test("no key has a name that a command would take for an option", async () => {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-keys-"));
  const sealingKey = await loadSealingKey(join(directory, "sealing-key.json"));
  await rm(directory, { recursive: true });
  // Without care it would be one in 64.
  const keys = Array.from({ length: 300 }, async (_, serial) =>
    createKey("token", { sealingKey, serial, at: 0 }),
  );
  const names = (await Promise.all(keys)).map(({ kid }) => kid);
  expect(names.filter((name) => !/^[A-Za-z0-9_]/.test(name))).toEqual([]);
});
