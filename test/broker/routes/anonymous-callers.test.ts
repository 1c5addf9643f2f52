/** Every route that is registered, asked by somebody who brings nothing: only the public ones answer. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";

/** What anybody may read. Everything else either refuses or sends to the login. */
const PUBLIC = [
  "GET /.well-known/checkpoint-keys.json",
  "GET /.well-known/jwks.json",
  "GET /.well-known/oauth-authorization-server",
  "GET /.well-known/oauth-client.json",
  "GET /.well-known/oauth-protected-resource",
  "GET /assets/…",
  "GET /healthz",
  "GET /login",
  "GET /readyz",
];
/** They answer anybody, and everybody the same: that it is over, or that there is nothing to end. */
const WITHOUT_EFFECT = ["POST /logout"];

let on: TestBroker;
const routes: { method: string; url: string }[] = [];

beforeAll(async () => {
  // Fastify says when an application is made: before its first route.
  const watch = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook("onRoute", ({ method, url }) => {
      for (const each of [method].flat()) routes.push({ method: each, url });
    });
  };
  subscribe("fastify.initialization", watch);
  on = await startTestBroker();
  unsubscribe("fastify.initialization", watch);
});
afterAll(async () => {
  await on.close();
});

const BODIES = [
  undefined,
  { body: "{}", type: "application/json" },
  { body: "token=x&grant_type=x", type: "application/x-www-form-urlencoded" },
];

test("every route without authentication: only the public ones answer", async () => {
  expect(routes.length).toBeGreaterThan(20);
  const answering = new Set<string>();
  for (const { method, url } of routes.filter((route) => route.method !== "HEAD")) {
    const path = url.replaceAll(/:[a-z]+/gi, "0123456789abcdef0123").replace("*", "x");
    for (const content of method === "GET" ? [undefined] : BODIES) {
      const response = await fetch(`${on.url}${path}`, {
        method,
        redirect: "manual",
        ...(content && { body: content.body, headers: { "content-type": content.type } }),
      });
      await response.arrayBuffer();
      const toLogin = response.headers.get("location")?.startsWith("/login") === true;
      expect(response.status, `${method} ${url}`).toBeLessThan(500);
      if (response.status < 400 && !toLogin) {
        answering.add(`${method} ${url.startsWith("/assets/") ? "/assets/…" : url}`);
      }
    }
  }
  expect([...answering].filter((route) => !WITHOUT_EFFECT.includes(route)).sort()).toEqual(PUBLIC);
});

test("the walk sees the routes that matter: those of sessions, tokens, pages and the API", () => {
  const known = routes.map(({ method, url }) => `${method} ${url}`);
  expect(known).toEqual(
    expect.arrayContaining([
      "POST /token",
      "POST /revoke",
      "POST /introspect",
      "GET /session",
      "DELETE /session",
      "POST /session/renew",
      "POST /session/segments",
      "POST /session/seal",
      "POST /session/recover",
      "PUT /session/objects/*",
      "GET /runs",
      "GET /api/runs",
    ]),
  );
});
