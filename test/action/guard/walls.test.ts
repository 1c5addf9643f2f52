/** The guard proves its walls before it says that it is ready, and does not start where one does not hold. */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { startGuard } from "../../../action/guard/guard.ts";
import type * as DoorModule from "../../../proxy/front/door.ts";
import { startLocalServer } from "../local-server.ts";
import { sessionDocument } from "../session-document.ts";

const broken = vi.hoisted(() => ({ host: false }));
vi.mock("../../../proxy/front/door.ts", async (original) => {
  const door = await original<typeof DoorModule>();
  const findDoorFault: typeof door.findDoorFault = (...asked) => {
    const fault = door.findDoorFault(...asked);
    return broken.host && fault === "wrong_host" ? undefined : fault;
  };
  return { ...door, findDoorFault };
});

const TOKEN = {
  access_token: "at",
  issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
  token_type: "DPoP",
  expires_in: 900,
  scope: "robot:acme/payments/triager",
};

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
});

async function start() {
  const broker = await startLocalServer(({ path }) => {
    if (path.startsWith("/idtoken")) return { status: 200, body: { value: "subject" } };
    if (path === "/token") return { status: 200, body: TOKEN };
    if (path === "/session") return { status: 200, body: sessionDocument() };
    return { status: 403, body: { error: "session_over", error_description: "It is over." } };
  });
  const guard = startGuard(
    {
      broker: broker.url,
      oidc: { url: `${broker.url}/idtoken`, token: "request" },
      robot: "acme/payments/triager",
      roles: [],
      servers: [],
      agents: ["agent"],
      directory,
      runnerTemp: "/temp",
      workspace: "/work",
      runnerEnvironment: "github-hosted",
      httpProxies: {},
    },
    { bundle: Buffer.from("bundle"), environment: {} },
  );
  return { guard };
}

const selfTest = () =>
  readFileSync(join(directory, "spool.jsonl"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === "self_test" || event === "request_refused");

it("a guard whose walls hold says so on its log, and nothing else of what was tried", async () => {
  broken.host = false;
  const { guard } = await start();
  const { seal, report } = await guard;
  expect(selfTest()).toMatchObject([{ event: "self_test", severity: "info" }]);
  expect(selfTest()[0].detail.checks).toContainEqual({ check: "wrong_token", verdict: "passed" });
  expect(report().tally.totals).toEqual({ calls: 0, allowed: 0, denied: 0, failed: 0 });
  expect(report().tally.events).toEqual([]);
  await seal("done");
});

it("a guard with a wall that does not hold does not start, and says which", async () => {
  broken.host = true;
  const { guard } = await start();
  await expect(guard).rejects.toThrow(/a foreign Host must be turned away.*Failed check: wrong_host\./);
  expect(selfTest()).toMatchObject([{ event: "self_test", severity: "finding" }]);
  expect(selfTest()[0].detail.checks).toContainEqual({ check: "wrong_host", verdict: "failed" });
});
