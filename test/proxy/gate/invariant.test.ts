/** Whatever an agent sends: nothing reaches the server that was not decided, recorded and allowed. */
import fc from "../../support/properties.ts";
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
      { server: "one", resources: ["repo://acme/*"] },
      { server: "one", prompts: ["review"] },
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
  '"resources/subscribe"',
  '"prompts/get"',
  '"completion/complete"',
  '"resources/templates/list"',
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
const uris = fc.constantFrom(
  '"repo://acme/a"',
  '"repo://acme/../b"',
  '"repo://acme"',
  '"repo:\\/\\/acme/%2e%2e/b"',
  '"repo://acme/{x}"',
  '"repo://{x}/acme"',
  "7",
);
const prompts = fc.constantFrom('"review"', '"secret"', '"revi\\u0065w"', '"Review"', "{}");
const refs = fc.oneof(
  fc.tuple(uris, prompts).map(([uri, name]) => `{"type":"ref/resource","uri":${uri},"name":${name}}`),
  uris.map((uri) => `{"type":"ref/resource","uri":${uri}}`),
  prompts.map((name) => `{"type":"ref/prompt","name":${name}}`),
  prompts.map((name) => `{"type":"ref/prompt","name":"review","Name":${name}}`),
);
const things = fc
  .tuple(methods, prompts, uris, refs)
  .map(
    ([method, name, uri, ref]) =>
      `{"jsonrpc":"2.0","id":1,"method":${method},"params":{"name":${name},"uri":${uri},"ref":${ref},"argument":{"name":"x","value":"y"}}}`,
  );
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
const message = fc.oneof(
  { weight: 3, arbitrary: well },
  { weight: 3, arbitrary: things },
  { weight: 1, arbitrary: odd },
);
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
        const { name: prompt, uri, ref } = arrived.params ?? {};
        const isReadable = (text: string): boolean => /^repo:\/\/acme\/(?:a|\{x\})$/.test(text);
        switch (arrived.method) {
          case "tools/list":
          case "resources/templates/list":
          case "tools/call":
            break;
          case "resources/read":
          case "resources/subscribe":
            expect(uri).toSatisfy(isReadable);
            break;
          case "prompts/get":
            expect(prompt).toBe("review");
            break;
          case "completion/complete":
            expect(ref.name === undefined ? isReadable(ref.uri) : ref.name === "review").toBe(true);
            expect(Object.keys(ref)).toHaveLength(2);
            break;
          default:
            expect(arrived.method).toBe("ping");
        }
        if (arrived.method === "tools/call") {
          const { name, arguments: given = {} } = arrived.params;
          expect(name === "echo" || (name === "pay" && given.amount < 100)).toBe(true);
        }
      }
    }),
    { numRuns: 800 },
  );
  const named = ["tools/call", "resources/read", "resources/subscribe", "prompts/get", "completion/complete"];
  const kinds = new Set(server.received.map(({ message: arrived }) => arrived.method));
  expect([...kinds]).toEqual(expect.arrayContaining(named));
  const sent = server.received.filter(({ message: arrived }) => named.includes(arrived.method)).length;
  expect(sent).toBeGreaterThan(0);
  expect(rig.recorder.of("call").filter(({ decision }) => decision === "allow")).toHaveLength(sent);
  expect(rig.recorder.of("result")).toHaveLength(sent);
}, 60_000);
