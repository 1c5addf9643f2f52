/** `lanyard credential test` as an operator runs it, for credentials that clouds give out: a process beside a broker. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createVault } from "../../../../broker/credentials/vault/vault.ts";
import { type TestBroker, startTestBroker } from "../../../support/broker.ts";
import { databaseFile } from "../../../support/database-choice.ts";
import { type GithubAppPeer, startGithubAppPeer } from "../../../support/github-app-peer.ts";
import {
  bearerOf,
  type DemandingServer,
  startDemandingServer,
} from "../../../support/mcp-demanding-server.ts";
import { type StsPeer, startStsPeer } from "../../../support/sts-peer.ts";
import { type Verification, runLanyard } from "../../../support/verification.ts";
import { openReplica } from "../../sessions/second-replica.ts";

const ROLE = "arn:aws:iam::123456789012:role/robots";

let github: GithubAppPeer;
let sts: StsPeer;
let server: DemandingServer;
let on: TestBroker;
const shown = new Set<string>();
beforeAll(async () => {
  [github, sts] = await Promise.all([startGithubAppPeer(), startStsPeer()]);
  const owner = { id: 123456, login: "acme" };
  const permissions = { issues: "write", metadata: "read" };
  github.repositories.set(456789, { name: "payments", owner });
  github.installations.push({
    ...{ id: 77, account: owner, permissions, repositories: [456789], suspended: false },
  });
  sts.roles.set(ROLE, {
    allows: ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
    maxSeconds: 3_600,
  });
  server = await startDemandingServer({
    isWelcome: (headers) => {
      shown.add(bearerOf(headers));
      return github.tokens.has(bearerOf(headers));
    },
  });
  on = await startTestBroker({
    files: {
      "servers.yaml": `
servers:
  hub: { url: "${server.url}", credential: hub }
  keys: { command: [node, keys.js], credential: keys }
credentials:
  hub: { kind: github-app, app_id: "${github.appId}", api_url: "${github.apiUrl}", permissions: { issues: write } }
  keys: { kind: aws-role, role_arn: "${ROLE}", region: ${sts.region}, sts_url: "${sts.endpoint}", delivery: runner }
`,
      "roles.yaml": `
roles:
  reader: { grants: [{ server: hub, tools: ["*"] }] }
  writer: { grants: [{ server: keys, tools: ["*"] }] }
`,
    },
  });
  const { services, close } = await openReplica(on);
  const secret = Buffer.from(github.privateKey);
  await createVault(services).set({ name: "hub", owner: "", kind: "github-app", by: "ann", secret });
  await close();
});
afterAll(async () => {
  await Promise.all([on, server, github, sts].map(async (each) => each.close()));
});

const run = async (name: string): Promise<Verification> =>
  runLanyard(["credential", "test", name, "--policies", on.config.policies], {
    LANYARD_DATABASE: `file:${databaseFile(on.config.database)}`,
    LANYARD_KEYS: `file:${on.config.keys}`,
    LANYARD_PUBLIC_URL: on.url,
    AWS_ACCESS_KEY_ID: sts.identity.accessKeyId,
    AWS_SECRET_ACCESS_KEY: sts.identity.secretAccessKey,
  });

test("github-app: who the app is and what it reaches, the server takes it, and the token is ended again", async () => {
  const { exitCode, output } = await run("hub");
  expect([exitCode, output]).toEqual([0, expect.stringContaining("hub (github-app) works.\n")]);
  expect(output).toMatch(
    /who +app: lanyard-robots, repositories: acme\/payments, permissions: .*issues: ?write/,
  );
  expect(output).toContain("2 tools: list_notes, read_note");
  expect(shown.size).toBe(1);
  for (const token of shown) expect(output).not.toContain(token);
  expect(github.tokens.size).toBe(0);
});

test("aws-role: as whom the role's session is known at AWS, and until when", async () => {
  const { exitCode, output } = await run("keys");
  expect([exitCode, output]).toEqual([0, expect.stringContaining("keys (aws-role) works.\n")]);
  expect(output).toMatch(/who +arn: arn:aws:sts::123456789012:assumed-role\/robots\/acme=payments=triager@/);
  expect(output).toMatch(/expires +2\d{3}-/);
  expect(output).toContain("keys is started in the runner, and was not asked");
  for (const { secretKey, sessionToken = secretKey } of sts.identities.values()) {
    expect(output).not.toContain(secretKey);
    expect(output).not.toContain(sessionToken);
  }
});

test("what was taken away at the cloud: whose it is to give it back", async () => {
  github.installations.forEach((each) => (each.suspended = true));
  sts.roles.set(ROLE, { allows: [], maxSeconds: 3_600 });
  const [hub, keys] = await Promise.all([run("hub"), run("keys")]);
  expect(hub).toEqual({
    exitCode: 1,
    output: "hub: refused: The app's installation at acme is suspended: an owner of acme can unsuspend it.\n",
  });
  expect([keys.exitCode, keys.output]).toEqual([
    1,
    expect.stringMatching(/^keys: refused: The broker may not assume .*: its trust policy must allow/),
  ]);
});
