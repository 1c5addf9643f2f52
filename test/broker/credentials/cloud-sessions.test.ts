/**
 * Sessions with credentials of clouds: what nobody can end is said to run out, and when; the rest is ended where it was
 * made, and so is what was made too wide and could not be taken back at once.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { sessionCommand } from "../../../broker/cli/session/session.ts";
import { createVault } from "../../../broker/credentials/vault/vault.ts";
import { OperatorAccounts } from "../../../broker/operators/accounts.ts";
import { revokeSession } from "../../../broker/sessions/revocation.ts";
import type { OpenedServices } from "../../../broker/start.ts";
import { listOfSession } from "../../../broker/storage/credentials/minted-credentials.ts";
import type { SessionRow } from "../../../broker/storage/schema.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { type GithubAppPeer, startGithubAppPeer } from "../../support/github-app-peer.ts";
import { Holder, exchange } from "../../support/session-holder.ts";
import { type StsPeer, startStsPeer } from "../../support/sts-peer.ts";
import { recordTerminal } from "../cli/recorded-terminal.ts";
import { openReplica } from "../sessions/second-replica.ts";

// Between attempts to revoke at once: nothing here depends on how long.
vi.mock("node:timers/promises", async (original) => {
  const timers = await original<typeof import("node:timers/promises")>();
  return { ...timers, setTimeout: async (ms = 0) => timers.setTimeout(Math.min(ms, 10)) };
});

const ROLE = "arn:aws:iam::123456789012:role/robots";
const REVOCATION_MS = 20_000;

let github: GithubAppPeer;
let sts: StsPeer;
let world: TestBroker;
let replica: OpenedServices;
let session: SessionRow;

// The AWS SDK reads the broker's own identity once.
beforeAll(async () => {
  sts = await startStsPeer();
});
afterAll(async () => sts.close());
beforeEach(async () => {
  github = await startGithubAppPeer();
  sts.sessions.clear();
  sts.fail = undefined;
  const owner = { id: 123456, login: "acme" };
  github.repositories.set(456789, { name: "payments", owner });
  const permissions = { issues: "write", metadata: "read" };
  github.installations.push({
    ...{ id: 77, account: owner, permissions, repositories: [456789], suspended: false },
  });
  sts.roles.set(ROLE, {
    allows: ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
    maxSeconds: 3_600,
  });
  vi.stubEnv("AWS_ACCESS_KEY_ID", sts.identity.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", sts.identity.secretAccessKey);
  world = await startTestBroker({ files: filesOf() });
  const { database: at } = world.config;
  if (at.kind !== "sqlite") throw new Error("these tests are about a file");
  vi.stubEnv("LANYARD_DATABASE", `file:${at.path}`);
  await exchange(world, await Holder.create());
  replica = await openReplica(world);
  const { database } = replica.services;
  session = await database.selectFrom("sessions").selectAll().executeTakeFirstOrThrow();
  const secret = Buffer.from(github.privateKey);
  await createVault(replica.services).set({ name: "hub", owner: "", kind: "github-app", by: "ann", secret });
});
afterEach(async () => {
  await replica.close();
  await world.close();
  await github.close();
  vi.unstubAllEnvs();
});

function filesOf(): Record<string, string> {
  return {
    "servers.yaml": `
servers:
  keys: { command: [node, keys.js], credential: keys }
  hub: { command: [node, hub.js], env: { TOKEN: "{credential}" }, credential: hub }
credentials:
  keys: { kind: aws-role, role_arn: "${ROLE}", region: ${sts.region}, sts_url: "${sts.endpoint}", delivery: runner }
  hub: { kind: github-app, app_id: "${github.appId}", api_url: "${github.apiUrl}", permissions: { issues: write }, delivery: runner }
`,
    "roles.yaml": `
roles:
  reader: { grants: [{ server: keys, tools: ["*"] }, { server: hub, tools: ["*"] }] }
  writer: { grants: [{ server: hub, tools: ["*"] }] }
`,
  };
}

const present = async (server: string) => replica.services.credentials.present({ server, session });
const listed = async () => listOfSession(replica.services.database, session.id);
const showSession = async (): Promise<string> => {
  const terminal = recordTerminal();
  await sessionCommand(terminal).exitOverride().parseAsync(["show", session.id], { from: "user" });
  return terminal.out;
};
/** What a reader of the run's page sees of it. */
const readCard = async (): Promise<string> => {
  const { database, now } = replica.services;
  const added = await new OperatorAccounts(database, now).add("ada");
  if (!added.ok) throw new Error(added.message);
  const headers = { authorization: `Bearer ${added.token}`, accept: "text/html" };
  const page = await (await fetch(`${world.url}/runs/${session.run}`, { headers })).text();
  return page.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
};
const end = async (): Promise<void> => {
  const { database, now } = replica.services;
  await revokeSession(database, session.id, { at: now(), by: "ann" });
  await replica.credentialRoom.end();
};

test("a session that ends: AWS's keys are listed as lapsing with their expiry, GitHub's token is ended at GitHub", async () => {
  const keys = await present("keys");
  if (!keys.ok) throw new Error(keys.sentence);
  expect(await present("hub")).toMatchObject({ ok: true });
  expect(github.tokens.size).toBe(1);
  expect(await showSession()).toMatch(/keys [0-9a-f]{12}, in use, until 2/);
  await end();
  await expect.poll(() => github.tokens.size, { timeout: REVOCATION_MS }).toBe(0);
  await expect
    .poll(async () => (await listed()).map(({ credential, state }) => [credential, state]), {
      timeout: REVOCATION_MS,
    })
    .toEqual([
      ["keys", "lapsing"],
      ["hub", "ended"],
    ]);
  const until = `${new Date(keys.presented.expiresAt ?? 0).toISOString().slice(0, 19).replace("T", " ")}Z`;
  const shown = await showSession();
  expect(shown).toContain(
    `${keys.presented.digest.slice(0, 12)}, cannot be ended at its issuer, until ${until}`,
  );
  expect(await readCard()).toMatch(/keys [0-9a-f]{12} Nobody can end it at its issuer\. It runs out /);
  expect(shown).toMatch(/hub [0-9a-f]{12}, over since 2/);
});

test("a token that is wider than asked for and could not be revoked at once: listed, presented to nobody, ended later", async () => {
  github.distort = (answer) => ({ ...answer, repository_selection: "all" });
  github.fail = ({ method }, response) => method === "DELETE" && Boolean(response.writeHead(503).end());
  expect(await present("hub")).toMatchObject({
    ...{ ok: false, code: "refused" },
    sentence: expect.stringContaining("could not be revoked at once"),
  });
  const [row] = await listed();
  expect(row).toMatchObject({ credential: "hub", state: "ending", sealed: null });
  expect(row?.expires_at).toBeGreaterThan(Date.now());
  const wide = [...github.tokens.keys()];
  expect(wide).toHaveLength(1);
  expect(JSON.stringify(row)).not.toContain(wide[0]);
  github.fail = undefined;
  world.advance(10 * 60_000);
  await replica.credentialRoom.end();
  await expect.poll(() => github.tokens.size, { timeout: REVOCATION_MS }).toBe(0);
  await expect.poll(listed, { timeout: REVOCATION_MS }).toMatchObject([{ state: "ended", failure: null }]);
});

test("keys of AWS that arrive when the session is over: presented to nobody, and listed until they run out", async () => {
  sts.fail = () => {
    world.advance(15 * 60_000);
    return false;
  };
  expect(await present("keys")).toMatchObject({ ok: false, sentence: "The session is over." });
  expect(sts.sessions.size).toBe(1);
  const [row, ...others] = await listed();
  expect([row, others]).toMatchObject([{ credential: "keys", state: "lapsing", sealed: null }, []]);
  world.advance(60 * 60_000);
  await replica.credentialRoom.tidy();
  expect(await listed()).toMatchObject([{ state: "ended" }]);
});
