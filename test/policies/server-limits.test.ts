/** Limits of a server, from the document to what a proxy gets and a reviewer of a change reads. */
import { expect, test } from "vitest";
import { compareRegistry } from "../../policies/authoring/registry-difference.ts";
import { serversOf } from "../../policies/policies.ts";
import { SessionServer } from "../../broker/contract.ts";
import { policiesOf, servers } from "./fixtures.ts";

const limited = (limits: string) =>
  policiesOf({ servers: servers.replace("start: eager", `start: eager\n    limits: ${limits}`) });

function registered(limits: string): unknown {
  const session = {
    ...{ v: 1 as const, robot: "acme/payments/triager", roles: [], mode: "enforce" as const },
    ...{ grants: [], flow: [], servers: { memory: {} } },
  };
  return serversOf(limited(limits), session)["memory"];
}

test("they travel as plain numbers, and only where they are set", () => {
  const all =
    "{ request_size: 8KiB, answer_size: 1MiB, concurrent_calls: 2, calls_per_minute: 60, call_time: 2m, stream_idle: 1h, sessions: 3, restarts: 0, memory: 64MiB }";
  expect(registered(all)).toMatchObject({
    limits: {
      request_bytes: 8_192,
      answer_bytes: 1_048_576,
      concurrent_calls: 2,
      calls_per_minute: 60,
      call_seconds: 120,
      stream_idle_seconds: 3_600,
      sessions: 3,
      restarts: 0,
      memory_bytes: 67_108_864,
    },
  });
  expect(registered("{}")).not.toHaveProperty("limits");
});

test("what is beyond the ceilings is not taken from a broker either", () => {
  const isRefused = (limits: object): boolean => {
    const server = { transport: "http", url: "https://mcp.example.com/", limits };
    const issues = SessionServer.safeParse(server).error?.issues ?? [];
    return issues.some(({ path }) => path[0] === "limits");
  };
  expect(isRefused({ sessions: 256 })).toBe(false);
  for (const beyond of [
    { sessions: 257 },
    { calls_per_minute: 0 },
    { call_seconds: 1.5 },
    { unheard_of: 1 },
  ]) {
    expect(isRefused(beyond)).toBe(true);
  }
});

test("another limit is a change that a reviewer sees", () => {
  const changes = compareRegistry(limited("{ restarts: 1 }"), limited("{ restarts: 9 }"), () => true);
  expect(changes).toMatchObject([
    {
      effect: "changed",
      server: "memory",
      what: "limits",
      before: '{"restarts":1}',
      after: '{"restarts":9}',
    },
  ]);
});
