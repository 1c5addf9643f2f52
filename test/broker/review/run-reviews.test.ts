import { afterEach, beforeEach, expect, test } from "vitest";
import { RunReviews } from "../../../broker/review/run-reviews.ts";
import { RunView } from "../../../broker/review/view.ts";
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

async function read(run: string, offset = 0): Promise<RunView> {
  const view = await reviews.readRun(run, offset);
  if (view === undefined) {
    throw new Error("there is no such run");
  }
  return view;
}

test("a sealed run is complete, and says so in words", async () => {
  const session = await openTriage(store);
  await session.flush();
  await session.seal();
  const view = await read(session.run);
  expect(view.status).toBe("complete");
  expect(view.verdict).toEqual({
    tone: "good",
    headline: "Complete",
    sentences: ["9 calls by 1 agent, 3 denied, 1 failed.", "The log verifies up to its seal."],
  });
  expect(view.counts).toEqual({ calls: 9, allowed: 6, denied: 3, observed: 0, failed: 1, unwitnessed: 0 });
  expect(view.denied.map((call) => call.tool)).toEqual(["add_issue_comment", "create_gist", "run_shell"]);
  expect(view.findings).toEqual([]);
});

test("the header comes from the verified claims", async () => {
  const session = await openTriage(store);
  await session.seal();
  expect((await read(session.run)).run).toMatchObject({
    id: session.run,
    repository: "acme/payments",
    workflow: "Triage",
    run_number: "128",
    run_attempt: "1",
    event: "schedule",
    ref: "refs/heads/main",
    actor: "octocat",
    url: "https://github.com/acme/payments/actions/runs/19283746501/attempts/1",
  });
});

test("a call shows what it was about, what was decided, and how it ended", async () => {
  const session = await openTriage(store);
  await session.seal();
  const [listed, , , refused] = (await read(session.run)).calls.rows;
  expect(listed).toMatchObject({
    agent: "agent",
    client: "claude-code 2.1.330",
    server: "github",
    tool: "list_issues",
    arguments: { owner: "acme", repo: "payments", state: "open" },
    decision: "allow",
    explanation: "Grant 1 of triager (get_*, list_*, search_*)",
    outcome: "ok",
    duration_ms: 84,
    witnessed: true,
    stream: "runner",
  });
  expect(refused).toMatchObject({
    decision: "deny",
    reason: "condition_false",
    rule: "triager#2",
    explanation: "Grant 2 of triager (add_issue_comment) allows it only when",
    condition: "args.owner == run.repository_owner && args.repo == run.repository_name",
    outcome: null,
  });
});

test("servers show their visible tools and count the hidden ones", async () => {
  const session = await openTriage(store);
  await session.seal();
  const servers = (await read(session.run)).sessions[0]?.servers;
  expect(servers?.map(({ name, tools, hidden }) => [name, tools.length, hidden])).toEqual([
    ["github", 7, 5],
    ["memory", 2, 1],
  ]);
});

test("servers show their visible resources and prompts beside their tools, each list as it was last", async () => {
  const session = await openTriage(store);
  const listed = { digest: "c".repeat(64), visible: true, why: "triager#1" };
  session.append({ kind: "catalog", server: "memory", prompts: [{ ...listed, name: "old" }] });
  session.append({ kind: "catalog", server: "memory", resources: [{ ...listed, name: "note://a" }] });
  session.append({
    ...{ kind: "catalog", server: "memory" },
    resource_templates: [{ ...listed, name: "note://{name}" }],
  });
  const hidden = { ...listed, name: "secret", visible: false, why: "no_grant" };
  session.append({ kind: "catalog", server: "memory", prompts: [{ ...listed, name: "greet" }, hidden] });
  await session.seal();
  const servers = (await read(session.run)).sessions[0]?.servers;
  expect(servers?.find(({ name }) => name === "memory")).toMatchObject({
    resources: [
      { name: "note://a", rule: "triager#1" },
      { name: "note://{name}", rule: "triager#1" },
    ],
    prompts: [{ name: "greet", rule: "triager#1" }],
    hidden: 2,
  });
});

test("the view holds nothing that its schema does not name", async () => {
  const session = await openTriage(store);
  await session.seal();
  const view = await read(session.run);
  expect(RunView.parse(view)).toEqual(view);
});

test("a session that may still write is running", async () => {
  const session = await openTriage(store);
  await session.flush();
  const view = await read(session.run);
  expect(view.status).toBe("running");
  expect(view.run.ended_at).toBeNull();
  expect(view.verdict.sentences[0]).toBe("9 calls so far by 1 agent, 3 denied, 1 failed.");
  expect(view.counts.unwitnessed).toBe(0);
});

test("a session without a single segment is running, and incomplete once its time is over", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  expect((await read(session.run)).status).toBe("running");
  store.clock += 900_000;
  const view = await read(session.run);
  expect(view.status).toBe("incomplete");
  expect(view.verdict.sentences).toContain(
    "The session ended at 2026-11-22 09:45:00 UTC without a seal. No part of its log was stored. What came after is not in it.",
  );
});

test("the whole job is killed: the session expires unsealed and the run is incomplete", async () => {
  const session = await openTriage(store);
  const { last_seq: last } = await session.flush();
  store.clock += 900_000;
  const view = await read(session.run);
  expect(view.status).toBe("incomplete");
  expect(view.sessions[0]?.status).toBe("incomplete");
  expect(view.verdict.tone).toBe("warning");
  expect(view.verdict.sentences.join(" ")).toContain(`verifies and is witnessed up to record ${last}.`);
});

test("a revoked session is incomplete at once", async () => {
  const session = await openTriage(store);
  await session.flush();
  await session.end("revoked");
  expect((await read(session.run)).status).toBe("incomplete");
});

test("a session that an operator revoked says who did, also after its log was recovered", async () => {
  const session = await openTriage(store);
  await session.flush();
  await session.end("revoked");
  await store.database.updateTable("sessions").set({ revoked_by: "alice" }).execute();
  const view = await read(session.run);
  expect(view.sessions[0]?.revoked).toEqual({ by: "alice", cause: null });
  expect(view.verdict.sentences.join(" ")).toMatch(
    /The session was revoked by alice at 2026-\S+ \S+ UTC, before/,
  );
  await store.database.updateTable("sessions").set({ state: "recovered" }).execute();
  expect((await read(session.run)).sessions[0]?.revoked).toEqual({ by: "alice", cause: null });
});

test("a session that an edit of the documents ended says so, and names nobody", async () => {
  const session = await openTriage(store);
  await session.flush();
  await session.end("revoked");
  await store.database.updateTable("sessions").set({ revocation_cause: "policy_change" }).execute();
  const view = await read(session.run);
  expect(view.sessions[0]?.revoked).toEqual({ by: null, cause: "policy_change" });
  expect(view.verdict.sentences.join(" ")).toMatch(
    /The session was revoked by a policy change at 2026-\S+ \S+ UTC, before/,
  );
});

test("a session that its own key revoked, and one that nobody did, name nobody", async () => {
  const session = await openTriage(store);
  await session.flush();
  expect((await read(session.run)).sessions[0]?.revoked).toBeNull();
  await session.end("revoked");
  const view = await read(session.run);
  expect(view.sessions[0]?.revoked).toEqual({ by: null, cause: null });
  expect(view.verdict.sentences.join(" ")).toContain("was revoked with its own key at");
});

test("a job that its issuer does not tell apart from others is said to be one", async () => {
  const session = await openTriage(store);
  await session.flush();
  expect((await read(session.run)).sessions[0]?.job_told_apart).toBe(true);
  await store.database.updateTable("workloads").set({ check_run_id: null }).execute();
  expect((await read(session.run)).sessions[0]?.job_told_apart).toBe(false);
});

test("a countersigned segment that never reached the bucket is named", async () => {
  const session = await openTriage(store);
  await session.flush();
  session.call({}, "ok");
  await session.flush({ store: false });
  store.clock += 900_000;
  const view = await read(session.run);
  expect(view.status).toBe("incomplete");
  expect(view.sessions[0]?.integrity.objects.map(({ object, stored }) => [object, stored])).toEqual([
    ["runner/000001.jsonl.zst", true],
    ["runner/000002.jsonl.zst", false],
  ]);
  expect(view.verdict.sentences.join(" ")).toContain("runner/000002.jsonl.zst");
});

test("a second exchange without the proxy's key stands on the page as an attempted takeover", async () => {
  const session = await openTriage(store);
  await session.find("takeover_attempt", "A step of this job asked for a session with another key.", {
    ofSession: false,
  });
  await session.seal();
  const view = await read(session.run);
  expect(view.status).toBe("complete");
  expect(view.verdict).toMatchObject({ tone: "alarm", headline: "Attempted takeover" });
  expect(view.findings).toMatchObject([
    { kind: "takeover_attempt", title: "Attempted takeover", source: "broker", session: null },
  ]);
});

test("a finding that the manifest repeats is shown once", async () => {
  const session = await openTriage(store);
  await session.find("recovered_while_alive", "The proxy still answered.");
  await session.seal();
  expect((await read(session.run)).findings.map((finding) => finding.title)).toEqual([
    "Recovered while its proxy was alive",
  ]);
});

test("events of the log that are more than information are findings", async () => {
  const session = await openTriage(store);
  session.event("injection_marker", "warning", { server: "github", text: "ignore previous instructions" });
  await session.seal();
  expect((await read(session.run)).findings).toMatchObject([
    {
      title: "A server's answer looks like an injection",
      severity: "warning",
      source: "log",
      detail: "server: github; text: ignore previous instructions",
    },
  ]);
});

test("arguments that are too long are left out and measured", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  session.call({ arguments: { content: "x".repeat(100_000) } }, "ok");
  await session.seal();
  const [call] = (await read(session.run)).calls.rows;
  expect(call).toMatchObject({ arguments: null, arguments_omitted: 100_014 });
});

test("a call without a result has none, and is no failure", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  session.call({});
  await session.flush();
  const view = await read(session.run);
  expect(view.calls.rows[0]).toMatchObject({ outcome: null, duration_ms: null });
  expect(view.counts.failed).toBe(0);
});

test("the log is read back record by record", async () => {
  const session = await openTriage(store);
  await session.seal();
  const log = await reviews.readLog("ses-1");
  expect(log?.status).toBe("complete");
  expect(log?.runner.map((record) => record.seq)).toEqual([...Array(session.nextSeq).keys()]);
  expect(log?.recovered).toEqual([]);
});

test("unknown runs and sessions are not there", async () => {
  await writeUnrelated();
  expect(await reviews.readRun("0".repeat(20), 0)).toBeUndefined();
  expect(await reviews.readLog("ses-2")).toBeUndefined();
});

async function writeUnrelated(): Promise<void> {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  writeTriage(session);
  await session.seal();
}
