import { afterEach, beforeEach, expect, test } from "vitest";
import type { EntryOf } from "../../../audit/record.ts";
import { renderCalls } from "../../../broker/pages/run/call-list.ts";
import { renderSession } from "../../../broker/pages/run/session-card.ts";
import { RunReviews } from "../../../broker/review/run-reviews.ts";
import type { RunView } from "../../../broker/review/view.ts";
import { openTriage } from "./sample-sessions.ts";
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

test("what calls were sent with is told of the session, late ones loudly, and with each call", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  const expires_at = new Date(store.clock + 200).toISOString();
  const credential = { id: "notes", digest: "1".repeat(64), expires_at };
  session.call({ credential }, "ok");
  session.call({ credential }, "ok");
  session.call({ tool: "search_code" }, "ok");
  await session.seal();
  const view = await read(session.run);
  const [shown] = view.sessions;
  expect(shown?.presented).toMatchObject([
    { credential: "notes", expires_at, stream: "runner", servers: ["github"], calls: 2, calls_after_end: 1 },
  ]);
  expect(shown?.integrity.notes.map(({ code }) => code)).toEqual(["credential_expired"]);
  expect(view.calls.rows.map((call) => call.credential?.by)).toEqual(["runner", "runner", undefined]);
  const card = shown === undefined ? "" : renderSession(shown, 1).text;
  expect(card).toContain('<details open><summary>Credentials <span class="soft">calls were sent with notes');
  expect(card).toContain("2 calls to github by the runner: <time");
  expect(card).toContain('<b class="loud">1 call after that.</b>');
});

test("jobs of one run are put together in the order of time", async () => {
  const first = await WrittenSession.open(store, { id: "ses-1" });
  const second = await WrittenSession.open(store, {
    id: "ses-2",
    robot: "acme/payments/labeller",
    agents: ["labeller"],
    claims: { check_run_id: "5550002" },
  });
  expect(second.run).toBe(first.run);
  first.genesis();
  second.genesis();
  first.call({ tool: "get_issue" }, "ok");
  second.call({ tool: "list_labels" }, "ok");
  first.call({ tool: "search_code" }, "ok");
  await first.seal();
  await second.seal();
  const view = await read(first.run);
  expect(view.calls.rows.map((call) => [call.session, call.tool])).toEqual([
    ["ses-1", "get_issue"],
    ["ses-2", "list_labels"],
    ["ses-1", "search_code"],
  ]);
  expect(view.verdict.sentences).toEqual([
    "3 calls by 2 agents, none denied.",
    "All 2 logs verify up to their seals.",
  ]);
});

test("one incomplete job makes the run incomplete", async () => {
  const first = await openTriage(store);
  await first.seal();
  const second = await openTriage(store, { id: "ses-2", claims: { check_run_id: "5550002" } });
  await second.flush();
  store.clock += 900_000;
  const view = await read(first.run);
  expect(view.status).toBe("incomplete");
  expect(view.sessions.map((session) => session.status)).toEqual(["complete", "incomplete"]);
});

test("attempts of one run know of each other", async () => {
  const first = await openTriage(store);
  const second = await openTriage(store, { id: "ses-2", claims: { run_attempt: "2" } });
  expect((await read(second.run)).attempts).toEqual([
    { id: first.run, run_attempt: "1" },
    { id: second.run, run_attempt: "2" },
  ]);
});

test("the same run id of another issuer is another run", async () => {
  const first = await openTriage(store);
  const second = await openTriage(store, {
    id: "ses-2",
    claims: { iss: "https://ghes.acme.dev/_services/token" },
  });
  expect(second.run).not.toBe(first.run);
  const view = await read(second.run);
  expect(view.attempts).toHaveLength(1);
  expect(view.run.url).toBe("https://ghes.acme.dev/acme/payments/actions/runs/19283746501/attempts/1");
});

test("calls come in pages, and all of them are counted", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  for (let call = 0; call < 250; call++) {
    session.call({ arguments: { issue_number: call } }, "ok");
  }
  for (let call = 0; call < 60; call++) {
    session.call({ tool: "delete_file", decision: "deny", reason: "no_grant" });
  }
  await session.seal();
  const view = await read(session.run, 200);
  expect(view.calls.total).toBe(310);
  expect(view.calls.rows).toHaveLength(100);
  expect(view.calls.rows[0]?.arguments).toEqual({ issue_number: 200 });
  expect([view.denied.length, view.more_denied]).toEqual([50, 10]);
  expect((await read(session.run, 10_000)).calls.rows).toEqual([]);
});

test("of a job whose proxy died at once, the agents are those that the recovered tail names", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1", agents: ["planner"] });
  session.genesis();
  session.call({}, "ok");
  await session.recover();
  const view = await read(session.run);
  expect(view.agents).toEqual(["planner"]);
  expect(view.verdict.sentences[0]).toBe("1 call by 1 agent, none denied. 1 of them witnessed by nobody.");
});

test("a log that is too long for a page is counted whole", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  for (let call = 0; call < 31_000; call++) {
    session.call({ decision: "deny", reason: "no_grant" });
  }
  await session.seal();
  const view = await read(session.run);
  expect(view.status).toBe("complete");
  expect(view.counts).toMatchObject({ calls: 31_000, denied: 31_000 });
  expect(view.calls.total).toBeLessThan(31_000);
  expect(view.sessions[0]?.integrity.more_records).toBe(1_002);
});

test("what happened to an answer, to a server's lists and to its process is said in words", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  const shown = { visible: true, why: "triager#1" };
  session.catalog("github", [{ name: "get_issue", ...shown }]);
  session.catalog("github", [{ name: "get_issue", visible: false, why: "flow" }]);
  session.catalog("github", [
    { name: "get_issue", ...shown },
    { name: "get_token", ...shown },
  ]);
  session.event("server_restarted", "info", { server: "github", restart: 1, of: 5 });
  session.call({ id: "read" });
  const ended = { kind: "result", call: "read", outcome: "ok", duration_ms: 1, bytes: 10 } as const;
  session.append({
    ...ended,
    redactions: { github_token: 2 },
    removals: { zero_width: 1 },
    markers: ["ignore_instructions"],
  });
  session.call({ id: "quiet" }, "ok");
  await session.seal();
  const { calls, sessions } = await read(session.run);
  expect(calls.rows.map(({ inspected }) => inspected)).toEqual([
    [
      "Replaced before the agent got the answer: secrets (github token: 2).",
      "Taken out before the agent got the answer: characters that nobody sees (zero width: 1).",
      "The answer holds what is typical of an injection: ignore instructions. The agent has read it; nothing was blocked.",
    ],
    [],
  ]);
  const servers = sessions[0]?.servers.map(({ name, list_changes, restarts }) => [
    name,
    list_changes,
    restarts,
  ]);
  expect(servers).toContainEqual(["github", 1, 1]);
  const pages =
    renderCalls({ calls: calls.rows, sessions }).text +
    sessions.map((each, n) => renderSession(each, n).text).join("");
  expect(pages).toContain("secrets (github token: 2)");
  expect(pages).toContain(
    "its lists changed once while the session ran; started again once after it had ended",
  );
});

test("who asked whom is said in words; an agent that names the method of an ask gets no such words", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  const record = (call: Pick<EntryOf<"call">, "method" | "decision" | "reason">): void => {
    session.append({
      kind: "call",
      id: call.reason,
      agent: "agent",
      client: null,
      server: "github",
      ...call,
    });
  };
  record({ method: "sampling/createMessage", decision: "allow", reason: "granted" });
  record({ method: "logging/setLevel", decision: "deny", reason: "no_grant" });
  record({ method: "sampling/createMessage", decision: "deny", reason: "method_not_granted" });
  await session.seal();
  const { calls, sessions } = await read(session.run);
  expect(calls.rows.map(({ ask }) => ask)).toEqual([
    "the server asked the agent: sampling",
    "the agent asked the server: logging",
    null,
  ]);
  expect(renderCalls({ calls: calls.rows, sessions }).text).toContain("the server asked the agent");
});
