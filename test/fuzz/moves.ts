/**
 * Random moves of a hostile agent: messages of both eras, right ones and ones that are nearly right, with the header
 * fields and the session of somebody else, cut off in the middle, or as bytes that are no HTTP at all.
 */
import fc from "../support/properties.ts";
import { rarely } from "./policies.ts";
import {
  NEAR_PROMPTS,
  NEAR_TOOLS,
  NEAR_URIS,
  PROMPT_NAMES,
  RESOURCE_URIS,
  TEMPLATE_URIS,
  TOOL_NAMES,
} from "./names.ts";

export interface Move {
  readonly server: "one" | "two" | "three";
  readonly agent: "agent" | "other" | "stranger";
  readonly how: "POST" | "GET" | "DELETE" | "PUT" | "raw";
  /** Messages of a POST, as they are sent; `{cursor}` stands for one that was given out. */
  readonly texts: readonly string[];
  readonly isBatch: boolean;
  /** Which of the sessions that were opened so far; one that nobody has, or none. */
  readonly session: number | "made-up" | undefined;
  readonly fields: Readonly<Record<string, string>>;
  /** Absent: until the answer has ended. */
  readonly leavesAfterMs: number | undefined;
}

export const REVISION = "2026-07-28";

const tools = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TOOL_NAMES) },
  { weight: 1, arbitrary: fc.constantFrom(...NEAR_TOOLS) },
);
const uris = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...RESOURCE_URIS, ...TEMPLATE_URIS) },
  { weight: 1, arbitrary: fc.constantFrom(...NEAR_URIS) },
);
const prompts = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PROMPT_NAMES) },
  { weight: 1, arbitrary: fc.constantFrom(...NEAR_PROMPTS) },
);
const args = fc.oneof(
  fc.record(
    {
      amount: fc.constantFrom<unknown>(5, 99, 100, 500, -1, "5", null, 1.5),
      path: fc.constantFrom<unknown>("docs/a", "docs/../x", "src", 7),
      owner: fc.constantFrom("acme", "evil"),
      force: fc.constantFrom<unknown>(false, true, "false"),
    },
    { requiredKeys: [] },
  ),
  fc.constantFrom<unknown>(
    {},
    [],
    null,
    "args",
    { ["__proto__x"]: { amount: 1 } },
    { Amount: 5, amount: 500 },
  ),
);

type Said = Readonly<Record<string, unknown>>;

const ids = fc.constantFrom<unknown>(1, 1, 1, 2, 2, 2, 3, 3, "a", "b", "", 0, -1, "1", null, 1.5);
const nameless = fc.constantFrom("initialize", "server/discover", "ping", "tools/list", "tools/list");
const lists = fc.constantFrom("resources/list", "resources/templates/list", "prompts/list");
const ungranted = fc.constantFrom(
  ...["logging/setLevel", "tasks/get", "tasks/list", "tasks/result", "sampling/createMessage", "roots/list"],
  ...["tools/Call", "rpc.discover", "notifications/initialized"],
);
const cursors = fc.constantFrom<unknown>("{cursor}", "{cursor}", "made-up", "", 7);

const params = (method: string): fc.Arbitrary<Said> => {
  switch (method) {
    case "initialize":
      return fc.record({
        protocolVersion: fc.constantFrom(
          "2025-11-25",
          "2025-11-25",
          "2025-06-18",
          "2025-03-26",
          REVISION,
          "x",
        ),
        capabilities: fc.constantFrom({}, { roots: {}, sampling: {}, elicitation: {}, tasks: {} }),
        clientInfo: fc.constant({ name: "fuzz", version: "1" }),
      });
    case "subscriptions/listen":
      return fc.record({
        notifications: fc.record(
          { toolsListChanged: fc.constant(true), resourceSubscriptions: fc.array(uris, { maxLength: 3 }) },
          { requiredKeys: [] },
        ),
      });
    default:
      return fc.record({ cursor: cursors, task: fc.constant({ ttl: 1 }) }, { requiredKeys: [] });
  }
};

const call = fc.record({ name: tools, arguments: args });
const refs = fc.oneof(
  prompts.map((name) => ({ type: "ref/prompt", name })),
  uris.map((uri) => ({ type: "ref/resource", uri })),
  fc.constantFrom<Said>(
    { type: "ref/prompt", name: "review", uri: "repo://other/secret" },
    { type: "ref/tool", name: "echo" },
  ),
);
const completion = fc.record({
  ref: refs,
  argument: fc.constant({ name: "owner", value: "acme" }),
  context: fc.constantFrom<unknown>(undefined, { arguments: { amount: 5 } }, { other: 1 }),
});

const asked: fc.Arbitrary<Said> = fc
  .oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant("tools/call"), call) },
    {
      weight: 2,
      arbitrary: fc.tuple(
        fc.constantFrom("resources/read", "resources/subscribe", "resources/unsubscribe"),
        fc.record({ uri: uris }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant("prompts/get"), fc.record({ name: prompts, arguments: args })),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant("completion/complete"), completion) },
    ...[nameless, lists, ungranted, fc.constant("subscriptions/listen")].map((methods, index) => ({
      weight: [4, 2, 1, 1][index] ?? 1,
      arbitrary: methods.chain((method) => fc.tuple(fc.constant(method), params(method))),
    })),
  )
  .map(([method, given]) => ({ method, params: given }));

const meta = fc.constantFrom<Said>(
  {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientInfo": { name: "fuzz", version: "2" },
    "io.modelcontextprotocol/clientCapabilities": { sampling: {} },
  },
  { "io.modelcontextprotocol/protocolVersion": REVISION },
  { progressToken: 1 },
);

const withMeta = (message: Said, own: Said | undefined): Said =>
  own === undefined ? message : { ...message, params: { ...(message["params"] as Said), _meta: own } };

const requests = fc
  .tuple(ids, asked, rarely(meta, 1))
  .map(([id, message, own]) => withMeta({ jsonrpc: "2.0", id, ...message }, own));
const notices = fc.constantFrom<Said>(
  { jsonrpc: "2.0", method: "notifications/initialized" },
  { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1, reason: "no" } },
  { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 2 } },
  { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } },
  { jsonrpc: "2.0", method: "tools/call", params: { name: "drop_table", arguments: {} } },
  { jsonrpc: "2.0", method: "notifications/made_up" },
  { jsonrpc: "2.0", id: "r-1", result: { roots: [] } },
  { jsonrpc: "2.0", id: 1, error: { code: 1, message: "x" } },
);

/** Changes to a text that leave most of it as it was: another name for the same, one member twice, a part gone. */
const changes = fc.oneof(
  fc.constantFrom<[string, string]>(
    ['"method"', '"Method"'],
    ['"name"', '"Name"'],
    ['"arguments"', '"arguments":{"amount":1},"arguments"'],
    ['"name":', '"name":"echo","name":'],
    ['"params":', '"params":{"name":"echo"},"params":'],
    ['"echo"', '"\\u0065cho"'],
    ['"amount":5', '"amount":5e400'],
    ['"amount":5', '"amount":9007199254740993'],
    ['"id":1', '"id":01'],
    ["{", "{{"],
    ["}", ""],
    ['"jsonrpc":"2.0",', ""],
    ["{", '{"x":1,'],
    ["{", `{"deep":${"[".repeat(60)}${"]".repeat(60)},`],
  ),
  fc.tuple(fc.constantFrom('"', ":", ","), fc.constantFrom("", "\u0000", " ", "\\", "é")),
);
const texts = fc
  .tuple(
    fc.oneof({ weight: 6, arbitrary: requests }, { weight: 1, arbitrary: notices }),
    rarely(changes, 4),
    fc.boolean(),
  )
  .map(([message, change, isAtEnd]): string => {
    const text = JSON.stringify(message);
    const [from = "", to = ""] = change ?? [];
    const at = isAtEnd ? text.lastIndexOf(from) : text.indexOf(from);
    return at < 0 ? text : text.slice(0, at) + to + text.slice(at + from.length);
  });

const fields = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Record<string, string>>({}) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Record<string, string>>(
      { "mcp-name": "echo" },
      { "mcp-method": "tools/list" },
      { "mcp-protocol-version": REVISION },
      { "mcp-protocol-version": "2025-03-26" },
      { "mcp-param-amount": "5" },
      { accept: "text/event-stream" },
      { accept: "application/json" },
      { accept: "text/html" },
      { "content-type": "text/plain" },
      { "content-encoding": "gzip" },
      { "last-event-id": "e-1" },
      { origin: "http://evil.example" },
      { host: "evil.example" },
      { "transfer-encoding": "chunked" },
      { "x-filler": "x".repeat(20_000) },
    ),
  },
);

const raws = fc.oneof(
  fc.constantFrom(
    "",
    "\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "POST /mcp/one HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
    "POST /mcp/one HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "POST /mcp/one HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer x\r\nContent-Length: 2\r\n\r\n{}",
    "POST /mcp/one HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}POST /mcp/one HTTP/1.1\r\n\r\n",
    "POST /mcp/one HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /mcp/../control/seal HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: 2\r\n\r\n{}",
    "OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  ),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);

const moveOf = (
  how: Move["how"],
  given: Partial<Record<keyof Move, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<Move> =>
  fc.record({
    server: fc.constantFrom("one", "one", "one", "one", "two", "two", "three"),
    agent: fc.constantFrom("agent", "agent", "agent", "agent", "other", "other", "stranger"),
    how: fc.constant(how),
    texts: fc.constant([]),
    isBatch: fc.constant(false),
    session: fc.constantFrom(undefined, 0, 0, 1, 2, "made-up"),
    fields,
    leavesAfterMs: fc.constantFrom(50, 200),
    ...given,
  }) as fc.Arbitrary<Move>;

const patience = rarely(fc.constantFrom(0, 5, 40), 6);

export const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 24,
    arbitrary: moveOf("POST", {
      texts: fc.array(texts, { minLength: 1, maxLength: 1 }),
      leavesAfterMs: patience,
    }),
  },
  {
    weight: 2,
    arbitrary: moveOf("POST", {
      texts: fc.array(texts, { maxLength: 7 }),
      isBatch: fc.constant(true),
      leavesAfterMs: patience,
    }),
  },
  { weight: 2, arbitrary: moveOf("GET", {}) },
  { weight: 1, arbitrary: moveOf("DELETE", { leavesAfterMs: patience }) },
  { weight: 1, arbitrary: moveOf("PUT", { leavesAfterMs: patience }) },
  {
    weight: 2,
    arbitrary: moveOf("raw", { texts: raws.map((text) => [text]), leavesAfterMs: patience }),
  },
);
