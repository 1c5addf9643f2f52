/** `lanyard credential test` for what a person set: what the server is shown, and each way in which it does not work. */
import { afterEach, beforeAll, afterAll, describe, expect, test, vi } from "vitest";
import { credentialCommand } from "../../../../broker/cli/credential/command.ts";
import type { TestBroker } from "../../../support/broker.ts";
import {
  type AuthorizationPeer,
  CLIENT_SECRET,
  startAuthorizationPeer,
} from "../../../support/authorization-server.ts";
import { startReferenceServer } from "../../../support/mcp-reference-server.ts";
import { listenWeb } from "../../../support/web-listener.ts";
import { openReplica } from "../../sessions/second-replica.ts";
import { recordTerminal } from "../recorded-terminal.ts";
import { runCredential, startBrokerWith } from "./connecting.ts";

const TOKEN = "canary-token-0123456789";
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0).reverse()) await close();
});

async function startWith(serverUrl: string, credential = "{ kind: bearer }"): Promise<TestBroker> {
  const on = await startBrokerWith(serverUrl, credential);
  closing.push(() => on.close());
  return on;
}

async function give(on: TestBroker, secret: string): Promise<void> {
  const readSecret = async () => Buffer.from(secret);
  const command = credentialCommand({ policies: on.config.policies, terminal: recordTerminal(), readSecret });
  await command.parseAsync(["set", "notes"], { from: "user" });
}

async function fail(serverUrl: string): Promise<{ code: string; message: string }> {
  const on = await startWith(serverUrl);
  await give(on, TOKEN);
  const { out, code } = await runCredential(on, ["test", "notes", "--json"]);
  expect(code).toBe(1);
  expect(out).not.toContain("canary");
  return JSON.parse(out);
}

describe.each([
  ["of both eras", "stateless", "2026-07-28"],
  ["that knows no handshake", "reject", "2026-07-28"],
] as const)("a server %s", (_which, legacy, protocol) => {
  test("is shown the credential and asked for its tools", async () => {
    const server = await startReferenceServer({ legacy });
    closing.push(() => server.close());
    const on = await startWith(server.url);
    await give(on, TOKEN);
    const { out, code } = await runCredential(on, ["test", "notes", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ...{ ok: true, kind: "bearer", protocol, expires_at: null, who: [] },
      server_info: { name: "reference", version: "1.2.3" },
      tools: expect.arrayContaining(["echo", "secret"]),
    });
    expect(server.requests.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
    expect(server.requests[0]?.["user-agent"]).toMatch(/^lanyard\/\S+ \(credential test\)$/);
    expect(server.witness.calls).toEqual([]);
  });
});

test("a server that repeats the credential in the name of a tool: it is not shown", async () => {
  const on = await startWith((await startReflecting()).url);
  await give(on, TOKEN);
  const { out, code } = await runCredential(on, ["test", "notes"]);
  expect(code).toBe(0);
  expect(out).toContain("[redacted]");
  expect(out).not.toContain("canary");
});

async function startReflecting() {
  const listener = await listenWeb(async (request) => {
    const message = JSON.parse(await request.text());
    const results: Record<string, unknown> = {
      initialize: {
        ...{ protocolVersion: "2025-11-25", capabilities: { tools: {} } },
        serverInfo: { name: request.headers.get("authorization"), version: "1" },
      },
      "tools/list": { tools: [{ name: TOKEN, inputSchema: { type: "object" } }] },
    };
    if (message.id === undefined) return new Response(null, { status: 202 });
    const { id, method } = message;
    return results[method] === undefined
      ? Response.json({ jsonrpc: "2.0", id, error: { code: -32601, message: TOKEN } })
      : Response.json({ jsonrpc: "2.0", id, result: results[method] });
  });
  closing.push(() => listener.close());
  return listener;
}

describe("what does not work is told by its cause", () => {
  test.each([
    [401, "does not accept the credential (HTTP 401)"],
    [403, "says that the credential may not do this (HTTP 403)"],
  ])("a server that answers %i", async (status, sentence) => {
    const listener = await listenWeb(
      async (request) => new Response(request.headers.get("authorization"), { status }),
    );
    closing.push(() => listener.close());
    expect(await fail(`${listener.url}/mcp`)).toMatchObject({
      code: "server_refused",
      message: expect.stringContaining(sentence),
    });
  });

  test("a server that is down", async () => {
    expect(await fail("http://127.0.0.1:9/mcp")).toMatchObject({ code: "unreachable" });
  });

  test("a server that speaks something else, and repeats the credential", async () => {
    const listener = await listenWeb(async (request) => new Response(request.headers.get("authorization")));
    closing.push(() => listener.close());
    expect(await fail(`${listener.url}/mcp`)).toMatchObject({ code: "server_failed" });
  });

  test("a secret that nobody set", async () => {
    const on = await startWith("http://127.0.0.1:9/mcp");
    const { err, code } = await runCredential(on, ["test", "notes"]);
    expect([err, code]).toEqual([
      "notes: secret_missing: notes is not set: run `lanyard credential set notes`.\n",
      1,
    ]);
  });

  test.each([
    [["test", "nots"], "There is no credential"],
    [["test", "notes", "--server", "files"], "has no notes"],
    [["test", "notes", "--robot", "acme/payments/nobody"], "No robot"],
    [["connect", "notes"], "only oauth is connected"],
  ])("a wrong call: %j", async (args, message) => {
    const on = await startWith("http://127.0.0.1:9/mcp");
    const { err, code } = await runCredential(on, args);
    expect([err.includes(message), code]).toEqual([true, 2]);
  });
});

describe("what is minted for a trial", () => {
  let peer: AuthorizationPeer;
  beforeAll(async () => {
    peer = await startAuthorizationPeer();
  });
  afterAll(async () => {
    await peer.close();
  });

  test("is shown, told apart and ended again", async () => {
    const on = await startWith(
      peer.serverUrl,
      `{ kind: client-credentials, issuer: "${peer.issuer}", client_id: by-secret }`,
    );
    await give(on, CLIENT_SECRET);
    const { out, err } = await runCredential(on, ["test", "notes"]);
    expect([err, out]).toEqual([
      "",
      expect.stringMatching(/notes \(client-credentials\) works\.\n +who +.*client_id: by-secret/),
    ]);
    expect(out).toContain("2 tools: list_notes, read_note");
    expect(peer.requests.at(-1)).toBe("POST /token/revocation");
    expect(out).not.toContain("canary");
  });

  test("and is not ended by its issuer: the command says so, and a broker ends it later", async () => {
    const on = await startWith(
      peer.serverUrl,
      `{ kind: client-credentials, issuer: "${peer.issuer}", client_id: by-secret }`,
    );
    await give(on, CLIENT_SECRET);
    peer.failing.add("revocation");
    const { out, code } = await runCredential(on, ["test", "notes", "--json"]);
    peer.failing.clear();
    const { left, expires_at } = JSON.parse(out);
    expect([code, left]).toEqual([
      0,
      expect.stringMatching(/^What was made for the test still counts, .*Brokers try it again\.$/),
    ]);
    expect(left).toContain(`over at ${expires_at}`);
    expect(out).not.toContain("canary");
    const replica = await openReplica(on);
    const { database } = replica.services;
    const find = () => database.selectFrom("minted_credentials").selectAll().execute();
    expect(await find()).toMatchObject([{ credential: "notes", session: expect.stringMatching(/^trial_/) }]);
    on.advance(3_600_000 / 12);
    await replica.credentialRoom.end();
    await expect.poll(find, { timeout: 20_000 }).toMatchObject([{ state: "ended", sealed_ticket: null }]);
    expect(peer.requests.at(-1)).toBe("POST /token/revocation");
    await replica.close();
  });
});
