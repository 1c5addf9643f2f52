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

// proxy/upstream/stdio/stdio-upstream.ts
var stdio_upstream_exports = {};
__export(stdio_upstream_exports, {
  StdioUpstream: () => StdioUpstream
});
module.exports = __toCommonJS(stdio_upstream_exports);
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
function findPath(text, at, path) {
  let place = at;
  let span;
  for (const name of path) {
    span = findMembers(text, place)?.spans.get(name);
    if (span === void 0) {
      return void 0;
    }
    place = span.start;
  }
  return span;
}
function replaceSpan(text, span, by) {
  return text.slice(0, span.start) + by + text.slice(span.end);
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
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// proxy/messages/revision.ts
var FIRST_STATELESS_REVISION = "2026-07-28";
var PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion";
var CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
var SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId";
var METHOD_NOT_FOUND = -32601;
var HEADER_MISMATCH = -32020;
var MISSING_CLIENT_CAPABILITY = -32021;
var UNSUPPORTED_PROTOCOL_VERSION = -32022;
var REVISION = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
function isRevision(text) {
  return REVISION.test(text);
}
function isStatelessRevision(revision) {
  return isRevision(revision) && revision >= FIRST_STATELESS_REVISION;
}
function metaOf(message) {
  const meta = message.kind === "response" ? void 0 : message.params?.["_meta"];
  return isObject(meta) ? meta : void 0;
}
var CLAIM = /^[\x21-\x7e]{1,64}$/;
function findClaimedRevision(message) {
  const claim = metaOf(message)?.[PROTOCOL_VERSION];
  return typeof claim === "string" && CLAIM.test(claim) ? claim : void 0;
}

// proxy/messages/refusals.ts
function answerError(status, id, error) {
  return { status, text: toByteText(JSON.stringify({ jsonrpc: "2.0", id, error })) };
}
function refuseMethod(id, era) {
  return answerError(era === "stateless" ? 404 : 200, id, {
    code: METHOD_NOT_FOUND,
    message: "Method not found"
  });
}
function refuseRevision(id, data) {
  const message = `Unsupported protocol version: ${data.requested}`;
  return answerError(400, id, { code: UNSUPPORTED_PROTOCOL_VERSION, message, data });
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
function findMembersOf(message, name) {
  const { received, text } = message;
  if (name === "result" && received.result !== void 0 && received.text === text) {
    return received.result;
  }
  const span = message.members.get(name);
  return span === void 0 ? void 0 : findMembers(message.text, span.start)?.spans;
}
function withId(answer, id) {
  const own = answer.members.get("id");
  return own === void 0 || answer.id === null || answer.id === id ? answer : { ...replaceInMessage(answer, own, toByteText(JSON.stringify(id))), id };
}
function replaceInMessage(message, span, by) {
  const shift = by.length - (span.end - span.start);
  const members = /* @__PURE__ */ new Map();
  for (const [name, { start, end }] of message.members) {
    members.set(name, {
      start: start >= span.end ? start + shift : start,
      end: end >= span.end ? end + shift : end
    });
  }
  const text = replaceSpan(message.text, span, by);
  return { ...message, text, members, received: moveResult(message, text, { span, shift }) };
}
function moveResult({ members, received, text: before }, text, { span, shift }) {
  const whole = members.get("result");
  const nothing = { text, bytes: void 0, result: void 0 };
  if (whole === void 0 || received.result === void 0 || received.text !== before) {
    return nothing;
  }
  if (span.start >= whole.end) {
    return { ...nothing, result: received.result };
  }
  if (span.end > whole.start) {
    return nothing;
  }
  const result = /* @__PURE__ */ new Map();
  for (const [name, { start, end }] of received.result) {
    result.set(name, { start: start + shift, end: end + shift });
  }
  return { ...nothing, result };
}

// proxy/upstream/stdio/child-environment.ts
var INHERITED = /* @__PURE__ */ new Set(["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"]);
var INHERITED_PREFIX = "LC_";
var RUNNER_TRACKING_ID = "RUNNER_TRACKING_ID";
function buildChildEnvironment(inherited, listed) {
  const environment = {};
  for (const [name, value] of Object.entries(inherited)) {
    const passes = INHERITED.has(name) || name.startsWith(INHERITED_PREFIX) || name === RUNNER_TRACKING_ID;
    if (passes && value !== void 0) {
      environment[name] = value;
    }
  }
  for (const [name, value] of Object.entries(listed)) {
    if (value !== void 0 && name !== RUNNER_TRACKING_ID) {
      environment[name] = value;
    }
  }
  return environment;
}

// proxy/upstream/stdio/stdio-probe.ts
var DISCOVER = {
  kind: "request",
  id: "era",
  method: "server/discover",
  params: { _meta: { [PROTOCOL_VERSION]: FIRST_STATELESS_REVISION, [CLIENT_CAPABILITIES]: {} } }
};
function probeRevisions(child, timeoutMs, learn) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(void 0), timeoutMs);
    const settle = (loss) => {
      clearTimeout(timer);
      resolve(loss);
    };
    child.request(DISCOVER, "stateless", {
      opened: () => void 0,
      filler: () => void 0,
      status: () => void 0,
      ended: () => void 0,
      message: (message) => {
        if (message.kind !== "notification") {
          learn(findRevisions(message));
          settle();
        }
        return void 0;
      },
      failed: (loss) => {
        if (loss.code === "exited") {
          learn([]);
          settle();
        } else {
          settle(loss);
        }
      }
    });
  });
}
function findRevisions(message) {
  const members = findMembersOf(message, message.kind);
  const read = (spans, name) => {
    const span = spans?.get(name);
    return span === void 0 ? void 0 : readSpan(message.text, span);
  };
  if (message.kind === "result") {
    return keepStateless(read(members, "supportedVersions"));
  }
  const data = read(members, "data");
  const isAboutRevisions = read(members, "code") === UNSUPPORTED_PROTOCOL_VERSION;
  return isAboutRevisions && typeof data === "object" && data !== null && "supported" in data ? keepStateless(data.supported) : [];
}
function keepStateless(revisions) {
  return Array.isArray(revisions) ? revisions.filter((revision) => typeof revision === "string").filter(isStatelessRevision) : [];
}

// proxy/upstream/stdio/child-health.ts
var PING = { kind: "request", id: "health", method: "ping", params: void 0 };
function watchHealth(child, era, { pingIntervalMs, pingTimeoutMs, stopGraceMs }) {
  let isKnownToAnswer = era === "stateless";
  const sink = {
    opened: () => void 0,
    filler: () => void 0,
    status: () => void 0,
    ended: () => void 0,
    message: () => {
      isKnownToAnswer = true;
      return void 0;
    },
    failed: () => void 0
  };
  const wait = (ms, then) => {
    setTimeout(() => child.isOver || then(), ms).unref();
  };
  const look = () => {
    const silentMs = performance.now() - child.heardAt;
    if (!child.isIdle || silentMs < pingIntervalMs) {
      wait(child.isIdle ? pingIntervalMs - silentMs : pingIntervalMs, look);
      return;
    }
    const sentAt = performance.now();
    const sending = child.request(era === "stateless" ? DISCOVER : PING, era, sink);
    wait(pingTimeoutMs, () => {
      if (child.heardAt < sentAt && (isKnownToAnswer || child.owesAnswer)) {
        const detail = `no answer to a ping within ${pingTimeoutMs} ms`;
        child.giveUp({ code: "unresponsive", detail }, stopGraceMs);
        return;
      }
      sending.leave();
      look();
    });
  };
  wait(pingIntervalMs, look);
}

// proxy/upstream/stdio/server-processes.ts
var import_promises3 = require("node:timers/promises");

// proxy/upstream/stdio/memory-watch.ts
var import_node_fs2 = require("node:fs");

// proxy/upstream/stdio/group-memory.ts
var import_node_fs = require("node:fs");
var import_promises = require("node:timers/promises");
var DEFAULT_PAGE_KIB = 4;
var PAGE_KIB = /^KernelPageSize:\s+(\d+) kB$/m;
var SLICE = 16;
var PSS = /^Pss:\s+(\d+) kB$/m;
var pageBytes;
async function listMembers(groups) {
  pageBytes ??= Number(PAGE_KIB.exec(readText("/proc/self/smaps"))?.[1] ?? DEFAULT_PAGE_KIB) * 1024;
  const members = [];
  const pids = listPids();
  for (const [index, pid] of pids.entries()) {
    if (index % SLICE === SLICE - 1) {
      await (0, import_promises.setImmediate)();
    }
    const member = readMember(pid, pageBytes);
    if (member !== void 0 && groups.has(member.group)) {
      members.push(member);
    }
  }
  return members;
}
function readShares(members) {
  return members.reduce((sum, { pid, residentBytes }) => {
    const [, kib] = PSS.exec(readText(`/proc/${pid}/smaps_rollup`)) ?? [];
    return sum + (kib === void 0 ? residentBytes : Number(kib) * 1024);
  }, 0);
}
function readMember(pid, pageBytes2) {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 22);
  const [group, pages] = [Number(fields[2]), Number(fields[21])];
  return Number.isSafeInteger(group) && Number.isSafeInteger(pages) && group > 0 ? { pid, group, residentBytes: pages * pageBytes2 } : void 0;
}
function listPids() {
  try {
    return (0, import_node_fs.readdirSync)("/proc").filter((name) => /^[0-9]+$/.test(name));
  } catch {
    return [];
  }
}
function readText(path) {
  try {
    return (0, import_node_fs.readFileSync)(path, "latin1");
  } catch {
    return "";
  }
}

// proxy/upstream/stdio/memory-watch.ts
var OOM_SCORE = "500";
var MemoryWatch = class {
  #watched = /* @__PURE__ */ new Map();
  #timer;
  /** Until the result is called. `everyMs` is the same for all servers of a proxy. */
  watch(group, watched, everyMs) {
    this.#watched.set(group, watched);
    preferForOom(group);
    this.#timer ??= setTimeout(() => void this.#look(everyMs), everyMs).unref();
    return () => {
      this.#watched.delete(group);
    };
  }
  async #look(everyMs) {
    const members = await listMembers(new Set(this.#watched.keys()));
    for (const [group, { maxBytes, over }] of [...this.#watched]) {
      const own = members.filter((member) => member.group === group);
      const atMost = own.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
      const bytes = atMost > maxBytes ? readShares(own) : atMost;
      if (bytes > maxBytes && this.#watched.delete(group)) {
        over();
      }
    }
    this.#timer = this.#watched.size > 0 ? setTimeout(() => void this.#look(everyMs), everyMs).unref() : void 0;
  }
};
var memoryWatch = new MemoryWatch();
function preferForOom(pid) {
  try {
    (0, import_node_fs2.writeFileSync)(`/proc/${pid}/oom_score_adj`, OOM_SCORE);
  } catch {
  }
}

// proxy/upstream/stdio/restart-plan.ts
var GROWTH = 4;
var JITTER = 0.25;
var RestartPlan = class {
  #bounds;
  /** Between 0 and 1. */
  #random;
  /** When outages began, within the window. */
  #outages = [];
  #dueAt = Number.NEGATIVE_INFINITY;
  constructor(bounds, random = Math.random) {
    this.#bounds = bounds;
    this.#random = random;
  }
  /** Restarts within the window, the one that is due among them. */
  get count() {
    return this.#outages.length;
  }
  noteEnd(now) {
    const { maxRestarts, restartWindowMs, restartDelayMs, maxRestartDelayMs } = this.#bounds;
    if (now < this.#dueAt) {
      return { ok: true, afterMs: this.#dueAt - now };
    }
    this.#outages = this.#outages.filter((began) => now - began < restartWindowMs);
    if (this.#outages.length >= maxRestarts) {
      return { ok: false };
    }
    const delay3 = Math.min(restartDelayMs * GROWTH ** this.#outages.length, maxRestartDelayMs);
    this.#outages.push(now);
    const afterMs = delay3 * (1 - JITTER + 2 * JITTER * this.#random());
    this.#dueAt = now + afterMs;
    return { ok: true, afterMs };
  }
};

// proxy/upstream/stdio/stdio-child.ts
var import_node_child_process = require("node:child_process");

// proxy/upstream/stdio/last-words.ts
var MAX_BYTES = 16 * 1024;
var LastWords = class {
  #chunks = [];
  #length = 0;
  #isCut = false;
  write(chunk) {
    this.#chunks.push(chunk.subarray(-MAX_BYTES));
    this.#length += Math.min(chunk.length, MAX_BYTES);
    this.#isCut ||= chunk.length > MAX_BYTES;
    if (this.#length > 2 * MAX_BYTES) {
      this.#chunks = [Buffer.concat(this.#chunks).subarray(-MAX_BYTES)];
      this.#length = MAX_BYTES;
      this.#isCut = true;
    }
  }
  /** Whole lines: half of one could be half of a secret. */
  get text() {
    const text = Buffer.concat(this.#chunks).toString("utf8");
    return this.#isCut ? text.slice(text.indexOf("\n") + 1 || text.length) : text;
  }
};

// proxy/upstream/stdio/line-reader.ts
var LINE_FEED = 10;
var LineReader = class {
  #maxBytes;
  #sink;
  #parts = [];
  #held = 0;
  #isSkipping = false;
  constructor(maxBytes, sink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }
  read(chunk) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#hold(chunk.subarray(start, end));
      start = end + 1;
      this.#endLine();
    }
    if (start < chunk.length) {
      this.#hold(chunk.subarray(start));
    }
  }
  #hold(part) {
    if (this.#isSkipping) {
      return;
    }
    this.#held += part.length;
    if (this.#held > this.#maxBytes) {
      this.#isSkipping = true;
      this.#parts = [];
      this.#sink.tooLong();
      return;
    }
    this.#parts.push(part);
  }
  #endLine() {
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 && first !== void 0 ? first : Buffer.concat(this.#parts);
    const isWhole = !this.#isSkipping;
    this.#parts = [];
    this.#held = 0;
    this.#isSkipping = false;
    if (isWhole && bytes.length > 0) {
      this.#sink.line(bytes.toString("latin1"));
    }
  }
};

// proxy/upstream/stdio/process-group.ts
var import_promises2 = require("node:timers/promises");
var POLL_MS = 20;
async function stopProcessGroup(group, graceMs) {
  signalGroup(group, "SIGTERM");
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline) {
    if (!signalGroup(group, 0)) {
      return;
    }
    await (0, import_promises2.setTimeout)(POLL_MS);
  }
  signalGroup(group, "SIGKILL");
}
function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if (isErrno(error, "EPERM")) {
      return true;
    }
    if (isErrno(error, "ESRCH")) {
      return false;
    }
    throw error;
  }
}
function isErrno(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}

// proxy/upstream/stdio/stdio-message.ts
function writeForChild({ method, params }, id) {
  const meta = params?.["_meta"];
  const token = isObject(meta) ? meta["progressToken"] : void 0;
  const progressToken = isRequestId(token) ? token : void 0;
  const own = progressToken === void 0 || !isObject(meta) ? params : { ...params, _meta: { ...meta, progressToken: id } };
  const message = { jsonrpc: "2.0", id, method, ...own !== void 0 && { params: own } };
  return { text: `${JSON.stringify(message)}
`, progressToken };
}
function writeNotification({ method, params }) {
  return `${JSON.stringify({ jsonrpc: "2.0", method, ...params !== void 0 && { params } })}
`;
}
function restoreAnswer(message, id) {
  const restored = withId(message, id);
  const subscription = findIn(restored, "result", ["_meta", SUBSCRIPTION_ID]);
  return subscription === void 0 ? restored : replaceInMessage(restored, subscription, writeId(id));
}
function restoreNotification(message, find) {
  const isProgress = message.method === "notifications/progress";
  const span = findIn(message, "params", isProgress ? ["progressToken"] : ["_meta", SUBSCRIPTION_ID]);
  const own = span === void 0 ? void 0 : readSpan(message.text, span);
  const pending = typeof own === "number" ? find(own) : void 0;
  const id = isProgress ? pending?.progressToken : pending?.id;
  if (span === void 0 || pending === void 0 || id === void 0) {
    return void 0;
  }
  return { message: replaceInMessage(message, span, writeId(id)), pending };
}
function findCancelled(message) {
  const span = message.method === "notifications/cancelled" ? findIn(message, "params", ["requestId"]) : void 0;
  const id = span === void 0 ? void 0 : readSpan(message.text, span);
  return typeof id === "number" ? id : void 0;
}
function findStatus(message) {
  const span = findIn(message, "error", ["code"]);
  switch (span === void 0 ? void 0 : readSpan(message.text, span)) {
    case METHOD_NOT_FOUND:
      return 404;
    case HEADER_MISMATCH:
    case MISSING_CLIENT_CAPABILITY:
    case UNSUPPORTED_PROTOCOL_VERSION:
      return 400;
    default:
      return 200;
  }
}
function findIn(message, member, path) {
  const span = message.members.get(member);
  return span === void 0 ? void 0 : findPath(message.text, span.start, path);
}
function writeId(id) {
  return toByteText(JSON.stringify(id));
}

// proxy/upstream/stdio/stdio-child.ts
var UNHURRIED = /* @__PURE__ */ new Set(["subscriptions/listen", "server/discover", "ping"]);
var LAST_OUTPUT_MS = 200;
var StdioChild = class {
  owner;
  #limits;
  #events;
  #process;
  #pending = /* @__PURE__ */ new Map();
  #lastWords = new LastWords();
  #lastId = 0;
  #heardAt = performance.now();
  #owesAnswer = false;
  #graceMs;
  #isOver = false;
  #stopping;
  constructor({ command, environment, cwd }, limits, events) {
    const [file = "", ...args] = command;
    this.#limits = limits;
    this.#graceMs = limits.stopGraceMs;
    this.#events = events;
    this.#process = (0, import_node_child_process.spawn)(file, args, {
      cwd,
      env: environment,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true
    });
    const lines = new LineReader(limits.maxAnswerBytes, {
      line: (text) => this.#readLine(text),
      tooLong: () => events.noteOutputDropped()
    });
    const { stdin, stdout, stderr } = this.#process;
    const closed = (detail) => {
      setTimeout(() => this.#end({ code: "closed", detail }), LAST_OUTPUT_MS).unref();
    };
    stdin.on("error", () => closed("stdin"));
    stdout.once("end", () => closed("stdout"));
    stdout.on("data", (chunk) => lines.read(chunk));
    stderr.on("data", (chunk) => {
      this.#lastWords.write(chunk);
      events.stderr(chunk);
    });
    this.#process.once(
      "error",
      (error) => this.#end({ code: "start_failed", detail: error.code ?? "error" })
    );
    this.#process.once("exit", (code, signal) => {
      const loss = { code: "exited", detail: signal ?? `exit code ${code}` };
      const timer = setTimeout(() => this.#end(loss), LAST_OUTPUT_MS);
      this.#process.once("close", () => {
        clearTimeout(timer);
        this.#end(loss);
      });
    });
  }
  get isOver() {
    return this.#isOver;
  }
  /** Of its process group; undefined where it could not be started. */
  get group() {
    return this.#process.pid;
  }
  /** The end of its stderr, as it was written. */
  get lastWords() {
    return this.#lastWords.text;
  }
  /** When it last sent a message, or began. */
  get heardAt() {
    return this.#heardAt;
  }
  /** It was asked for something that was given up, and has said nothing since. */
  get owesAnswer() {
    return this.#owesAnswer;
  }
  /** Nothing was asked of it that it should be answering. */
  get isIdle() {
    return ![...this.#pending.values()].some(({ isUnhurried }) => !isUnhurried);
  }
  /** Of what it was asked last and has not answered, whoever can be asked something on it. */
  get latestSink() {
    return [...this.#pending.values()].findLast(({ sink }) => sink.asked !== void 0)?.sink;
  }
  request(message, era, sink) {
    const loss = this.#findLoss();
    if (loss !== void 0) {
      sink.failed(loss);
      return { cancel: () => void 0, leave: () => void 0 };
    }
    this.#lastId++;
    const id = this.#lastId;
    const { text, progressToken } = writeForChild(message, id);
    const isUnhurried = UNHURRIED.has(message.method);
    this.#pending.set(id, { id: message.id, progressToken, era, sink, isUnhurried });
    this.#process.stdin.write(text);
    const cancel = (reason) => {
      const isPending = this.#pending.delete(id);
      this.#owesAnswer ||= isPending && !isUnhurried;
      if (isPending && message.method !== "initialize" && !this.#isOver) {
        const params = { requestId: id, ...reason !== void 0 && { reason } };
        this.#process.stdin.write(writeNotification({ method: "notifications/cancelled", params }));
      }
    };
    return { cancel, leave: cancel };
  }
  /** Sends a notification, or an answer to a request of the server. */
  notify(message) {
    if (this.#findLoss() === void 0) {
      this.#process.stdin.write(typeof message === "string" ? `${message}
` : writeNotification(message));
    }
  }
  stop() {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }
  /** Ends it for a fault of its own: what it was asked fails with `loss`. Without `graceMs` it has no time to end. */
  giveUp(loss, graceMs = 0) {
    this.#graceMs = graceMs;
    this.#end(loss);
  }
  async #stop() {
    const { pid, stdin, stdout, stderr } = this.#process;
    stdin.end();
    if (pid !== void 0) {
      await stopProcessGroup(pid, this.#graceMs);
    }
    stdin.destroy();
    stdout.destroy();
    stderr.destroy();
    this.#end({ code: "exited", detail: "stopped" });
  }
  #findLoss() {
    if (this.#isOver || this.#stopping !== void 0) {
      return { code: "exited", detail: "not running" };
    }
    return this.#process.stdin.writableLength > this.#limits.maxUnreadBytes ? { code: "unread", detail: `more than ${this.#limits.maxUnreadBytes} bytes` } : void 0;
  }
  #end(loss) {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    const isExpected = this.#stopping !== void 0;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    pending.forEach(({ sink }) => sink.failed(loss));
    this.#events.over(loss, isExpected);
    this.owner?.over();
    void this.stop();
  }
  #readLine(text) {
    const messages = readServerMessages(text);
    if (messages === void 0) {
      this.#events.noteOutputDropped();
      return;
    }
    this.#heardAt = performance.now();
    this.#owesAnswer = false;
    messages.forEach((message) => this.#deliver(message));
  }
  #deliver(message) {
    switch (message.kind) {
      case "result":
      case "error":
        this.#deliverAnswer(message);
        break;
      case "notification":
        if (!this.#endCancelled(message) && !this.#deliverRelated(message)) {
          this.owner?.unsolicited(message);
        }
        break;
      case "request":
        this.owner?.unsolicited(message);
    }
  }
  #deliverAnswer(answer) {
    const { id } = answer;
    const pending = typeof id === "number" ? this.#pending.get(id) : void 0;
    if (pending === void 0 || typeof id !== "number") {
      this.#events.noteMessageDropped();
      return;
    }
    this.#pending.delete(id);
    const status = pending.era === "stateless" ? findStatus(answer) : void 0;
    void pending.sink.message(restoreAnswer(answer, pending.id), { status });
    pending.sink.ended();
  }
  /** How a server ends a subscription (2026-07-28, Cancellation). */
  #endCancelled(message) {
    const id = findCancelled(message);
    const pending = id === void 0 ? void 0 : this.#pending.get(id);
    if (id === void 0 || pending?.era !== "stateless") {
      return false;
    }
    this.#pending.delete(id);
    pending.sink.ended();
    return true;
  }
  #deliverRelated(message) {
    const restored = restoreNotification(message, (id) => this.#pending.get(id));
    if (restored === void 0) {
      return false;
    }
    void restored.pending.sink.message(restored.message, {});
    return true;
  }
};

// proxy/upstream/stdio/waiting-sending.ts
var NOTHING_SENT = { cancel: () => void 0, leave: () => void 0 };
function startAfter(ready, start) {
  if (ready === void 0) {
    return start();
  }
  let sending;
  let isOver = false;
  void ready.then(() => {
    sending = isOver ? void 0 : start();
  });
  return {
    cancel: (reason) => {
      isOver = true;
      sending?.cancel(reason);
    },
    leave: () => {
      isOver = true;
      sending?.leave();
    }
  };
}
function failUnsent(sink, loss) {
  sink.failed(loss);
  return NOTHING_SENT;
}

// proxy/upstream/stdio/server-processes.ts
var LOOK_EVERY_MS = 250;
var ServerProcesses = class {
  #options;
  #plan;
  /** Those that are being stopped are among them. */
  #running = /* @__PURE__ */ new Set();
  #outdated = /* @__PURE__ */ new Set();
  #looking;
  #down;
  #pause;
  #isReplacing = false;
  #isClosed = false;
  constructor(options) {
    this.#options = options;
    this.#plan = new RestartPlan(options.limits);
  }
  get size() {
    return this.#running.size;
  }
  /** Why none is started any more. */
  get loss() {
    return this.#isClosed ? { code: "exited", detail: "not running" } : this.#down;
  }
  /** For as long as none may be started: whoever waited looks again. */
  get pause() {
    return this.#pause;
  }
  /** Calls `then` once a process may be started; `sink` hears why none is started any more. */
  whenStartable(sink, then) {
    const { loss } = this;
    if (loss !== void 0) {
      sink.failed(loss);
      return NOTHING_SENT;
    }
    return startAfter(this.#pause, this.#pause === void 0 ? then : () => this.whenStartable(sink, then));
  }
  /** Only where there is neither a `loss` nor a `pause`. */
  start() {
    const { command, limits, events } = this.#options;
    const { stderr, noteOutputDropped, noteMessageDropped } = events;
    const child = new StdioChild(command(), limits, {
      ...{ stderr, noteOutputDropped, noteMessageDropped },
      over: (loss, isExpected) => {
        unwatch?.();
        this.#noteOver(child, loss, isExpected);
      }
    });
    const unwatch = this.#watchMemory(child);
    this.#running.add(child);
    if (this.#isReplacing) {
      this.#isReplacing = false;
      events.noteRestarted(this.#plan.count);
    }
    return child;
  }
  /** Those that run now are stopped as soon as nothing is asked of them; whoever has a session with one begins anew. */
  replaceIdle() {
    for (const child of this.#running) {
      this.#outdated.add(child);
    }
    this.#stopIdle();
  }
  #stopIdle() {
    clearTimeout(this.#looking);
    const idle = [...this.#outdated].filter((child) => child.isOver || child.isIdle);
    for (const child of idle) {
      this.#outdated.delete(child);
      void child.stop().then(() => this.#tellRestartable());
    }
    if (this.#outdated.size > 0) {
      this.#looking = setTimeout(() => this.#stopIdle(), LOOK_EVERY_MS).unref();
    }
  }
  async close() {
    this.#isClosed = true;
    clearTimeout(this.#looking);
    await Promise.all([...this.#running].map((child) => child.stop()));
  }
  #noteOver(child, loss, isExpected) {
    const stopped = child.stop().then(() => {
      this.#running.delete(child);
    });
    if (isExpected || this.#isClosed) {
      return;
    }
    const { events, limits } = this.#options;
    events.noteEnded(loss, child.lastWords);
    if (this.#down !== void 0) {
      return;
    }
    const restart = this.#plan.noteEnd(performance.now());
    if (!restart.ok) {
      const minutes = Math.ceil(limits.restartWindowMs / 6e4);
      const times = limits.maxRestarts === 1 ? "once" : `${limits.maxRestarts} times`;
      const detail = limits.maxRestarts === 0 ? "never restarted" : `restarted ${times} in ${minutes} minutes`;
      this.#down = { code: "down", detail };
      events.noteDown(this.#down);
      return;
    }
    this.#isReplacing = true;
    const pause = Promise.all([(0, import_promises3.setTimeout)(restart.afterMs, void 0, { ref: false }), stopped]).then(() => {
      if (this.#pause === pause) {
        this.#pause = void 0;
        this.#tellRestartable();
      }
    });
    this.#pause = pause;
  }
  /** One that ended by itself may be among those that were to be replaced: that does not shorten the wait for the next. */
  #tellRestartable() {
    if (this.loss === void 0 && this.#pause === void 0) {
      this.#options.restartable();
    }
  }
  #watchMemory(child) {
    const { maxMemoryBytes: maxBytes, memoryCheckMs } = this.#options.limits;
    const over = () => child.giveUp({ code: "out_of_memory", detail: `more than ${maxBytes} bytes` });
    return child.group === void 0 ? void 0 : memoryWatch.watch(child.group, { maxBytes, over }, memoryCheckMs);
  }
};

// proxy/upstream/stdio/stdio-session.ts
var MAX_WAITING = 16;
var MAX_WAITING_LENGTH = 64 * 1024;
var StdioSession = class {
  child;
  #events;
  #stream;
  #waiting = [];
  constructor(child, events) {
    this.child = child;
    this.#events = events;
  }
  unsolicited(message) {
    if (message.kind === "request") {
      this.#ask(message);
      return;
    }
    if (message.method === "notifications/cancelled") {
      void (this.child.latestSink ?? this.#stream)?.message(message, {});
      return;
    }
    if (message.method === "notifications/tools/list_changed") {
      this.#events.toolsChanged();
    }
    if (this.#stream !== void 0) {
      void this.#stream.message(message, {});
    } else if (this.#waiting.length < MAX_WAITING && message.text.length <= MAX_WAITING_LENGTH) {
      this.#waiting.push(message);
    }
  }
  /** A pipe does not say to what it belongs: most likely to what the agent asked last. */
  #ask(request) {
    const sink = this.child.latestSink ?? this.#stream;
    const answer = (text) => this.child.notify(text);
    if (sink?.asked === void 0) {
      answer(this.#events.answer(request));
    } else {
      void sink.asked(request, { carriage: {}, answer });
    }
  }
  over() {
    const stream = this.#stream;
    this.#stream = void 0;
    stream?.ended();
    this.#events.over();
  }
  /** One at a time: a message goes to one stream only. */
  openStream(sink) {
    if (this.#stream !== void 0) {
      sink.status(409);
      return { cancel: () => void 0, leave: () => void 0 };
    }
    this.#stream = sink;
    sink.opened();
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach((message) => void sink.message(message, {}));
    const leave = () => {
      if (this.#stream === sink) {
        this.#stream = void 0;
      }
    };
    return { cancel: leave, leave };
  }
};

// proxy/upstream/stdio/stdio-upstream.ts
var StdioUpstream = class {
  #options;
  #processes;
  #sessions = /* @__PURE__ */ new Map();
  /** Those without a handshake that the server speaks, once it said so. */
  #revisions;
  #probing;
  /** Asked for its era and given to nobody yet. */
  #spare;
  /** The one for requests without a handshake. */
  #shared;
  constructor(options) {
    this.#options = options;
    const { command, cwd, environment, limits, events, stderr, start } = options;
    const { inherited, listed, own } = environment;
    const restartable = () => start === "eager" ? this.#prepare() : void 0;
    this.#processes = new ServerProcesses({
      command: () => ({
        ...{ command, cwd },
        environment: buildChildEnvironment(inherited, { ...listed, ...own?.read() })
      }),
      events: { ...events, stderr },
      ...{ limits, restartable }
    });
    own?.onChange(() => this.#processes.replaceIdle());
    if (start === "eager") {
      this.#prepare();
    }
  }
  /** Before it is asked for, so that the first answer is quick: a slow one makes clients take the older era. */
  #prepare() {
    if (this.#revisions === void 0) {
      void this.#probe();
    } else if (this.#spare === void 0 || this.#spare.isOver) {
      this.#spare = this.#processes.start();
    }
  }
  send(forward, sink, opensSession) {
    const { message, era } = forward;
    const session = forward.session === void 0 ? void 0 : this.#sessions.get(forward.session);
    if (message.kind === "notification") {
      session?.child.notify(message);
      sink.status(session === void 0 && era === "handshake" ? 404 : 202);
      return NOTHING_SENT;
    }
    const lack = this.#options.environment.own?.findLack();
    if (lack !== void 0 && message.method === "tools/call") {
      return failUnsent(sink, { code: "not_authorized", detail: lack });
    }
    if (era === "stateless") {
      return this.#sendStateless(message, sink);
    }
    if (message.method === "initialize" && forward.session === void 0) {
      return startAfter(
        this.#spare === void 0 ? void 0 : this.#probing,
        () => this.#openSession(message, sink, opensSession)
      );
    }
    const { loss } = this.#processes;
    if (session?.child.isOver === true && loss !== void 0) {
      return failUnsent(sink, loss);
    }
    if (session === void 0) {
      sink.status(forward.session === void 0 ? 400 : 404);
      return NOTHING_SENT;
    }
    return session.child.request(message, era, sink);
  }
  openStream({ session }, sink) {
    const opened = session === void 0 ? void 0 : this.#sessions.get(session);
    if (opened === void 0) {
      sink.status(session === void 0 ? 405 : 404);
      return NOTHING_SENT;
    }
    const { loss } = this.#processes;
    if (opened.child.isOver && loss !== void 0) {
      return failUnsent(sink, loss);
    }
    return opened.openStream(sink);
  }
  async endSession(session) {
    const ended = this.#sessions.get(session);
    this.#sessions.delete(session);
    await ended?.child.stop();
    return ended === void 0 ? 404 : 200;
  }
  async close() {
    await this.#processes.close();
  }
  #sendStateless(message, sink) {
    if (this.#revisions !== void 0) {
      return this.#sendShared(message, sink);
    }
    let lost;
    const probed = this.#probe().then((loss) => {
      lost = loss;
    });
    return startAfter(probed, () => {
      if (lost !== void 0) {
        return failUnsent(sink, lost);
      }
      return this.#sendShared(message, sink);
    });
  }
  #sendShared(message, sink) {
    const refusal = this.#findRefusal(message);
    if (refusal !== void 0) {
      const [answer] = readServerMessages(refusal.text) ?? [];
      if (answer?.kind === "error") {
        void sink.message(answer, { status: refusal.status });
      }
      sink.ended();
      return NOTHING_SENT;
    }
    const shared = this.#findShared();
    return shared === void 0 ? this.#processes.whenStartable(
      sink,
      () => (this.#findShared() ?? this.#share(this.#processes.start())).request(message, "stateless", sink)
    ) : shared.request(message, "stateless", sink);
  }
  #findShared() {
    if (this.#shared?.isOver === false) {
      return this.#shared;
    }
    const spare = this.#takeSpare();
    return spare === void 0 ? void 0 : this.#share(spare);
  }
  #share(child) {
    const { events, limits } = this.#options;
    child.owner = {
      over: () => void 0,
      unsolicited: (unasked) => {
        if (unasked.kind === "request") {
          child.notify(events.answer(unasked));
        } else if (unasked.method === "notifications/tools/list_changed") {
          events.toolsChanged(void 0);
        }
      }
    };
    watchHealth(child, "stateless", limits);
    this.#shared = child;
    return child;
  }
  #findRefusal(message) {
    const supported = this.#revisions ?? [];
    const requested = findClaimedRevision(message) ?? "";
    if (supported.length === 0) {
      return refuseMethod(message.id, "stateless");
    }
    return supported.includes(requested) ? void 0 : refuseRevision(message.id, { requested, supported: [...supported] });
  }
  #openSession(message, sink, opensSession) {
    const spare = this.#takeSpare();
    if (spare !== void 0) {
      return this.#openSessionIn(spare, { message, sink, opensSession });
    }
    const { maxSessions } = this.#options.limits;
    return this.#processes.whenStartable(sink, () => {
      const prepared = this.#revisions === void 0 ? void 0 : this.#takeSpare();
      if (prepared === void 0 && this.#processes.size > maxSessions) {
        return failUnsent(sink, { code: "too_many_sessions", detail: `more than ${maxSessions}` });
      }
      return this.#openSessionIn(prepared ?? this.#processes.start(), { message, sink, opensSession });
    });
  }
  #openSessionIn(child, { message, sink, opensSession }) {
    const { events, limits } = this.#options;
    const id = (0, import_node_crypto.randomUUID)();
    const session = new StdioSession(child, {
      answer: (request) => events.answer(request),
      toolsChanged: () => events.toolsChanged(id),
      over: () => {
        if (this.#processes.loss === void 0 && this.#sessions.delete(id)) {
          events.sessionEnded(id);
        }
      }
    });
    child.owner = session;
    const sending = child.request(message, "handshake", {
      opened: () => sink.opened(),
      filler: (carriage) => sink.filler(carriage),
      status: (status) => sink.status(status),
      ended: () => sink.ended(),
      message: (answer, carriage) => {
        if (answer.kind === "result") {
          this.#sessions.set(id, session);
          watchHealth(child, "handshake", limits);
          opensSession(id);
        } else if (answer.kind === "error") {
          void child.stop();
        }
        return sink.message(answer, carriage);
      },
      failed: (loss) => {
        void child.stop();
        sink.failed(loss);
      }
    });
    const cancel = () => {
      sending.cancel();
      void child.stop();
    };
    return { cancel, leave: cancel };
  }
  /** Single flight; after a process that did not start, the next request tries again. */
  #probe() {
    this.#probing ??= this.#askRevisions().then((loss) => {
      this.#probing = loss === void 0 ? this.#probing : void 0;
      return loss;
    });
    return this.#probing;
  }
  async #askRevisions() {
    while (this.#processes.pause !== void 0) {
      await this.#processes.pause;
    }
    if (this.#processes.loss !== void 0) {
      return this.#processes.loss;
    }
    const child = this.#processes.start();
    this.#spare = child;
    return probeRevisions(child, this.#options.limits.probeTimeoutMs, (revisions) => {
      this.#revisions = revisions;
    });
  }
  #takeSpare() {
    const spare = this.#spare;
    this.#spare = void 0;
    return spare?.isOver === true ? void 0 : spare;
  }
};
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  StdioUpstream
});
