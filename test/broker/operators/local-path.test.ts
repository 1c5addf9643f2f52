import { expect, test } from "vitest";
import { parseLocalPath } from "../../../broker/operators/local-path.ts";

test.each([
  ["/runs", "/runs"],
  ["/runs/0a1b2c?offset=100", "/runs/0a1b2c?offset=100"],
  ["/runs?repository=acme%2Fpayments&status=broken", "/runs?repository=acme%2Fpayments&status=broken"],
  ["/api/sessions/ses-1/log", "/api/sessions/ses-1/log"],
])("a path of this broker is kept: %s", (next, path) => {
  expect(parseLocalPath(next)).toBe(path);
});

test.each([
  undefined,
  "",
  "runs",
  "https://evil.example/runs",
  "//evil.example/runs",
  "/\\evil.example/runs",
  "\\\\evil.example",
  "/\t/evil.example",
  "/runs\r\nset-cookie: a=b",
  "/runs/../..//evil.example",
  "/runs/..//evil.example",
  "/%2f/evil.example",
  "/login",
  "/logout",
  "/runsevil",
  "javascript:alert(1)",
  `/runs/${"a".repeat(2000)}`,
  "/runs/\u202E",
])("open redirect by next: %j leads to the list of runs", (next) => {
  expect(parseLocalPath(next)).toBe("/runs");
});
