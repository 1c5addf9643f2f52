/** What a browser does with an answer that was meant for a program: nothing. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";

let on: TestBroker;
beforeAll(async () => {
  on = await startTestBroker();
});
afterAll(async () => {
  await on.close();
});

test.each([
  ["GET", "/healthz", 200],
  ["GET", "/.well-known/jwks.json", 200],
  ["GET", "/session", 401],
  ["POST", "/token", 400],
  ["GET", "/nowhere", 404],
  ["GET", "/%zz", 400],
])("%s %s (%d) says so", async (method, path, status) => {
  const { status: got, headers } = await fetch(`${on.url}${path}`, { method });
  expect(got).toBe(status);
  expect(Object.fromEntries(headers)).toMatchObject({
    "content-security-policy": expect.stringContaining("default-src 'none'"),
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
});
