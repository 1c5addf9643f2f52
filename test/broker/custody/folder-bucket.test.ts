/** The folder bucket: what is written once stays, complete or not at all. */
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FolderBucket, openFolderBucket } from "../../../broker/custody/folder-bucket.ts";

let directory: string;
let bucket: FolderBucket;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-bucket-"));
  bucket = openAt(join(directory, "audit"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const openAt = (path: string): FolderBucket =>
  openFolderBucket({
    path,
    publicUrl: "https://lanyard.acme.dev",
    uploadSecrets: () => [Buffer.alloc(32, 1)],
    now: Date.now,
  });

test("putOnce: of twenty at once one stores, and nothing is left beside it", async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => bucket.putOnce("a/b/once", Buffer.from(`body ${index}`))),
  );
  expect(answers.filter((answer) => answer === "stored")).toHaveLength(1);
  expect(await readdir(join(directory, "audit", ".drafts"))).toEqual([]);
  expect(await bucket.list("")).toEqual(["a/b/once"]);
});

test("stat, read and list: what is there, what is not, what is too large", async () => {
  await bucket.putOnce("list/b=1/x", Buffer.from("bb"));
  await bucket.putOnce("list/a", Buffer.from("a"));
  await bucket.putOnce("listing", Buffer.from("a"));
  expect(await bucket.list("list/")).toEqual(["list/a", "list/b=1/x"]);
  expect(await bucket.list("list/b")).toEqual(["list/b=1/x"]);
  expect(await bucket.list("nothing/at/all/")).toEqual([]);
  expect(await bucket.stat("list/a")).toEqual({
    bytes: 1,
    sha256: "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
  });
  expect(await bucket.stat("list/c")).toBeUndefined();
  expect(await bucket.read("list/c", 10)).toBeUndefined();
  await expect(bucket.read("list/b=1/x", 1)).rejects.toMatchObject({ code: "object_too_large" });
});

test.each(["../outside", "a/../../outside", "/etc/passwd", ".drafts/x", ""])(
  "a key that leads out of the bucket: %j",
  async (key) => {
    await expect(bucket.putOnce(key, Buffer.from("x"))).rejects.toThrow();
    await expect(bucket.read(key, 10)).rejects.toThrow();
    expect(await readdir(directory)).toEqual(expect.not.arrayContaining(["outside"]));
  },
);

test("a body that breaks off leaves nothing", async () => {
  async function* breakOff(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("half");
    throw new Error("the connection was lost");
  }
  await expect(bucket.receive("x", { bytes: 8, sha256: "0".repeat(64) }, breakOff())).rejects.toThrow("lost");
  expect(await bucket.list("")).toEqual([]);
  expect(await readdir(join(directory, "audit", ".drafts"))).toEqual([]);
});

test("a folder that is a file, or lies in one, cannot be used: the probe says so", async () => {
  await writeFile(join(directory, "file"), "");
  for (const path of [join(directory, "file"), join(directory, "file", "audit")]) {
    await expect(openAt(path).probe()).rejects.toMatchObject({ code: "bucket_unusable" });
    await expect(openAt(path).probe()).rejects.toThrow(path);
  }
});

test("the probe passes, twice, and is the one object that is not of a log", async () => {
  await bucket.probe();
  await bucket.probe();
  expect(await bucket.list("")).toEqual(["lanyard-probe"]);
  expect(await readFile(join(directory, "audit", "lanyard-probe"), "utf8")).toContain("Lanyard");
});
