/** The S3 bucket against a real S3 server: what is written once stays, and an address is good for one body. */
import { createHash } from "node:crypto";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuditStore } from "../../../broker/config-values.ts";
import type { UploadTerms } from "../../../broker/custody/bucket.ts";
import { type S3Bucket, openS3Bucket } from "../../../broker/custody/s3-bucket.ts";
import { startTestBroker } from "../../support/broker.ts";
import { type S3Server, S3_START_TIMEOUT_MS, skipsS3, startS3 } from "../../support/s3.ts";
import {
  Holder,
  LogWriter,
  SEAL,
  announce,
  call,
  exchange,
  note,
  upload,
} from "../../support/session-holder.ts";

const KEY = "audit/v1/repository_id=1/robot=triager/runner/000001.jsonl.zst";
const termsOf = (body: Buffer): UploadTerms => ({
  bytes: body.length,
  sha256: createHash("sha256").update(body).digest("hex"),
  md5: createHash("md5").update(body).digest("base64"),
  expiresSeconds: 60,
});

describe.skipIf(skipsS3)("an S3 bucket (skipped without a server: set LANYARD_TEST_TOOLS)", () => {
  let s3: S3Server;
  let store: Extract<AuditStore, { kind: "s3" }>;
  let bucket: S3Bucket;

  beforeAll(async () => {
    s3 = await startS3();
    store = await s3.createBucket({ prefix: "team/audit" });
    bucket = openS3Bucket(store);
  }, S3_START_TIMEOUT_MS);
  afterAll(async () => {
    bucket.close();
    await s3.stop();
  });

  const put = async (url: string, headers: Record<string, string>, body: Buffer): Promise<number> =>
    (await fetch(url, { method: "PUT", headers, body: new Uint8Array(body) })).status;

  test("an upload at a presigned address: a wrong body fails, the right one is stored, a second PUT fails", async () => {
    const body = Buffer.from("the right body");
    const { url, headers } = await bucket.presignPut(KEY, termsOf(body));
    expect(await put(url, headers, Buffer.from("the wrong body"))).toBeGreaterThanOrEqual(400);
    expect(
      await put(url, { ...headers, "content-length": "5" }, Buffer.from("short")),
    ).toBeGreaterThanOrEqual(400);
    expect(await bucket.stat(KEY)).toBeUndefined();
    expect(await put(url, headers, body)).toBe(200);
    expect(await put(url, headers, body)).toBe(412);
    expect(await bucket.read(KEY, 100)).toEqual(body);
  });

  test("every promise is a signed header: without one of them the address is good for nothing", async () => {
    const body = Buffer.from("content");
    const { url, headers } = await bucket.presignPut(`${KEY}.headers`, termsOf(body));
    expect(new URL(url).searchParams.get("X-Amz-SignedHeaders")).toBe(
      "content-length;content-md5;host;if-none-match;x-amz-checksum-sha256",
    );
    for (const name of ["content-md5", "if-none-match", "x-amz-checksum-sha256"]) {
      const { [name]: _, ...rest } = headers;
      expect(await put(url, rest, body), name).toBe(403);
      expect(await put(url, { ...headers, [name]: "x" }, body), name).toBe(403);
    }
    expect(await bucket.stat(`${KEY}.headers`)).toBeUndefined();
  });

  test("putOnce: of twenty at once one stores", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => bucket.putOnce("once", Buffer.from(`body ${index}`))),
    );
    expect(answers.filter((answer) => answer === "stored")).toHaveLength(1);
  });

  test("stat, read and list: what is there, what is not, what is too large", async () => {
    await bucket.putOnce("list/b", Buffer.from("bb"));
    await bucket.putOnce("list/a", Buffer.from("a"));
    expect(await bucket.list("list/")).toEqual(["list/a", "list/b"]);
    expect(await bucket.list("list/nothing")).toEqual([]);
    expect(await bucket.stat("list/b")).toMatchObject({ bytes: 2 });
    expect(await bucket.stat("list/c")).toBeUndefined();
    expect(await bucket.read("list/c", 10)).toBeUndefined();
    await expect(bucket.read("list/b", 1)).rejects.toMatchObject({ code: "object_too_large" });
  });

  test("more than a thousand objects are listed in full", async () => {
    const keys = Array.from({ length: 1005 }, (_, index) => `many/${String(index).padStart(4, "0")}`);
    for (let start = 0; start < keys.length; start += 50) {
      await Promise.all(
        keys.slice(start, start + 50).map(async (key) => bucket.putOnce(key, Buffer.from("x"))),
      );
    }
    expect(await bucket.list("many/")).toEqual(keys);
  }, 60_000);

  test("the probe passes, twice", async () => {
    await bucket.probe();
    await bucket.probe();
  });

  test("a store that replaces objects although it is asked not to does not pass the probe", async () => {
    const versioned = openS3Bucket(await s3.createBucket({ versioned: true }));
    await expect(versioned.probe()).rejects.toThrow("If-None-Match");
    versioned.close();
  });

  test.each([
    ["that does not exist", { bucket: "lanyard-no-such-bucket" }, "there is no such bucket"],
    ["at an endpoint where nobody listens", { endpoint: "http://127.0.0.1:9" }, "ECONNREFUSED"],
  ])("a bucket %s: the probe says what is wrong", async (_name, changed, expected) => {
    const wrong = openS3Bucket({ ...store, ...changed });
    await expect(wrong.probe()).rejects.toThrow(expected);
    await expect(wrong.probe()).rejects.toMatchObject({ code: "bucket_unusable" });
    wrong.close();
  });

  test("a broker on S3: segments go straight there; one that the store lost is missing; sealed once it is back", async () => {
    const on = await startTestBroker({ audit: store });
    const holder = await Holder.create();
    expect((await exchange(on, holder)).status).toBe(200);
    const log = new LogWriter(() => on.now());
    const segments = [await log.segment([note("one")]), await log.segment([SEAL])];
    for (const segment of segments) {
      const { body } = await announce(on, holder, segment);
      expect(new URL(body.upload.url).origin).toBe(s3.endpoint);
      expect((await upload(body.upload, segment.body)).status).toBe(200);
      expect((await upload(body.upload, segment.body)).status).toBe(412);
    }
    const [one, last] = segments;
    if (one === undefined || last === undefined) throw new Error("two segments");
    const end = { segments: 2, last_seq: last.request.last_seq, head: last.request.head };
    const key =
      (await bucket.list("audit/v1/repository_id=456789/")).find((each) =>
        each.endsWith("000001.jsonl.zst"),
      ) ?? "";
    const object = { Bucket: store.bucket, Key: `${store.prefix}/${key}` };

    await s3.client.send(new DeleteObjectCommand(object));
    expect(await call(on, holder, "POST /session/seal", end)).toMatchObject({
      status: 409,
      body: { segments: [1] },
    });
    await s3.client.send(new PutObjectCommand({ ...object, Body: Buffer.alloc(one.body.length) }));
    expect(await call(on, holder, "POST /session/seal", end)).toMatchObject({
      status: 409,
      body: { segments: [1] },
    });
    await s3.client.send(new DeleteObjectCommand(object));
    const again = await announce(on, holder, one);
    expect((await upload(again.body.upload, one.body)).status).toBe(200);
    expect(await call(on, holder, "POST /session/seal", end)).toMatchObject({
      status: 200,
      body: { status: "sealed" },
    });
    await on.close();
  });
});
