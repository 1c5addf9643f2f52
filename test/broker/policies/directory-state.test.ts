/** When a directory counts: two readings, a moment apart, that are the same. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { awaitSettled, readDirectory } from "../../../broker/policies/directory-state.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-policies-"));
  await mkdir(join(directory, "robots"));
  await writeFile(join(directory, "servers.yaml"), "servers: {}");
  await writeFile(join(directory, "roles.yaml"), "one");
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

test("the same files have the same digest, wherever they lie and whenever they were written", async () => {
  const first = await readDirectory(directory);
  await writeFile(join(directory, "roles.yaml"), "one");
  expect(await readDirectory(directory)).toEqual(first);
  await writeFile(join(directory, "roles.yaml"), "two");
  expect((await readDirectory(directory)).digest).not.toBe(first.digest);
});

test("a half-written file: what was read first does not count when the directory has changed since", async () => {
  const half = await readDirectory(directory);
  await writeFile(join(directory, "roles.yaml"), "one and the rest");
  const settled = await awaitSettled(directory, half, new AbortController().signal);
  expect(settled.files.find(({ path }) => path === "roles.yaml")?.text).toBe("one and the rest");
  expect(settled).toEqual(await readDirectory(directory));
});

test("a broker that stops does not wait for a directory to stand still", async () => {
  const state = await readDirectory(directory);
  await expect(awaitSettled(directory, state, AbortSignal.abort())).rejects.toThrow();
});
