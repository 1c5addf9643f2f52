/** The relay of a running broker: it decides again, presents the credential, records, and keeps what is secret. */
import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { DEFAULT_LIMITS } from "../../../proxy/limits.ts";
import type { AuditRecord } from "../../../audit/record.ts";
import { unpackSegment } from "../../../audit/segment.ts";
import { verifySession } from "../../../audit/verification/verification.ts";
import { openFolderBucket } from "../../../broker/custody/folder-bucket.ts";
import type { DatabaseConfig } from "../../../broker/config-values.ts";
import { type RunningBroker, startBroker } from "../../../broker/server.ts";
import { describeOnBoth } from "../../support/both-databases.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { answerJson, openEvents, writeMessage } from "../../support/mcp-scripted-http-server.ts";
import {
  CANARY,
  type RelayDesk,
  type StandIn,
  type TokenServer,
  callTool,
  createStandIn,
  initialize,
  relayFiles,
  relayRobots,
  sendRelayed,
  startTokenServer,
} from "../../support/relay-desk.ts";
import {
  Holder,
  LogWriter,
  announce,
  call,
  exchange,
  genesisOf,
  readAnswer,
  upload,
} from "../../support/session-holder.ts";

const CALLS = 50;
/** As the role has it. */
const LIMIT = 20;
const LIST = { id: 1, method: "tools/list" };

describeOnBoth((create) => {
  let server: TokenServer;
  let credentials: StandIn;
  let on: TestBroker;
  let others: RunningBroker[];
  let holder: Holder;
  let database: DatabaseConfig;

  beforeEach(async () => {
    server = await startTokenServer();
    credentials = createStandIn();
    database = await create();
    on = await startTestBroker({
      credentials,
      files: (issuer) => ({ ...relayFiles(server.url), "robots/acme/payments.yaml": relayRobots(issuer) }),
      config: () => ({ database }),
    });
    others = [];
    holder = await Holder.create();
    await exchange(on, holder);
    return async () => {
      await Promise.all(others.map(async (other) => other.close()));
      await on.close();
      await server.close();
    };
  });

  /** Another replica; proofs name the public URL wherever a request goes. */
  async function startSecond(): Promise<RelayDesk> {
    const config = { ...on.config, publicUrl: on.url, listen: { host: "127.0.0.1", port: 0 } };
    const broker = await startBroker({ config, credentials, now: on.now });
    others.push(broker);
    const at = `http://127.0.0.1:${broker.address.port}`;
    return { url: on.url, now: on.now, subjectToken: on.subjectToken, at };
  }

  const bucket = () =>
    openFolderBucket({
      path: join(on.directory, "audit"),
      publicUrl: on.url,
      uploadSecrets: () => [Buffer.alloc(32)],
      now: Date.now,
    });
  async function storedRecords(): Promise<AuditRecord[]> {
    const keys = (await bucket().list("audit/v1/")).filter((key) => /\/relay\/\d+\.jsonl\.zst$/.test(key));
    const texts = await Promise.all(
      keys.map(async (key) => unpackSegment((await bucket().read(key, 1 << 26)) ?? Buffer.alloc(0), 1 << 25)),
    );
    return texts.flatMap((text) =>
      text
        .toString("utf8")
        .trimEnd()
        .split("\n")
        .map((line): AuditRecord => JSON.parse(line)),
    );
  }
  /** The relay's log of a session that was revoked: all of it is in the bucket then. */
  async function endedLog(): Promise<AuditRecord[]> {
    await call(on, holder, "DELETE /session");
    await on.broker.sweep();
    return storedRecords();
  }

  describe("a call", () => {
    test("goes through with the credential, which the caller never sees", async () => {
      const session = await initialize(on, holder);
      const answer = await callTool(on, holder, { session, name: "echo", args: { text: "hello" } });
      expect(answer).toMatchObject({
        status: 200,
        body: { result: { content: [{ text: '{"text":"hello"}' }] } },
      });
      const { headers } = server.received.at(-1) ?? {};
      expect(headers).toMatchObject({ authorization: `Bearer ${CANARY}` });
      expect(headers?.["user-agent"]).toMatch(/^lanyard\/\S+ \(acme\/payments\/triager; run 1001\)$/);
      expect(Object.keys(headers ?? {}).filter((name) => /dpop|lanyard-/.test(name))).toEqual([]);
    });

    test("that nothing grants is answered without asking the server, which may have it", async () => {
      const session = await initialize(on, holder);
      for (const name of ["hidden", "not_there"]) {
        const { body } = await callTool(on, holder, { session, name });
        expect(body.error).toEqual({ code: -32602, message: `Unknown tool: ${name}` });
      }
      expect(server.called).toEqual([]);
      const { body } = await readAnswer(await sendRelayed(on, holder, { session, message: LIST }));
      expect(body.result.tools.map(({ name }: { name: string }) => name)).toEqual([
        ...["echo", "limited", "fetch", "post"],
      ]);
    });

    test("is on the log before it leaves, with its id, its agent, its credential and its end", async () => {
      const session = await initialize(on, holder, { "lanyard-agent": "reviewer" });
      const callId = randomUUID();
      await callTool(on, holder, { session, name: "echo", args: { key: CANARY }, callId, agent: "reviewer" });
      await callTool(on, holder, { session, name: "hidden", agent: "reviewer" });
      // The result goes with the next turn.
      await callTool(on, holder, { session, name: "echo", agent: "reviewer" });
      const log = await endedLog();
      expect(log.map(({ kind }) => kind)[0]).toBe("relay_genesis");
      expect(log.at(-1)).toMatchObject({ kind: "seal", totals: { calls: 3, allowed: 2, denied: 1 } });
      expect(log.find((record) => record.kind === "call" && record.id === callId)).toMatchObject({
        ...{ agent: "reviewer", server: "vault", tool: "echo", decision: "allow", rule: "reader#1" },
        arguments: { key: "[redacted:credential:robot-token]" },
        credential: { id: "robot-token", digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      });
      expect(log.find((record) => record.kind === "result" && record.call === callId)).toMatchObject({
        outcome: "ok",
      });
      expect(JSON.stringify(log)).not.toContain(CANARY);
    });

    test("to a server whose database is gone does not leave", async () => {
      if (database.kind !== "sqlite") return;
      const session = await initialize(on, holder);
      await rename(database.path, `${database.path}.away`);
      const answer = await callTool(on, holder, { session, name: "echo" });
      expect(answer.status).toBe(503);
      expect(server.called).toEqual([]);
      await rename(`${database.path}.away`, database.path);
      expect((await callTool(on, holder, { session, name: "echo" })).status).toBe(200);
    });
  });

  describe("whoever asks", () => {
    test("without a token, with another key's, or for another server gets nothing", async () => {
      const bare = await fetch(`${on.url}/mcp/vault`, { method: "POST", body: "{}" });
      expect(bare.status).toBe(401);
      expect(bare.headers.get("www-authenticate")).toContain("DPoP");
      const thief = await Holder.create();
      thief.accessToken = holder.accessToken;
      expect((await sendRelayed(on, thief, { message: LIST })).status).toBe(401);
      for (const name of ["other", "constructor", "__proto__"]) {
        expect((await sendRelayed(on, holder, { message: LIST, server: name })).status).toBe(404);
      }
      expect(server.received).toEqual([]);
    });

    test("a revocation stops the relay at once, on the replica that does not know the session yet, too", async () => {
      const session = await initialize(on, holder);
      expect((await callTool(on, holder, { session, name: "echo" })).status).toBe(200);
      await call(on, holder, "DELETE /session");
      expect((await callTool(on, holder, { session, name: "echo" })).status).toBe(401);
      expect(server.called).toEqual(["echo"]);
    });

    test("what an edit of the documents takes away is gone from the next call on, on a replica that never read it", async () => {
      const second = await startSecond();
      const session = await initialize(on, holder);
      expect((await callTool(second, holder, { session, name: "echo" })).status).toBe(200);
      const roles = join(on.config.policies, "roles.yaml");
      await writeFile(roles, (await readFile(roles, "utf8")).replace("[echo, fetch, post]", "[fetch, post]"));
      await on.broker.reloadPolicies();
      for (const desk of [on, second]) {
        const { body } = await callTool(desk, holder, { session, name: "echo" });
        expect(body.error).toEqual({ code: -32602, message: "Unknown tool: echo" });
      }
      expect(server.called).toEqual(["echo"]);
    });

    test("what a revoked session has open is closed, and what is in flight is cancelled", async () => {
      const session = await initialize(on, holder);
      const open: string[] = [];
      server.answerWith(({ method, message }, response) => {
        open.push(message?.method ?? method);
        response.once("close", () => open.splice(open.indexOf(message?.method ?? method), 1));
        if (method === "GET") openEvents(response);
      });
      const stream = await sendRelayed(on, holder, {
        ...{ session, method: "GET" },
        fields: { "lanyard-agent": "agent" },
      });
      const inFlight = callTool(on, holder, { session, name: "echo" });
      await expect.poll(() => open).toEqual(expect.arrayContaining(["GET", "tools/call"]));
      await call(on, holder, "DELETE /session");
      expect(JSON.stringify((await inFlight).body)).toContain("cancelled");
      await stream.text();
      await expect.poll(() => open).not.toContain("GET");
    }, 30_000);

    test("the name of a session is of no use to another agent, another job, or changed", async () => {
      const session = await initialize(on, holder);
      expect((await callTool(on, holder, { session, name: "echo", agent: "other" })).status).toBe(404);
      const changed = `${session.slice(0, -2)}${session.endsWith("AA") ? "BB" : "AA"}`;
      expect((await callTool(on, holder, { session: changed, name: "echo" })).status).toBe(404);
      const neighbour = await Holder.create();
      await exchange(on, neighbour, {
        subjectToken: await on.subjectToken({ run_id: "77", check_run_id: "9" }),
      });
      expect((await callTool(on, neighbour, { session, name: "echo" })).status).toBe(404);
      expect(server.called).toEqual([]);
    });
  });

  describe("two replicas", () => {
    test("a session that was opened on one goes on on the other", async () => {
      const second = await startSecond();
      const session = await initialize(on, holder);
      const answer = await callTool(second, holder, { session, name: "echo", args: { on: "second" } });
      expect(answer.body.result.content[0].text).toBe('{"on":"second"}');
      expect((await sendRelayed(second, holder, { session, method: "DELETE" })).status).toBeLessThan(300);
    });

    test(`of ${CALLS} calls at once on both, exactly as many pass as the limit says`, async () => {
      const second = await startSecond();
      const session = await initialize(on, holder);
      const answers = await Promise.all(
        Array.from({ length: CALLS }, async (_, index) =>
          callTool(index % 2 === 0 ? on : second, holder, { session, name: "limited" }),
        ),
      );
      expect(answers.filter(({ body }) => body.result?.isError !== true)).toHaveLength(LIMIT);
      expect(server.called).toHaveLength(LIMIT);
      const log = await endedLog();
      const calls = log.filter((record) => record.kind === "call");
      expect(calls.filter(({ decision }) => decision === "allow")).toHaveLength(LIMIT);
      expect(calls).toHaveLength(CALLS);
    });

    test("a sink is gone on both once content that nobody vouches for was asked for on one", async () => {
      const second = await startSecond();
      const session = await initialize(on, holder);
      expect((await callTool(second, holder, { session, name: "post" })).body.result.isError).toBeUndefined();
      await callTool(on, holder, { session, name: "fetch" });
      const { body } = await callTool(second, holder, { session, name: "post" });
      expect(body.error).toEqual({ code: -32602, message: "Unknown tool: post" });
      const list = await readAnswer(await sendRelayed(second, holder, { session, message: LIST }));
      const names = list.body.result.tools.map(({ name }: { name: string }) => name);
      expect(names).not.toContain("post");
      expect(server.called).toEqual(["post", "fetch"]);
    });
  });

  describe("what a server does with the credential", () => {
    test("one that is not taken is replaced once, and the call goes on", async () => {
      const session = await initialize(on, holder);
      server.accept("fresh-token-58d2a1");
      credentials.next = "fresh-token-58d2a1";
      expect((await callTool(on, holder, { session, name: "echo" })).body.result.content).toHaveLength(1);
      expect(credentials.rejected).toHaveLength(1);
      expect(server.called).toEqual(["echo"]);
    });

    test("what a server reflects of it reaches nobody, wherever it stands", async () => {
      const session = await initialize(on, holder);
      const encoded = Buffer.from(CANARY).toString("base64");
      const seen: string[] = [];
      const reflect = async (write: Parameters<TokenServer["answerWith"]>[0], message: object = LIST) => {
        server.answerWith(write);
        const answer = await sendRelayed(on, holder, { session, message });
        seen.push(JSON.stringify([...answer.headers]), await answer.text());
        server.answerWith(undefined);
      };
      const echo = { id: 2, method: "tools/call", params: { name: "echo", arguments: {} } };
      const tool = { name: "echo", description: `Send Bearer ${CANARY}`, inputSchema: { type: "object" } };
      await reflect(({ message }, response) => {
        answerJson(response, { jsonrpc: "2.0", id: message.id, result: { tools: [tool] } });
      });
      await reflect(({ message }, response) => {
        const content = [{ type: "text", text: `${CANARY} and ${encoded}` }];
        answerJson(response, { jsonrpc: "2.0", id: message.id, result: { content, _meta: { [CANARY]: 1 } } });
      }, echo);
      await reflect(({ message }, response) => {
        answerJson(response, { jsonrpc: "2.0", id: message.id, error: { code: 1, message: CANARY } }, 400);
      }, echo);
      // Where nobody reads a text: what a client hands back, binary data.
      const blob = Buffer.from(`TOKEN=${CANARY}\n`).toString("base64");
      await reflect(({ message }, response) => {
        const content = [
          { type: "image", mimeType: "image/png", data: CANARY },
          { type: "resource", resource: { uri: "a:b", blob } },
        ];
        const back = { nextCursor: CANARY, requestState: CANARY, progressToken: CANARY };
        answerJson(response, { jsonrpc: "2.0", id: message.id, result: { content, ...back } });
      }, echo);
      await reflect(({ message }, response) => {
        response.setHeader("x-reflected", CANARY);
        response.setHeader("set-cookie", `token=${CANARY}`);
        const events = openEvents(response);
        events.write(`id: ${CANARY}\ndata: \n\n`);
        const params = { progressToken: 1, progress: 1, message: CANARY };
        writeMessage(events, { jsonrpc: "2.0", method: "notifications/progress", params });
        writeMessage(events, { jsonrpc: "2.0", id: message.id, result: { content: [] } });
        events.end();
      }, echo);
      expect(seen.join("\n")).toContain("[redacted:credential:robot-token]");
      expect(seen.join("\n")).not.toContain(CANARY);
      expect(seen.join("\n")).not.toContain(encoded);
      expect(seen.join("\n")).not.toContain(blob);
      expect(seen.join("\n")).not.toContain("set-cookie");
      expect(JSON.stringify(await endedLog())).not.toContain(CANARY);
      expect(JSON.stringify(on.logged)).not.toContain(CANARY);
    });

    test("a redirect, to the metadata address or anywhere, is not followed", async () => {
      const session = await initialize(on, holder);
      server.answerWith((_, response) => {
        response.writeHead(307, { location: "http://169.254.169.254/" }).end();
      });
      const { body } = await callTool(on, holder, { session, name: "echo" });
      expect(JSON.stringify(body)).toContain("redirected");
    });

    test("an answer without an end is cut off at its bound", async () => {
      const session = await initialize(on, holder);
      expect(DEFAULT_LIMITS.maxAnswerBytes).toBeGreaterThan(32 * 2 ** 20);
      server.answerWith((_, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        const piece = Buffer.alloc(2 ** 20, 0x20);
        const write = (): void => {
          while (!response.destroyed && response.write(piece));
        };
        response.on("drain", write);
        write();
      });
      const { body } = await callTool(on, holder, { session, name: "echo" });
      expect(JSON.stringify(body)).toContain("too_large");
    }, 30_000);
  });

  describe("its log", () => {
    test("goes to the bucket while the session lives once it is large, and is one chain in the end", async () => {
      const session = await initialize(on, holder);
      const text = "x".repeat(400_000);
      for (let count = 0; count < 4; count += 1) {
        await callTool(on, holder, { session, name: "echo", args: { text } });
      }
      await vi.waitFor(async () => expect(await storedRecords()).not.toHaveLength(0), { timeout: 10_000 });
      const log = await endedLog();
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index));
      expect(log.some(({ kind }) => kind === "checkpoint")).toBe(true);
      const again = await endedLog();
      expect(again).toEqual(log);
    }, 30_000);

    test("is held beside the runner's: a call past the proxy is found", async () => {
      const session = await initialize(on, holder);
      await callTool(on, holder, { session, name: "echo" });
      const document = (await call(on, holder, "GET /session")).body;
      expect(document.servers.vault.transport).toBe("relay");
      const seal = {
        kind: "seal" as const,
        reason: "test",
        totals: { calls: 0, allowed: 0, denied: 0, failed: 0 },
      };
      const segment = await new LogWriter(on.now).segment([genesisOf(on, document), seal]);
      expect((await upload((await announce(on, holder, segment)).body.upload, segment.body)).status).toBe(
        200,
      );
      const { segment: segments, last_seq, head } = segment.request;
      expect(await call(on, holder, "POST /session/seal", { segments, last_seq, head })).toMatchObject({
        body: { status: "sealed" },
      });
      const prefix = (await bucket().list("audit/v1/"))
        .find((key) => key.endsWith("/relay/manifest.json"))
        ?.replace("relay/manifest.json", "");
      const keys = await (await fetch(`${on.url}/.well-known/checkpoint-keys.json`)).json();
      const verdict = await verifySession(
        {
          list: async () =>
            (await bucket().list(prefix ?? "")).map((key) => key.slice((prefix ?? "").length)),
          read: async (object) => (await bucket().read(`${prefix}${object}`, 1 << 26)) ?? Buffer.alloc(0),
        },
        keys as { keys: [] },
      );
      expect(verdict.problems.map(({ code }) => code)).toEqual(["relay_call_unrecorded"]);
      expect(verdict.status).toBe("broken");
      expect((await callTool(on, holder, { session, name: "echo" })).status).toBe(401);
    });
  });
});
