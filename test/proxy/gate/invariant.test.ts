/** Whatever an agent sends: nothing reaches the server that was not decided, recorded and allowed. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  answerJson,
  type ScriptedServer,
  startScriptedServer,
} from "../../support/mcp-scripted-http-server.ts";
import { type Rig, send, startRig } from "../rig.ts";

let server: ScriptedServer;
let rig: Rig;

beforeAll(async () => {
  server = await startScriptedServer(({ message }, response) =>
    answerJson(response, { jsonrpc: "2.0", id: message.id ?? null, result: {} }),
  );
  rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [
      { server: "one", tools: ["echo"] },
      { server: "one", tools: ["pay"], when: "args.amount < 100" },
    ],
  });
});
afterAll(async () => {
  await rig.close();
  await server.close();
});

const names = fc.constantFrom("name", "Name", "n\\u0061me", "arguments", "ARGUMENTS", "_meta", "uri", "x");
const envelope = fc.constantFrom("method", "Method", "params", "PARAMS", "id", "jsonrpc", "x");
const tools = fc.constantFrom('"echo"', '"secret"', '"pay"', '"ech\\u006f"', '"еcho"', "null", "7");
const methods = fc.constantFrom(
  '"tools/call"',
  '"tools/list"',
  '"resources/read"',
  '"ping"',
  '"tools/\\u0063all"',
);
const args = fc.constantFrom(
  "{}",
  '{"amount":5}',
  '{"amount":500}',
  '{"amount":5,"amount":500}',
  '{"amount":1e400}',
  "[]",
);
const objectOf = (members: fc.Arbitrary<[string, string]>): fc.Arbitrary<string> =>
  fc
    .array(members, { maxLength: 4 })
    .map((pairs) => `{${pairs.map(([name, value]) => `"${name}":${value}`).join(",")}}`);
const params = objectOf(fc.tuple(names, fc.oneof(tools, args)));
const well = fc
  .tuple(
    methods,
    fc.oneof(
      fc.tuple(tools, args).map(([tool, given]) => `{"name":${tool},"arguments":${given}}`),
      params,
    ),
  )
  .map(([method, given]) => `{"jsonrpc":"2.0","id":1,"method":${method},"params":${given}}`);
const odd = objectOf(fc.tuple(envelope, fc.oneof(methods, params, fc.constantFrom('"2.0"', "1", "null"))));
const message = fc.oneof({ weight: 3, arbitrary: well }, { weight: 1, arbitrary: odd });
const body = fc.oneof(
  { weight: 5, arbitrary: message },
  fc.array(message, { maxLength: 3 }).map((all) => `[${all.join(",")}]`),
);

it("holds for messages made of what an attacker would try", async () => {
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const before = server.received.length;
      const got = await send(`${rig.url}/mcp/one`, { body: text });
      expect(got.status).toBeLessThan(500);
      for (const { message: arrived } of server.received.slice(before)) {
        expect(["tools/call", "tools/list", "ping"]).toContain(arrived.method);
        if (arrived.method === "tools/call") {
          const { name, arguments: given = {} } = arrived.params;
          expect(name === "echo" || (name === "pay" && given.amount < 100)).toBe(true);
        }
      }
    }),
    { numRuns: 400 },
  );
  const sent = server.received.filter(({ message: arrived }) => arrived.method === "tools/call").length;
  expect(sent).toBeGreaterThan(0);
  expect(rig.recorder.of("call").filter(({ decision }) => decision === "allow")).toHaveLength(sent);
  expect(rig.recorder.of("result")).toHaveLength(sent);
}, 60_000);
