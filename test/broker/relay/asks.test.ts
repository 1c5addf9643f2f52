/** What a relayed server asks of an agent, whose answer can come to another replica than the question went through. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { unpackSegment } from "../../../audit/segment.ts";
import { openFolderBucket } from "../../../broker/custody/folder-bucket.ts";
import type { DatabaseConfig } from "../../../broker/config-values.ts";
import { type RunningBroker, startBroker } from "../../../broker/server.ts";
import { DEFAULT_LIMITS } from "../../../proxy/limits.ts";
import { describeOnBoth } from "../../support/both-databases.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import {
  answerJson,
  openEvents,
  type ScriptedServer,
  startScriptedServer,
  writeMessage,
} from "../../support/mcp-scripted-http-server.ts";
import {
  type RelayDesk,
  createStandIn,
  initialize,
  relayFiles,
  relayRobots,
  sendRelayed,
} from "../../support/relay-desk.ts";
import { Holder, call as endSession, exchange, readAnswer } from "../../support/session-holder.ts";

/** How long the database takes to say who was first with the end of a question. */
const claims = vi.hoisted(() => ({ takeMs: 0 }));
vi.mock(import("../../../broker/storage/ledger/spent.ts"), async (load) => {
  const spent = await load();
  const spendAnswers: typeof spent.spendAnswers = async (...asked) => {
    await sleep(claims.takeMs);
    return spent.spendAnswers(...asked);
  };
  return { ...spent, spendAnswers };
});

const QUESTION = { method: "elicitation/create", params: { message: "Which branch?" } };
const ANSWER = { action: "accept", content: { branch: "main" } };
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": { elicitation: {} },
};

describeOnBoth((create) => {
  let server: ScriptedServer;
  let on: TestBroker;
  let second: RelayDesk;
  let others: RunningBroker[];
  let holder: Holder;
  let database: DatabaseConfig;
  /** What agents answered, as the server got it. */
  let answers: any[];
  /** The inputs that calls without a session brought, and their states. */
  let inputs: any[];

  beforeEach(async () => {
    answers = [];
    inputs = [];
    let asked = 0;
    server = await startScriptedServer(({ message, method }, response) => {
      const { id, params } = message ?? {};
      const result = (value: object): void => answerJson(response, { jsonrpc: "2.0", id, result: value });
      if (message?.method === "initialize") {
        const serverInfo = { name: "asking", version: "1" };
        response.setHeader("mcp-session-id", randomUUID());
        result({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo });
      } else if (params?._meta !== undefined) {
        inputs.push({ inputs: params.inputResponses, state: params.requestState });
        const isAnswered = params.inputResponses?.branch !== undefined;
        const asking = { resultType: "input_required", inputRequests: { branch: QUESTION } };
        result(isAnswered ? { resultType: "complete", content: [] } : { ...asking, requestState: "é 1" });
      } else if (message?.method === "tools/call") {
        // The call stays open: it is the question that counts.
        asked += 1;
        writeMessage(openEvents(response), { jsonrpc: "2.0", id: asked, ...QUESTION });
      } else {
        if (method === "POST" && message.method === undefined) answers.push(message);
        response.writeHead(202).end();
      }
    });
    database = await create();
    on = await startTestBroker({
      credentials: createStandIn(),
      files: (issuer) => ({
        ...relayFiles(server.url),
        "roles.yaml": `roles:\n  reader: { grants: [{ server: vault, tools: [echo], asks: [elicitation], limit: { calls: 6 } }] }\n`,
        "robots/acme/payments.yaml": relayRobots(issuer),
      }),
      config: () => ({ database }),
    });
    const config = { ...on.config, publicUrl: on.url, listen: { host: "127.0.0.1", port: 0 } };
    const other = await startBroker({ config, credentials: createStandIn(), now: on.now });
    others = [other];
    second = {
      ...{ url: on.url, now: on.now, subjectToken: on.subjectToken },
      at: `http://127.0.0.1:${other.address.port}`,
    };
    holder = await Holder.create();
    await exchange(on, holder);
    return async () => {
      await Promise.all(others.map(async (each) => each.close()));
      await on.close();
      await server.close();
    };
  });

  const ofAgent = (agent = "agent") => ({
    "lanyard-agent": agent,
    "mcp-protocol-version": "2025-11-25",
  });

  /** The question of a call, as it came to the agent. */
  async function begin(
    session: string,
    desk: RelayDesk = on,
  ): Promise<{ readonly id: string; readonly method: string }> {
    const params = { name: "echo", arguments: {} };
    const response = await sendRelayed(desk, holder, {
      ...{ session, message: { id: 1, method: "tools/call", params } },
      fields: { ...ofAgent(), "lanyard-call": randomUUID() },
    });
    let text = "";
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString("utf8");
      const line = text.split("\n").find((each) => each.startsWith("data: {"));
      if (line !== undefined && text.includes("\n\n")) return JSON.parse(line.slice(6));
    }
    throw new Error(`nothing was asked: ${text}`);
  }

  const answer = async (desk: RelayDesk, session: string, { id, agent }: { id: string; agent?: string }) =>
    sendRelayed(desk, holder, {
      ...{ session, message: { id, result: ANSWER }, fields: ofAgent(agent) },
    });

  describe("a question in a session", () => {
    test("is answered through another replica, and once, whichever replica is told the answer how often", async () => {
      const session = await initialize(on, holder, ofAgent());
      const asked = await begin(session);
      expect(asked).toMatchObject(QUESTION);
      expect(asked.id.length).toBeLessThanOrEqual(256);
      const told = [second, on, second, on].map(async (desk) => answer(desk, session, asked));
      expect((await Promise.all(told)).map(({ status }) => status)).toEqual([202, 202, 202, 202]);
      await expect.poll(() => answers).toEqual([{ jsonrpc: "2.0", id: 1, result: ANSWER }]);
      // Another question goes the whole way: by then a second answer to the first would have arrived.
      await answer(second, session, await begin(session));
      await expect.poll(() => answers).toHaveLength(2);
    });

    test("is no question for another agent, or changed: the server hears nothing", async () => {
      const session = await initialize(on, holder, ofAgent());
      const others = await initialize(on, holder, ofAgent("other"));
      const asked = await begin(session);
      const [call = "", sealed = ""] = asked.id.split(".");
      await answer(second, others, { ...asked, agent: "other" });
      for (const id of [call, `${randomUUID()}.${sealed}`, `${asked.id}A`, `${call}.`, "7"]) {
        expect((await answer(second, session, { id })).status).toBe(202);
      }
      await answer(second, session, asked);
      await expect.poll(() => answers).toHaveLength(1);
    });

    test("counts for the limit of its grant on all replicas together, and past it is refused", async () => {
      const session = await initialize(on, holder, ofAgent());
      // Three calls and their three questions are all six.
      for (let count = 0; count < 3; count += 1) await answer(second, session, await begin(session));
      await expect.poll(() => answers).toHaveLength(3);
      const params = { name: "echo", arguments: {} };
      const refused = await readAnswer(
        await sendRelayed(second, holder, {
          ...{ session, message: { id: 9, method: "tools/call", params }, fields: ofAgent() },
        }),
      );
      expect(JSON.stringify(refused.body)).toContain("6 calls");
    });

    test("that waited for too long is no question any more, on the replica that never knew it, too", async () => {
      const session = await initialize(on, holder, ofAgent());
      const asked = await begin(session);
      on.advance(DEFAULT_LIMITS.callTimeoutMs + 1_000);
      await answer(second, session, asked);
      await answer(second, session, await begin(session));
      await expect.poll(() => answers).toHaveLength(1);
    });
  });

  test("a question that is open when its replica closes has its end on record", async () => {
    const session = await initialize(second, holder, ofAgent());
    const [call = ""] = (await begin(session, second)).id.split(".");
    claims.takeMs = 500;
    await Promise.all(others.splice(0).map(async (each) => each.close()));
    claims.takeMs = 0;
    await endSession(on, holder, "DELETE /session");
    await on.broker.sweep();
    const bucket = openFolderBucket({
      ...{ path: join(on.directory, "audit"), publicUrl: on.url },
      ...{ uploadSecrets: () => [Buffer.alloc(32)], now: Date.now },
    });
    const keys = (await bucket.list("audit/v1/")).filter((key) => /\/relay\/\d+\.jsonl\.zst$/.test(key));
    const segments = await Promise.all(
      keys.map(async (key) => unpackSegment((await bucket.read(key, 1 << 26)) ?? Buffer.alloc(0), 1 << 25)),
    );
    const results = segments
      .flatMap((segment) => segment.toString("utf8").trimEnd().split("\n"))
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === "result");
    expect(results).toContainEqual(expect.objectContaining({ call, outcome: "cancelled" }));
  });

  describe("a question within a result", () => {
    const ask = async (desk: RelayDesk, params: object = {}, agent = "agent") =>
      readAnswer(
        await sendRelayed(desk, holder, {
          message: {
            ...{ id: 1, method: "tools/call" },
            params: { name: "echo", arguments: {}, _meta: ENVELOPE, ...params },
          },
          fields: {
            ...{ "lanyard-agent": agent, "lanyard-call": randomUUID() },
            ...{ "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo" },
          },
        }),
      );

    test("is answered through another replica, once, with the server's own state", async () => {
      const { body } = await ask(on);
      expect(body.result.inputRequests).toEqual({ branch: QUESTION });
      const { requestState } = body.result;
      const inputResponses = { branch: ANSWER };
      const done = await ask(second, { inputResponses, requestState });
      expect(done.body.result.resultType).toBe("complete");
      expect(inputs.at(-1)).toEqual({ inputs: { branch: ANSWER }, state: "é 1" });
      const again = await ask(on, { inputResponses, requestState });
      expect(again.body.result?.resultType).not.toBe("complete");
      expect(inputs.at(-1)).toEqual({ inputs: undefined, state: "é 1" });
    });

    test("has no answer from another agent, or from nobody who was asked", async () => {
      const { requestState } = (await ask(on)).body.result;
      const inputResponses = { branch: ANSWER };
      await ask(second, { inputResponses, requestState }, "other");
      await ask(on, { inputResponses });
      expect(inputs.map((each) => each.inputs)).toEqual([undefined, undefined, undefined]);
    });
  });
});
