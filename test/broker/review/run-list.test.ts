import { afterEach, beforeEach, expect, test } from "vitest";
import { RunReviews } from "../../../broker/review/run-reviews.ts";
import { openReviewStore, type ReviewStore } from "./review-store.ts";
import { WrittenSession } from "./written-session.ts";

let store: ReviewStore;
let reviews: RunReviews;
let reads: string[];

beforeEach(async () => {
  store = await openReviewStore();
  reads = [];
  reviews = new RunReviews({
    database: store.database,
    bucket: {
      ...store.bucket,
      list: async (prefix) => {
        reads.push(prefix);
        return store.bucket.list(prefix);
      },
    },
    checkpointKeys: async () => store.keys,
    publicUrl: "https://lanyard.acme.dev",
    now: store.now,
  });
});
afterEach(async () => store.close());

let serial = 0;

async function writeRun(
  claims: Record<string, string> = {},
  robot = "acme/payments/triager",
): Promise<WrittenSession> {
  serial += 1;
  const run = String(serial);
  const session = await WrittenSession.open(store, {
    id: `ses-${run}`,
    robot,
    claims: { run_id: run, run_number: run, ...claims },
  });
  session.genesis();
  session.call({}, "ok");
  session.call({ tool: "delete_file", decision: "deny", reason: "no_grant" });
  await session.flush();
  return session;
}

const runIdsOf = (list: Awaited<ReturnType<RunReviews["listRuns"]>>) => list.runs.map(({ run }) => run.id);

test("the latest run comes first, with what was called and denied", async () => {
  const first = await writeRun();
  await first.seal();
  store.clock += 60_000;
  const second = await writeRun();
  const list = await reviews.listRuns({});
  expect(runIdsOf(list)).toEqual([second.run, first.run]);
  expect(list.runs.map(({ status }) => status)).toEqual(["running", "complete"]);
  expect(list.runs[0]).toMatchObject({
    robots: ["acme/payments/triager"],
    counts: { calls: 2, denied: 1 },
    findings: 0,
  });
  expect(list.next).toBeNull();
});

test("a run of several jobs stands once, where its newest job stands", async () => {
  const first = await writeRun({ run_id: "7", check_run_id: "1" });
  store.clock += 60_000;
  const other = await writeRun();
  store.clock += 60_000;
  await writeRun({ run_id: "7", check_run_id: "2" }, "acme/payments/labeller");
  const list = await reviews.listRuns({});
  expect(runIdsOf(list)).toEqual([first.run, other.run]);
  expect(list.runs[0]?.robots).toEqual(["acme/payments/triager", "acme/payments/labeller"]);
});

test("pages follow each other without a gap and without a repetition, also within one millisecond", async () => {
  const written: string[] = [];
  for (let run = 0; run < 60; run++) {
    const session = await writeRun();
    store.clock -= 100_000;
    await store.database
      .updateTable("sessions")
      .set({ created_at: 1_000 })
      .where("run", "=", session.run)
      .execute();
    written.push(session.run);
  }
  const seen: string[] = [];
  let next: string | null | undefined;
  for (let page = 0; page < 5 && next !== null; page++) {
    const list = await reviews.listRuns({ before: next });
    seen.push(...runIdsOf(list));
    next = list.next;
  }
  expect(next).toBeNull();
  expect(seen).toHaveLength(60);
  expect(new Set(seen)).toEqual(new Set(written));
});

test("a list ends exactly where the last page is full", async () => {
  for (let run = 0; run < 25; run++) {
    await writeRun();
  }
  expect((await reviews.listRuns({})).next).toBeNull();
});

test("the filter by repository takes exactly that repository", async () => {
  const payments = await writeRun();
  await writeRun({ repository: "acme/payments-evil" }, "acme/payments-evil/triager");
  await writeRun({ repository: "evil/acme" }, "evil/acme/payments");
  expect(runIdsOf(await reviews.listRuns({ repository: "acme/payments" }))).toEqual([payments.run]);
  expect(runIdsOf(await reviews.listRuns({ repository: "acme/pay%" }))).toEqual([]);
});

test("the filter by status finds what is rare among many, and says where it stopped looking", async () => {
  const rare = await writeRun();
  for (let run = 0; run < 110; run++) {
    store.clock += 10;
    await (await writeRun()).seal();
  }
  const first = await reviews.listRuns({ status: "running" });
  expect(first.runs).toEqual([]);
  expect(first.next).not.toBeNull();
  const second = await reviews.listRuns({ status: "running", before: first.next ?? undefined });
  expect(runIdsOf(second)).toEqual([rare.run]);
  expect(second.next).toBeNull();
});

test("a log is read once in half a minute for the list, and at each time for its own page", async () => {
  const session = await writeRun();
  await Promise.all([reviews.listRuns({}), reviews.listRuns({})]);
  await reviews.listRuns({});
  expect(reads).toHaveLength(1);
  await session.seal();
  expect((await reviews.listRuns({})).runs[0]?.status).toBe("running");
  expect((await reviews.readRun(session.run, 0))?.status).toBe("complete");
  store.clock += 30_000;
  expect((await reviews.listRuns({})).runs[0]?.status).toBe("complete");
});

test("a bucket that fails once is asked again", async () => {
  await writeRun();
  let failures = 1;
  const failing = new RunReviews({
    database: store.database,
    bucket: {
      ...store.bucket,
      list: async (prefix) => {
        if (failures-- > 0) {
          throw new Error("the bucket is away");
        }
        return store.bucket.list(prefix);
      },
    },
    checkpointKeys: async () => store.keys,
    publicUrl: "https://lanyard.acme.dev",
    now: store.now,
  });
  await expect(failing.listRuns({})).rejects.toThrow("the bucket is away");
  expect((await failing.listRuns({})).runs).toHaveLength(1);
});

test("there may be no run at all", async () => {
  expect(await reviews.listRuns({})).toEqual({ runs: [], next: null });
});
