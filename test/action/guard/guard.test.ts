/** What a guard refuses to start with, against a broker that is played by the test. */
import { mkdtempSync, readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { startGuard } from "../../../action/guard/guard.ts";
import type { SessionDocument } from "../../../broker/contract.ts";
import { startLocalServer } from "../local-server.ts";
import { sessionDocument } from "../session-document.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
});

const TOKEN = {
  access_token: "at",
  issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
  token_type: "DPoP",
  expires_in: 900,
  scope: "robot:acme/payments/triager",
};

async function start(document: SessionDocument, servers: string[] = []) {
  const broker = await startLocalServer(({ path }) => {
    if (path.startsWith("/idtoken")) return { status: 200, body: { value: "subject" } };
    if (path === "/token") return { status: 200, body: TOKEN };
    if (path === "/session") return { status: 200, body: document };
    return { status: 403, body: { error: "session_over", error_description: "It is over." } };
  });
  const guard = startGuard(
    {
      broker: broker.url,
      oidc: { url: `${broker.url}/idtoken`, token: "request" },
      robot: "acme/payments/triager",
      roles: [],
      servers,
      agents: ["agent"],
      directory,
      runnerTemp: "/temp",
      workspace: "/work",
      runnerEnvironment: "github-hosted",
      httpProxies: {},
    },
    { bundle: Buffer.from("bundle"), environment: {} },
  );
  return { broker, guard };
}
const kindsInSpool = (): string[] =>
  readFileSync(join(directory, "spool.jsonl"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line).kind);

describe("a guard does not start", () => {
  it("with a policy that was changed on the way: its digest differs", async () => {
    const { policy, ...rest } = sessionDocument();
    const grants = [{ rule: "reader#1", server: "files", tools: ["*"] }];
    const { guard } = await start({ ...rest, policy: { ...policy, source: { ...policy.source, grants } } });
    await expect(guard).rejects.toThrow(/its digest differs.*of the same version/);
    expect(kindsInSpool().slice(0, 2)).toEqual(["genesis", "event"]);
  });

  it("with a document that has a member it does not know", async () => {
    const document: any = { ...sessionDocument(), flow: [] };
    const { guard } = await start(document);
    await expect(guard).rejects.toThrow(/not one that this version of the Action knows/);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("with a server that the session does not reach", async () => {
    const { guard } = await start(sessionDocument(), ["github"]);
    await expect(guard).rejects.toThrow(
      "The input `servers` names github, which this session does not reach. Available: none.",
    );
  });
});

it("a guard whose log is refused lets no call through any more, and does not call the log sealed", async () => {
  const { audit, ...rest } = sessionDocument();
  const { guard } = await start({ ...rest, audit: { ...audit, segment_interval_ms: 10 } });
  const { ready, seal, report } = await guard;
  expect(report().log).toEqual({ status: "open" });
  expect(kindsInSpool()[0]).toBe("genesis");
  expect(readFileSync(join(directory, "spool.jsonl"), "utf8")).toContain('"mode":"enforce"');
  expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const [first, second] = await Promise.all([seal("the job ended"), seal("again")]);
  expect(first.log).toEqual({
    status: "unsealed",
    reason: "the broker ended the session: It is over.",
  });
  expect(second).toBe(first);
});
