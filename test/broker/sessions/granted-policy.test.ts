/** What roles grant is written once for all jobs, and never mixed up between robots, roles or policies. */
import { expect, test } from "vitest";
import type { Policies } from "../../../policies/policies.ts";
import { sessionPolicyOf } from "../../../policies/issuing.ts";
import { digestPolicy } from "../../../policies/session-policy.ts";
import { grantedPolicyOf } from "../../../broker/sessions/granted-policy.ts";

const ROBOT = "acme/payments/triager";
const mode = "enforce";

function policiesWith(tools: readonly string[], roles = ["reader", "writer"]): Policies {
  const grants = [{ server: "tickets", tools: [...tools] }];
  return {
    servers: new Map([["tickets", { url: "https://tickets.example/mcp" }]]),
    credentials: new Map(),
    roles: new Map(roles.map((name) => [name, { grants }])),
    repositories: new Map(),
    lock: undefined,
  };
}

test("the same object for the same robot, roles and policies", () => {
  const policies = policiesWith(["read"]);
  const first = grantedPolicyOf(policies, { robot: ROBOT, roles: ["reader"], mode });
  expect(grantedPolicyOf(policies, { robot: ROBOT, roles: ["reader"], mode })).toBe(first);
  const expected = sessionPolicyOf(policies, { robot: ROBOT, roles: ["reader"], mode });
  expect(JSON.parse(first.source)).toEqual(expected);
  expect(first.digest).toBe(digestPolicy(expected));
  expect(JSON.parse(first.roles)).toEqual(["reader"]);
  expect(JSON.parse(first.servers)).toEqual({
    tickets: { transport: "http", url: "https://tickets.example/mcp" },
  });
});

test("another robot, other roles, another order or other policies are another policy", () => {
  const policies = policiesWith(["read"]);
  const digests = [
    grantedPolicyOf(policies, { robot: ROBOT, roles: ["reader"], mode }),
    grantedPolicyOf(policies, { robot: `${ROBOT}2`, roles: ["reader"], mode }),
    grantedPolicyOf(policies, { robot: ROBOT, roles: ["reader", "writer"], mode }),
    grantedPolicyOf(policies, { robot: ROBOT, roles: ["writer", "reader"], mode }),
    grantedPolicyOf(policies, { robot: ROBOT, roles: ["reader"], mode: "observe" }),
    grantedPolicyOf(policiesWith(["write"]), { robot: ROBOT, roles: ["reader"], mode }),
  ].map(({ digest }) => digest);
  expect(new Set(digests).size).toBe(digests.length);
});

test("with more subsets of roles than are kept, each still gets its own", () => {
  const names = Array.from({ length: 1_100 }, (_, index) => `role${index}`);
  const policies = policiesWith(["read"], names);
  const digests = names.map(
    (name) => grantedPolicyOf(policies, { robot: ROBOT, roles: [name], mode }).digest,
  );
  expect(new Set(digests).size).toBe(names.length);
  expect(grantedPolicyOf(policies, { robot: ROBOT, roles: ["role0"], mode }).digest).toBe(digests[0]);
});
