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

// proxy/upstream/http/http-upstream.ts
var http_upstream_exports = {};
__export(http_upstream_exports, {
  HttpUpstream: () => HttpUpstream
});
module.exports = __toCommonJS(http_upstream_exports);

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

// proxy/upstream/authority.ts
var CODE = "not_authorized";
function isNotAuthorized(error) {
  return error instanceof Error && "code" in error && error.code === CODE;
}
function sendAuthorized(authority, request, { sink, send }) {
  let isOver = false;
  let current;
  const fail = (error) => {
    if (isOver) return;
    isOver = true;
    const detail = isNotAuthorized(error) ? error.message : "the broker gave none";
    sink.failed({ code: CODE, detail });
  };
  const attempt = async (isLast) => {
    const fields = await authority.authorize(request);
    if (isOver) return;
    current = send(fields, isLast ? sink : replacing(sink, (loss) => void replace(fields, loss)));
  };
  const replace = async (refused, loss) => {
    try {
      if (await authority.replace(refused)) await attempt(true);
      else if (!isOver) sink.failed(loss);
    } catch (error) {
      fail(error);
    }
  };
  attempt(false).catch(fail);
  return {
    leave: () => {
      isOver = true;
      current?.leave();
    }
  };
}
function replacing(sink, refused) {
  return {
    opened: () => sink.opened(),
    message: (message, carriage) => sink.message(message, carriage),
    filler: (carriage) => sink.filler(carriage),
    status: (status) => sink.status(status),
    ended: () => sink.ended(),
    failed: (loss) => loss.code === "credentials_refused" && loss.detail === "HTTP 401" ? refused(loss) : sink.failed(loss),
    ...sink.asked !== void 0 && {
      asked: (request, asking) => sink.asked?.(request, asking)
    }
  };
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

// proxy/upstream/http/passed-over.ts
var MAX_BYTES = 64 * 1024;
var MAX_MS = 1e3;
var PassedOver = class {
  #leave;
  #timer;
  #bytes = 0;
  /** `leave` ends the connection. */
  constructor(leave, maxMs = MAX_MS) {
    this.#leave = leave;
    this.#timer = setTimeout(leave, maxMs).unref();
  }
  data(bytes) {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_BYTES) {
      this.stop();
      this.#leave();
    }
  }
  stop() {
    clearTimeout(this.#timer);
  }
};

// proxy/upstream/http/http-answer.ts
var HttpAnswer = class {
  #reading;
  #head;
  /** Of a document. */
  #chunks = [];
  #bytes = 0;
  #events;
  #passedOver;
  /** The sink hears nothing more. */
  #isOver = false;
  constructor(reading) {
    this.#reading = reading;
  }
  /** Nobody waits any more. */
  leave() {
    this.#isOver = true;
    this.#passedOver?.stop();
    this.#reading.exchange.leave();
  }
  head(head) {
    const { sink, limits } = this.#reading;
    this.#head = head;
    this.#reading.opened(head);
    const loss = findLoss(head);
    const type = readType(head);
    if (loss !== void 0) {
      this.#passOver(() => sink.failed(loss));
    } else if (type === "text/event-stream" && head.status === 200) {
      this.#events = new EventReader(limits.maxAnswerBytes);
      sink.opened();
    } else if (type !== "application/json") {
      this.#passOver(() => sink.status(head.status));
    }
  }
  data(bytes) {
    if (this.#passedOver !== void 0) {
      this.#passedOver.data(bytes);
    } else if (this.#events === void 0) {
      this.#hold(bytes);
    } else if (!this.#isOver) {
      this.#readOn(this.#events, bytes);
    }
  }
  end() {
    const { sink } = this.#reading;
    this.#passedOver?.stop();
    if (!this.#isOver) {
      this.#conclude(() => this.#events === void 0 ? this.#endDocument() : sink.ended());
    }
  }
  failed(code) {
    const { sink } = this.#reading;
    this.#passedOver?.stop();
    if (!this.#isOver) {
      const loss = this.#head === void 0 ? { code: "unreachable", detail: code } : { code: "closed", detail: "mid-answer" };
      this.#conclude(() => sink.failed(loss));
    }
  }
  #hold(bytes) {
    const { exchange, limits, sink } = this.#reading;
    this.#bytes += bytes.length;
    this.#chunks.push(bytes);
    if (this.#bytes > limits.maxAnswerBytes) {
      exchange.leave();
      const detail = `more than ${limits.maxAnswerBytes} bytes`;
      this.#conclude(() => sink.failed({ code: "too_large", detail }));
    }
  }
  #endDocument() {
    const { sink } = this.#reading;
    const status = this.#head?.status ?? 0;
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 && first !== void 0 ? first : Buffer.concat(this.#chunks);
    const messages = readServerMessages(whole.toString("latin1"), whole);
    if (messages !== void 0) {
      messages.forEach((message) => void deliver(message, this.#reading, { status }));
      sink.ended();
    } else if (status === 200) {
      sink.failed({ code: "unreadable", detail: "not a message" });
    } else {
      sink.status(status);
    }
  }
  #readOn(events, bytes) {
    const { exchange, sink } = this.#reading;
    try {
      const waits = readEvents(events, bytes, this.#reading);
      if (waits.length > 0) {
        exchange.pause();
        void Promise.all(waits).then(() => exchange.resume());
      }
    } catch (error) {
      if (!(error instanceof StreamFault)) {
        throw error;
      }
      const code = error.code === "event_too_large" ? "too_large" : "unreadable";
      exchange.leave();
      this.#conclude(() => sink.failed({ code, detail: error.code }));
    }
  }
  #passOver(tell) {
    this.#passedOver = new PassedOver(() => this.#reading.exchange.leave());
    this.#conclude(tell);
  }
  #conclude(tell) {
    this.#isOver = true;
    tell();
  }
};
function findLoss({ status, fields }) {
  if (status === 401 || status === 403 || status === 407) {
    return { code: "credentials_refused", detail: `HTTP ${status}` };
  }
  if (status >= 300 && status < 400) {
    return { code: "redirected", detail: `HTTP ${status}` };
  }
  const encoding = fields["content-encoding"] ?? "identity";
  return encoding === "identity" ? void 0 : { code: "unreadable", detail: "content-encoding" };
}
function readType({ fields }) {
  const type = fields["content-type"] ?? "";
  const end = type.indexOf(";");
  return (end === -1 ? type : type.slice(0, end)).trim().toLowerCase();
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
    const { sink } = reading;
    const answer = (text) => reading.answer(text);
    if (sink.asked !== void 0 && carriage.status === void 0) {
      return sink.asked(message, { carriage, answer });
    }
    answer(reading.refuse(message));
    return void 0;
  }
  return reading.sink.message(message, carriage);
}

// proxy/upstream/http/http-client.ts
var import_node_http = require("node:http");
var import_node_https = require("node:https");
var import_node_url = require("node:url");

// proxy/upstream/http/http-proxies.ts
var NONE = {};
function selectProxies(url, proxies) {
  return isLoopback(url) ? NONE : proxies;
}
function isLoopback({ hostname }) {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])\.?$/.test(hostname);
}

// proxy/upstream/http/http-client.ts
var IDLE_SOCKET_MS = 4e3;
var SWITCHING_PROTOCOLS = 101;
var HttpClient = class {
  #target;
  #agent;
  #request;
  #connectTimeoutMs;
  #connectedBy;
  #isProxied;
  constructor(url, { connectTimeoutMs, terms, httpProxies = {} }) {
    const isTls = url.protocol === "https:";
    const proxyEnv = { ...selectProxies(url, httpProxies) };
    this.#isProxied = Object.keys(proxyEnv).length > 0;
    const own = this.#isProxied ? { proxyEnv } : {};
    const options = { keepAlive: true, timeout: IDLE_SOCKET_MS, ...own, ...terms };
    this.#target = readTarget(url);
    this.#agent = isTls ? new import_node_https.Agent(options) : new import_node_http.Agent(options);
    this.#request = isTls ? import_node_https.request : import_node_http.request;
    this.#connectedBy = isTls ? "secureConnect" : "connect";
    this.#connectTimeoutMs = connectTimeoutMs;
  }
  /** For one request. */
  open() {
    return new HttpExchange((outgoing) => this.#start(outgoing));
  }
  /** Whatever is under way breaks off. */
  close() {
    this.#agent.destroy();
  }
  #start({ method, fields, body }) {
    const { address, ownFields } = this.#target;
    const headers = [...ownFields];
    for (const name in fields) {
      headers.push(name, fields[name] ?? "");
    }
    const bytes = body === void 0 ? 0 : Buffer.byteLength(body);
    if (body !== void 0) {
      headers.push("content-type", "application/json", "content-length", String(bytes));
    }
    const request = this.#request({
      ...{ ...address, method, agent: this.#agent },
      // Node adds what an HTTP proxy wants to see, its password for one, to fields by name alone.
      headers: this.#isProxied ? pairUp(headers) : headers
    });
    if (this.#isProxied) {
      const connected = this.#limitConnecting(request);
      request.once(
        "socket",
        (socket) => socket.connecting ? socket.once(this.#connectedBy, connected) : connected()
      );
    } else {
      request.once("socket", (socket) => {
        if (socket.connecting) {
          socket.once(this.#connectedBy, this.#limitConnecting(request));
        }
      });
    }
    if (body === void 0) {
      request.end();
    } else {
      request.end(body, bytes === body.length ? "latin1" : "utf8");
    }
    return request;
  }
  /** Until the result is called. */
  #limitConnecting(request) {
    const timer = setTimeout(() => {
      const late = new ConnectTimeout();
      request.destroy(late);
      if (request.socket === null) {
        request.emit("error", late);
      }
    }, this.#connectTimeoutMs);
    const connected = () => clearTimeout(timer);
    request.once("close", connected);
    return connected;
  }
};
function pairUp(headers) {
  return Object.fromEntries(
    headers.flatMap((name, index) => index % 2 === 0 ? [[name, headers[index + 1] ?? ""]] : [])
  );
}
var HttpExchange = class {
  #start;
  #request;
  #response;
  #listener;
  #pauses = 0;
  constructor(start) {
    this.#start = start;
  }
  request(outgoing, listener) {
    this.#listener = listener;
    this.#request = this.#start(outgoing);
    this.#request.once("response", (response) => this.#receive(response));
    this.#request.on("error", (error) => this.#fail(error.code ?? "error"));
  }
  /** Ends the connection, unless the answer has ended already. The listener hears nothing more. */
  leave() {
    if (this.#listener !== void 0) {
      this.#listener = void 0;
      this.#request?.destroy();
    }
  }
  /** Until `resume` was called as often. */
  pause() {
    this.#pauses++;
    this.#response?.pause();
  }
  resume() {
    this.#pauses--;
    if (this.#pauses === 0) {
      this.#response?.resume();
    }
  }
  #receive(response) {
    if (response.statusCode === SWITCHING_PROTOCOLS) {
      this.#request?.destroy();
      this.#fail("ECONNRESET");
      return;
    }
    this.#response = response;
    this.#listener?.head({ status: response.statusCode ?? 0, fields: response.headers });
    response.on("data", (bytes) => this.#listener?.data(bytes));
    response.once("end", () => this.#end(response.complete));
    response.on("error", (error) => this.#fail(error.code ?? "error"));
    response.once("close", () => this.#fail("ECONNRESET"));
  }
  #end(isWhole) {
    const listener = this.#listener;
    if (isWhole && listener !== void 0) {
      this.#listener = void 0;
      listener.end();
    }
  }
  #fail(code) {
    const listener = this.#listener;
    this.#listener = void 0;
    listener?.failed(code);
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

// proxy/upstream/http/http-message.ts
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

// proxy/upstream/http/http-upstream.ts
var MAX_TOLD = 32;
var EITHER = "application/json, text/event-stream";
var SESSION_ID = /^[\x21-\x7e]{1,2048}$/;
var HttpUpstream = class {
  #limits;
  #events;
  #client;
  #authority;
  #told = new Places(MAX_TOLD);
  constructor({ url, limits, events, authority, connection: terms, httpProxies }) {
    this.#limits = limits;
    this.#events = events;
    this.#authority = authority;
    const { connectTimeoutMs } = limits;
    this.#client = new HttpClient(url, { connectTimeoutMs, terms, httpProxies });
  }
  send(forward, sink, opensSession) {
    const { message, agent, calls } = forward;
    const opened = (head) => {
      const session = head.fields["mcp-session-id"];
      if (message.method !== "initialize" || typeof session !== "string" || !SESSION_ID.test(session)) {
        return forward;
      }
      opensSession(session);
      return { session, revision: void 0, agent };
    };
    const sending = this.#exchange(
      { method: "POST", fields: buildFields(forward), body: writeMessage(message), agent, calls },
      sink,
      opened
    );
    return {
      leave: () => sending.leave(),
      cancel: (reason) => {
        sending.leave();
        if (message.kind === "request" && forward.era === "handshake" && message.method !== "initialize") {
          this.#tell(forward, writeCancellation(message.id, reason));
        }
      }
    };
  }
  openStream(request, sink) {
    const { lastEventId, agent } = request;
    const resume = lastEventId === void 0 ? {} : { "last-event-id": lastEventId };
    const sending = this.#exchange(
      { method: "GET", fields: { ...buildSessionFields(request), ...resume }, agent },
      sink,
      () => request
    );
    return { leave: () => sending.leave(), cancel: () => sending.leave() };
  }
  answer(from, text) {
    this.#tell(from, text);
  }
  endSession(session, revision, agent) {
    const fields = buildSessionFields({ session, revision, accept: EITHER });
    const { promise, resolve } = Promise.withResolvers();
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
    const sending = this.#exchange({ method: "DELETE", fields, agent }, sink, () => ({
      ...{ session, revision, agent }
    }));
    const timer = setTimeout(() => {
      sending.leave();
      resolve(504);
    }, this.#limits.callTimeoutMs).unref();
    return promise.finally(() => clearTimeout(timer));
  }
  async close() {
    this.#client.close();
  }
  /** `opened` looks at the answer's head and says where requests of the server in it are to be answered. */
  #exchange(outgoing, sink, opened) {
    if (this.#authority === void 0) {
      return this.#exchangeNow(outgoing, sink, opened);
    }
    return sendAuthorized(this.#authority, aboutOf(outgoing), {
      sink,
      send: (fields, to) => this.#exchangeNow({ ...outgoing, fields: { ...outgoing.fields, ...fields } }, to, opened)
    });
  }
  #exchangeNow(outgoing, sink, opened) {
    const exchange = this.#client.open();
    let session;
    const answer = new HttpAnswer({
      ...{ exchange, sink, limits: this.#limits },
      opened: (head) => {
        session = opened(head);
      },
      refuse: (asked) => this.#events.answer(asked),
      answer: (text) => {
        if (session !== void 0) {
          this.#tell(session, text);
        }
      }
    });
    exchange.request(outgoing, answer);
    return answer;
  }
  /** Sends what needs no answer; a server has a moment to take it. */
  #tell(session, body) {
    if (!this.#told.take()) {
      return;
    }
    const fields = buildSessionFields({ ...session, accept: EITHER });
    const outgoing = { method: "POST", fields, body, agent: session.agent };
    if (this.#authority === void 0) {
      this.#tellNow(outgoing);
      return;
    }
    this.#authority.authorize(aboutOf(outgoing)).then(
      (own) => this.#tellNow({ ...outgoing, fields: { ...fields, ...own } }),
      () => this.#told.free()
    );
  }
  #tellNow(outgoing) {
    const exchange = this.#client.open();
    const over = () => {
      passedOver.stop();
      this.#told.free();
    };
    const listener = {
      head: () => void 0,
      data: (bytes) => passedOver.data(bytes),
      end: over,
      failed: over
    };
    const passedOver = new PassedOver(() => {
      exchange.leave();
      over();
    }, this.#limits.connectTimeoutMs);
    exchange.request(outgoing, listener);
  }
};
function aboutOf({ method, agent, calls = [] }) {
  return { method, agent, calls };
}
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  HttpUpstream
});
