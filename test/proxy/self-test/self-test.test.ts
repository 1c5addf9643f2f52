import { afterEach, describe, expect, test, vi } from "vitest";
import type * as DoorModule from "../../../proxy/front/door.ts";
import type * as DecisionModule from "../../../proxy/gate/calls/call-decision.ts";
import type * as VisibilityModule from "../../../proxy/gate/lists/visibility.ts";
import type { SelfTestOptions, Wall, WallCheck } from "../../../proxy/self-test/self-test.ts";

const SERVERS = {
  // Nothing is there: the test must neither start nor ask anything.
  files: { transport: "stdio", command: ["/nonexistent/server"], env: {}, start: "lazy" },
  wiki: { transport: "http", url: "http://127.0.0.1:1/mcp" },
} as const;
const GRANTS = [
  { server: "files", tools: ["read_*", "write"] },
  { server: "wiki", tools: ["search"] },
];

/** Loaded anew each time, so that a wall can be taken out. */
async function runSelfTest(grants: readonly { server: string; tools: string[] }[] = GRANTS) {
  vi.resetModules();
  const { startRig, TOKEN, OTHER_TOKEN } = await import("../rig.ts");
  const { describeFailure, testWalls } = await import("../../../proxy/self-test/self-test.ts");
  await using rig = await startRig({ servers: SERVERS, grants });
  const options: SelfTestOptions = {
    proxy: rig,
    grants: grants.map((grant, index) => ({ rule: `triager#${index + 1}`, ...grant })),
    tokens: [TOKEN, OTHER_TOKEN],
  };
  const checks = await testWalls(options);
  return {
    checks,
    records: [...rig.recorder.records],
    totals: rig.totals(),
    failure: describeFailure(checks),
  };
}

const failedOf = (checks: readonly WallCheck[]): Wall[] =>
  checks.filter(({ verdict }) => verdict === "failed").map(({ check }) => check);

afterEach(() => {
  vi.doUnmock("../../../proxy/front/door.ts");
  vi.doUnmock("../../../proxy/gate/calls/call-decision.ts");
  vi.doUnmock("../../../proxy/gate/lists/visibility.ts");
});

test("all walls hold, without a server, without a call and without an event", async () => {
  const { checks, records, totals, failure } = await runSelfTest();
  expect(checks.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 10 }, () => "passed"));
  expect(checks.filter(({ server }) => server !== undefined)).toHaveLength(4);
  expect(failure).toBeUndefined();
  expect(records).toEqual([]);
  expect(totals).toEqual({ calls: 0, allowed: 0, denied: 0, failed: 0 });
});

test("a server of which everything is granted has no name to test with, and that is said", async () => {
  const { checks, failure } = await runSelfTest([{ server: "files", tools: ["*"] }]);
  const ofServer = checks.filter(({ server }) => server === "files").map(({ verdict }) => verdict);
  expect(ofServer).toEqual(["not_applicable", "not_applicable"]);
  expect(failure).toBeUndefined();
});

test("prefixes that many names begin with leave one to test with", async () => {
  const { checks } = await runSelfTest([
    { server: "files", tools: [..."0123456789abcdef_-"].map((c) => `${c}*`) },
  ]);
  expect(checks.every(({ verdict }) => verdict === "passed")).toBe(true);
});

describe("a wall that does not hold is found:", () => {
  type Door = typeof DoorModule;

  const breakDoor = (change: (door: Door) => Partial<Door>): void => {
    vi.doMock("../../../proxy/front/door.ts", async (original) => {
      const door = await original<Door>();
      return { ...door, ...change(door) };
    });
  };

  test("a door that asks for no host", async () => {
    breakDoor(({ findDoorFault }) => ({
      findDoorFault: (fields, hosts) => {
        const fault = findDoorFault(fields, hosts);
        return fault === "wrong_host" ? undefined : fault;
      },
    }));
    const { checks, failure } = await runSelfTest();
    expect(failedOf(checks)).toEqual(["wrong_host"]);
    expect(failure).toContain("wrong_host");
  });

  test("a door that asks for no origin", async () => {
    breakDoor(({ findDoorFault }) => ({
      findDoorFault: (fields, hosts) => {
        const fault = findDoorFault(fields, hosts);
        return fault === "foreign_origin" ? undefined : fault;
      },
    }));
    expect(failedOf((await runSelfTest()).checks)).toEqual(["foreign_origin"]);
  });

  /** Every token is looked at with what `find` adds to it. */
  const breakTokens = (isLetIn: (authorization: string | undefined) => boolean): void =>
    breakDoor(({ Tokens }) => ({
      Tokens: class<Holder> extends Tokens<Holder> {
        readonly #first: Holder | undefined;
        constructor(holders: ConstructorParameters<typeof Tokens<Holder>>[0]) {
          super(holders);
          this.#first = holders[0]?.holder;
        }
        override findHolder(fields: Parameters<Tokens<Holder>["findHolder"]>[0]): Holder | undefined {
          return super.findHolder(fields) ?? (isLetIn(fields.get("authorization")) ? this.#first : undefined);
        }
      },
    }));
  type Tokens<Holder> = InstanceType<typeof DoorModule.Tokens<Holder>>;

  test("a door that takes any token", async () => {
    breakTokens((authorization) => authorization !== undefined);
    expect(failedOf((await runSelfTest()).checks)).toEqual(["wrong_token", "agent_on_control"]);
  });

  test("a door that asks for no token", async () => {
    breakTokens((authorization) => authorization === undefined);
    const { checks } = await runSelfTest();
    expect(failedOf(checks)).toEqual(["no_token", "token_in_query"]);
  });

  test("a control endpoint that an agent's token opens", async () => {
    breakTokens((authorization) => authorization?.startsWith("Bearer lanyard-agent-token") === true);
    expect(failedOf((await runSelfTest()).checks)).toEqual(["agent_on_control"]);
  });

  test("a gate that decides nothing", async () => {
    vi.doMock("../../../proxy/gate/calls/call-decision.ts", async (original) => {
      const { judgeCall } = await original<typeof DecisionModule>();
      const granted = { effect: "allow", reason: "granted", rule: "triager#1" } as const;
      return {
        judgeCall: (...[request, circumstances]: Parameters<typeof judgeCall>) =>
          judgeCall(request, {
            ...circumstances,
            policy: { ...circumstances.policy, decide: () => granted },
          }),
      };
    });
    const { checks, failure } = await runSelfTest();
    expect(failedOf(checks)).toEqual(["ungranted_uncallable", "ungranted_uncallable"]);
    expect(failure).toContain('ungranted_uncallable (server "files")');
  });

  test("a list that nobody filters", async () => {
    vi.doMock("../../../proxy/gate/lists/visibility.ts", async (original) => {
      const { Visibility } = await original<typeof VisibilityModule>();
      return {
        Visibility: class extends Visibility {
          override show(): ReturnType<InstanceType<typeof Visibility>["show"]> {
            return { visible: true, why: "triager#1" };
          }
        },
      };
    });
    expect(failedOf((await runSelfTest()).checks)).toEqual(["ungranted_absent", "ungranted_absent"]);
  });
});

test("the probe's token is good for marked requests alone, no other is good for those, and all of it ends", async () => {
  vi.resetModules();
  const { startRig, send, TOKEN, CONTROL_TOKEN } = await import("../rig.ts");
  const { StandIn } = await import("../../../proxy/self-test/stand-in.ts");
  await using rig = await startRig({ servers: SERVERS, grants: GRANTS });
  const [mark, token] = ["m".repeat(32), "t".repeat(32)];
  const end = rig.openProbe({ mark, token, connect: () => new StandIn("x") });
  const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "nothing" } };
  const ask = async (authorization: string, marked?: string): Promise<number> =>
    (
      await send(`${rig.url}/mcp/files`, {
        headers: { authorization: `Bearer ${authorization}`, "lanyard-probe": marked },
        body,
      })
    ).status;
  expect(await ask(token, mark)).toBe(200);
  expect(await ask(TOKEN, mark)).toBe(401);
  expect(await ask(CONTROL_TOKEN, mark)).toBe(401);
  expect(rig.recorder.records).toEqual([]);
  expect(await ask(token)).toBe(401);
  expect(await ask(token, `${mark}x`)).toBe(401);
  await end();
  expect(await ask(token, mark)).toBe(401);
  // Whoever sends the field afterwards is recorded as everybody else.
  expect(await ask(TOKEN, mark)).toBe(200);
  expect(rig.recorder.records.map(({ kind }) => kind)).toContain("call");
});
