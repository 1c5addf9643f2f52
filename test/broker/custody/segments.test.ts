/** Segments: announced in order, countersigned, stored once; and what somebody with the key might try. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JSONWebKeySet } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { segmentObject } from "../../../audit/object-path.ts";
import { verifyCheckpoint } from "../../../audit/signature.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import {
  Holder,
  LogWriter,
  SEAL,
  type Segment,
  announce,
  call,
  exchange,
  note,
  upload,
} from "../../support/session-holder.ts";

let on: TestBroker;
let holder: Holder;
let log: LogWriter;
let session: string;
let jobs = 4000;

beforeAll(async () => {
  on = await startTestBroker();
});
afterAll(async () => {
  await on.close();
});
beforeEach(async () => {
  holder = await Holder.create();
  jobs += 1;
  await exchange(on, holder, { subjectToken: await on.subjectToken({ run_id: String(jobs) }) });
  session = (await call(on, holder, "GET /session")).body.session;
  log = new LogWriter(() => on.now());
});

const fileOf = (number: number): string => {
  const date = new Date(on.now()).toISOString().slice(0, 10);
  const prefix = `audit/v1/repository_id=456789/date=${date}/robot=triager/run=${jobs}/attempt=1/session=${session}`;
  return join(on.directory, "audit", prefix, segmentObject("runner", number));
};
const store = async (segment: Segment): Promise<void> => {
  const answer = await announce(on, holder, segment);
  expect(answer.status).toBe(200);
  expect((await upload(answer.body.upload, segment.body)).status).toBe(200);
};
const seal = async ({ request }: Segment) =>
  call(on, holder, "POST /session/seal", {
    segments: request.segment,
    last_seq: request.last_seq,
    head: request.head,
  });

describe("announcing", () => {
  test("the checkpoint is the broker's signature over session, segment, seq and head", async () => {
    const segment = await log.segment([note("one"), note("two")]);
    const { body } = await announce(on, holder, segment);
    const keys = (await (await fetch(`${on.url}/.well-known/checkpoint-keys.json`)).json()) as JSONWebKeySet;
    const { sha256, last_seq, head } = segment.request;
    expect(await verifyCheckpoint(body.checkpoint, keys)).toMatchObject({
      ok: true,
      claims: { session, segment: 1, sha256, seq: last_seq, head },
    });
  });

  test("the same request again gives the same checkpoint and a fresh address", async () => {
    const segment = await log.segment([note("one")]);
    const first = await announce(on, holder, segment);
    on.advance(1_000);
    const second = await announce(on, holder, segment);
    expect(second.body.checkpoint).toBe(first.body.checkpoint);
    expect(second.body.upload.url).not.toBe(first.body.upload.url);
  });

  test("the same request at once, ten times: one checkpoint", async () => {
    const segment = await log.segment([note("one")]);
    const answers = await Promise.all(Array.from({ length: 10 }, async () => announce(on, holder, segment)));
    expect(new Set(answers.map(({ body }) => body.checkpoint)).size).toBe(1);
  });

  test("a segment replaced: other content under the same number", async () => {
    await store(await log.segment([note("one")]));
    const other = await new LogWriter(() => on.now()).segment([note("another")]);
    expect(await announce(on, holder, other)).toMatchObject({
      status: 409,
      body: { error: "segment_conflict" },
    });
  });

  test("a gap, a wrong start, a wrong chain head", async () => {
    const one = await log.segment([note("one")]);
    const two = await log.segment([note("two")]);
    const outOfOrder = { status: 409, body: { error: "segment_out_of_order" } };
    expect(await announce(on, holder, two)).toMatchObject(outOfOrder);
    expect(
      await announce(on, holder, { ...one, request: { ...one.request, prev: "1".repeat(64) } }),
    ).toMatchObject(outOfOrder);
    expect(
      await announce(on, holder, { ...one, request: { ...one.request, first_seq: 1, last_seq: 1 } }),
    ).toMatchObject(outOfOrder);
    await store(one);
    expect(
      await announce(on, holder, { ...two, request: { ...two.request, prev: "1".repeat(64) } }),
    ).toMatchObject(outOfOrder);
    expect(await announce(on, holder, { ...two, request: { ...two.request, segment: 3 } })).toMatchObject(
      outOfOrder,
    );
    await store(two);
  });

  test("records that run backwards, more bytes than anybody may hold", async () => {
    const { request, ...rest } = await log.segment([note("one"), note("two")]);
    for (const wrong of [{ last_seq: 0, first_seq: 1 }, { bytes: 2 ** 31 }]) {
      expect(await announce(on, holder, { ...rest, request: { ...request, ...wrong } })).toMatchObject({
        status: 400,
      });
    }
  });

  test("numbers beyond what the database counts to are refused, and nothing is made of them", async () => {
    const { request } = await log.segment([note("one")]);
    for (const part of [{ segment: 2 ** 31 }, { last_seq: 2 ** 31 }, { last_seq: Number.MAX_SAFE_INTEGER }]) {
      const answer = await call(on, holder, "POST /session/segments", { ...request, ...part });
      expect(answer).toMatchObject({ status: 400, body: { error: "invalid_request" } });
      expect(on.lastRefusal().code).toBe("request_malformed");
    }
    expect((await call(on, holder, "POST /session/segments", request)).status).toBe(200);
  });

  test("another session's key delivers to its own session only", async () => {
    await store(await log.segment([note("one")]));
    const other = await Holder.create();
    await exchange(on, other, { subjectToken: await on.subjectToken({ run_id: "1" }) });
    expect(await announce(on, other, await log.segment([note("two")]))).toMatchObject({ status: 409 });
  });
});

describe("uploading", () => {
  test("a segment uploaded twice is stored once", async () => {
    const segment = await log.segment([note("one")]);
    const { body } = await announce(on, holder, segment);
    expect((await upload(body.upload, segment.body)).status).toBe(200);
    expect((await upload(body.upload, segment.body)).status).toBe(412);
    expect(await readFile(fileOf(1))).toEqual(segment.body);
  });

  test("another body, a longer one, a shorter one: nothing is stored", async () => {
    const segment = await log.segment([note("one")]);
    const { body } = await announce(on, holder, segment);
    const wrong = Buffer.from(segment.body);
    wrong[10] = (wrong[10] ?? 0) ^ 1;
    const { url } = body.upload;
    for (const content of [
      wrong,
      Buffer.concat([segment.body, Buffer.from("x")]),
      segment.body.subarray(1),
      Buffer.alloc(0),
    ]) {
      const { status } = await upload({ url, headers: {} }, content);
      expect([400, 403]).toContain(status);
    }
    await expect(readFile(fileOf(1))).rejects.toMatchObject({ code: "ENOENT" });
    expect((await upload(body.upload, segment.body)).status).toBe(200);
  });

  test("an address that was changed or has expired", async () => {
    const segment = await log.segment([note("one")]);
    const { body } = await announce(on, holder, segment);
    const { url, headers } = body.upload;
    const variants = [
      url.replace("runner/000001", "runner/000002"),
      url.replace(/session=ses_[0-9a-f]{32}/, `session=ses_${"0".repeat(32)}`),
      url.replace(/bytes=\d+/, "bytes=9"),
      url.replace(/sha256=[0-9a-f]/, "sha256=z"),
      url.replace(/expires=\d/, "expires=9"),
      url.replace(/&mac=.*/, ""),
      url.replace("audit/v1/", "audit/v1/%2e%2e/"),
      `${url}&bytes=1`,
    ];
    for (const variant of variants) {
      expect(variant).not.toBe(url);
      expect((await upload({ url: variant, headers }, segment.body)).status, variant).toBeGreaterThanOrEqual(
        400,
      );
    }
    on.advance(301_000);
    expect((await upload(body.upload, segment.body)).status).toBe(403);
  });
});

describe("sealing", () => {
  test("a store that answered and kept nothing: the missing segments are named, stored again, sealed", async () => {
    const segments = [
      await log.segment([note("one")]),
      await log.segment([note("two")]),
      await log.segment([SEAL]),
    ];
    const [one, two, three] = segments;
    if (one === undefined || two === undefined || three === undefined) throw new Error("three segments");
    await store(one);
    await announce(on, holder, two);
    await announce(on, holder, three);
    expect(await seal(three)).toMatchObject({
      status: 409,
      body: { status: "segments_missing", segments: [2, 3] },
    });
    await store(two);
    await store(three);
    expect(await seal(three)).toMatchObject({ status: 200, body: { status: "sealed" } });
  });

  test("a stored segment that was replaced, or cut, is missing", async () => {
    const one = await log.segment([SEAL]);
    await store(one);
    for (const body of [
      Buffer.from("x".repeat(one.body.length)),
      one.body.subarray(1),
      Buffer.concat([one.body, Buffer.from("x")]),
    ]) {
      await writeFile(fileOf(1), body);
      expect(await seal(one)).toMatchObject({ status: 409, body: { segments: [1] } });
    }
  });

  test("a seal that does not name the last segment", async () => {
    const [one, two] = [await log.segment([note("one")]), await log.segment([SEAL])];
    await store(one);
    await store(two);
    expect(await seal(one)).toMatchObject({ status: 409, body: { error: "seal_mismatch" } });
    expect(await seal({ ...two, request: { ...two.request, head: "1".repeat(64) } })).toMatchObject({
      status: 409,
    });
    expect(await seal({ ...two, request: { ...two.request, segment: 3 } })).toMatchObject({ status: 409 });
    expect((await seal(two)).status).toBe(200);
  });

  test("a seal without any segment", async () => {
    const one = await log.segment([SEAL]);
    expect(await seal(one)).toMatchObject({ status: 409, body: { error: "seal_mismatch" } });
  });

  test("after the seal nothing is added, and the manifest is not written again", async () => {
    const one = await log.segment([SEAL]);
    await store(one);
    expect((await seal(one)).status).toBe(200);
    const path = join(fileOf(1), "..", "..", "manifest.json");
    const manifest = await readFile(path, "utf8");
    expect(await announce(on, holder, await log.segment([note("late")]))).toMatchObject({ status: 409 });
    on.advance(5_000);
    expect((await seal(one)).status).toBe(200);
    expect(await readFile(path, "utf8")).toBe(manifest);
  });

  test("a broker that died between manifest and database goes on with what is there", async () => {
    const one = await log.segment([SEAL]);
    await store(one);
    expect((await seal(one)).status).toBe(200);
    const { openDatabase } = await import("../../../broker/storage/database.ts");
    const database = await openDatabase(on.config.database);
    await database
      .updateTable("sessions")
      .set({ state: "active", ended_at: null })
      .where("id", "=", session)
      .execute();
    on.advance(5_000);
    expect((await seal(one)).status).toBe(200);
    const row = await database
      .selectFrom("sessions")
      .select("state")
      .where("id", "=", session)
      .executeTakeFirst();
    await database.destroy();
    expect(row?.state).toBe("sealed");
  });

  test("a takeover attempt stands in the signed manifest", async () => {
    const one = await log.segment([SEAL]);
    await store(one);
    await exchange(on, await Holder.create(), {
      subjectToken: await on.subjectToken({ run_id: String(jobs) }),
    });
    expect((await seal(one)).status).toBe(200);
    const manifest = JSON.parse(await readFile(join(fileOf(1), "..", "..", "manifest.json"), "utf8"));
    expect(manifest.findings).toMatchObject([{ kind: "takeover_attempt" }]);
  });
});
