/**
 * What somebody who can write to the bucket, or who handed in the tail of a spool, cannot make a reviewer believe.
 */
import { chmod, copyFile, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RunReviews } from "../../../broker/review/run-reviews.ts";
import type { RunView } from "../../../broker/review/view.ts";
import { openTriage, writeTriage } from "./sample-sessions.ts";
import { openReviewStore, type ReviewStore } from "./review-store.ts";
import { WrittenSession } from "./written-session.ts";

let store: ReviewStore;
let reviews: RunReviews;

beforeEach(async () => {
  store = await openReviewStore();
  reviews = new RunReviews({
    database: store.database,
    bucket: store.bucket,
    checkpointKeys: async () => store.keys,
    publicUrl: "https://lanyard.acme.dev",
    now: store.now,
  });
});
afterEach(async () => store.close());

async function read(run: string): Promise<RunView> {
  const view = await reviews.readRun(run, 0);
  if (view === undefined) {
    throw new Error("there is no such run");
  }
  return view;
}

const fileOf = (session: WrittenSession, object: string) => join(store.bucketFolder, session.prefix, object);

async function overwrite(file: string, bytes: Uint8Array): Promise<void> {
  await chmod(file, 0o600);
  await writeFile(file, bytes);
}

test.each(["runner/000001.jsonl.zst", "runner/000002.jsonl.zst", "manifest.json"])(
  "one byte changed anywhere in %s breaks the run and is named",
  async (object) => {
    const session = await openTriage(store);
    await session.flush();
    await session.seal();
    const file = fileOf(session, object);
    const intact = await readFile(file);
    for (let place = 0; place < intact.length; place += Math.ceil(intact.length / 40)) {
      const changed = Buffer.from(intact);
      changed[place] = (changed[place] ?? 0) ^ 1;
      await overwrite(file, changed);
      const view = await read(session.run);
      expect(view.status, `byte ${place}`).toBe("broken");
      expect(view.verdict).toMatchObject({ tone: "alarm", headline: "Broken" });
      expect(view.verdict.sentences[0], `byte ${place}`).toContain(object);
      expect(view.counts.unwitnessed, `byte ${place}`).toBe(view.counts.calls);
    }
    await overwrite(file, intact);
    expect((await read(session.run)).status).toBe("complete");
  },
);

test.each(["runner/000001.jsonl.zst", "runner/000002.jsonl.zst", "manifest.json"])(
  "a sealed log without its %s is broken",
  async (object) => {
    const session = await openTriage(store);
    await session.flush();
    await session.seal();
    await rm(fileOf(session, object));
    const view = await read(session.run);
    expect(view.status).toBe("broken");
    expect(view.verdict.sentences[0]).toContain(object);
  },
);

test("a sealed log of which nothing is left is broken", async () => {
  const session = await openTriage(store);
  await session.seal();
  await rm(join(store.bucketFolder, session.prefix), { recursive: true });
  expect((await read(session.run)).status).toBe("broken");
});

test("a sealed log swapped for that of another run is broken", async () => {
  const session = await openTriage(store);
  await session.seal();
  const other = await WrittenSession.open(store, { id: "ses-2", claims: { run_id: "2" } });
  other.genesis();
  await other.seal();
  for (const object of ["runner/000001.jsonl.zst", "manifest.json"]) {
    await chmod(fileOf(session, object), 0o600);
    await copyFile(fileOf(other, object), fileOf(session, object));
  }
  const view = await read(session.run);
  expect(view.status).toBe("broken");
  expect(view.run.repository).toBe("acme/payments");
});

test("an unsealed log rewritten from its genesis on is broken, though its chain fits", async () => {
  const session = await openTriage(store);
  await session.flush();
  store.clock += 900_000;
  const twin = await openReviewStore();
  try {
    const rewritten = await WrittenSession.open(twin, { id: "ses-1" });
    rewritten.genesis();
    rewritten.call({ tool: "get_issue" }, "ok");
    await rewritten.flush();
    const bytes = await readFile(join(twin.bucketFolder, rewritten.prefix, "runner/000001.jsonl.zst"));
    await overwrite(fileOf(session, "runner/000001.jsonl.zst"), bytes);
  } finally {
    await twin.close();
  }
  const view = await read(session.run);
  expect(view.status).toBe("broken");
  expect(view.verdict.sentences[0]).toContain(
    "runner/000001.jsonl.zst: it is not what the broker countersigned",
  );
  expect(view.counts.unwitnessed).toBe(view.counts.calls);
});

test("a manifest signed by a stranger's key is broken", async () => {
  const session = await openTriage(store);
  await session.seal();
  const stranger = await openReviewStore();
  try {
    const forged = await openTriage(stranger);
    await forged.seal();
    await overwrite(
      fileOf(session, "manifest.json"),
      await readFile(join(stranger.bucketFolder, forged.prefix, "manifest.json")),
    );
  } finally {
    await stranger.close();
  }
  expect((await read(session.run)).status).toBe("broken");
});

test("a removed recovered manifest does not turn a recovered log into one that was never recovered", async () => {
  const session = await openTriage(store);
  await session.flush();
  session.call({}, "ok");
  await session.recover();
  await rename(fileOf(session, "recovered/manifest.json"), join(store.folder, "away"));
  expect((await read(session.run)).status).toBe("broken");
});

test("the proxy is killed between two calls: the tail is recovered, and shown as not witnessed", async () => {
  const session = await openTriage(store);
  await session.flush();
  session.call({ tool: "search_code" }, "ok");
  session.call({ tool: "get_issue" });
  await session.recover();
  const view = await read(session.run);
  expect(view.status).toBe("incomplete");
  expect(view.sessions[0]?.status).toBe("recovered");
  expect(view.calls.rows.slice(-2)).toMatchObject([
    { tool: "search_code", stream: "recovered", witnessed: false, outcome: "ok" },
    { tool: "get_issue", stream: "recovered", witnessed: false, outcome: null },
  ]);
  expect(view.calls.rows.slice(0, -2).every((call) => call.witnessed)).toBe(true);
  expect(view.counts.unwitnessed).toBe(2);
  expect(view.verdict.sentences.join(" ")).toContain("witnessed by nobody");
});

test("a forged tail changes nothing that is above it", async () => {
  const session = await openTriage(store);
  await session.flush();
  const honest = await read(session.run);
  session.call({ id: "call-1", tool: "harmless", arguments: { forged: true } }, "ok");
  session.append({ kind: "result", call: "call-7", outcome: "ok", duration_ms: 1, bytes: 1 });
  session.event("takeover_attempt", "finding", { detail: "nothing of the kind happened" });
  session.catalog("github", [{ name: "forged_tool", visible: true, why: "triager#1" }]);
  session.append({
    kind: "checkpoint",
    segment: 1,
    last_seq: 999_999,
    head: "f".repeat(64),
    signature: "e30.e30.e30",
  });
  session.append({
    kind: "seal",
    reason: "job_ended",
    totals: { calls: 0, allowed: 0, denied: 0, failed: 0 },
  });
  await session.recover();
  const view = await read(session.run);
  expect(view.status).toBe("incomplete");
  expect(view.sessions[0]).toMatchObject({ status: "recovered", seal_reason: null });
  expect(view.sessions[0]?.servers).toEqual(honest.sessions[0]?.servers);
  expect(view.run).toEqual({ ...honest.run, ended_at: view.run.ended_at });
  const above = view.calls.rows.slice(0, honest.calls.total);
  expect(above.map(({ tool, arguments: args }) => [tool, args])).toEqual(
    honest.calls.rows.map(({ tool, arguments: args }) => [tool, args]),
  );
  expect(above.map((call) => call.outcome)).toEqual(honest.calls.rows.map((call) => call.outcome));
  expect(view.verdict.headline).toBe("Incomplete");
  expect(view.findings).toMatchObject([{ kind: "takeover_attempt", source: "unwitnessed" }]);
  expect(view.sessions[0]?.integrity.last_witnessed_seq).toBe(
    honest.sessions[0]?.integrity.last_witnessed_seq,
  );
});

test("a recovered tail of times in the past stays at the end", async () => {
  const session = await openTriage(store);
  await session.flush();
  const early = await WrittenSession.open(store, { id: "ses-2", claims: { check_run_id: "2" } });
  writeTriage(early);
  await early.flush();
  early.call({ tool: "search_code" }, "ok");
  await early.recover();
  session.call({ tool: "get_issue" }, "ok");
  await session.seal();
  const { rows } = (await read(session.run)).calls;
  expect(rows.at(-1)).toMatchObject({ stream: "recovered", tool: "search_code" });
  expect(rows.filter((call) => call.stream === "recovered")).toHaveLength(1);
});

test("a log that is wrong everywhere gives a bounded page", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  for (let segment = 0; segment < 60; segment++) {
    session.call({}, "ok");
    await session.flush();
  }
  await session.seal();
  for (let segment = 1; segment <= 60; segment++) {
    await overwrite(
      fileOf(session, `runner/${String(segment).padStart(6, "0")}.jsonl.zst`),
      Buffer.from("not zstd"),
    );
  }
  const view = await read(session.run);
  expect(view.status).toBe("broken");
  expect(view.sessions[0]?.integrity.problems).toHaveLength(20);
  expect(view.sessions[0]?.integrity.more_problems).toBeGreaterThan(30);
  expect(view.verdict.sentences.length).toBeLessThan(6);
});

test.each([
  ["that continues another log", false, "tail_discontinuous"],
  ["that breaks off in the middle", true, "chain_broken"],
])("a tail %s is told to be one", async (_name, checkpoint, code) => {
  const session = await openTriage(store);
  await session.flush({ checkpoint });
  session.leaveChain();
  session.call({ tool: "get_issue" }, "ok");
  await session.recover();
  const view = await read(session.run);
  expect(view.status).toBe("incomplete");
  expect(view.sessions[0]?.integrity.notes.map((note) => note.code)).toEqual([code]);
  expect(view.verdict.sentences.at(-1)).toContain("recovered/000001.jsonl.zst");
});

test("a segment that the broker never countersigned is no part of the log, though its chain fits", async () => {
  const session = await openTriage(store);
  await session.flush();
  session.call({ tool: "forged" }, "ok");
  await session.flush();
  await store.database.deleteFrom("segments").where("segment", "=", 2).execute();
  const view = await read(session.run);
  expect(view.status).toBe("broken");
  expect(view.verdict.sentences[0]).toBe("runner/000002.jsonl.zst: the broker never countersigned it");
});

test("a proxy that writes another policy into its log than it was given breaks it", async () => {
  const session = await openTriage(store);
  await session.seal();
  const policy = "f".repeat(64);
  const rows = await store.database.selectFrom("policies").selectAll().execute();
  await store.database
    .insertInto("policies")
    .values(rows.map((row) => ({ ...row, digest: policy })))
    .execute();
  await store.database.updateTable("sessions").set({ policy }).execute();
  const view = await read(session.run);
  expect(view.status).toBe("broken");
  expect(view.verdict.sentences[0]).toBe(
    "runner/000001.jsonl.zst record 0: its policy is not what the broker gave the session",
  );
});
