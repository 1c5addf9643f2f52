import { expect, test } from "vitest";
import { findRunAddress } from "../../../broker/review/forge-address.ts";

const run = { repository: "acme/payments", run_id: "42", run_attempt: "2" };

test.each([
  ["https://token.actions.githubusercontent.com", "https://github.com"],
  ["https://token.actions.githubusercontent.com/acme-inc", "https://github.com"],
  ["https://token.actions.octo.ghe.com", "https://octo.ghe.com"],
  ["https://ghes.acme.dev/_services/token", "https://ghes.acme.dev"],
  ["https://ghes.acme.dev:8443/_services/token", "https://ghes.acme.dev:8443"],
])("a run of %s is found at %s", (iss, origin) => {
  expect(findRunAddress({ iss, ...run })).toBe(`${origin}/acme/payments/actions/runs/42/attempts/2`);
});

test.each([
  "http://127.0.0.1:4567",
  "https://evil.example",
  "http://token.actions.githubusercontent.com",
  "https://token.actions.githubusercontent.com.evil.example",
  "https://token.actions.evil.example",
  "https://token.actions.x.y.ghe.com",
  "https://user@ghes.acme.dev/_services/token",
  "javascript:alert(1)",
  "",
])("the issuer %j gives no link", (iss) => {
  expect(findRunAddress({ iss, ...run })).toBeUndefined();
});

test.each([
  { repository: "../../evil" },
  { repository: "acme/payments?x" },
  { repository: 'acme/pay"ments' },
  { run_id: "42/../.." },
  { run_attempt: "" },
])("claims that are no address give no link: %j", (claims) => {
  expect(
    findRunAddress({ iss: "https://token.actions.githubusercontent.com", ...run, ...claims }),
  ).toBeUndefined();
});
