import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BucketUnusable } from "../../../broker/custody/bucket.ts";
import { RunList, RunView } from "../../../broker/review/view.ts";
import { openTriage } from "../review/sample-sessions.ts";
import { openReviewStore, type ReviewStore } from "../review/review-store.ts";
import { WrittenSession } from "../review/written-session.ts";
import { addOperator, openPageApp } from "./page-app.ts";

let store: ReviewStore;
let app: FastifyInstance;
let authorization: string;

beforeEach(async () => {
  store = await openReviewStore();
  app = await openPageApp(store);
  authorization = `Bearer ${await addOperator(store)}`;
});
afterEach(async () => {
  await app.close();
  await store.close();
});

const get = async (url: string) => app.inject({ url, headers: { authorization, accept: "text/html" } });

/** What a reader sees, without the tags. */
function textOf(page: string): string {
  return page
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/&#(\d+);/g, (_match, code: string) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, " ");
}

test("a run's page answers in its order: verdict, findings, denied calls, all calls, servers, identity, integrity", async () => {
  const session = await openTriage(store);
  await session.flush();
  await session.seal();
  const { body, statusCode } = await get(`/runs/${session.run}`);
  expect(statusCode).toBe(200);
  const text = textOf(body);
  const words = [
    "Complete 9 calls by 1 agent, 3 denied, 1 failed. The log verifies up to its seal.",
    "Findings Nothing out of the ordinary was noticed.",
    "Denied calls",
    "Grant 2 of triager (add_issue_comment) allows it only when args.owner == run.repository_owner",
    "All calls in order",
    "Servers and tools github 7 visible, 5 hidden from the agent",
    "Claims of the subject token",
    "lanyard -- audit verify --keys checkpoint-keys.json BUCKET/audit/v1/repository_id=456789/",
  ];
  expect(words.filter((part) => !text.includes(part))).toEqual([]);
  const places = words.map((part) => text.indexOf(part));
  expect(places).toEqual([...places].sort((left, right) => left - right));
});

test("a session's card says what weakens it before anything else: who revoked it, and that its job is not told apart", async () => {
  const session = await openTriage(store);
  await session.flush();
  expect(textOf((await get(`/runs/${session.run}`)).body)).not.toContain("Not told apart");
  await session.end("revoked");
  await store.database.updateTable("sessions").set({ revoked_by: "alice" }).execute();
  await store.database.updateTable("workloads").set({ check_run_id: null }).execute();
  const text = textOf((await get(`/runs/${session.run}`)).body);
  const words = ["Session of", "Revoked by alice.", "Not told apart from other jobs.", "Servers and tools"];
  const places = words.map((part) => text.indexOf(part));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((left, right) => left - right));
  const api = RunView.parse((await get(`/api/runs/${session.run}`)).json());
  expect(api.sessions[0]).toMatchObject({ job_told_apart: false, revoked: { by: "alice" } });
});

test("a session's card says that an edit of the documents revoked it", async () => {
  const session = await openTriage(store);
  await session.end("revoked");
  await store.database.updateTable("sessions").set({ revocation_cause: "policy_change" }).execute();
  expect(textOf((await get(`/runs/${session.run}`)).body)).toContain("Revoked by policy change");
});

test("times are UTC and machine-readable", async () => {
  const session = await openTriage(store);
  await session.seal();
  expect((await get(`/runs/${session.run}`)).body).toContain(
    '<time datetime="2026-11-22T09:30:00.000Z">22 Nov 2026, 09:30:00 UTC</time>',
  );
});

test("a page is under a policy that lets no script run and nothing be loaded from elsewhere", async () => {
  const session = await openTriage(store);
  await session.seal();
  for (const url of ["/login", "/runs", `/runs/${session.run}`, "/runs/00000000", "/nowhere"]) {
    const { headers, body } = await get(url);
    expect(headers["content-security-policy"]).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(body).not.toMatch(/<script|<style| style=| on[a-z]+=/i);
  }
});

test("the style sheet and the icon are served under names that change with them", async () => {
  const { body } = await get("/runs");
  const [sheet = ""] = /\/assets\/[0-9a-f]{16}\.css/.exec(body) ?? [];
  const [icon = ""] = /\/assets\/[0-9a-f]{16}\.svg/.exec(body) ?? [];
  const served = await app.inject(sheet);
  expect(served.headers["content-type"]).toBe("text/css; charset=utf-8");
  expect(served.headers["cache-control"]).toContain("immutable");
  expect(served.body).toContain("prefers-color-scheme: dark");
  expect((await app.inject(icon)).headers["content-type"]).toBe("image/svg+xml");
});

test("every route but the login and what it wears wants a login", async () => {
  const session = await openTriage(store);
  await session.seal();
  for (const url of ["/", "/runs", `/runs/${session.run}`, "/runs/00000000", "/runs/%2e%2e"]) {
    const response = await app.inject(url);
    expect(response.statusCode, url).toBe(303);
    expect(response.headers.location, url).toMatch(/^\/login/);
    expect(response.body, url).toBe("");
  }
  for (const url of [
    "/api/runs",
    `/api/runs/${session.run}`,
    "/api/runs/00000000",
    "/api/sessions/ses-1/log",
    "/api/sessions/none/log",
  ]) {
    const response = await app.inject(url);
    expect(response.statusCode, url).toBe(401);
    expect(response.headers["www-authenticate"], url).toBe("Bearer");
    expect(response.json(), url).toMatchObject({ error: "invalid_token" });
  }
});

test("what is not there is said on a page of its own", async () => {
  for (const url of ["/runs/00000000000000000000", "/runs/..%2f..%2fetc", `/runs/${"a".repeat(100)}`]) {
    const response = await get(url);
    expect(response.statusCode, url).toBe(404);
    expect(textOf(response.body)).toContain("This broker knows no run of this name.");
    expect(textOf(response.body)).toContain("no longer kept");
  }
  expect(textOf((await get("/nowhere")).body)).toContain("There is nothing at this address.");
  const machine = await app.inject({ url: "/nowhere", headers: { accept: "application/json" } });
  expect(machine.statusCode).toBe(404);
  expect(machine.headers["content-type"]).toContain("application/json");
});

test("the list shows its filter, and what to do when nothing fits", async () => {
  const session = await openTriage(store);
  await session.seal();
  const all = await get("/runs");
  expect(textOf(all.body)).toContain(
    "Complete Triage #128 acme/payments · schedule triager 9 3 0 22 Nov 2026 09:30:00 UTC",
  );
  const none = await get("/runs?repository=acme%2Fother&status=broken");
  expect(textOf(none.body)).toContain("No run fits this filter.");
  expect(none.body).toContain('value="acme/other"');
  expect(none.body).toContain('<option value="broken" selected>');
  expect((await get("/runs?repository=&status=")).statusCode).toBe(200);
  expect((await get("/runs?status=excellent")).statusCode).toBe(400);
  expect((await get("/runs?repository=acme%2Fpay%00ments")).statusCode).toBe(400);
});

test("calls and runs have pages that lead to each other", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  for (let call = 0; call < 150; call++) {
    session.call({}, "ok");
  }
  await session.seal();
  const first = await get(`/runs/${session.run}`);
  expect(textOf(first.body)).toContain("1 to 100 of 150, in order");
  expect(first.body).toContain(`href="/runs/${session.run}?offset&#61;100#calls"`);
  const second = await get(`/runs/${session.run}?offset=100`);
  expect(textOf(second.body)).toContain("101 to 150 of 150, in order");
  expect(second.body).toContain(`href="/runs/${session.run}#calls"`);
  expect((await get(`/runs/${session.run}?offset=-1`)).statusCode).toBe(200);
  expect(textOf((await get(`/runs/${session.run}?offset=1000`)).body)).toContain(
    "There are no calls here: the log has 150.",
  );
});

test("while the bucket is away, the page says so and blames no log", async () => {
  const session = await openTriage(store);
  await session.seal();
  const away = await openPageApp({
    ...store,
    bucket: {
      ...store.bucket,
      list: async () => {
        throw new BucketUnusable("no route to the bucket at 10.0.0.7");
      },
    },
  });
  for (const url of ["/runs", `/runs/${session.run}`]) {
    const response = await away.inject({ url, headers: { authorization } });
    expect(response.statusCode).toBe(503);
    expect(textOf(response.body)).toContain("This says nothing about the logs");
    expect(response.body).not.toContain("10.0.0.7");
  }
  expect((await away.inject({ url: "/api/runs", headers: { authorization } })).json()).toMatchObject({
    error: "temporarily_unavailable",
  });
  await away.close();
});

test("the API gives the same views, and nothing that their schemas do not name", async () => {
  const session = await openTriage(store);
  await session.seal();
  const list = (await get("/api/runs?repository=acme%2Fpayments")).json();
  expect(RunList.strict().parse(list).runs).toHaveLength(1);
  const view = (await get(`/api/runs/${session.run}`)).json();
  expect(RunView.strict().parse(view)).toMatchObject({ status: "complete", counts: { calls: 9, denied: 3 } });
  expect((await get("/api/runs/00000000")).json()).toEqual({
    error: "not_found",
    error_description: "There is no such run, or it is no longer kept.",
  });
  expect((await get("/api/runs?before=x")).json()).toMatchObject({ error: "invalid_request" });
});

test("a log is read back as it verifies, one canonical record a line", async () => {
  const session = await openTriage(store);
  await session.flush();
  session.call({ tool: "search_code" }, "ok");
  await session.recover();
  const response = await get("/api/sessions/ses-1/log");
  expect(response.headers["content-type"]).toBe("application/x-ndjson; charset=utf-8");
  expect(response.headers["lanyard-log-status"]).toBe("recovered");
  const records = response.body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(records.map((record) => record.seq)).toEqual([...Array(19).keys()]);
  expect(response.body).toMatch(/\n$/);
  const tail = await get("/api/sessions/ses-1/log?stream=recovered");
  expect(tail.body).toContain('"tool":"search_code"');
  expect((await get("/api/sessions/none/log")).statusCode).toBe(404);
});
