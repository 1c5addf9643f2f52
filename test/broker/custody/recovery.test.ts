/** Recovery: what is left of a log when the proxy is gone, and what somebody might make of it. */
import { mkdir, readFile, symlink, unlink } from "node:fs/promises";
import { type Socket, connect } from "node:net";
import { dirname, join } from "node:path";
import type { JSONWebKeySet } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Chain } from "../../../audit/chain.ts";
import { packSegment } from "../../../audit/segment.ts";
import { verifySession } from "../../../audit/verification/verification.ts";
import { type FolderBucket, openFolderBucket } from "../../../broker/custody/folder-bucket.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import {
  type Answer,
  Holder,
  LogWriter,
  SEAL,
  type Segment,
  announce,
  call,
  exchange,
  genesisOf,
  note,
  readAnswer,
  upload,
} from "../../support/session-holder.ts";

let on: TestBroker;
let bucket: FolderBucket;
let holder: Holder;
let log: LogWriter;
let first: Segment;
let session: string;
let job: { run_id: string };
let jobs = 5000;

beforeAll(async () => {
  on = await startTestBroker();
  bucket = openFolderBucket({
    path: join(on.directory, "audit"),
    publicUrl: on.url,
    uploadSecrets: () => [Buffer.alloc(32)],
    now: Date.now,
  });
});
afterAll(async () => {
  await on.close();
});
/** A session with one stored segment: genesis and a record. */
beforeEach(async () => {
  holder = await Holder.create();
  jobs += 1;
  job = { run_id: String(jobs) };
  await exchange(on, holder, { subjectToken: await on.subjectToken(job) });
  const { body } = await call(on, holder, "GET /session");
  session = body.session;
  log = new LogWriter(() => on.now());
  first = await log.segment([genesisOf(on, body), note("one")]);
  await store(first);
});

async function store(segment: Segment): Promise<void> {
  const answer = await announce(on, holder, segment);
  expect(answer.status).toBe(200);
  expect((await upload(answer.body.upload, segment.body)).status).toBe(200);
}

const pack = async (text: string): Promise<string> => (await packSegment(text)).body.toString("base64");

async function recover(content: Record<string, unknown>): Promise<Answer> {
  const body = JSON.stringify({ session, subject_token: await on.subjectToken(job), tail: "", ...content });
  const headers = { "content-type": "application/json" };
  return readAnswer(await fetch(`${on.url}/session/recover`, { method: "POST", headers, body }));
}

async function verify() {
  const key = (await bucket.list("audit/v1/")).find((each) => each.includes(session)) ?? "";
  const prefix = key.slice(0, key.indexOf(session) + session.length + 1);
  const keys = (await (await fetch(`${on.url}/.well-known/checkpoint-keys.json`)).json()) as JSONWebKeySet;
  return verifySession(
    {
      list: async () => (await bucket.list(prefix)).map((each) => each.slice(prefix.length)),
      read: async (object: string) => readFile(join(on.directory, "audit", prefix, object)),
    },
    keys,
    { location: prefix },
  );
}

async function findingsOf(run: string): Promise<string[]> {
  const database = await openDatabase(on.config.database);
  const rows = await database
    .selectFrom("findings")
    .innerJoin("workloads", "workloads.id", "findings.workload")
    .where("run_id", "=", run)
    .select("kind")
    .execute();
  await database.destroy();
  return rows.map(({ kind }) => kind);
}

test("the tail is stored apart, verifies up to there and is shown as recovered, not witnessed", async () => {
  const { text } = log.write([note("two"), note("three")]);
  const answer = await recover({ tail: await pack(text) });
  expect(answer).toMatchObject({
    status: 200,
    body: { status: "recovered", records: 2, continues_chain: true },
  });
  const verdict = await verify();
  expect(verdict).toMatchObject({ status: "recovered", recordCount: 2, recoveredCount: 2, witnessedSeq: 1 });
  expect(verdict.problems.filter(({ breaks }) => breaks)).toEqual([]);
});

test("records that are stored already are left out", async () => {
  const { text } = log.write([note("two")]);
  const answer = await recover({ tail: await pack(first.text + text) });
  expect(answer.body).toMatchObject({ records: 1, continues_chain: true });
  expect(await verify()).toMatchObject({ status: "recovered", recordCount: 2, recoveredCount: 1 });
});

test("an empty tail ends the session all the same", async () => {
  expect(await recover({})).toMatchObject({ status: 200, body: { records: 0, continues_chain: true } });
  expect(await verify()).toMatchObject({ status: "recovered", recordCount: 2, recoveredCount: 0 });
});

test("a segment that was announced and never stored is recovered, and compared with what was witnessed", async () => {
  const second = await log.segment([note("two"), note("three")]);
  await announce(on, holder, second);
  const { text } = log.write([note("four")]);
  const answer = await recover({ tail: await pack(second.text + text) });
  expect(answer.body).toMatchObject({ records: 3, continues_chain: true });
  expect(await verify()).toMatchObject({ status: "recovered", recordCount: 2, recoveredCount: 3 });
});

test("a tail that leaves out what the broker had countersigned does not continue the chain", async () => {
  await announce(on, holder, await log.segment([note("two")]));
  expect((await recover({})).body).toMatchObject({ records: 0, continues_chain: false });
});

test("a last line that was cut off by the kill is left out, without a finding", async () => {
  const { text } = log.write([note("two"), note("three")]);
  const answer = await recover({ tail: await pack(text.slice(0, -20)) });
  expect(answer.body).toMatchObject({ records: 1, continues_chain: true });
  expect(await findingsOf(job.run_id)).toEqual([]);
});

test("with a forged spool after killing the proxy: stored as unwitnessed, and it does not continue the chain", async () => {
  const forged = new LogWriter(() => on.now()).write([
    note("never happened"),
    note("nor this"),
    note("nor that"),
  ]);
  const answer = await recover({ tail: await pack(forged.text) });
  expect(answer.body).toMatchObject({ continues_chain: false });
  const verdict = await verify();
  expect(verdict).toMatchObject({ status: "recovered", recordCount: 2, witnessedSeq: 1 });
});

test("a changed record in the tail: what follows it is left out, and that is a finding", async () => {
  const { text } = log.write([note("two"), note("three"), note("four")]);
  const answer = await recover({ tail: await pack(text.replace("three", "eerht")) });
  expect(answer.body).toMatchObject({ records: 1 });
  expect(await findingsOf(job.run_id)).toEqual(["recovery_refused"]);
});

test.each([
  ["not base64", "%%%"],
  ["not zstd", Buffer.from("plain").toString("base64")],
])("a tail that is %s is refused and ends nothing", async (_name, tail) => {
  expect(await recover({ tail })).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  expect((await call(on, holder, "GET /session")).status).toBe(200);
});

test("a tail that unpacks to more than a proxy may hold", async () => {
  const tail = await pack("x".repeat(33 * 1024 * 1024));
  expect(await recover({ tail })).toMatchObject({ status: 400 });
  expect((await call(on, holder, "GET /session")).status).toBe(200);
});

test("twice", async () => {
  const { text } = log.write([note("two")]);
  expect((await recover({ tail: await pack(text) })).status).toBe(200);
  expect(await recover({ tail: await pack(text) })).toMatchObject({
    status: 403,
    body: { error: "recovery_refused" },
  });
  expect(await findingsOf(job.run_id)).toEqual(["recovery_refused"]);
});

test("a bucket that does not answer is no other tail: the job is told to ask again, and can", async () => {
  const { text } = log.write([note("two")]);
  const key = (await bucket.list("audit/v1/")).find((each) => each.includes(session)) ?? "";
  const prefix = key.slice(0, key.indexOf(session) + session.length + 1);
  const object = join(on.directory, "audit", prefix, "recovered", "000001.jsonl.zst");
  await mkdir(dirname(object), { recursive: true });
  await symlink(object, object);
  expect(await recover({ tail: await pack(text) })).toMatchObject({
    status: 503,
    body: { error: "temporarily_unavailable" },
  });
  await unlink(object);
  expect(await recover({ tail: await pack(text) })).toMatchObject({ status: 200, body: { records: 1 } });
});

test("a longer tail that lies there already is another one", async () => {
  const { text } = log.write([note("two")]);
  const key = (await bucket.list("audit/v1/")).find((each) => each.includes(session)) ?? "";
  const prefix = key.slice(0, key.indexOf(session) + session.length + 1);
  await bucket.putOnce(`${prefix}recovered/000001.jsonl.zst`, Buffer.alloc(100_000));
  expect(await recover({ tail: await pack(text) })).toMatchObject({
    status: 403,
    body: { error: "recovery_refused" },
  });
});

test("two at once: one of them is stored", async () => {
  const [one, two] = [
    log.write([note("two")]),
    new LogWriter(() => on.now()).write([note("forged"), note("forged"), note("forged")]),
  ];
  const answers = await Promise.all([
    recover({ tail: await pack(one.text) }),
    recover({ tail: await pack(two.text) }),
  ]);
  expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  expect(await verify()).toMatchObject({ recordCount: 2 });
});

test("by another job, and of a session that does not exist: the same answer, a finding for the run whose log it was", async () => {
  const subjectToken = await on.subjectToken({ run_id: "9999" });
  const foreign = await recover({ subject_token: subjectToken });
  const unknown = await recover({ session: `ses_${"0".repeat(32)}` });
  for (const name of ["\0", `${session}\0`, "\ud800", "x".repeat(10_000)]) {
    const unspeakable = await recover({ session: name });
    expect({ ...unspeakable.body, reference: "" }).toEqual({ ...unknown.body, reference: "" });
  }
  expect(foreign).toMatchObject({ status: 403, body: { error: "recovery_refused" } });
  expect({ ...foreign.body, reference: "" }).toEqual({ ...unknown.body, reference: "" });
  expect(await findingsOf(job.run_id)).toEqual(["recovery_refused"]);
  expect((await call(on, holder, "GET /session")).status).toBe(200);
});

test("with a subject token that was used before, or for another audience", async () => {
  const subjectToken = await on.subjectToken(job);
  await recover({ subject_token: subjectToken, session: "ses_unknown" });
  expect((await recover({ subject_token: subjectToken })).status).toBe(400);
  expect(
    (await recover({ subject_token: await on.subjectToken({ ...job, aud: "https://github.com/acme" }) }))
      .status,
  ).toBe(400);
  expect((await call(on, holder, "GET /session")).status).toBe(200);
});

test("of a sealed log: there is nothing to recover, and the log stays complete", async () => {
  const last = await log.segment([SEAL]);
  await store(last);
  const { segment: segments, last_seq, head } = last.request;
  expect((await call(on, holder, "POST /session/seal", { segments, last_seq, head })).status).toBe(200);
  expect(await recover({ tail: await pack(log.write([note("more")]).text) })).toMatchObject({
    status: 200,
    body: { status: "sealed" },
  });
  expect((await verify()).status).toBe("complete");
});

test("it grants nothing: the session is over for the key, too, and for a new exchange", async () => {
  await recover({});
  expect(await call(on, holder, "GET /session")).toMatchObject({
    status: 401,
    body: { error: "session_over" },
  });
  const renewal = { subject_token: await on.subjectToken(job) };
  expect((await call(on, holder, "POST /session/renew", renewal)).status).toBe(401);
  expect(await exchange(on, holder, { subjectToken: await on.subjectToken(job) })).toMatchObject({
    body: { error: "invalid_grant" },
  });
});

test("while the proxy lives: it still delivers and seals, its manifest wins, and the recovery is a finding", async () => {
  expect((await recover({ tail: await pack(log.write([note("two")]).text) })).status).toBe(200);
  // The proxy's own chain goes on from its first segment, whatever was handed in.
  const chain = new Chain({ nextSeq: first.request.last_seq + 1, head: first.request.head });
  const lines = [note("really two"), SEAL].map((entry) => chain.append(entry, new Date(on.now())));
  const packed = await packSegment(lines.map(({ line }) => line).join(""));
  const request = {
    segment: 2,
    bytes: packed.body.length,
    sha256: packed.sha256,
    md5: packed.md5,
    first_seq: 2,
    last_seq: 3,
    prev: first.request.head,
    head: lines[1]?.record.hash ?? "",
  };
  const answer = await call(on, holder, "POST /session/segments", request);
  expect((await upload(answer.body.upload, packed.body)).status).toBe(200);
  const sealed = await call(on, holder, "POST /session/seal", {
    segments: 2,
    last_seq: 3,
    head: request.head,
  });
  expect(sealed).toMatchObject({ status: 200, body: { status: "sealed" } });
  expect(await findingsOf(job.run_id)).toEqual(["recovered_while_alive"]);
  const verdict = await verify();
  expect(verdict.problems.filter(({ breaks }) => breaks)).toEqual([]);
  expect(verdict).toMatchObject({ status: "complete", recordCount: 4 });
  expect(verdict.manifest).toMatchObject({ status: "sealed", findings: [{ kind: "recovered_while_alive" }] });
});

test("an expired session is recovered as well", async () => {
  on.advance(20 * 60_000);
  await on.broker.sweep();
  expect((await recover({ tail: await pack(log.write([note("two")]).text) })).status).toBe(200);
});

/** A machine with other things to do takes its time to accept a connection. */
const PATIENCE = { timeout: 15_000 };

test("bodies that do not arrive keep only so many places, and give them back", async () => {
  const { hostname, port } = new URL(on.url);
  const head = `POST /session/recover HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`;
  const sockets: Socket[] = [];
  try {
    await expect
      .poll(async () => {
        const socket = connect(Number(port), hostname);
        socket.write(head);
        sockets.push(socket);
        return (await recover({})).status;
      }, PATIENCE)
      .toBe(503);
    expect(sockets.length).toBeGreaterThanOrEqual(8);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await expect.poll(async () => (await recover({})).status).not.toBe(503);
});
