/** What people see of credentials: on the pages, in the API, from the command and in the log. Never a secret. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { sessionCommand } from "../../../broker/cli/session/session.ts";
import { OperatorAccounts } from "../../../broker/operators/accounts.ts";
import { CredentialList } from "../../../broker/review/credential-view.ts";
import { RunView } from "../../../broker/review/view.ts";
import { revokeSession } from "../../../broker/sessions/revocation.ts";
import { recordTerminal } from "../cli/recorded-terminal.ts";
import { type MintingDesk, openMintingDesk } from "./minting/minting-desk.ts";

let directory: string;
let desk: MintingDesk;
let operator: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-seen-"));
  desk = await openMintingDesk({ kind: "sqlite", path: join(directory, "broker.sqlite") });
  const { services } = desk.replicas[0];
  const addition = await new OperatorAccounts(services.database, services.now).add("ada");
  if (!addition.ok) throw new Error(addition.message);
  operator = addition.token;
});
afterAll(async () => {
  await desk.close();
  await rm(directory, { recursive: true, force: true });
});
afterEach(() => vi.unstubAllEnvs());

const visit = async (path: string, token = operator): Promise<Response> =>
  fetch(`${desk.world.url}${path}`, { headers: { authorization: `Bearer ${token}` }, redirect: "manual" });
const show = async (...args: string[]): Promise<string> => {
  vi.stubEnv("LANYARD_DATABASE", `file:${join(directory, "broker.sqlite")}`);
  const terminal = recordTerminal();
  await sessionCommand(terminal)
    .exitOverride()
    .parseAsync(["show", desk.session.id, ...args], { from: "user" });
  return terminal.out;
};

test("what fails stands first on the page of credentials, with what to do; nobody else reads it", async () => {
  const { peer, present } = desk;
  await present("desk");
  await expect(present("typed")).rejects.toThrow("not set");
  peer.familyIsOver = true;
  await expect(present("granted")).rejects.toThrow("refused");
  const list = CredentialList.parse(await (await visit("/api/credentials")).json());
  expect(list.credentials[0]).toMatchObject({
    ...{ credential: "granted", owner: "shared", kind: "oauth", health: "failing" },
    failing: { code: "refused", sentence: expect.stringContaining("lanyard credential connect granted") },
  });
  expect(list.credentials.find(({ credential }) => credential === "desk")).toMatchObject({
    ...{ kind: "token-exchange", failing: null, last_good_at: expect.any(String) },
  });
  const page = await (await visit("/credentials")).text();
  expect(page).toContain("1 failing");
  expect(page.indexOf("granted")).toBeLessThan(page.indexOf("<b>desk</b>"));
  expect(page).toContain("lanyard credential connect granted");
  for (const path of ["/credentials", "/api/credentials"]) {
    const { status } = await visit(path, "lop_somebody-else");
    expect([303, 401]).toContain(status);
  }
});

test("a session's own are listed until they are over: by the command, on its card, in the API", async () => {
  const { peer, present, replicas, session, world } = desk;
  const { digest } = await present("desk");
  expect(await show()).toMatch(new RegExp(`credential +desk ${digest.slice(0, 12)}, in use, until `));
  peer.revocationStatus = 503;
  await revokeSession(replicas[0].services.database, session.id, { at: world.now() });
  await expect
    .poll(() => show(), { timeout: 20_000 })
    .toMatch(/desk [0-9a-f]{12}, to be ended at its issuer, tried in vain \d+ times, until /);
  expect(JSON.parse(await show("--json")).session.credentials).toMatchObject([
    { credential: "desk", digest, state: "ending", failure: expect.any(String) },
  ]);
  const view = RunView.parse(await (await visit(`/api/runs/${session.run}`)).json());
  expect(view.sessions[0]?.credentials).toMatchObject([{ credential: "desk", digest, state: "ending" }]);
  expect(await (await visit(`/runs/${session.run}`)).text()).toContain("Not ended yet, tried in vain");

  peer.revocationStatus = 200;
  world.advance(10 * 60_000);
  await world.broker.keepCredentials();
  expect(await show()).toMatch(/desk [0-9a-f]{12}, over since /);
  const codes = new Set(world.logged.map(({ code }) => code));
  expect(codes).toContain("credential_not_ended");
  const said = JSON.stringify([world.logged, await show("--json"), view]);
  for (const secret of [...peer.exchanged, peer.refreshToken, "client-secret-of-the-broker"]) {
    expect(said).not.toContain(secret);
  }
});
