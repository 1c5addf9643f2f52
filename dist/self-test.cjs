"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// proxy/self-test/self-test.ts
var self_test_exports = {};
__export(self_test_exports, {
  describeFailure: () => describeFailure,
  testWalls: () => testWalls
});
module.exports = __toCommonJS(self_test_exports);
var import_node_crypto = require("node:crypto");

// proxy/messages/json-spans.ts
var QUOTE = 34;
var BACKSLASH = 92;
function findMembers(text, at, open) {
  const start = skipSpace(text, at);
  if (text[start] !== "{") {
    return void 0;
  }
  const spans = /* @__PURE__ */ new Map();
  let opened;
  let place = skipSpace(text, start + 1);
  if (text[place] === "}") {
    return { spans, whole: { start, end: place + 1 } };
  }
  for (; ; ) {
    const nameEnd = text.charCodeAt(place) === QUOTE ? skipString(text, place) : -1;
    const name = nameEnd === -1 ? void 0 : readName(text, place, nameEnd);
    const colon = skipSpace(text, nameEnd);
    if (name === void 0 || spans.has(name) || text[colon] !== ":") {
      return void 0;
    }
    const inner = name === open ? findMembers(text, colon + 1) : void 0;
    const value = inner?.whole ?? findValue(text, colon + 1);
    if (value === void 0) {
      return void 0;
    }
    opened = inner?.spans ?? opened;
    spans.set(name, value);
    place = skipSpace(text, value.end);
    if (text[place] === "}") {
      return { spans, opened, whole: { start, end: place + 1 } };
    }
    if (text[place] !== ",") {
      return void 0;
    }
    place = skipSpace(text, place + 1);
  }
}
function findElements(text, at) {
  const start = skipSpace(text, at);
  if (text[start] !== "[") {
    return void 0;
  }
  const spans = [];
  if (text[skipSpace(text, start + 1)] === "]") {
    return spans;
  }
  for (let place = start + 1; ; ) {
    const value = findValue(text, place);
    if (value === void 0) {
      return void 0;
    }
    spans.push(value);
    place = skipSpace(text, value.end);
    if (text[place] === "]") {
      return spans;
    }
    if (text[place] !== ",") {
      return void 0;
    }
    place++;
  }
}
function readSpan(text, span) {
  try {
    return JSON.parse(toCharacters(text.slice(span.start, span.end)));
  } catch {
    return void 0;
  }
}
function toCharacters(bytes) {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
function toByteText(characters) {
  return Buffer.from(characters, "utf8").toString("latin1");
}
function skipSpace(text, at) {
  for (let place = at; ; place++) {
    const code = text.charCodeAt(place);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) {
      return place;
    }
  }
}
function findValue(text, at) {
  const start = skipSpace(text, at);
  const first = text[start];
  if (first === '"') {
    const end2 = skipString(text, start);
    return end2 === -1 ? void 0 : { start, end: end2 };
  }
  if (first === "{" || first === "[") {
    const end2 = skipNested(text, start);
    return end2 === -1 ? void 0 : { start, end: end2 };
  }
  const end = skipWord(text, start);
  return end === start ? void 0 : { start, end };
}
function skipString(text, at) {
  let end = text.indexOf('"', at + 1);
  while (end !== -1) {
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((end - before) % 2 === 1) {
      return end + 1;
    }
    end = text.indexOf('"', end + 1);
  }
  return -1;
}
function skipNested(text, at) {
  let depth = 0;
  for (let place = at; place < text.length; place++) {
    switch (text.charCodeAt(place)) {
      case QUOTE: {
        const end = skipString(text, place);
        if (end === -1) {
          return -1;
        }
        place = end - 1;
        break;
      }
      case 123:
      case 91:
        depth++;
        break;
      case 125:
      case 93:
        depth--;
        if (depth === 0) {
          return place + 1;
        }
        break;
      default:
    }
  }
  return -1;
}
function skipWord(text, at) {
  let place = at;
  while (/[-+.0-9A-Za-z]/.test(text[place] ?? "")) place++;
  return place;
}
function readName(text, start, end) {
  const raw = text.slice(start + 1, end - 1);
  if (!raw.includes("\\")) {
    return raw;
  }
  const name = readSpan(text, { start, end });
  return typeof name === "string" ? toByteText(name) : void 0;
}

// proxy/messages/envelope.ts
var DECIDING = new Map(
  [
    ...[
      "name",
      "arguments",
      "uri",
      "_meta",
      "cursor",
      "ref",
      "argument",
      "context",
      "level",
      "task",
      "taskId"
    ],
    ...["requestId", "reason", "notifications", "inputResponses", "requestState"],
    ...["protocolVersion", "capabilities", "clientInfo", "progressToken"],
    ...["io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"],
    ...["io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/logLevel"]
  ].map((name) => [foldCase(name), name])
);
var MAX_ID_LENGTH = 256;
function foldCase(name) {
  return name.toUpperCase().toLowerCase();
}
function isRequestId(id) {
  return typeof id === "string" ? id.length <= MAX_ID_LENGTH : Number.isSafeInteger(id);
}

// proxy/messages/revision.ts
var INVALID_PARAMS = -32602;
var RESOURCE_NOT_FOUND = -32002;

// proxy/messages/refusals.ts
function answerError(status, id, error) {
  return { status, text: toByteText(JSON.stringify({ jsonrpc: "2.0", id, error })) };
}
function refuseUnknown({ id, era, kind }, name) {
  if (kind !== "resource") {
    return answerError(200, id, { code: INVALID_PARAMS, message: `Unknown ${kind}: ${name}` });
  }
  const code = era === "stateless" ? INVALID_PARAMS : RESOURCE_NOT_FOUND;
  return answerError(200, id, { code, message: "Resource not found", data: { uri: name } });
}

// proxy/self-test/knocker.ts
var import_node_http = require("node:http");

// proxy/front/probe.ts
var PROBE_FIELD = "lanyard-probe";

// proxy/self-test/knocker.ts
var TIMEOUT_MS = 1e4;
var Knocker = class {
  #url;
  #mark;
  /** One connection: the start of another costs more than what waits for it. */
  #agent = new import_node_http.Agent({ keepAlive: true, maxSockets: 1 });
  #timeout = AbortSignal.timeout(TIMEOUT_MS);
  constructor(url, mark) {
    this.#url = url;
    this.#mark = mark;
  }
  knock({ path, token, method = "POST", headers = {}, body }) {
    return new Promise((resolve, reject) => {
      const request = (0, import_node_http.request)(
        new URL(path, this.#url),
        {
          method,
          agent: this.#agent,
          signal: this.#timeout,
          headers: {
            accept: "application/json, text/event-stream",
            [PROBE_FIELD]: this.#mark,
            ...token !== void 0 && { authorization: `Bearer ${token}` },
            ...body !== void 0 && { "content-type": "application/json" },
            ...headers
          }
        },
        (response) => {
          const chunks = [];
          response.on("data", (chunk) => chunks.push(chunk));
          response.on("error", reject);
          response.on(
            "end",
            () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") })
          );
        }
      );
      request.on("error", reject);
      request.end(body === void 0 ? void 0 : JSON.stringify(body));
    });
  }
  leave() {
    this.#agent.destroy();
  }
};

// proxy/messages/server-message.ts
function readServerMessages(text, bytes) {
  if (text[skipSpace(text, 0)] !== "[") {
    const message = readServerMessage(text, bytes);
    return message === void 0 ? void 0 : [message];
  }
  const spans = findElements(text, 0);
  const messages = [];
  for (const { start, end } of spans ?? []) {
    const message = readServerMessage(text.slice(start, end));
    if (message === void 0) {
      return void 0;
    }
    messages.push(message);
  }
  return messages.length === 0 ? void 0 : messages;
}
function readServerMessage(text, bytes) {
  const found = findMembers(text, 0, "result");
  if (found === void 0 || skipSpace(text, found.whole.end) !== text.length) {
    return void 0;
  }
  const { spans: members, opened: result } = found;
  const looked = { text, members, received: { text, bytes, result } };
  const read = (name) => {
    const span = members.get(name);
    return span === void 0 ? void 0 : readSpan(text, span);
  };
  const id = read("id");
  const method = read("method");
  if (method !== void 0) {
    if (typeof method !== "string") {
      return void 0;
    }
    return isRequestId(id) ? { kind: "request", id, method, ...looked } : { kind: "notification", method, ...looked };
  }
  if (members.has("result") === members.has("error")) {
    return void 0;
  }
  if (members.has("result")) {
    return isRequestId(id) ? { kind: "result", id, ...looked } : void 0;
  }
  return { kind: "error", id: isRequestId(id) ? id : null, ...looked };
}

// proxy/self-test/stand-in.ts
var StandIn = class {
  asked = [];
  tool;
  constructor(tool) {
    this.tool = tool;
  }
  send({ message }, sink) {
    this.asked.push(message.method);
    const result = message.method === "tools/list" ? { tools: [{ name: this.tool ?? "", inputSchema: { type: "object" } }] } : { content: [{ type: "text", text: "it ran" }] };
    const id = message.kind === "request" ? message.id : 0;
    const [answer] = readServerMessages(toByteText(JSON.stringify({ jsonrpc: "2.0", id, result }))) ?? [];
    queueMicrotask(() => {
      if (answer !== void 0 && answer.kind !== "request") {
        void sink.message(answer, { status: 200 });
      }
      sink.ended();
    });
    return { cancel: () => void 0, leave: () => void 0 };
  }
  openStream(_, sink) {
    this.asked.push("GET");
    queueMicrotask(() => sink.ended());
    return { cancel: () => void 0, leave: () => void 0 };
  }
  endSession() {
    return Promise.resolve(200);
  }
  close() {
    return Promise.resolve();
  }
};

// proxy/self-test/self-test.ts
var WALLS = {
  wrong_token: "a wrong token must be turned away",
  no_token: "a request without a token must be turned away",
  token_in_query: "a token in the query must not count",
  wrong_host: "a foreign Host must be turned away",
  foreign_origin: "a foreign Origin must be turned away",
  agent_on_control: "an agent's token must not open the control endpoint",
  ungranted_absent: "a tool that no grant names must be on no list",
  ungranted_uncallable: "a tool that no grant names must not be callable"
};
var PING = { jsonrpc: "2.0", id: 1, method: "ping" };
var LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };
async function testWalls({ proxy, grants, tokens }) {
  const mark = createName();
  const token = createName();
  const standIns = /* @__PURE__ */ new Map();
  const end = proxy.openProbe({
    ...{ mark, token },
    connect: (server) => {
      const standIn = new StandIn(findUngranted(server, grants));
      standIns.set(server, standIn);
      return standIn;
    }
  });
  const knocker = new Knocker(proxy.url, mark);
  try {
    return await Promise.all([
      ...testDoor({ knocker, token, tokens, server: [...standIns.keys()][0] }),
      ...[...standIns].flatMap(([server, standIn]) => testServer({ knocker, token, server, standIn }))
    ]);
  } finally {
    knocker.leave();
    await end();
  }
}
function describeFailure(checks) {
  const failed = checks.find(({ verdict }) => verdict === "failed");
  if (failed === void 0) {
    return void 0;
  }
  const where = failed.server === void 0 ? "" : ` (server "${failed.server}")`;
  return `The proxy found a hole in its own walls and does not start: ${WALLS[failed.check]}, and that is not so. Failed check: ${failed.check}${where}.`;
}
function testDoor({
  knocker,
  token,
  tokens,
  server = "none"
}) {
  const path = `/mcp/${server}`;
  const turnsAway = async (status, knock) => {
    const heard = await knocker.knock({ ...knock, ...knock.method !== "GET" && { body: PING } });
    return heard.status === status;
  };
  const opensControl = (each) => turnsAway(401, { path: "/control/report", token: each, method: "GET" });
  const inQuery = `${path}?access_token=${token}&token=${token}`;
  return [
    check({ check: "wrong_token" }, () => turnsAway(401, { path, token: createName() })),
    check({ check: "no_token" }, () => turnsAway(401, { path })),
    check({ check: "token_in_query" }, () => turnsAway(401, { path: inQuery })),
    check(
      { check: "wrong_host" },
      () => turnsAway(403, { path, token, headers: { host: "lanyard.example" } })
    ),
    check(
      { check: "foreign_origin" },
      () => turnsAway(403, { path, token, headers: { origin: "https://lanyard.example" } })
    ),
    check(
      { check: "agent_on_control" },
      async () => (await Promise.all([token, ...tokens].map(opensControl))).every((isTurnedAway) => isTurnedAway)
    )
  ];
}
function testServer({ knocker, token, server, standIn }) {
  const path = `/mcp/${server}`;
  const { tool } = standIn;
  if (tool === void 0) {
    const names = ["ungranted_absent", "ungranted_uncallable"];
    return names.map((name) => Promise.resolve({ check: name, server, verdict: "not_applicable" }));
  }
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: {} } };
  const refusal = refuseUnknown({ id: 1, era: "handshake", kind: "tool" }, tool);
  return [
    // It came in, and was answered: what was turned away at the door would prove nothing.
    check({ check: "ungranted_absent", server }, async () => {
      const { status, text } = await knocker.knock({ path, token, body: LIST });
      return status === 200 && !text.includes(tool);
    }),
    check({ check: "ungranted_uncallable", server }, async () => {
      const { status, text } = await knocker.knock({ path, token, body: call });
      return status === refusal.status && text === refusal.text && !standIn.asked.includes("tools/call");
    })
  ];
}
async function check(which, holds) {
  const isHolding = await holds().catch(() => false);
  return { ...which, verdict: isHolding ? "passed" : "failed" };
}
function createName() {
  return (0, import_node_crypto.randomBytes)(16).toString("hex");
}
var BEGINNINGS = ["", ..."_-ABCDEFGHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz"];
function findUngranted(server, grants) {
  const names = BEGINNINGS.map((beginning) => beginning + createName());
  return names.find((name) => !isNamed(name, server, grants));
}
function isNamed(name, server, grants) {
  return grants.some(
    (grant) => grant.server === server && (grant.tools ?? []).some(
      (tool) => tool.endsWith("*") ? name.startsWith(tool.slice(0, -1)) : name === tool
    )
  );
}
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  describeFailure,
  testWalls
});
