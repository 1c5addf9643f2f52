import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OperatorAccounts } from "../../../broker/operators/accounts.ts";
import { openReviewStore, type ReviewStore } from "../review/review-store.ts";
import { addOperator, openPageApp, type PageAppOptions } from "./page-app.ts";

let store: ReviewStore;
let apps: FastifyInstance[];

beforeEach(async () => {
  store = await openReviewStore();
  apps = [];
});
afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await store.close();
});

async function openApp(options?: PageAppOptions): Promise<FastifyInstance> {
  const app = await openPageApp(store, options);
  apps.push(app);
  return app;
}

async function logIn(app: FastifyInstance, token: string, form: Record<string, string> = {}) {
  return app.inject({
    method: "POST",
    url: "/login",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams({ token, ...form }).toString(),
  });
}

const cookieOf = (response: Awaited<ReturnType<typeof logIn>>) =>
  Object.fromEntries(response.cookies.map((cookie) => [cookie.name, cookie.value]));

test("whoever is not logged in is sent to the form, with the way back", async () => {
  const app = await openApp();
  const response = await app.inject("/runs/0a1b2c3d?offset=100");
  expect(response.statusCode).toBe(303);
  expect(response.headers.location).toBe("/login?next=%2Fruns%2F0a1b2c3d%3Foffset%3D100");
  const form = await app.inject("/login?next=%2Fruns%2F0a1b2c3d%3Foffset%3D100");
  expect(form.body).toContain('name="next" value="/runs/0a1b2c3d?offset&#61;100"');
});

test("a token in the form logs in and leads where the person wanted to go", async () => {
  const app = await openApp();
  const token = await addOperator(store);
  const response = await logIn(app, token, { next: "/runs/0a1b2c3d" });
  expect(response.statusCode).toBe(303);
  expect(response.headers.location).toBe("/runs/0a1b2c3d");
  const page = await app.inject({ url: "/runs", cookies: cookieOf(response) });
  expect(page.statusCode).toBe(200);
  expect(page.body).toContain("ada");
  expect(page.body).toContain("No run yet");
});

test("the cookie is out of the reach of scripts and of other sites", async () => {
  const app = await openApp();
  const [cookie] = (await logIn(app, await addOperator(store))).cookies;
  expect(cookie).toMatchObject({
    name: "lanyard",
    httpOnly: true,
    sameSite: "Strict",
    path: "/",
    maxAge: 43_200,
  });
  expect(cookie).not.toHaveProperty("secure");
});

test("behind https the cookie is secure and belongs to this host alone", async () => {
  const app = await openApp({ publicUrl: "https://lanyard.acme.dev" });
  const [cookie] = (await logIn(app, await addOperator(store))).cookies;
  expect(cookie).toMatchObject({ name: "__Host-lanyard", secure: true, path: "/" });
  expect(cookie).not.toHaveProperty("domain");
});

test("the token stands in no cookie", async () => {
  const app = await openApp();
  const token = await addOperator(store);
  const { cookies } = await logIn(app, token);
  const value = decodeURIComponent(cookies[0]?.value ?? "");
  expect(value).not.toContain(token);
  expect(Buffer.from(value.split(".")[0] ?? "", "base64url").toString()).not.toContain(token.slice(4, 20));
});

test("open redirect: a login leads nowhere else", async () => {
  const app = await openApp();
  const token = await addOperator(store);
  for (const next of ["https://evil.example/", "//evil.example", "/\\evil.example", "/login/once/x"]) {
    expect((await logIn(app, token, { next })).headers.location).toBe("/runs");
  }
});

test("a wrong token is answered with the form and a sentence, and not repeated on the page", async () => {
  const app = await openApp();
  const response = await logIn(app, "lop_<script>alert(1)</script>");
  expect(response.statusCode).toBe(401);
  expect(response.body).toContain("This is not a token of an operator here.");
  expect(response.body).not.toContain("alert(1)");
  expect(response.cookies).toEqual([]);
});

test("guessing tokens: after ten the address waits, in the form and as a bearer", async () => {
  const app = await openApp();
  const token = await addOperator(store);
  for (let guess = 0; guess < 5; guess++) {
    expect((await logIn(app, `lop_${"A".repeat(43)}`)).statusCode).toBe(401);
    const bearer = await app.inject({
      url: "/api/runs",
      headers: { authorization: `Bearer lop_${"B".repeat(43)}` },
    });
    expect(bearer.statusCode).toBe(401);
  }
  const refused = await logIn(app, token);
  expect(refused.statusCode).toBe(429);
  expect(refused.headers["retry-after"]).toBe("60");
  const bearer = await app.inject({ url: "/api/runs", headers: { authorization: `Bearer ${token}` } });
  expect(bearer.statusCode).toBe(429);
  store.clock += 60_000;
  expect((await logIn(app, token)).statusCode).toBe(303);
});

test("a forged cookie, one with another key and one that was changed are no login", async () => {
  const app = await openApp();
  const { lanyard = "" } = cookieOf(await logIn(app, await addOperator(store)));
  const [payload = "", signature = ""] = lanyard.split(".");
  const other = Buffer.from(
    Buffer.from(payload, "base64url")
      .toString()
      .replace(/"expires_at":\d+/, '"expires_at":9999999999999'),
  ).toString("base64url");
  const link = Buffer.from('{"by":"link","expires_at":9999999999999}').toString("base64url");
  for (const forged of [
    payload,
    `${payload}.`,
    `${other}.${signature}`,
    `${link}.${signature}`,
    `${payload}.AAAA`,
    ".",
    "x",
  ]) {
    expect((await app.inject({ url: "/runs", cookies: { lanyard: forged } })).statusCode, forged).toBe(303);
  }
  expect((await app.inject({ url: "/runs", cookies: { lanyard } })).statusCode).toBe(200);
});

test("a login ends after twelve hours, whatever the browser keeps", async () => {
  const app = await openApp();
  const cookies = cookieOf(await logIn(app, await addOperator(store)));
  store.clock += 12 * 3_600_000 - 1;
  expect((await app.inject({ url: "/runs", cookies })).statusCode).toBe(200);
  store.clock += 1;
  expect((await app.inject({ url: "/runs", cookies })).statusCode).toBe(303);
});

test("removing an operator ends the login at once, also when the name comes back", async () => {
  const app = await openApp();
  const cookies = cookieOf(await logIn(app, await addOperator(store)));
  await new OperatorAccounts(store.database, store.now).remove("ada");
  expect((await app.inject({ url: "/runs", cookies })).statusCode).toBe(303);
  await addOperator(store, "ada");
  expect((await app.inject({ url: "/runs", cookies })).statusCode).toBe(303);
});

test("logging out clears the cookie", async () => {
  const app = await openApp();
  const cookies = cookieOf(await logIn(app, await addOperator(store)));
  const response = await app.inject({ method: "POST", url: "/logout", cookies });
  expect(response.headers.location).toBe("/login");
  expect(response.cookies).toMatchObject([{ name: "lanyard", value: "" }]);
  expect((await app.inject({ url: "/logout", cookies })).statusCode).toBe(404);
});

test.each([
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { origin: "https://evil.example" },
  { origin: "null" },
])("a form of another site neither logs in nor out: %j", async (headers) => {
  const app = await openApp();
  const token = await addOperator(store);
  for (const url of ["/login", "/logout"]) {
    const response = await app.inject({
      method: "POST",
      url,
      headers: { ...headers, "content-type": "application/x-www-form-urlencoded" },
      payload: `token=${token}`,
    });
    expect(response.statusCode).toBe(403);
    expect(response.cookies).toEqual([]);
  }
});

test("a bearer is good for pages and the API alike", async () => {
  const app = await openApp();
  const authorization = `Bearer ${await addOperator(store)}`;
  expect((await app.inject({ url: "/runs", headers: { authorization } })).statusCode).toBe(200);
  expect((await app.inject({ url: "/api/runs", headers: { authorization } })).json()).toEqual({
    runs: [],
    next: null,
  });
});

test("a wrong bearer is not saved by a good cookie", async () => {
  const app = await openApp();
  const cookies = cookieOf(await logIn(app, await addOperator(store)));
  const response = await app.inject({
    url: "/api/runs",
    cookies,
    headers: { authorization: "Basic YWRhOmFkYQ==" },
  });
  expect(response.statusCode).toBe(401);
});

test("a link from another site meets a page that goes on from here", async () => {
  const app = await openApp();
  const response = await app.inject({ url: "/runs/0a1b2c3d", headers: { "sec-fetch-site": "cross-site" } });
  expect(response.statusCode).toBe(200);
  expect(response.body).toContain('content="0; url&#61;/login?next&#61;%2Fruns%2F0a1b2c3d"');
});

test("who is logged in passes the form by", async () => {
  const app = await openApp();
  const cookies = cookieOf(await logIn(app, await addOperator(store)));
  const response = await app.inject({ url: "/login?next=%2Fruns%2F0a1b2c3d", cookies });
  expect(response.headers.location).toBe("/runs/0a1b2c3d");
});

test("a one-time link logs in once", async () => {
  const codes = new Set(["code"]);
  const app = await openApp({ login: { kind: "one_time_link", redeem: (code) => codes.delete(code) } });
  expect((await app.inject({ method: "HEAD", url: "/login/once/code" })).statusCode).toBe(404);
  const response = await app.inject("/login/once/code?next=%2Fruns%2F0a1b2c3d");
  expect(response.headers.location).toBe("/runs/0a1b2c3d");
  const cookies = cookieOf(response);
  expect((await app.inject({ url: "/runs", cookies })).statusCode).toBe(200);
  const again = await app.inject("/login/once/code");
  expect(again.statusCode).toBe(410);
  expect(again.cookies).toEqual([]);
  expect(
    (await app.inject({ url: "/login/once/code?next=%2Fruns%2F0a1b2c3d", cookies })).headers.location,
  ).toBe("/runs/0a1b2c3d");
});

test("a broker that takes tokens alone knows no links, nor logins that were made by one", async () => {
  const development = await openApp({ login: { kind: "one_time_link", redeem: () => true } });
  const cookies = cookieOf(await development.inject("/login/once/code"));
  const app = await openApp();
  expect((await app.inject("/login/once/code")).statusCode).toBe(404);
  expect((await app.inject({ url: "/runs", cookies })).statusCode).toBe(303);
});

test("a form that is too large is not read", async () => {
  const app = await openApp();
  expect((await logIn(app, "x".repeat(20_000))).statusCode).toBe(413);
});
