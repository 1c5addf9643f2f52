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

// proxy/upstream/http-upstream.ts
var http_upstream_exports = {};
__export(http_upstream_exports, {
  HttpUpstream: () => HttpUpstream
});
module.exports = __toCommonJS(http_upstream_exports);
var import_node_http = require("node:http");
var import_node_https = require("node:https");
var import_node_url = require("node:url");

// proxy/places.ts
var Places = class {
  #max;
  #taken = 0;
  constructor(max) {
    this.#max = max;
  }
  get taken() {
    return this.#taken;
  }
  take() {
    if (this.#taken >= this.#max) {
      return false;
    }
    this.#taken++;
    return true;
  }
  free() {
    this.#taken--;
  }
};

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

// proxy/messages/sse.ts
var StreamFault = class extends Error {
  code;
  constructor(code) {
    super(code);
    this.code = code;
  }
};
var LINE_FEED = 10;
var BYTE_ORDER_MARK = "ï»¿";
var EventReader = class {
  #maxBytes;
  /** Of the line that has no end yet. */
  #parts = [];
  /** Bytes of the event that has no end yet. */
  #held = 0;
  #isFirstLine = true;
  #data = [];
  #type = "";
  #id;
  #retry;
  constructor(maxBytes) {
    this.#maxBytes = maxBytes;
  }
  /** The events that are complete now. Throws `StreamFault`. Events of other types than `message` are left out. */
  read(chunk) {
    const found = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#hold(end + 1 - start);
      const line = this.#endLine(chunk.subarray(start, end));
      start = end + 1;
      const done = this.#readLine(line);
      if (done !== void 0) {
        found.push(done);
      }
    }
    if (start < chunk.length) {
      this.#hold(chunk.length - start);
      this.#parts.push(chunk.subarray(start));
    }
    return found;
  }
  #hold(bytes) {
    this.#held += bytes;
    if (this.#held > this.#maxBytes) {
      throw new StreamFault("event_too_large");
    }
  }
  #endLine(last) {
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    let line = bytes.toString("latin1");
    if (line.endsWith("\r")) {
      line = line.slice(0, -1);
    }
    if (this.#isFirstLine && line.startsWith(BYTE_ORDER_MARK)) {
      line = line.slice(BYTE_ORDER_MARK.length);
    }
    this.#isFirstLine = false;
    if (line.includes("\r")) {
      throw new StreamFault("lone_carriage_return");
    }
    return line;
  }
  #readLine(line) {
    if (line === "") {
      return this.#endEvent();
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      this.#held -= line.length;
      return { kind: "comment" };
    }
    const field = colon === -1 ? line : line.slice(0, colon);
    const raw = colon === -1 ? "" : line.slice(colon + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    switch (field) {
      case "data":
        this.#data.push(value);
        break;
      case "event":
        this.#type = value;
        break;
      case "id":
        this.#id = value.includes("\0") ? this.#id : value;
        break;
      case "retry":
        this.#retry = /^[0-9]{1,12}$/.test(value) ? value : this.#retry;
        break;
      default:
    }
    return void 0;
  }
  #endEvent() {
    const event = { kind: "event", data: this.#data.join("\n"), id: this.#id, retry: this.#retry };
    const isMessage = this.#type === "" || this.#type === "message";
    const isEmpty = this.#data.length === 0 && this.#id === void 0 && this.#retry === void 0;
    this.#data = [];
    this.#type = "";
    this.#id = void 0;
    this.#retry = void 0;
    this.#held = 0;
    return isMessage && !isEmpty ? event : void 0;
  }
};

// proxy/upstream/http-answer.ts
var PASSED_OVER_BYTES = 64 * 1024;
var PASSED_OVER_MS = 1e3;
function readHttpAnswer(response, reading) {
  const status = response.statusCode ?? 0;
  const loss = findLoss(response, status);
  if (loss !== void 0) {
    passOver(response);
    reading.sink.failed(loss);
    return;
  }
  const type = (response.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type === "text/event-stream" && status === 200) {
    readStream(response, reading);
  } else if (type === "application/json") {
    readDocument(response, reading, status);
  } else {
    passOver(response);
    reading.sink.status(status);
  }
}
function passOver(response) {
  let bytes = 0;
  const timer = setTimeout(() => response.destroy(), PASSED_OVER_MS).unref();
  response.once("close", () => clearTimeout(timer));
  response.on("error", () => void 0);
  response.on("data", (chunk) => {
    bytes += chunk.length;
    if (bytes > PASSED_OVER_BYTES) {
      response.destroy();
    }
  });
}
function findLoss(response, status) {
  if (status === 401 || status === 403 || status === 407) {
    return { code: "credentials_refused", detail: `HTTP ${status}` };
  }
  if (status >= 300 && status < 400) {
    return { code: "redirected", detail: `HTTP ${status}` };
  }
  const encoding = response.headers["content-encoding"] ?? "identity";
  return encoding === "identity" ? void 0 : { code: "unreadable", detail: "content-encoding" };
}
function readDocument(response, reading, status) {
  const chunks = [];
  let bytes = 0;
  const finish = onceOver(reading, response);
  response.on("data", (chunk) => {
    bytes += chunk.length;
    if (bytes > reading.limits.maxAnswerBytes) {
      finish(
        (sink) => sink.failed({ code: "too_large", detail: `more than ${reading.limits.maxAnswerBytes} bytes` })
      );
      return;
    }
    chunks.push(chunk);
  });
  response.once(
    "end",
    () => finish((sink) => {
      const whole = chunks.length === 1 && chunks[0] !== void 0 ? chunks[0] : Buffer.concat(chunks);
      const messages = readServerMessages(whole.toString("latin1"), whole);
      if (messages !== void 0) {
        messages.forEach((message) => void deliver(message, reading, { status }));
        sink.ended();
      } else if (status === 200) {
        sink.failed({ code: "unreadable", detail: "not a message" });
      } else {
        sink.status(status);
      }
    })
  );
  const broken = () => finish((sink) => sink.failed({ code: "closed", detail: "mid-answer" }));
  response.once("error", broken);
  response.once("close", broken);
}
function readStream(response, reading) {
  const events = new EventReader(reading.limits.maxAnswerBytes);
  const finish = onceOver(reading, response);
  reading.sink.opened();
  response.on("data", (chunk) => {
    if (reading.isOver()) {
      return;
    }
    try {
      const waits = readEvents(events, chunk, reading);
      if (waits.length > 0) {
        response.pause();
        void Promise.all(waits).then(() => response.resume());
      }
    } catch (error) {
      if (!(error instanceof StreamFault)) {
        throw error;
      }
      const code = error.code === "event_too_large" ? "too_large" : "unreadable";
      finish((sink) => sink.failed({ code, detail: error.code }));
    }
  });
  response.once("end", () => finish((sink) => sink.ended()));
  const broken = () => finish((sink) => sink.failed({ code: "closed", detail: "mid-answer" }));
  response.once("error", broken);
  response.once("close", broken);
}
function readEvents(events, chunk, reading) {
  const waits = [];
  for (const event of events.read(chunk)) {
    if (event.kind === "comment" || event.data === "") {
      reading.sink.filler(event.kind === "comment" ? {} : { eventId: event.id, retry: event.retry });
      continue;
    }
    for (const message of readServerMessages(event.data) ?? []) {
      const wait = deliver(message, reading, { eventId: event.id, retry: event.retry });
      if (wait !== void 0) {
        waits.push(wait);
      }
    }
  }
  return waits;
}
function deliver(message, reading, carriage) {
  if (message.kind === "request") {
    reading.answer(message);
    return void 0;
  }
  return reading.sink.message(message, carriage);
}
function onceOver(reading, response) {
  let isEnded = false;
  return (end) => {
    if (!isEnded && !reading.isOver()) {
      isEnded = true;
      end(reading.sink);
    }
    if (!response.complete) {
      response.destroy();
    }
  };
}

// proxy/messages/fields.ts
var TEXT_START = "=?base64?";
var TEXT_END = "?=";
var PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/;
function encodeFieldValue(text) {
  const isPlain = PLAIN.test(text) && !(text.startsWith(TEXT_START) && text.endsWith(TEXT_END));
  return isPlain ? text : `${TEXT_START}${Buffer.from(text, "utf8").toString("base64")}${TEXT_END}`;
}

// proxy/messages/field-agreement.ts
var NAME_SOURCES = /* @__PURE__ */ new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"]
]);
function findMirroredName(request) {
  const source = NAME_SOURCES.get(request.method);
  const name = source === void 0 ? void 0 : request.params?.[source];
  return typeof name === "string" ? name : void 0;
}

// proxy/upstream/http-message.ts
function writeMessage(message) {
  const { method, params } = message;
  return JSON.stringify({
    jsonrpc: "2.0",
    ...message.kind === "request" && { id: message.id },
    method,
    ...params !== void 0 && { params }
  });
}
function writeCancellation(requestId, reason) {
  const params = { requestId, ...reason !== void 0 && { reason } };
  return JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params });
}
function buildFields(forward) {
  const { message, era } = forward;
  const fields = buildSessionFields(forward);
  if (era === "stateless") {
    const name = message.kind === "request" ? findMirroredName(message) : void 0;
    fields["mcp-method"] = message.method;
    if (name !== void 0) {
      fields["mcp-name"] = encodeFieldValue(name);
    }
    for (const [field, value] of forward.paramFields) {
      fields[field] = value;
    }
  }
  return fields;
}
function buildSessionFields({
  accept,
  revision,
  session
}) {
  return {
    accept,
    ...revision !== void 0 && { "mcp-protocol-version": revision },
    ...session !== void 0 && { "mcp-session-id": session }
  };
}

// proxy/upstream/http-upstream.ts
var IDLE_SOCKET_MS = 4e3;
var MAX_TOLD = 32;
var EITHER = "application/json, text/event-stream";
var SESSION_ID = /^[\x21-\x7e]{1,1024}$/;
var HttpUpstream = class {
  #target;
  #limits;
  #events;
  #agent;
  #request;
  #told = new Places(MAX_TOLD);
  constructor({ url, limits, events }) {
    const isTls = url.protocol === "https:";
    this.#target = readTarget(url);
    this.#limits = limits;
    this.#events = events;
    const options = { keepAlive: true, timeout: IDLE_SOCKET_MS };
    this.#agent = isTls ? new import_node_https.Agent(options) : new import_node_http.Agent(options);
    this.#request = isTls ? import_node_https.request : import_node_http.request;
  }
  send(forward, sink, opensSession) {
    const { message } = forward;
    const opened = (response) => {
      const session = response.headers["mcp-session-id"];
      if (message.method !== "initialize" || typeof session !== "string" || !SESSION_ID.test(session)) {
        return forward;
      }
      opensSession(session);
      return { session, revision: void 0 };
    };
    const sending = this.#exchange(
      { fields: buildFields(forward), body: writeMessage(message) },
      sink,
      opened
    );
    return {
      leave: sending.leave,
      cancel: (reason) => {
        sending.leave();
        if (message.kind === "request" && forward.era === "handshake" && message.method !== "initialize") {
          this.#tell(forward, writeCancellation(message.id, reason));
        }
      }
    };
  }
  openStream(request, sink) {
    const { lastEventId } = request;
    const resume = lastEventId === void 0 ? {} : { "last-event-id": lastEventId };
    const sending = this.#exchange(
      { method: "GET", fields: { ...buildSessionFields(request), ...resume } },
      sink,
      () => request
    );
    return { ...sending, cancel: sending.leave };
  }
  endSession(session, revision) {
    const fields = buildSessionFields({ session, revision, accept: EITHER });
    return new Promise((resolve) => {
      let status = 200;
      const sink = {
        opened: () => void 0,
        filler: () => void 0,
        message: (_, carriage) => {
          status = carriage.status ?? status;
          return void 0;
        },
        status: resolve,
        ended: () => resolve(status),
        failed: () => resolve(502)
      };
      this.#exchange({ method: "DELETE", fields }, sink, () => ({ session, revision }));
    });
  }
  async close() {
    this.#agent.destroy();
  }
  /** `opened` looks at the answer's header and says where requests of the server in it are to be answered. */
  #exchange({ method, fields, body }, sink, opened) {
    let isOver = false;
    const request = this.#start({ method: method ?? "POST", fields, ...body !== void 0 && { body } });
    const fail = (error) => {
      if (!isOver) {
        isOver = true;
        sink.failed({ code: "unreachable", detail: error.code ?? "error" });
      }
    };
    request.once("error", fail);
    request.once("response", (response) => {
      if (isOver) {
        response.destroy();
        return;
      }
      const session = opened(response);
      request.off("error", fail);
      readHttpAnswer(response, {
        sink,
        limits: this.#limits,
        isOver: () => isOver,
        answer: (asked) => this.#tell(session, this.#events.answer(asked))
      });
    });
    return {
      leave: () => {
        isOver = true;
        request.destroy();
      }
    };
  }
  /** Sends what needs no answer; a server has a moment to take it. */
  #tell(session, body) {
    if (!this.#told.take()) {
      return;
    }
    const request = this.#start({
      method: "POST",
      fields: buildSessionFields({ ...session, accept: EITHER }),
      body
    });
    const timer = setTimeout(() => request.destroy(), this.#limits.connectTimeoutMs).unref();
    request.once("close", () => {
      clearTimeout(timer);
      this.#told.free();
    });
    request.once("response", (response) => response.resume());
  }
  #start({ method, fields, body }) {
    const { address, ownFields } = this.#target;
    const headers = [...ownFields];
    for (const [name, value] of Object.entries(fields)) {
      headers.push(name, value);
    }
    const bytes = body === void 0 ? 0 : Buffer.byteLength(body);
    if (body !== void 0) {
      headers.push("content-type", "application/json", "content-length", String(bytes));
    }
    const request = this.#request({ ...address, method, headers, agent: this.#agent });
    request.once("socket", (socket) => {
      if (socket.connecting) {
        const { connectTimeoutMs } = this.#limits;
        const timer = setTimeout(() => request.destroy(new ConnectTimeout()), connectTimeoutMs);
        const connected = () => clearTimeout(timer);
        socket.once("connect", connected);
        request.once("close", connected);
      }
    });
    request.on("error", () => void 0);
    if (body === void 0) {
      request.end();
    } else {
      request.end(body, bytes === body.length ? "latin1" : "utf8");
    }
    return request;
  }
};
function readTarget(url) {
  const { protocol, hostname, port, path, auth } = (0, import_node_url.urlToHttpOptions)(url);
  const ownFields = ["host", url.host];
  if (typeof auth === "string") {
    ownFields.push("authorization", `Basic ${Buffer.from(auth).toString("base64")}`);
  }
  return { address: { protocol, hostname, port, path }, ownFields };
}
var ConnectTimeout = class extends Error {
  code = "ETIMEDOUT";
};
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  HttpUpstream
});
