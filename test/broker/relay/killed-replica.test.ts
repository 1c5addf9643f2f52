/** Two broker processes on one PostgreSQL, one of which is killed in the middle of a relayed call. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerJson, startScriptedServer } from "../../support/mcp-scripted-http-server.ts";
import {
  POSTGRES_START_TIMEOUT_MS,
  type PostgresServer,
  skipsPostgres,
  startPostgres,
} from "../../support/postgres.ts";
import { callTool, initialize, relayRobots } from "../../support/relay-desk.ts";
import { startReplicas } from "../../support/replicas.ts";
import { Holder, exchange } from "../../support/session-holder.ts";

describe.skipIf(skipsPostgres)("a replica that is killed with SIGKILL", () => {
  let database: PostgresServer;
  beforeAll(async () => {
    database = await startPostgres();
  }, POSTGRES_START_TIMEOUT_MS);
  afterAll(async () => {
    await database.stop();
  });

  test("in the middle of a call leaves the call on the log, counted, and its session to the other one", async () => {
    const reached = Promise.withResolvers<void>();
    const server = await startScriptedServer(({ message, method }, response) => {
      const { id, params } = message ?? {};
      const result = (value: object): void => answerJson(response, { jsonrpc: "2.0", id, result: value });
      if (message?.method === "initialize") {
        const serverInfo = { name: "slow", version: "1" };
        response.setHeader("mcp-session-id", "one");
        result({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo });
      } else if (params?.name === "slow") {
        // It never answers: whoever asked is dead by then.
        reached.resolve();
      } else if (method === "POST" && message?.method === "tools/call") {
        result({ content: [] });
      } else {
        response.writeHead(202).end();
      }
    });
    const { url } = await database.createDatabase();
    const on = await startReplicas(2, url, (issuer) => ({
      "servers.yaml": `servers:\n  vault: { url: "${server.url}", credential: nothing }\ncredentials:\n  nothing: { kind: none }\n`,
      "roles.yaml": `roles:\n  reader: { grants: [{ server: vault, tools: [slow, echo], limit: { calls: 2 } }] }\n`,
      "robots/acme/payments.yaml": relayRobots(issuer),
    }));
    try {
      const holder = await Holder.create();
      await exchange(on, holder);
      on.pin(0);
      const session = await initialize(on, holder);
      const callId = randomUUID();
      const lost = callTool(on, holder, { session, name: "slow", callId }).catch(() => undefined);
      await reached.promise;
      // It dies at its next request, whatever that is.
      const dead = on.killWhile(0, 0);
      await callTool(on, holder, { session, name: "slow" }).catch(() => undefined);
      await dead;
      expect(await lost).toBeUndefined();
      const lines = async (): Promise<string> => {
        const rows = await database.query({ url }, "select lines from relay_records order by first_seq");
        return rows.map((row) => row["lines"]).join("");
      };
      await expect.poll(lines).toContain(callId);
      const call = JSON.parse((await lines()).split("\n").find((line) => line.includes(callId)) ?? "{}");
      expect(call).toMatchObject({ kind: "call", id: callId, decision: "allow" });
      // One replica is left: it goes on with the session, and with what is left of the limit.
      on.pin(undefined);
      const used = (await lines()).split("\n").filter((line) => line.includes('"decision":"allow"')).length;
      const answers = [];
      for (let count = 0; count < 3; count += 1) {
        answers.push(await callTool(on, holder, { session, name: "echo" }));
      }
      expect(answers.filter(({ body }) => body.result?.isError !== true)).toHaveLength(2 - used);
    } finally {
      await on.close();
      await server.close();
    }
  }, 60_000);
});
