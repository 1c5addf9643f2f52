/** The whole way of a change: from the policy directory through the broker to a proxy that is at work, and into its log. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Guard, startGuard } from "../../../action/guard/guard.ts";
import { startLocalServer } from "../../action/local-server.ts";
import { OperatorAccounts } from "../../../broker/operators/accounts.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { call, send } from "../../proxy/rig.ts";
import { type ToolServer, startToolServer } from "../../proxy/tool-server.ts";
import { type TestBroker, robotsDocument, startTestBroker } from "../../support/broker.ts";

let on: TestBroker;
let server: ToolServer;
let guard: Guard;
let directory: string;
const rolesOf = (tools: string): string => `roles:
  reader: { grants: [{ server: everything, tools: [${tools}] }] }
`;

beforeAll(async () => {
  server = await startToolServer([{ name: "echo" }, { name: "post" }]);
  directory = await mkdtemp(join(tmpdir(), "lanyard-guard-"));
  on = await startTestBroker({
    files: (issuer) => ({
      "servers.yaml": `servers:\n  everything: { url: "${server.url}", tools: { echo: { read_only: true } } }\n`,
      "roles.yaml": rolesOf("echo, post"),
      "robots/acme/payments.yaml": robotsDocument(issuer)
        .replaceAll("reader, writer", "reader")
        .replace("max: 2h", "max: 2h, revoke_on_change: true"),
    }),
  });
});
afterAll(async () => {
  await on.close();
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

test("a grant that is taken away is gone for the agent while its job runs, and the run's page says what was lost", async () => {
  const subjectToken = await on.subjectToken();
  const oidc = await startLocalServer(() => ({ status: 200, body: { value: subjectToken } }));
  guard = await startGuard(
    {
      ...{ broker: on.url, robot: "acme/payments/triager", roles: [], servers: [], agents: ["agent"] },
      ...{ directory, runnerTemp: directory, workspace: directory, runnerEnvironment: "github-hosted" },
      ...{ oidc: { url: `${oidc.url}/idtoken`, token: "request" }, httpProxies: {} },
    },
    { bundle: Buffer.from("bundle"), environment: {} },
  );
  const { url, agents, reviewUrl } = guard.ready;
  const headers = { authorization: `Bearer ${agents[0]?.token}` };
  const post = async () => send(`${url}/mcp/everything`, { body: call(1, "post"), headers });
  expect((await post()).json.result.content[0].text).toBe("did post");

  await writeFile(join(on.config.policies, "roles.yaml"), rolesOf("echo"));
  await on.broker.reloadPolicies();
  await vi.waitFor(async () => expect((await post()).json.error?.message).toBe("Unknown tool: post"), {
    timeout: 40_000,
    interval: 200,
  });
  const echo = await send(`${url}/mcp/everything`, { body: call(2, "echo"), headers });
  expect(echo.json.result.content[0].text).toBe("did echo");
  expect((await guard.seal("the test ends")).log).toEqual({ status: "sealed" });

  const database = await openDatabase(on.config.database);
  const added = await new OperatorAccounts(database, Date.now).add("reviewer");
  await database.destroy();
  if (!added.ok) throw new Error(added.message);
  const authorization = `Bearer ${added.token}`;
  const review = await fetch(`${on.url}/api${new URL(reviewUrl).pathname}`, { headers: { authorization } });
  const run: any = await review.json();
  expect(run).toMatchObject({
    status: "complete",
    findings: [
      {
        kind: "policy_changed",
        title: "The session lost something while it ran",
        severity: "warning",
        detail: expect.stringMatching(/Lost: reader#1 post\. Policy [0-9a-f]{12} became [0-9a-f]{12}\./),
      },
    ],
  });
  // What was let through after the change was called before the proxy knew of it.
  const calls: { tool: string; decision: string }[] = run.calls.rows;
  const denied = calls.findIndex(({ decision }) => decision === "deny");
  expect(calls.slice(denied).filter(({ tool, decision }) => tool === "post" && decision === "allow")).toEqual(
    [],
  );
  const page = await (await fetch(reviewUrl, { headers: { authorization } })).text();
  expect(page).toContain("Lost while it ran");
}, 90_000);
