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

// proxy/gate/server-gate.ts
var server_gate_exports = {};
__export(server_gate_exports, {
  openServerGate: () => openServerGate
});
module.exports = __toCommonJS(server_gate_exports);

// proxy/inspection/reflection-guard.ts
var LOSSES = {
  unreadable: { code: "unreadable", detail: "not a message" },
  too_much: { code: "too_costly", detail: "too much to inspect" }
};
var REDACT = { secrets: "redact", text: "pass" };
function guardReflections(upstream, options) {
  const { redactor, reflected } = options;
  const guarded = (sink) => guardSink(sink, options);
  return {
    send: (forward2, sink, opensSession) => upstream.send(forward2, guarded(sink), (session) => {
      if (redactor.redactText(session).count === 0) opensSession(session);
      else reflected();
    }),
    openStream: (request, sink) => upstream.openStream(request, guarded(sink)),
    answer: (from, text) => upstream.answer?.(from, text),
    endSession: (session, revision, agent) => upstream.endSession(session, revision, agent),
    close: () => upstream.close()
  };
}
function guardSink(sink, { redactor, inspector, reflected }) {
  const clean = (message) => {
    const inspected = inspector.inspect(message, REDACT);
    if (inspected === void 0) return message;
    if (!inspected.ok) return LOSSES[inspected.fault];
    if (inspected.findings.redactions.size > 0) reflected();
    return inspected.message;
  };
  const carry = (carriage) => {
    const { eventId } = carriage;
    if (eventId === void 0 || redactor.redactText(eventId).count === 0) return carriage;
    reflected();
    return { ...carriage, eventId: void 0 };
  };
  return {
    opened: () => sink.opened(),
    message: (message, carriage) => {
      const cleaned = clean(message);
      if (!("code" in cleaned)) return sink.message(cleaned, carry(carriage));
      sink.failed(cleaned);
      return void 0;
    },
    filler: (carriage) => sink.filler(carry(carriage)),
    status: (status) => sink.status(status),
    ended: () => sink.ended(),
    failed: (loss) => sink.failed(loss),
    ...sink.asked !== void 0 && {
      asked: (request, asking) => {
        const cleaned = clean(request);
        if (!("code" in cleaned)) return sink.asked?.(cleaned, asking);
        sink.failed(cleaned);
        return void 0;
      }
    }
  };
}

// proxy/recorder.ts
var CODE = "recording_failed";
var RecordingFailed = class extends Error {
  code = CODE;
};
function isRecordingFailure(error) {
  return error instanceof Error && "code" in error && error.code === CODE;
}
function wasRecorded(record) {
  try {
    record();
    return true;
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
    return false;
  }
}

// proxy/gate/admission.ts
var AT_ONCE = {
  admit: (decide, { admitted, failed }) => {
    let value;
    try {
      value = decide();
    } catch (error) {
      if (!isRecordingFailure(error)) {
        throw error;
      }
      failed();
      return;
    }
    admitted(value);
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
var NAME = /^[^\u0000-\u001f\u007f]{1,512}$/u;
var MAX_ID_LENGTH = 256;
function foldCase(name) {
  return name.toUpperCase().toLowerCase();
}
function isName(text) {
  return typeof text === "string" && NAME.test(text);
}
function isRequestId(id) {
  return typeof id === "string" ? id.length <= MAX_ID_LENGTH : Number.isSafeInteger(id);
}
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// proxy/messages/fields.ts
var TEXT_START = "=?base64?";
var TEXT_END = "?=";
var BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
var PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/;
function decodeFieldValue(value) {
  if (!(value.startsWith(TEXT_START) && value.endsWith(TEXT_END))) {
    return PLAIN.test(value) ? value : void 0;
  }
  const packed = value.slice(TEXT_START.length, -TEXT_END.length);
  if (!BASE64.test(packed)) {
    return void 0;
  }
  const bytes = Buffer.from(packed, "base64");
  const text = bytes.toString("utf8");
  return bytes.equals(Buffer.from(text, "utf8")) ? text : void 0;
}
function encodeFieldValue(text) {
  const isPlain = PLAIN.test(text) && !(text.startsWith(TEXT_START) && text.endsWith(TEXT_END));
  return isPlain ? text : `${TEXT_START}${Buffer.from(text, "utf8").toString("base64")}${TEXT_END}`;
}

// proxy/messages/param-fields.ts
var PREFIX = "mcp-param-";
var TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
function findParamFields(inputSchema, path = []) {
  if (!isObject(inputSchema)) {
    return [];
  }
  const declared = inputSchema["x-mcp-header"];
  const own = typeof declared === "string" && TOKEN.test(declared) && path.length > 0 ? [{ field: PREFIX + declared.toLowerCase(), path }] : [];
  const properties = inputSchema["properties"];
  const nested = isObject(properties) ? Object.entries(properties) : [];
  return [...own, ...nested.flatMap(([name, schema]) => findParamFields(schema, [...path, name]))];
}
function buildParamFields(declared, args, sent) {
  const fields = /* @__PURE__ */ new Map();
  for (const { field, path } of declared) {
    const text = writeArgument(findArgument(args, path));
    const field0 = sent.get(field);
    if (text === void 0) {
      continue;
    }
    if (field0 === void 0 || !isSame(decodeFieldValue(field0), text)) {
      return { ok: false, detail: `${field} is not what the body's arguments say` };
    }
    fields.set(field, encodeFieldValue(text));
  }
  return { ok: true, fields };
}
function findArgument(args, path) {
  let value = args;
  for (const name of path) {
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : void 0;
  }
  return value;
}
function writeArgument(value) {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
      return String(value);
    default:
      return void 0;
  }
}
function isSame(sent, own) {
  return sent === own || sent !== void 0 && /^-?[0-9]+(?:\.0+)?$/.test(sent) && String(Number(sent)) === own;
}

// proxy/gate/lists/catalog.ts
function openCatalogs() {
  return {
    tools: new Catalog(),
    resources: new Catalog(),
    resource_templates: new Catalog(),
    prompts: new Catalog()
  };
}
var Catalog = class {
  #known = /* @__PURE__ */ new Map();
  #isRecorded = true;
  get known() {
    return this.#known;
  }
  /** The whole list. Where a name stands twice, the last counts. */
  learn(definitions) {
    const known = /* @__PURE__ */ new Map();
    for (const { name, definition, digest } of definitions) {
      const before = this.#known.get(name);
      const isKnown = before?.digest === digest;
      known.set(name, isKnown ? before : { digest, paramFields: findParamFields(definition["inputSchema"]) });
    }
    const isSame2 = [...known].every(([name, thing]) => this.#known.get(name) === thing);
    this.#isRecorded &&= isSame2 && known.size === this.#known.size;
    this.#known = known;
  }
  /** What is visible of it has changed. */
  markUnrecorded() {
    this.#isRecorded = false;
  }
  /** `record` is called until it went well once for all that is known. */
  recordNews(record) {
    if (!this.#isRecorded) {
      record();
      this.#isRecorded = true;
    }
  }
  paramFieldsOf(tool) {
    return this.#known.get(tool)?.paramFields ?? [];
  }
};

// audit/canonical.ts
var MAX_DEPTH = 256;
var CanonicalError = class extends Error {
  code = "not_canonical";
};
function canonicalize(value) {
  return writeValue(value, MAX_DEPTH);
}
function writeValue(value, depthLeft) {
  switch (typeof value) {
    case "string":
      return writeString(value);
    case "number":
      return writeNumber(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) {
        return "null";
      }
      if (depthLeft === 0) {
        throw new CanonicalError(`nested deeper than ${MAX_DEPTH} levels`);
      }
      return Array.isArray(value) ? writeArray(value, depthLeft - 1) : writeObject(value, depthLeft - 1);
    default:
      throw new CanonicalError(`JSON has no ${typeof value}`);
  }
}
function writeArray(values, depthLeft) {
  let text = "[";
  for (let index = 0; index < values.length; index++) {
    text += (index === 0 ? "" : ",") + writeValue(values[index], depthLeft);
  }
  return text + "]";
}
function writeObject(value, depthLeft) {
  requirePlain(value);
  let text = "{";
  for (const name of sortNames(Object.keys(value))) {
    const member = value[name];
    if (member !== void 0) {
      text += (text.length === 1 ? "" : ",") + writeName(name) + writeValue(member, depthLeft);
    }
  }
  return text + "}";
}
function requirePlain(value) {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new CanonicalError("only plain objects and arrays are JSON");
  }
}
var INSERTION_SORT_NAMES = 24;
function sortNames(names) {
  if (names.length > INSERTION_SORT_NAMES) {
    return names.sort();
  }
  for (let next = 1; next < names.length; next++) {
    const name = names[next] ?? "";
    let place = next;
    for (let before = names[place - 1]; before !== void 0 && before > name; before = names[place - 1]) {
      names[place] = before;
      place--;
    }
    names[place] = name;
  }
  return names;
}
var NEEDS_CARE = /["\\\u0000-\u001f\ud800-\udfff]/;
function writeString(text) {
  if (!NEEDS_CARE.test(text)) {
    return '"' + text + '"';
  }
  if (!text.isWellFormed()) {
    throw new CanonicalError("a lone surrogate has no UTF-8 form");
  }
  return JSON.stringify(text);
}
var knownNames = /* @__PURE__ */ new Map();
var MAX_KNOWN_NAMES = 512;
var MAX_KNOWN_NAME_LENGTH = 64;
function writeName(name) {
  const known = knownNames.get(name);
  if (known !== void 0) {
    return known;
  }
  const written = writeString(name) + ":";
  if (knownNames.size < MAX_KNOWN_NAMES && name.length <= MAX_KNOWN_NAME_LENGTH) {
    knownNames.set(name, written);
  }
  return written;
}
function writeNumber(value) {
  if (!Number.isFinite(value)) {
    throw new CanonicalError(`JSON has no ${value}`);
  }
  return String(value);
}

// policies/lock/definition.ts
var import_node_crypto = require("node:crypto");

// node_modules/canonicalize/lib/canonicalize.js
function serializeString(value) {
  if (!value.isWellFormed()) {
    throw new Error("Lone surrogate is not allowed");
  }
  return JSON.stringify(value);
}
function serializePrimitive(value) {
  switch (typeof value) {
    case "number":
      if (isNaN(value)) {
        throw new Error("NaN is not allowed");
      }
      if (!isFinite(value)) {
        throw new Error("Infinity is not allowed");
      }
      return JSON.stringify(value);
    case "string":
      return serializeString(value);
    case "boolean":
      return value ? "true" : "false";
    default:
      return JSON.stringify(value);
  }
}
function enterValue(value, seen) {
  let wrappers = null;
  while (value !== null && typeof value === "object" && typeof value.toJSON === "function") {
    if (seen.has(value)) {
      throw new Error("Circular reference detected");
    }
    seen.add(value);
    (wrappers ??= []).push(value);
    value = value.toJSON();
  }
  if (value instanceof Number || value instanceof String || value instanceof Boolean) {
    value = value.valueOf();
  }
  if (value === null || typeof value !== "object") {
    if (wrappers !== null) {
      for (const wrapper of wrappers) seen.delete(wrapper);
    }
    return serializePrimitive(value);
  }
  if (seen.has(value)) {
    throw new Error("Circular reference detected");
  }
  seen.add(value);
  return {
    container: value,
    // null marks an array frame; object frames carry their sorted keys.
    // `sort()`'s default comparator orders by UTF-16 code unit, which is the
    // order JCS requires.
    keys: Array.isArray(value) ? null : Object.keys(value).sort(),
    // Next child to serialize; the frame resumes here after a nested
    // container's subtree completes.
    index: 0,
    // Whether no member has been emitted yet (controls comma placement).
    first: true,
    // toJSON wrappers to release from `seen` when this frame completes.
    wrappers
  };
}
function canonicalize2(object) {
  if (object === null || typeof object !== "object") {
    return serializePrimitive(object);
  }
  const seen = /* @__PURE__ */ new Set();
  const root = enterValue(object, seen);
  if (typeof root !== "object") {
    return root;
  }
  let result = root.keys === null ? "[" : "{";
  const stack = [root];
  outer:
    while (stack.length > 0) {
      const frame = stack[stack.length - 1];
      const container = frame.container;
      if (frame.keys === null) {
        while (frame.index < container.length) {
          const i = frame.index++;
          if (i > 0) {
            result += ",";
          }
          const element = container[i];
          const value = element === void 0 || typeof element === "symbol" || typeof element === "function" ? null : element;
          if (value === null || typeof value !== "object") {
            result += serializePrimitive(value);
            continue;
          }
          const child = enterValue(value, seen);
          if (typeof child !== "object") {
            result += child === void 0 ? "null" : child;
            continue;
          }
          result += child.keys === null ? "[" : "{";
          stack.push(child);
          continue outer;
        }
        result += "]";
      } else {
        const keys = frame.keys;
        while (frame.index < keys.length) {
          const key = keys[frame.index++];
          const value = container[key];
          if (value === void 0 || typeof value === "symbol" || typeof value === "function") {
            continue;
          }
          if (value === null || typeof value !== "object") {
            if (frame.first) {
              frame.first = false;
            } else {
              result += ",";
            }
            result += serializeString(key) + ":" + serializePrimitive(value);
            continue;
          }
          const child = enterValue(value, seen);
          if (child === void 0) {
            continue;
          }
          if (frame.first) {
            frame.first = false;
          } else {
            result += ",";
          }
          result += serializeString(key) + ":";
          if (typeof child !== "object") {
            result += child;
            continue;
          }
          result += child.keys === null ? "[" : "{";
          stack.push(child);
          continue outer;
        }
        result += "}";
      }
      seen.delete(container);
      if (frame.wrappers !== null) {
        for (const wrapper of frame.wrappers) seen.delete(wrapper);
      }
      stack.pop();
    }
  return result;
}

// policies/lock/definition.ts
var DEFINING = [
  "name",
  "title",
  "description",
  "inputSchema",
  "outputSchema",
  "annotations"
];
function digestDefinition(definition) {
  const members = DEFINING.flatMap((name) => {
    const member = definition[name];
    return member === void 0 ? [] : [[name, member]];
  });
  return digestJson(Object.fromEntries(members));
}
function digestInstructions(instructions) {
  return (0, import_node_crypto.createHash)("sha256").update(instructions).digest("hex");
}
function digestJson(value) {
  const canonical = canonicalize2(value);
  if (canonical === void 0) {
    throw new Error("a tool's definition has no canonical form");
  }
  return (0, import_node_crypto.createHash)("sha256").update(canonical).digest("hex");
}

// proxy/inspection/invisible-text.ts
var INVISIBLE = String.raw`[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}]`;
var JOINER = String.raw`[\u200c\u200d]`;
var JOINED = String.raw`(?![\0-\u024f])[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]`;
var VARIED = String.raw`[#*0-9\u00a9\u00ae\u1000-\u{e007f}]`;
var KINDS = [
  [
    "escape_sequence",
    [
      String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`,
      String.raw`(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)`,
      String.raw`\x1b[ -/]*[0-~]?`
    ].join("|")
  ],
  ["tag", String.raw`[\u{e0000}-\u{e007f}]`],
  ["bidi", String.raw`[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]`],
  ["zero_width", `${INVISIBLE}|(?<!${JOINED})${JOINER}|${JOINER}(?!${JOINED})`],
  [
    "variation_selector",
    String.raw`[\u{e0080}-\u{e0fff}]|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]|(?<!${VARIED})[\ufe00-\ufe0f]`
  ],
  ["control", String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)`]
];
var UNSEEN = new RegExp(KINDS.map(([kind, source]) => `(?<${kind}>${source})`).join("|"), "gu");
var SUSPICIOUS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;
var NOTHING = /* @__PURE__ */ new Map();
function cleanText(text, noted) {
  if (!SUSPICIOUS.test(text)) {
    return { text, removed: NOTHING };
  }
  const removed = /* @__PURE__ */ new Map();
  const cleaned = text.replace(UNSEEN, (...match) => {
    noted?.();
    const groups = match.at(-1);
    const kind = KINDS.find(
      ([name]) => typeof groups === "object" && groups !== null && Reflect.get(groups, name) !== void 0
    )?.[0];
    if (kind !== void 0) {
      removed.set(kind, (removed.get(kind) ?? 0) + 1);
    }
    return "";
  });
  return { text: cleaned, removed };
}

// proxy/gate/lists/definition-findings.ts
var MAX_FINDINGS = 4e3;
var MAX_EXCERPT_LENGTH = 2e4;
var DefinitionFindings = class {
  #options;
  #noted = /* @__PURE__ */ new Set();
  /** The reviewed definitions that were seen: what a later one can be compared with. */
  #reviewed = /* @__PURE__ */ new Map();
  constructor(options) {
    this.#options = options;
  }
  noteDefinition(tool) {
    const { visibility } = this.#options;
    const { name, definition, digest } = tool;
    if (!visibility.isLocked) {
      return;
    }
    const verdict = visibility.judgeDefinition(name, digest);
    if (verdict === "reviewed") {
      this.#reviewed.set(name, definition);
    } else if (visibility.concernsAgents(name)) {
      const event = verdict === "drifted" ? "tool_drifted" : "tool_unreviewed";
      this.#note({ event, severity: "finding", key: `${name} ${digest}` }, () => this.#describe(tool));
    }
  }
  /** An agent is shown this one, without what was removed from its texts. */
  noteShown(kind, { name, digest, cleaned: { removed } }) {
    const { names, server } = this.#options;
    if (removed.size > 0) {
      const key = kind === "tool" ? `${name} ${digest}` : `${kind} ${name} ${digest}`;
      this.#note({ event: "text_cleaned", severity: "warning", key }, () => ({
        [kind]: name,
        removed: Object.fromEntries(removed)
      }));
    }
    if (kind !== "tool") {
      return;
    }
    for (const other of names.add({ server, tool: name })) {
      const key = JSON.stringify([name, other.server, other.tool]);
      this.#note({ event: "tool_shadowed", severity: "warning", key }, () => ({
        ...{ tool: name, other_server: other.server, other_tool: other.tool }
      }));
    }
  }
  noteInstructions(digest, instructions) {
    const { visibility } = this.#options;
    this.#note({ event: "instructions_drifted", severity: "finding", key: digest }, () => ({
      old_digest: visibility.lockedInstructions ?? null,
      new_digest: digest,
      instructions: excerpt(instructions)
    }));
  }
  /** What the server says of itself: its instructions, and how it is called. */
  noteCleaned(what, digest, removed) {
    if (removed.size > 0) {
      this.#note({ event: "text_cleaned", severity: "warning", key: `${what} ${digest}` }, () => ({
        ...{ tool: null, in: what, removed: Object.fromEntries(removed) }
      }));
    }
  }
  #describe({ name, definition, digest }) {
    const reviewed = this.#reviewed.get(name);
    const locked = this.#options.visibility.lockedDigestOf(name);
    const description = definition["description"];
    return {
      tool: name,
      ...locked !== void 0 && { old_digest: locked },
      new_digest: digest,
      ...reviewed !== void 0 && { changed: listChanged(reviewed, definition) },
      ...typeof description === "string" && { description: excerpt(description) }
    };
  }
  #note({ event, severity, key }, describe) {
    const { recording, server } = this.#options;
    const noted = `${event} ${key}`;
    if (this.#noted.has(noted)) {
      return;
    }
    if (this.#noted.size >= MAX_FINDINGS) {
      recording.noteRepeated(event, server, { server });
      return;
    }
    this.#noted.add(noted);
    recording.noteEvent(event, severity, { server, ...describe() });
  }
};
function listChanged(before, now) {
  const write = (definition, name) => {
    const member = definition[name];
    return member === void 0 ? void 0 : canonicalize(member);
  };
  return DEFINING.filter((name) => write(before, name) !== write(now, name));
}
function excerpt(text) {
  return cleanText(text.slice(0, MAX_EXCERPT_LENGTH)).text;
}

// proxy/gate/forwarding/forwarding.ts
var import_node_crypto5 = require("node:crypto");

// proxy/front/reply.ts
function send(reply, { status, text, retryAfterSeconds }) {
  if (retryAfterSeconds !== void 0) {
    reply.setField("retry-after", String(retryAfterSeconds));
  }
  reply.finish(status, text);
}
function splitReply(whole, count2) {
  let open = count2;
  const endOne = () => {
    open--;
    if (open === 0) {
      whole.finishEmpty(202);
    }
  };
  return Array.from({ length: count2 }, () => new MemberReply(whole, endOne));
}
var MemberReply = class {
  #whole;
  #ended;
  #isEnded = false;
  constructor(whole, ended) {
    this.#whole = whole;
    this.#ended = ended;
  }
  get isOver() {
    return this.#isEnded || this.#whole.isOver;
  }
  get isStreaming() {
    return !this.#isEnded && this.#whole.isStreaming;
  }
  /** A batch holds no handshake, which is what has a field of its own. */
  setField() {
  }
  openStream() {
    this.#whole.openStream();
  }
  sendEvent(event) {
    return this.isOver ? void 0 : this.#whole.sendEvent(event);
  }
  sendComment() {
    this.#whole.sendComment();
  }
  finish(_status, message, eventId) {
    if (!this.isOver) {
      void this.#whole.sendEvent({ data: message.toString("latin1"), id: eventId });
      this.finishEmpty();
    }
  }
  finishEmpty() {
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.#ended();
    }
  }
  onGone(listener) {
    this.#whole.onGone(listener);
  }
};

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

// proxy/messages/revision.ts
var BATCH_REVISION = "2025-03-26";
var PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion";
var CLIENT_INFO = "io.modelcontextprotocol/clientInfo";
var CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
var LOG_LEVEL = "io.modelcontextprotocol/logLevel";
var SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId";
var INVALID_REQUEST = -32600;
var METHOD_NOT_FOUND = -32601;
var INVALID_PARAMS = -32602;
var INTERNAL_ERROR = -32603;
var RESOURCE_NOT_FOUND = -32002;
var URL_ELICITATION_REQUIRED = -32042;
var HEADER_MISMATCH = -32020;
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
function answerResult(id, result) {
  return { status: 200, text: toByteText(JSON.stringify({ jsonrpc: "2.0", id, result })) };
}
function answerRefusal({ id, era, kind }, text, code = INTERNAL_ERROR) {
  if (kind !== "tool") {
    return answerError(200, id, { code, message: text });
  }
  const refused = { content: [{ type: "text", text }], isError: true };
  return answerResult(id, era === "stateless" ? { ...refused, resultType: "complete" } : refused);
}
function refuseUnknown({ id, era, kind }, name) {
  if (kind !== "resource") {
    return answerError(200, id, { code: INVALID_PARAMS, message: `Unknown ${kind}: ${name}` });
  }
  const code = era === "stateless" ? INVALID_PARAMS : RESOURCE_NOT_FOUND;
  return answerError(200, id, { code, message: "Resource not found", data: { uri: name } });
}
function refuseInvalidCall(id, form) {
  return answerError(200, id, { code: INVALID_PARAMS, message: `Invalid params: ${form}` });
}
function refuseCursor(id) {
  return answerError(200, id, { code: INVALID_PARAMS, message: "Invalid cursor" });
}
function refuseMethod(id, era) {
  return answerError(era === "stateless" ? 404 : 200, id, {
    code: METHOD_NOT_FOUND,
    message: "Method not found"
  });
}
function refuseByCondition(asking, decision) {
  const why = decision.reason === "condition_false" ? "its condition does not hold for these arguments" : "its condition cannot be evaluated for these arguments";
  const text = `Refused by rule ${decision.rule}: ${why}: ${decision.condition}`;
  return answerRefusal(asking, text, INVALID_PARAMS);
}
function refuseByLimit(asking, { rule, limit }) {
  const calls = limit === 1 ? "the one call" : `all ${limit} calls`;
  return answerRefusal(
    asking,
    `Refused by rule ${rule}: this session has used up ${calls} that its limit allows.`
  );
}
function refuseByRate(asking, { server, max, retryAfterSeconds }) {
  const calls = max === 1 ? "one call" : `${max} calls`;
  const text = `Refused: this session may make ${calls} a minute to the server "${server}"; try again in ${retryAfterSeconds} s.`;
  return refuseForNow(asking, { text, status: 429, retryAfterSeconds });
}
function refuseByConcurrency(asking, server, max) {
  const calls = max === 1 ? "one request" : `${max} requests`;
  const text = `Refused: the server "${server}" is at work on ${calls}, as many as it may be; try again when one is answered.`;
  return refuseForNow(asking, { text, status: 503, retryAfterSeconds: 1 });
}
function refuseForNow(asking, { text, status, retryAfterSeconds }) {
  const refusal = answerRefusal(asking, text);
  return asking.kind === "tool" ? refusal : { ...refusal, status, retryAfterSeconds };
}
function refuseLost(asking, server, { code, detail }) {
  switch (code) {
    // It ended too often to be started again.
    case "down":
      return answerRefusal(
        asking,
        `The server "${server}" is down for the rest of this session (${detail}): calling it again is of no use.`
      );
    case "credentials_refused":
      return answerRefusal(
        asking,
        `The server "${server}" does not let this session in (${code}: ${detail}). ${OPERATOR}`
      );
    case "not_authorized":
      return answerRefusal(
        asking,
        `The server "${server}" cannot be called. ${endSentence(detail)} ${OPERATOR}`
      );
    default:
      return void 0;
  }
}
var OPERATOR = "Whoever operates Lanyard has to look at it: the page of credentials has more.";
var endSentence = (text) => /[.?!]$/.test(text) ? text : `${text}.`;
function refuseUnverified(asking, tool) {
  return answerRefusal(
    asking,
    `Refused: the definition of ${tool} could not be compared with the reviewed one; try again.`
  );
}
function refuseUnrecordedCall(asking) {
  return answerRefusal(
    asking,
    "Refused: the audit log cannot be written, and nothing is forwarded without it."
  );
}
function refuseUnrecordedRequest(id) {
  return answerFailure(id, "The audit log cannot be written, and nothing is forwarded without it.");
}
function refuseEndedSession(asking, reason) {
  return answerRefusal(asking, `Refused: this Lanyard session is over (${reason}).`);
}
function refuseEndedSessionRequest(id, reason) {
  return answerFailure(id, `This Lanyard session is over (${reason}).`);
}
function refuseInputRequests(asking) {
  return answerRefusal(
    asking,
    "Refused: the server asked for input (sampling, elicitation or roots) that this session does not grant."
  );
}
function answerFailure(id, message) {
  return answerError(200, id, { code: INTERNAL_ERROR, message });
}
function refuseMessage(reason) {
  return answerError(400, null, { code: INVALID_REQUEST, message: `The message is refused: ${reason}` });
}
function refuseDisagreement(id, detail) {
  return answerError(400, id, {
    code: HEADER_MISMATCH,
    message: `The header does not agree with the body: ${detail}`
  });
}
function refuseUnknownSession(id) {
  return answerError(404, id, { code: -32001, message: "Session not found" });
}
function refuseMissingSession(id) {
  return answerError(400, id, { code: -32e3, message: "Bad Request: Mcp-Session-Id header is required" });
}
function refuseBusy(id, what) {
  const message = `Too many ${what} at the same time; try again`;
  return { ...answerError(503, id, { code: INTERNAL_ERROR, message }), retryAfterSeconds: 1 };
}
function refuseHttp(status, message) {
  return answerError(status, null, { code: INVALID_REQUEST, message });
}

// proxy/messages/asks.ts
var SET_LEVEL = "logging/setLevel";
var LOGGED = "notifications/message";
var ASKING_METHODS = /* @__PURE__ */ new Map([
  ["sampling/createMessage", "sampling"],
  ["elicitation/create", "elicitation"],
  ["roots/list", "roots"]
]);
var ASK_METHODS = new Map([
  ...ASKING_METHODS,
  [SET_LEVEL, "logging"],
  [LOGGED, "logging"]
]);

// proxy/gate/named-things.ts
var KINDS2 = ["tool", "resource", "prompt"];
var TOOLS = {
  ...{ method: "tools/list", member: "tools", nameMember: "name", kind: "tool", list: "tools" }
};
var LISTINGS = [
  TOOLS,
  {
    ...{ method: "resources/list", member: "resources", nameMember: "uri" },
    ...{ kind: "resource", list: "resources" }
  },
  {
    ...{ method: "resources/templates/list", member: "resourceTemplates", nameMember: "uriTemplate" },
    ...{ kind: "resource", list: "resource_templates" }
  },
  { method: "prompts/list", member: "prompts", nameMember: "name", kind: "prompt", list: "prompts" }
];
var readName2 = (kind) => ({ name, arguments: args }) => typeof name === "string" ? { kind, name, args: args === void 0 ? {} : args, logged: args } : void 0;
var RESOURCE = {
  takes: "a uri",
  read: ({ uri }) => typeof uri === "string" ? { kind: "resource", name: uri, args: {}, logged: void 0 } : void 0
};
var UNSUBSCRIBE = "resources/unsubscribe";
var SUBSCRIBE = "resources/subscribe";
var NAMED_METHODS = /* @__PURE__ */ new Map([
  ["tools/call", { takes: "a name and an object of arguments", read: readName2("tool") }],
  ["prompts/get", { takes: "a name and an object of arguments", read: readName2("prompt") }],
  ["resources/read", RESOURCE],
  [SUBSCRIBE, RESOURCE],
  [UNSUBSCRIBE, RESOURCE],
  [
    SET_LEVEL,
    {
      takes: "a level",
      read: ({ level }) => typeof level === "string" ? { kind: "ask", name: "logging", args: { level }, logged: { level } } : void 0
    }
  ],
  ["completion/complete", { takes: "a ref, an argument and no more than MCP defines", read: readCompletion }]
]);
function readCompletion({ ref, argument, context }) {
  const known = readContext(context);
  if (!isObject(ref) || !isObject(argument) || known === void 0 || !hasOnly(argument, ["name", "value"])) {
    return void 0;
  }
  const { name, value } = argument;
  if (typeof name !== "string" || typeof value !== "string") {
    return void 0;
  }
  const args = { ...known, [name]: value };
  if (ref["type"] === "ref/prompt" && isName(ref["name"]) && hasOnly(ref, ["type", "name", "title"])) {
    return { kind: "prompt", name: ref["name"], args, logged: args };
  }
  if (ref["type"] === "ref/resource" && isName(ref["uri"]) && hasOnly(ref, ["type", "uri"])) {
    return { kind: "resource", name: ref["uri"], args, logged: args };
  }
  return void 0;
}
function readContext(context) {
  if (context === void 0) {
    return {};
  }
  const { arguments: args = {} } = isObject(context) ? context : {};
  return isObject(context) && isObject(args) && hasOnly(context, ["arguments"]) ? args : void 0;
}
function hasOnly(members, names) {
  return Object.keys(members).every((name) => names.includes(name));
}

// proxy/gate/passing.ts
var PROGRESS = "notifications/progress";
var CANCELLED = "notifications/cancelled";
var ELICITED = "notifications/elicitation/complete";
var ROOTS_CHANGED = "notifications/roots/list_changed";
var UPDATED = "notifications/resources/updated";
var SUBSCRIBED = "notifications/subscriptions/acknowledged";
var CHANGED = {
  tool: "notifications/tools/list_changed",
  resource: "notifications/resources/list_changed",
  prompt: "notifications/prompts/list_changed"
};
function findChangedKind(method) {
  return KINDS2.find((kind) => CHANGED[kind] === method);
}
var FROM_CLIENTS = /* @__PURE__ */ new Set(["notifications/initialized", PROGRESS]);
function passesFromClient(method) {
  return FROM_CLIENTS.has(method);
}
function writeChanged(kind, subscription) {
  const params = subscription === void 0 ? void 0 : { _meta: { [SUBSCRIPTION_ID]: subscription } };
  return toByteText(JSON.stringify({ jsonrpc: "2.0", method: CHANGED[kind], ...params && { params } }));
}

// proxy/gate/sender.ts
function isSameViewer(one, other) {
  return one.session === other.session && (one.session !== void 0 || one.agent === other.agent);
}
var TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
function eraOf(message) {
  return findClaimedRevision(message) === void 0 ? "handshake" : "stateless";
}
function revisionOf({ fields }) {
  return fields.get("mcp-protocol-version");
}
function findClientInfo(message) {
  return parseClientInfo(metaOf(message)?.[CLIENT_INFO]);
}
var MAX_INFO_LENGTH = 200;
function parseClientInfo(info) {
  if (!isObject(info)) {
    return void 0;
  }
  const { name, version } = info;
  const isInfo = (text) => typeof text === "string" && text.length <= MAX_INFO_LENGTH;
  return isInfo(name) && isInfo(version) ? { name, version } : void 0;
}
function findTraceparent(message) {
  const traceparent = metaOf(message)?.["traceparent"];
  return typeof traceparent === "string" && TRACEPARENT.test(traceparent) ? traceparent : void 0;
}
var DOCUMENT = /(?:^|,)\s*(?:application\/json|application\/\*|\*\/\*)\s*(?:;|,|$)/i;
var STREAM = /(?:^|,)\s*(?:text\/event-stream|text\/\*|\*\/\*)\s*(?:;|,|$)/i;
var knownAccepts = /* @__PURE__ */ new Map();
var MAX_KNOWN_ACCEPTS = 64;
var MAX_KNOWN_LENGTH = 200;
function parseAccept(fields) {
  const accept = fields.get("accept") ?? "*/*";
  const known = knownAccepts.get(accept);
  if (known !== void 0) {
    return known;
  }
  const accepted = { document: DOCUMENT.test(accept), stream: STREAM.test(accept) };
  if (knownAccepts.size < MAX_KNOWN_ACCEPTS && accept.length <= MAX_KNOWN_LENGTH) {
    knownAccepts.set(accept, accepted);
  }
  return accepted;
}
function writeAccept({ document, stream }) {
  if (document) {
    return stream ? "application/json, text/event-stream" : "application/json";
  }
  return stream ? "text/event-stream" : "";
}

// proxy/gate/lists/change-notice.ts
var ChangeNotice = class {
  #options;
  #isAcknowledged = false;
  #due = /* @__PURE__ */ new Set();
  constructor(options) {
    this.#options = options;
  }
  /** Where it is for everybody, or for this agent. */
  announce(kinds, to) {
    const { era, hearsOf, sender } = this.#options;
    if (to !== void 0 && !isSameViewer(sender, to)) {
      return;
    }
    if (era === "handshake") {
      this.#announceDue();
      return;
    }
    [...kinds].filter((kind) => hearsOf.has(kind)).forEach((kind) => this.#due.add(kind));
    if (this.#isAcknowledged) {
      this.#announceHeard();
    }
  }
  /** The stream is open. */
  opened() {
    if (this.#options.era === "handshake") {
      this.#announceDue();
    }
  }
  /** A notification of the server, after it was passed on: before the acknowledgment nothing else may be said. */
  heard(method) {
    const kind = findChangedKind(method);
    if (kind !== void 0) {
      this.#options.listChanged(kind);
    }
    if (method === SUBSCRIBED) {
      this.#isAcknowledged = true;
      this.#announceHeard();
    }
  }
  #announceDue() {
    const { reply } = this.#options;
    for (const kind of reply.isStreaming ? this.#options.takeNotices() : []) {
      void reply.sendEvent({ data: writeChanged(kind) });
    }
  }
  #announceHeard() {
    const { reply, id } = this.#options;
    for (const kind of this.#due) {
      void reply.sendEvent({ data: writeChanged(kind, id) });
    }
    this.#due.clear();
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
function findMembersOf(message, name) {
  const { received, text } = message;
  if (name === "result" && received.result !== void 0 && received.text === text) {
    return received.result;
  }
  const span = message.members.get(name);
  return span === void 0 ? void 0 : findMembers(message.text, span.start)?.spans;
}
function findReceivedBytes({ text, received }) {
  return received.text === text ? received.bytes : void 0;
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

// proxy/gate/forwarding/amendment.ts
function passUnchanged(answer) {
  return { outcome: answer.kind === "error" ? "error" : "ok", message: answer };
}
var MANY_BYTES = 16 * 1024;
function writeAmended(amended) {
  if ("refusal" in amended) {
    return amended.refusal;
  }
  const { text } = amended.message;
  return text.length < MANY_BYTES ? { text } : { text, bytes: findReceivedBytes(amended.message) };
}

// proxy/gate/calls/unrecorded.ts
function refuseUnrecorded({
  request: { id, method },
  era
}) {
  return method === "tools/call" ? refuseUnrecordedCall({ id, era, kind: "tool" }) : refuseUnrecordedRequest(id);
}

// proxy/gate/forwarding/evidence.ts
var import_node_crypto2 = require("node:crypto");
var NO_BYTES = { bytes: 0 };
function collectEvidence(answer) {
  const bytes = findReceivedBytes(answer) ?? Buffer.from(answer.text, "latin1");
  return { bytes: bytes.length, digest: (0, import_node_crypto2.hash)("sha256", bytes, "hex") };
}

// proxy/gate/sessions/stream-pulse.ts
var StreamPulse = class {
  #timer;
  #heardAt = performance.now();
  constructor({ keepAliveMs, streamIdleMs }, events) {
    const beat = () => {
      if (performance.now() - this.#heardAt < streamIdleMs) {
        events.beat();
      } else {
        events.idle();
      }
    };
    this.#timer = setInterval(beat, Math.min(keepAliveMs, streamIdleMs)).unref();
  }
  heard() {
    this.#heardAt = performance.now();
  }
  stop() {
    clearInterval(this.#timer);
  }
};

// proxy/gate/forwarding/exchange.ts
var AFTER_ANSWER_MS = 1e3;
var Exchange = class {
  id;
  isStanding;
  #options;
  #startedAt = performance.now();
  #timer;
  #pulse;
  #resumeTimer;
  #sending;
  #isStream = false;
  /** The server gave an id to resume from. */
  #isResumable = false;
  /** The stream broke off and the answer may come on another one. */
  #isDetached = false;
  #isOver = false;
  /** Who waits for the answer to be decided. */
  #admitting = [];
  constructor(options) {
    this.#options = options;
    const { request, timeoutMs, pulse, reply } = options;
    this.id = request.id;
    this.isStanding = timeoutMs === void 0;
    reply.onGone(() => this.#agentLeft());
    if (timeoutMs === void 0) {
      this.#pulse = new StreamPulse(pulse, {
        beat: () => reply.sendComment(),
        idle: () => this.#exceed("stream_idle", "cancelled", "Nothing came on the stream for too long")
      });
    } else {
      const late = () => this.#exceed("call_time", "timeout", "The call took too long");
      this.#timer = setTimeout(late, timeoutMs);
    }
  }
  /** Whether an answer to `id` may still come on a stream that is not its own. */
  awaits(id) {
    return this.#isDetached && !this.#isOver && id === this.#options.wireId;
  }
  /** What it asks of the agent's side is decided once, before anything of it goes on. */
  admit(answer, then) {
    const { admitAnswer, wireId } = this.#options;
    if (admitAnswer === void 0 || this.#isOver || answer.id !== wireId && answer.id !== null) {
      then();
    } else if (this.#admitting.push(then) === 1) {
      admitAnswer(answer, () => this.#admitting.splice(0).forEach((go) => go()));
    }
  }
  start(send2) {
    const sending = send2(this);
    if (this.#isOver) {
      sending.leave();
    } else {
      this.#sending = sending;
    }
  }
  opened() {
    this.#isStream = true;
    this.#options.reply.openStream();
    this.#options.notice.opened();
  }
  /** What an agent gets of these lists is another now: any agent, or this one. */
  announceChanged(kinds, to) {
    this.#options.notice.announce(kinds, to);
  }
  filler({ eventId, retry }) {
    this.#pulse?.heard();
    if (eventId === void 0 && retry === void 0) {
      this.#options.reply.sendComment();
      return;
    }
    this.#isResumable ||= eventId !== void 0 && this.#options.resumeGraceMs !== void 0;
    void this.#options.reply.sendEvent({ data: "", id: eventId, retry });
  }
  asked(request, { carriage, answer }) {
    this.#isResumable ||= carriage.eventId !== void 0 && this.#options.resumeGraceMs !== void 0;
    const { eventId: id, retry } = carriage;
    const send2 = (data) => this.#options.reply.sendEvent({ data, id, retry });
    return this.#options.ask(request, { stream: this, send: send2, answer, isOpen: !this.#isOver });
  }
  message(message, carriage) {
    if (this.#isOver) {
      this.#options.messageDropped();
      return void 0;
    }
    this.#isResumable ||= carriage.eventId !== void 0 && this.#options.resumeGraceMs !== void 0;
    this.#pulse?.heard();
    if (message.kind === "notification") {
      const { reply, notice, hearing, inspecting } = this.#options;
      const heard = hearing.hear(message);
      const data = heard === void 0 ? void 0 : inspecting.pass(heard)?.text;
      const { eventId: id, retry } = carriage;
      const sent = data === void 0 ? void 0 : reply.sendEvent({ data, id, retry });
      notice.heard(message.method);
      return sent;
    }
    const isOwn = message.id === this.#options.wireId || message.id === null && carriage.status !== void 0;
    if (!isOwn) {
      this.#options.messageDropped();
      return void 0;
    }
    if (carriage.status !== void 0 && carriage.status >= 400) {
      this.#options.answeredStatus(carriage.status);
    }
    const { status, text, bytes } = this.resolve(message);
    this.#options.reply.finish(status ?? carriage.status ?? 200, bytes ?? text, carriage.eventId);
    return void 0;
  }
  /** The answer as the agent gets it, amended and on the log; `status` when it is the proxy's own. */
  resolve(answer) {
    const { callId, amend, request, inspecting } = this.#options;
    const evidence = callId === void 0 ? NO_BYTES : collectEvidence(answer);
    try {
      const amended = inspecting.passAnswer(request, amend(withId(answer, request.id)));
      this.#settle(amended.outcome, evidence);
      return writeAmended(amended);
    } catch (error) {
      if (isRecordingFailure(error)) {
        this.#end();
        return refuseUnrecorded(this.#options);
      }
      return this.#answerSurprise(error);
    }
  }
  status(status) {
    this.#options.answeredStatus(status);
    this.#fail(
      "error",
      `The server "${this.#options.server}" answered with HTTP ${status}`,
      status < 400 ? 200 : status
    );
  }
  ended() {
    if (this.#isOver) {
      clearTimeout(this.#timer);
    }
    this.#breakOff({ code: "closed", detail: "no answer" });
  }
  failed(loss) {
    if (!this.#isOver) {
      this.#options.lost(loss);
    }
    this.#breakOff(loss);
  }
  /** The agent asked for it: the server is told, and there is nothing more to wait for. */
  cancel(reason) {
    this.#giveUp("cancelled", "The call was cancelled", reason);
  }
  #agentLeft() {
    if (this.#isResumable && !this.#isOver) {
      this.#detach();
      this.#sending?.leave();
    } else {
      this.cancel();
    }
  }
  #breakOff(loss) {
    if (this.#isOver) {
      return;
    }
    if (this.#isResumable && loss.code === "closed") {
      this.#detach();
      this.#options.reply.finishEmpty(200);
      return;
    }
    const { server, request, era } = this.#options;
    const refusal = request.method === "tools/call" ? refuseLost({ id: request.id, era, kind: "tool" }, server, loss) : void 0;
    this.#fail("error", refusal ?? `The server "${server}" gave no answer (${loss.code}: ${loss.detail})`);
  }
  /** The agent can come back for the answer (`Last-Event-ID`); one that does not has left. */
  #detach() {
    this.#isDetached = true;
    this.#resumeTimer ??= setInterval(() => {
      if (!this.#options.isAwaited()) {
        this.cancel();
      }
    }, this.#options.resumeGraceMs);
  }
  #exceed(limit, outcome, message) {
    this.#options.recording.noteLimit(this.#options.server, limit);
    this.#giveUp(outcome, message);
  }
  #giveUp(outcome, message, reason) {
    if (!this.#isOver) {
      this.#sending?.cancel(reason);
      this.#fail(outcome, message);
    }
  }
  #fail(outcome, said, status = 200) {
    if (this.#isOver) {
      return;
    }
    if (this.isStanding && this.#options.reply.isStreaming) {
      this.#end();
      this.#options.reply.finishEmpty(200);
      return;
    }
    this.#options.reply.finish(status, this.#conclude(outcome, said).text);
  }
  #conclude(outcome, said) {
    try {
      this.#settle(outcome, NO_BYTES);
      return typeof said === "string" ? answerFailure(this.#options.request.id, said) : said;
    } catch (error) {
      if (!isRecordingFailure(error)) {
        throw error;
      }
      return refuseUnrecorded(this.#options);
    }
  }
  /** What goes wrong with one answer must not take the others down. */
  #answerSurprise(error) {
    const { recording, server } = this.#options;
    const name = error instanceof Error ? error.name : "unknown";
    recording.noteRepeated("internal_error", server, { server, error: name });
    return this.#conclude("error", "Internal error");
  }
  #settle(outcome, evidence) {
    const { callId, recording, inspecting } = this.#options;
    this.#end();
    if (callId !== void 0) {
      const duration_ms = Math.round(performance.now() - this.#startedAt);
      const found = inspecting.conclude(callId);
      recording.recordResult({ call: callId, outcome, duration_ms, ...evidence, ...found });
    }
  }
  #end() {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearInterval(this.#resumeTimer);
    this.#pulse?.stop();
    if (this.#isStream) {
      this.#timer = setTimeout(() => this.#sending?.leave(), AFTER_ANSWER_MS).unref();
    }
    this.#options.over();
  }
};

// proxy/gate/forwarding/in-flight.ts
var InFlight = class {
  /** As few as `maxConcurrentRequests` allows: looking through them costs less than keeping them sorted. */
  #exchanges = [];
  get size() {
    return this.#exchanges.length;
  }
  add(exchange) {
    this.#exchanges.push(exchange);
  }
  remove(exchange) {
    const place = this.#exchanges.indexOf(exchange);
    if (place === -1) {
      return;
    }
    const last = this.#exchanges.pop();
    if (last !== void 0 && last !== exchange) {
      this.#exchanges[place] = last;
    }
  }
  /** By the id that the client chose. */
  find(id) {
    return this.#exchanges.find((exchange) => exchange.id === id);
  }
  /** As they are now: what ends while they are gone through changes nothing of it. */
  list() {
    return [...this.#exchanges];
  }
};

// proxy/inspection/inspection.ts
var NO_FINDINGS = { redactions: /* @__PURE__ */ new Map(), removals: /* @__PURE__ */ new Map(), markers: /* @__PURE__ */ new Set() };
function joinFindings(left, right) {
  return {
    redactions: joinCounts(left.redactions, right.redactions),
    removals: joinCounts(left.removals, right.removals),
    markers: left.markers.union(right.markers)
  };
}
function joinCounts(left, right) {
  const joined = new Map(left);
  right.forEach((count2, kind) => joined.set(kind, (joined.get(kind) ?? 0) + count2));
  return joined;
}

// proxy/gate/forwarding/inspecting.ts
var INSPECTED = /* @__PURE__ */ new Set(["tools/call", "resources/read", "prompts/get", "completion/complete"]);
var FULL_INSPECTION = { secrets: "redact", text: "clean" };
var FAULTS = {
  unreadable: "The server sent a result that cannot be read",
  too_much: "The server sent a result that costs too much to inspect"
};
var Inspecting = class {
  #options;
  #findings = NO_FINDINGS;
  /** Of the last that could not be inspected. */
  #fault = "unreadable";
  constructor(options) {
    this.#options = options;
  }
  /** The message as it goes on; undefined for one that cannot be inspected. */
  pass(message) {
    const { inspector, inspection, callId, recording, server } = this.#options;
    const inspected = inspector.inspect(message, inspection);
    if (inspected === void 0) {
      return message;
    }
    if (!inspected.ok) {
      if (inspected.fault === "too_much") {
        recording.noteLimit(server, "inspection");
      }
      this.#fault = inspected.fault;
      return void 0;
    }
    if (callId === void 0) {
      this.#noteFindings(inspected.findings);
    } else {
      this.#findings = joinFindings(this.#findings, inspected.findings);
    }
    return inspected.message;
  }
  /** An error can come to any request, and quote anything. */
  passAnswer({ id, method }, amended) {
    if ("refusal" in amended || amended.message.kind === "result" && !INSPECTED.has(method)) {
      return amended;
    }
    const message = this.pass(amended.message);
    if (message !== void 0) {
      return message === amended.message ? amended : { ...amended, message };
    }
    return { outcome: "blocked", refusal: answerFailure(id, FAULTS[this.#fault]) };
  }
  /** Of the call, once it is over; that there are markers is an event as well. */
  conclude(callId) {
    const { redactions, removals, markers } = this.#findings;
    if (redactions.size + removals.size + markers.size === 0) {
      return {};
    }
    const { recording, server } = this.#options;
    if (markers.size > 0) {
      const detail = { server, call: callId, markers: [...markers] };
      recording.noteEvent("injection_marker", "warning", detail);
    }
    return {
      ...redactions.size > 0 && { redactions: Object.fromEntries(redactions) },
      ...removals.size > 0 && { removals: Object.fromEntries(removals) },
      ...markers.size > 0 && { markers: [...markers] }
    };
  }
  #noteFindings({ redactions, removals, markers }) {
    const { recording, server } = this.#options;
    if (redactions.size > 0) {
      recording.noteRepeated("secret_redacted", server, { server, kinds: [...redactions.keys()] });
    }
    if (removals.size > 0) {
      recording.noteRepeated("text_cleaned", server, { server, removed: Object.fromEntries(removals) });
    }
    if (markers.size > 0) {
      recording.noteRepeated("injection_marker", server, { server, markers: [...markers] });
    }
  }
};

// proxy/gate/forwarding/inquiry.ts
var Inquiry = class {
  #id;
  #maxBytes;
  #events;
  #answered = Promise.withResolvers();
  #timer;
  #sending;
  #bytes = 0;
  #isOver = false;
  constructor(id, maxBytes, events) {
    this.#id = id;
    this.#maxBytes = maxBytes;
    this.#events = events;
  }
  /** Nothing where there was none in time, too much of it, or an end without one. */
  get answer() {
    return this.#answered.promise;
  }
  start(send2, timeoutMs) {
    this.#timer = setTimeout(() => this.giveUp(), timeoutMs);
    const sending = send2(this);
    if (this.#isOver) {
      sending.leave();
    } else {
      this.#sending = sending;
    }
  }
  giveUp() {
    if (!this.#isOver) {
      this.#sending?.cancel();
      this.#end(void 0);
    }
  }
  opened() {
  }
  filler() {
  }
  message(message, carriage) {
    if (this.#isOver) {
      this.#events.messageDropped();
      return;
    }
    this.#bytes += message.text.length;
    if (this.#bytes > this.#maxBytes) {
      this.giveUp();
    } else if (message.kind === "notification") {
      const kind = findChangedKind(message.method);
      if (kind !== void 0) {
        this.#events.listChanged(kind);
      }
    } else if (message.id === this.#id || message.id === null && carriage.status !== void 0) {
      if (carriage.status !== void 0 && carriage.status >= 400) {
        this.#events.answeredStatus(carriage.status);
      }
      this.#end(message);
    } else {
      this.#events.messageDropped();
    }
  }
  status(status) {
    this.#events.answeredStatus(status);
    this.#end(void 0);
  }
  ended() {
    this.#end(void 0);
  }
  failed(loss) {
    if (!this.#isOver) {
      this.#events.lost(loss);
    }
    this.#end(void 0);
  }
  #end(answer) {
    if (!this.#isOver) {
      this.#isOver = true;
      clearTimeout(this.#timer);
      this.#sending?.leave();
      this.#answered.resolve(answer);
    }
  }
};

// proxy/gate/forwarding/notification-receipt.ts
function awaitReceipt(reply, inspecting, events) {
  return {
    opened: () => void 0,
    filler: () => void 0,
    message: (message, { status }) => {
      if (status !== void 0 && status >= 400) {
        const shown = inspecting.pass(message);
        if (shown === void 0) {
          reply?.finishEmpty(status);
        } else {
          reply?.finish(status, shown.text);
        }
      }
      return void 0;
    },
    status: (status) => {
      events.over();
      events.answeredStatus(status);
      reply?.finishEmpty(status);
    },
    ended: () => {
      events.over();
      reply?.finishEmpty(202);
    },
    failed: (loss) => {
      events.over();
      events.lost(loss);
      reply?.finishEmpty(502);
    }
  };
}

// proxy/gate/asks/server-request.ts
var import_node_crypto4 = require("node:crypto");

// proxy/messages/json-numbers.ts
var EXACT_DIGITS = 15;
function keepsItsValue(text) {
  if (text.length <= EXACT_DIGITS && /^(?:0|-?[1-9][0-9]*)$/.test(text)) {
    return true;
  }
  const value = Number(text);
  if (!Number.isFinite(value)) {
    return false;
  }
  const before = normalize(text);
  const after = normalize(String(value));
  if (before.digits === "") {
    return !text.startsWith("-");
  }
  return before.negative === after.negative && before.digits === after.digits && before.exponent === after.exponent;
}
function normalize(text) {
  const negative = text.startsWith("-");
  const [mantissa = "", power = "0"] = (negative ? text.slice(1) : text).split(/[eE]/);
  const [whole = "", fraction = ""] = mantissa.split(".");
  const all = whole + fraction;
  const leading = all.length - trimStart(all).length;
  const digits = trimEnd(trimStart(all));
  return { negative, digits, exponent: Number(power) + whole.length - leading };
}
function trimStart(digits) {
  let start = 0;
  while (digits[start] === "0") start++;
  return digits.slice(start);
}
function trimEnd(digits) {
  let end = digits.length;
  while (digits[end - 1] === "0") end--;
  return digits.slice(0, end);
}

// proxy/messages/json-reading.ts
function readJson(text, rules) {
  const reader = new Reader(text, rules);
  try {
    return { ok: true, value: reader.readDocument() };
  } catch (error) {
    if (error instanceof Refused) {
      return { ok: false, fault: error.fault };
    }
    throw error;
  }
}
var Refused = class extends Error {
  fault;
  constructor(fault) {
    super(fault);
    this.fault = fault;
  }
};
var QUOTE2 = 34;
var BACKSLASH2 = 92;
var OBJECT_START = 123;
var OBJECT_END = 125;
var ARRAY_START = 91;
var ARRAY_END = 93;
var COMMA = 44;
var COLON = 58;
var NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
var NEEDS_CARE2 = /[\u0000-\u001f\\]/;
var Reader = class {
  #text;
  #rules;
  /** Looked for once in the whole text: mostly there is none, and then no string has to be looked at again. */
  #needsCare;
  #at = 0;
  constructor(text, rules) {
    this.#text = text;
    this.#rules = rules;
    this.#needsCare = NEEDS_CARE2.test(text);
  }
  readDocument() {
    const value = this.#readValue(this.#rules.maxDepth);
    this.#peek();
    if (this.#at !== this.#text.length) {
      throw new Refused("not_json");
    }
    return value;
  }
  /** The code of the next character that is no white space; NaN at the end, where the position is the text's length. */
  #peek() {
    for (; ; ) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) {
        return code;
      }
      this.#at++;
    }
  }
  #readValue(depthLeft) {
    switch (this.#peek()) {
      case QUOTE2:
        return this.#readString();
      case OBJECT_START:
        return this.#readObject(depthLeft);
      case ARRAY_START:
        return this.#readArray(depthLeft);
      case 116:
        return this.#readWord("true", true);
      case 102:
        return this.#readWord("false", false);
      case 110:
        return this.#readWord("null", null);
      default:
        return this.#readNumber();
    }
  }
  #readWord(word, value) {
    if (!this.#text.startsWith(word, this.#at)) {
      throw new Refused("not_json");
    }
    this.#at += word.length;
    return value;
  }
  #readNumber() {
    NUMBER.lastIndex = this.#at;
    const [text] = NUMBER.exec(this.#text) ?? [];
    if (text === void 0) {
      throw new Refused("not_json");
    }
    if (this.#rules.numbers === "exact" && !keepsItsValue(text)) {
      throw new Refused("changing_number");
    }
    this.#at += text.length;
    return Number(text);
  }
  #readString() {
    const start = this.#at + 1;
    let end = this.#text.indexOf('"', start);
    while (end !== -1 && this.#isEscaped(end)) {
      end = this.#text.indexOf('"', end + 1);
    }
    if (end === -1) {
      throw new Refused("not_json");
    }
    this.#at = end + 1;
    const raw = this.#text.slice(start, end);
    return this.#needsCare && NEEDS_CARE2.test(raw) ? readEscapes(raw) : raw;
  }
  /** Whether the quote at `end` belongs to the string: an odd number of backslashes stands before it. */
  #isEscaped(end) {
    let before = end - 1;
    while (this.#text.charCodeAt(before) === BACKSLASH2) before--;
    return (end - before) % 2 === 0;
  }
  #readArray(depthLeft) {
    const values = [];
    this.#enter(depthLeft);
    if (this.#leaves(ARRAY_END)) {
      return values;
    }
    for (; ; ) {
      values.push(this.#readValue(depthLeft - 1));
      if (this.#continues(ARRAY_END)) {
        return values;
      }
    }
  }
  #readObject(depthLeft) {
    const members = {};
    this.#enter(depthLeft);
    if (this.#leaves(OBJECT_END)) {
      return members;
    }
    for (; ; ) {
      const name = this.#readName();
      if (Object.hasOwn(members, name)) {
        throw new Refused("duplicate_member");
      }
      members[name] = this.#readValue(depthLeft - 1);
      if (this.#continues(OBJECT_END)) {
        return members;
      }
    }
  }
  #readName() {
    if (this.#peek() !== QUOTE2) {
      throw new Refused("not_json");
    }
    const name = this.#readString();
    if (name === "__proto__") {
      throw new Refused("forbidden_member");
    }
    if (this.#peek() !== COLON) {
      throw new Refused("not_json");
    }
    this.#at++;
    return name;
  }
  #enter(depthLeft) {
    if (depthLeft === 0) {
      throw new Refused("too_deep");
    }
    this.#at++;
  }
  #leaves(end) {
    const left = this.#peek() === end;
    if (left) {
      this.#at++;
    }
    return left;
  }
  /** After a member: true when the end is next, false after a comma. */
  #continues(end) {
    const code = this.#peek();
    if (code !== end && code !== COMMA) {
      throw new Refused("not_json");
    }
    this.#at++;
    return code === end;
  }
};
function readEscapes(raw) {
  let value;
  try {
    value = JSON.parse(`"${raw}"`);
  } catch {
    throw new Refused("not_json");
  }
  if (typeof value !== "string") {
    throw new Refused("not_json");
  }
  if (!value.isWellFormed()) {
    throw new Refused("lone_surrogate");
  }
  return value;
}

// proxy/messages/server-params.ts
function readParams(message, maxDepth) {
  const span = message.members.get("params");
  return span === void 0 ? {} : readMembers(message.text.slice(span.start, span.end), maxDepth);
}
function readMembers(written, maxDepth) {
  const reading = readJson(toCharacters(written), { maxDepth, numbers: "any" });
  return reading.ok && isObject(reading.value) ? reading.value : void 0;
}

// proxy/gate/calls/call-decision.ts
var NOTHING_READ = /* @__PURE__ */ new Set();
function judgeCall({ id, method, params }, circumstances) {
  const { policy, usage, state, server, agent, era } = circumstances;
  const named = NAMED_METHODS.get(method);
  const naming = named?.read(params ?? {});
  const form = `${method} takes ${named?.takes ?? "something else"}`;
  if (naming === void 0) {
    const refusal = refuseInvalidCall(id, form);
    return { effect: "deny", reason: "invalid_params", argumentsInLog: "full", refusal };
  }
  const { kind, name, args } = naming;
  const asking = { id, era, kind };
  const call = { server, kind, name, args: isObject(args) ? args : {}, agent };
  const isUse = method !== UNSUBSCRIBE;
  const decision = isUse ? policy.decide(call, usage) : judgeGivingUp(policy, call, usage);
  const argumentsInLog = policy.argumentsInLog(findGrant(policy, call, decision));
  const deny = (reason, refusal, rule) => ({
    ...{ effect: "deny", naming, reason, argumentsInLog, refusal },
    ...rule !== void 0 && { rule }
  });
  if (!state.active) {
    return deny("session_over", refuseEndedSession(asking, state.reason));
  }
  if (decision.reason === "no_grant") {
    return deny(decision.reason, refuseUnknown(asking, name));
  }
  if (decision.reason === "flow") {
    return deny(decision.reason, refuseUnknown(asking, name), decision.rule);
  }
  const fault = kind === "tool" ? findLockFault(name, circumstances) : void 0;
  if (fault !== void 0) {
    const isUnverified = fault === "unverified";
    return deny(fault, isUnverified ? refuseUnverified(asking, name) : refuseUnknown(asking, name));
  }
  if (!isObject(args)) {
    return deny("invalid_params", refuseInvalidCall(id, form));
  }
  if (decision.effect === "deny") {
    const { reason, rule } = decision;
    const refusal = decision.reason === "limit_reached" ? refuseByLimit(asking, decision) : refuseByCondition(asking, decision);
    return deny(reason, refusal, rule);
  }
  return { effect: "allow", naming, call, decision, isUse, argumentsInLog };
}
function judgeGivingUp(policy, call, { labels }) {
  const shown = policy.show(call, labels);
  return shown.visible ? { effect: "allow", reason: "granted", rule: shown.why } : { effect: "deny", reason: "no_grant" };
}
function findLockFault(tool, { visibility, sighting }) {
  if (!visibility.isLocked) {
    return void 0;
  }
  if (visibility.lockedDigestOf(tool) === void 0) {
    return "unreviewed";
  }
  const seen = sighting.digestOf(tool);
  if (seen === void 0) {
    return sighting.isWhole ? "unlisted" : "unverified";
  }
  return visibility.judgeDefinition(tool, seen) === "reviewed" ? void 0 : "drifted";
}
function findGrant(policy, call, decision) {
  const said = decision.reason === "observed" ? decision.instead : decision;
  return "rule" in said && said.reason !== "flow" ? said.rule : policy.show(call, NOTHING_READ).why;
}

// proxy/gate/gate-context.ts
function recordOr(reply, refuse, write) {
  try {
    return write();
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
    send(reply, refuse());
    return void 0;
  }
}
function findClient({ sessions }, { agent, session }, message) {
  return findClientInfo(message) ?? session?.client ?? sessions.lastAttachment(agent)?.client;
}
function sightingOf({ sessions }, { session }) {
  return session?.sighting ?? sessions.sighting;
}

// proxy/gate/calls/recorded-call.ts
function decideCall(context, { sender, request }) {
  const { policy, usage, visibility, server } = context;
  return judgeCall(request, {
    ...{ policy, usage, visibility, server },
    era: eraOf(request),
    sighting: sightingOf(context, sender),
    state: context.sessionState(),
    agent: sender.agent
  });
}
function recordVerdict(context, { sender, request }, verdict) {
  const facts = {
    id: sender.callIds?.take(),
    credential: context.credential(),
    agent: sender.agent,
    client: findClient(context, sender, request),
    server: context.server,
    method: request.method,
    named: nameThing(verdict.naming),
    args: verdict.naming === void 0 ? request.params?.["arguments"] : verdict.naming.logged,
    argumentsInLog: verdict.argumentsInLog,
    traceparent: findTraceparent(request)
  };
  if (verdict.effect === "deny") {
    const { reason, rule } = verdict;
    return context.recording.recordCall(facts, { decision: "deny", reason, rule });
  }
  return verdict.isUse ? recordUse(context, facts, verdict) : context.recording.recordCall(facts, describePermission(verdict.decision, []));
}
function recordUse(context, facts, use) {
  const { policy, usage, recording } = context;
  const gained = policy.labelsOf(use.call).filter((label) => !usage.labels.has(label));
  const id = recording.recordCall(facts, describePermission(use.decision, gained));
  count(context, use, gained);
  return id;
}
function nameThing(naming) {
  if (naming === void 0 || naming.kind === "ask") {
    return void 0;
  }
  const { kind, name } = naming;
  return { kind, name };
}
function describePermission(decision, labels) {
  if (decision.reason === "granted") {
    return { decision: "allow", reason: decision.reason, rule: decision.rule, labels };
  }
  const { instead } = decision;
  const observed = { reason: instead.reason, ..."rule" in instead && { rule: instead.rule } };
  return { decision: "allow", reason: decision.reason, observed, labels };
}
function count(context, { call, decision }, gained) {
  const before = gained.length === 0 ? void 0 : new Set(context.usage.labels);
  context.usage.count(call, decision);
  if (before !== void 0) {
    context.labelsGained(before);
  }
}

// proxy/gate/asks/ask-decision.ts
function isAskGranted({ policy, server, usage }, ask2) {
  return policy.show({ server, kind: "ask", name: ask2 }, usage.labels).visible;
}
function findAskClient({ sessions }, { agent, session }) {
  return session?.client ?? sessions.lastAttachment(agent)?.client;
}
function admitAsks(context, { sender, asks }, then) {
  const decide = () => {
    const admitted = [];
    const isAdmitted = asks.every((ask2) => {
      const own = admitAsk(context, { sender, ask: ask2, waiting: admitted.length });
      if (own !== void 0) admitted.push(own);
      return own !== void 0;
    });
    return { isAdmitted, asks: admitted };
  };
  context.admission.admit(decide, { admitted: then, failed: () => then("unrecorded") });
}
function admitAsk(context, { sender, ask: { method, params, callId: id }, waiting: others }) {
  const { server, policy, usage, recording, limits, waiting, inspector } = context;
  const ask2 = ASKING_METHODS.get(method);
  if (ask2 === void 0 || params["task"] !== void 0 || !context.sessionState().active) {
    refuseAsk(context, ask2 === void 0 ? "other" : method);
    return void 0;
  }
  const call = { server, kind: "ask", name: ask2, args: params, agent: sender.agent };
  const decision = policy.decide(call, usage);
  if (decision.effect === "deny") {
    refuseAsk(context, method, decision.reason);
    return void 0;
  }
  if (!waiting.hasRoom(sender.agent, limits.maxAsks - others)) {
    recording.noteRepeated("limit_reached", `asks ${server}`, { limit: "max_asks", server });
    return void 0;
  }
  const rule = decision.reason === "granted" ? decision.rule : "";
  const argumentsInLog = policy.argumentsInLog(rule);
  const callId = recordUse(
    context,
    {
      ...{ id, agent: sender.agent, server, method, args: params, argumentsInLog },
      client: findAskClient(context, sender)
    },
    { call, decision }
  );
  const inspection = policy.inspectionOf(rule);
  const inspecting = new Inspecting({ server, recording, inspector, inspection, callId });
  return { callId, inspection, inspecting };
}
function refuseAsk({ recording, server }, method, reason = "no_grant") {
  const detail = { server, method, reason };
  recording.noteRepeated("server_request_refused", `${server} ${method} ${reason}`, detail);
}

// proxy/gate/asks/shared-asks.ts
var import_node_crypto3 = require("node:crypto");
function reopenAsks(context, sender, sealed) {
  const { shared, waiting, server, recording, inspector } = context;
  const opened = shared?.open(addresseeOf(sender), sealed);
  if (shared === void 0 || opened === void 0) {
    return void 0;
  }
  const asks = opened.asks.map(({ callId, place, inspection }) => {
    const here = waiting.find((ask2) => ask2.callId === callId);
    return here ?? {
      ...{ callId, inspection, agent: sender.agent, session: sender.session, key: place },
      inspecting: new Inspecting({ server, recording, inspector, inspection, callId }),
      startedAt: performance.now() - Math.max(0, shared.now() - opened.askedAt)
    };
  });
  return { asks, state: opened.state };
}
function addresseeOf({ agent, session }) {
  return { agent, session: session?.id };
}
function deriveCallId(call, name) {
  const digest = (0, import_node_crypto3.hash)("sha256", JSON.stringify([call, name]), "hex");
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}
var NAMED_CALL = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\./;
function findNamedCall(id) {
  return typeof id === "string" ? NAMED_CALL.exec(id)?.[1] : void 0;
}

// proxy/gate/asks/server-request.ts
var REFUSAL = { code: METHOD_NOT_FOUND, message: "Method not found" };
function refuseServerRequest(context, { id, method }) {
  if (method === "ping") {
    return writeAnswer(id, { result: {} });
  }
  refuseAsk(context, ASKING_METHODS.has(method) ? method : "other");
  return writeAnswer(id, { error: REFUSAL });
}
function openAsking(context, sender, isPossible) {
  return (request, way) => passServerRequest(context, sender, { request, way: { ...way, isOpen: way.isOpen && isPossible } });
}
function passServerRequest(context, sender, { request, way }) {
  const { limits, waiting, recording, server } = context;
  const { id, method, text } = request;
  const { isOpen, answer } = way;
  if (!isOpen || !ASKING_METHODS.has(method)) {
    answer(refuseServerRequest(context, request));
    return void 0;
  }
  const again = sender.session && waiting.find((ask2) => isOf(ask2, sender) && ask2.request?.id === id);
  if (again !== void 0) {
    return repeatRequest(again, request, way);
  }
  const params = text.length <= limits.maxRequestBytes ? readParams(request, limits.maxDepth) : void 0;
  if (params === void 0) {
    recording.noteRepeated("server_message_dropped", `${server} asks`, { server, reason: "unreadable" });
    answer(writeAnswer(id, { error: { code: INTERNAL_ERROR, message: "The request cannot be read" } }));
    return void 0;
  }
  const callId = context.isRelayed ? findNamedCall(id) : void 0;
  if (callId !== void 0 && waiting.isKnown(callId)) {
    return void 0;
  }
  let sent;
  admitAsks(context, { sender, asks: [{ method, params, callId }] }, (verdict) => {
    const [admitted] = verdict === "unrecorded" ? [] : verdict.asks;
    if (verdict === "unrecorded") {
      const error = { code: INTERNAL_ERROR, message: "The request cannot be recorded" };
      answer(writeAnswer(id, { error }));
    } else if (admitted === void 0) {
      answer(writeAnswer(id, { error: REFUSAL }));
    } else {
      sent = ask(context, sender, { request, way, admitted });
    }
  });
  return sent;
}
function ask(context, sender, { request, way: { stream, send: send2, answer }, admitted }) {
  const { waiting } = context;
  const { id, text } = request;
  const key = nameAsk(context, sender, { id, admitted });
  waiting.add(key, {
    ...{ ...admitted, agent: sender.agent, session: sender.session, answer },
    request: { id, text, saidOn: /* @__PURE__ */ new Set([stream]) },
    abandoned: () => answer(writeAbandoned(id))
  });
  const shown = admitted.inspecting.pass(request);
  if (shown === void 0) {
    waiting.abandon((each) => each.key === key, "blocked");
    return void 0;
  }
  return send2(withRequestId(shown, key).text);
}
function nameAsk({ shared }, sender, { id, admitted: { callId, inspection } }) {
  if (shared === void 0) {
    return (0, import_node_crypto4.randomUUID)();
  }
  const asks = [{ callId, place: JSON.stringify(id), inspection }];
  const name = `${callId}.${shared.seal(addresseeOf(sender), { askedAt: shared.now(), asks })}`;
  return isRequestId(name) ? name : `${callId}.${(0, import_node_crypto4.randomUUID)()}`;
}
function repeatRequest({ request: first, inspecting, key }, request, { stream, send: send2, answer }) {
  if (first?.text !== request.text) {
    const error = { code: INTERNAL_ERROR, message: "A request with this id waits" };
    answer(writeAnswer(request.id, { error }));
    return void 0;
  }
  const shown = first.saidOn.has(stream) ? void 0 : inspecting.pass(request);
  first.saidOn.add(stream);
  return shown && send2(withRequestId(shown, key).text);
}
function passClientAnswer(context, sender, response) {
  const { waiting, recording, server } = context;
  const drop = () => recording.noteRepeated("agent_answer_dropped", server, { server, agent: sender.agent });
  const ask2 = waiting.find((each) => each.key === response.id && isOf(each, sender)) ?? reopenRequest(context, sender, response.id);
  if (ask2?.request === void 0) {
    drop();
    return;
  }
  const { id } = ask2.request;
  const [answer] = readServerMessages(toByteText(writeAnswer(id, response.outcome))) ?? [];
  const shown = answer?.kind === "result" || answer?.kind === "error" ? ask2.inspecting.pass(answer) : void 0;
  waiting.claim([ask2], ([own]) => {
    if (own === void 0) {
      drop();
    } else if (shown === void 0) {
      waiting.giveUp(own, "blocked");
    } else {
      passAnswer(context, own, shown);
    }
  });
}
function passAnswer({ waiting }, ask2, shown) {
  try {
    waiting.end(ask2, shown.kind === "error" ? "error" : "ok", collectEvidence(shown));
    ask2.answer?.(toCharacters(shown.text));
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
    ask2.abandoned?.();
  }
}
function reopenRequest(context, sender, name) {
  const call = context.shared === void 0 ? void 0 : findNamedCall(name);
  if (typeof name !== "string" || call === void 0) {
    return void 0;
  }
  const [ask2] = reopenAsks(context, sender, name.slice(call.length + 1))?.asks ?? [];
  if (ask2?.request !== void 0) {
    return ask2;
  }
  const id = ask2 === void 0 ? void 0 : JSON.parse(ask2.key);
  if (ask2?.callId !== call || !isRequestId(id)) {
    return void 0;
  }
  const answer = (text) => context.answer(sender, text);
  const request = { id, text: "", saidOn: /* @__PURE__ */ new Set() };
  return { ...ask2, request, answer, abandoned: () => answer(writeAbandoned(id)) };
}
function writeAbandoned(id) {
  return writeAnswer(id, { error: { code: INTERNAL_ERROR, message: "The agent gave no answer" } });
}
function passCancelledAsk({ waiting, limits }, sender, notification) {
  const params = readParams(notification, limits.maxDepth);
  const ask2 = waiting.find((each) => isOf(each, sender) && each.request?.id === params?.["requestId"]);
  const span = notification.members.get("params");
  if (ask2 === void 0 || span === void 0) {
    return void 0;
  }
  waiting.abandon((each) => each === ask2, "cancelled");
  return replaceInMessage(notification, span, toByteText(JSON.stringify({ requestId: ask2.key })));
}
function isOf({ agent, session }, sender) {
  return agent === sender.agent && session === sender.session;
}
function withRequestId(request, id) {
  const span = request.members.get("id");
  return span === void 0 ? request : replaceInMessage(request, span, JSON.stringify(id));
}
function writeAnswer(id, outcome) {
  return JSON.stringify({ jsonrpc: "2.0", id, ...outcome });
}

// proxy/gate/sessions/session-stream.ts
var SessionStream = class {
  #options;
  #pulse;
  #sending;
  #isOver = false;
  constructor(options) {
    this.#options = options;
    this.#pulse = new StreamPulse(options.pulse, {
      beat: () => options.reply.sendComment(),
      idle: () => {
        options.idle();
        this.close();
      }
    });
    options.reply.onGone(() => this.close());
  }
  start(open) {
    const sending = open(this);
    if (this.#isOver) {
      sending.leave();
    } else {
      this.#sending = sending;
    }
  }
  opened() {
    this.#options.reply.openStream();
    this.#announceDue();
  }
  /** What the policy takes away in the middle of a session: on one stream of each, on all where nobody has one. */
  announceChanged(kinds) {
    if (this.#options.session === void 0) {
      this.#announce(kinds);
    } else {
      this.#announceDue();
    }
  }
  #announceDue() {
    const { reply, session } = this.#options;
    if (reply.isStreaming && session !== void 0) {
      this.#announce(session.takeNotices());
    }
  }
  #announce(kinds) {
    const { reply } = this.#options;
    for (const kind of reply.isStreaming ? kinds : []) {
      void reply.sendEvent({ data: writeChanged(kind) });
    }
  }
  filler({ eventId, retry }) {
    this.#pulse.heard();
    if (eventId === void 0 && retry === void 0) {
      this.#options.reply.sendComment();
    } else {
      void this.#options.reply.sendEvent({ data: "", id: eventId, retry });
    }
  }
  asked(request, { carriage, answer }) {
    const { eventId: id, retry } = carriage;
    const send2 = (data) => this.#options.reply.sendEvent({ data, id, retry });
    return this.#options.ask(request, { stream: this, send: send2, answer, isOpen: !this.#isOver });
  }
  message(message, carriage) {
    const { reply, session, hearing, inspecting } = this.#options;
    const { eventId: id, retry } = carriage;
    this.#pulse.heard();
    if (message.kind === "notification") {
      const kind = findChangedKind(message.method);
      if (kind !== void 0) {
        this.#options.listChanged(kind);
        return void 0;
      }
      const heard = hearing.hear(message);
      const data = heard === void 0 ? void 0 : inspecting.pass(heard)?.text;
      return data === void 0 ? void 0 : reply.sendEvent({ data, id, retry });
    }
    if (carriage.status !== void 0) {
      this.#options.answeredStatus(carriage.status);
      const shown = message.kind === "error" ? inspecting.pass(message) : void 0;
      this.#end(
        () => shown === void 0 ? reply.finishEmpty(502) : reply.finish(carriage.status ?? 502, shown.text)
      );
      return void 0;
    }
    const exchange = session?.findAwaiting(message.id);
    if (exchange === void 0) {
      this.#options.messageDropped();
      return void 0;
    }
    return reply.sendEvent({ data: exchange.resolve(message).text, id, retry });
  }
  status(status) {
    this.#options.answeredStatus(status);
    const { reply } = this.#options;
    const { text } = refuseHttp(status, `The server answered with HTTP ${status}`);
    if (status === 405) {
      reply.setField("allow", "POST");
    }
    this.#end(() => reply.finish(status, text));
  }
  ended() {
    this.#end(() => this.#options.reply.finishEmpty(502));
  }
  failed(loss) {
    this.#options.lost(loss);
    const { reply } = this.#options;
    const { text } = refuseHttp(502, `The server gave no answer (${loss.code}: ${loss.detail})`);
    this.#end(() => reply.isStreaming ? reply.finishEmpty(502) : reply.finish(502, text));
  }
  close() {
    this.#end(() => {
      this.#sending?.leave();
      this.#options.reply.finishEmpty(503);
    });
  }
  #end(finish) {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    this.#pulse.stop();
    finish();
    this.#options.over();
  }
};

// proxy/gate/asks/unasked-words.ts
function hearUnasked(context, sender, notification) {
  switch (notification.method) {
    case CANCELLED:
      return passCancelledAsk(context, sender, notification);
    case ELICITED:
      return isAskGranted(context, "elicitation") ? notification : void 0;
    case LOGGED:
      return isAskGranted(context, "logging") && isRead(context, callOf(context, sender)) ? notification : void 0;
    default:
      return void 0;
  }
}
function admitWords(context, { sender, notification: { method, text } }, then) {
  const { server, policy, usage, recording } = context;
  const call = callOf(context, sender);
  if (method !== LOGGED || !isAskGranted(context, "logging") || isRead(context, call)) {
    then();
    return;
  }
  const decide = () => {
    const decision = policy.decide(call, usage);
    if (decision.effect === "allow") {
      const facts = { agent: sender.agent, client: findAskClient(context, sender), server, method };
      const id = recordUse(context, facts, { call, decision });
      recording.recordResult({ call: id, outcome: "ok", duration_ms: 0, bytes: text.length });
    }
  };
  context.admission.admit(decide, { admitted: then, failed: then });
}
function callOf({ server }, { agent }) {
  return { server, kind: "ask", name: "logging", args: {}, agent };
}
function isRead({ policy, usage }, call) {
  return policy.labelsOf(call).every((label) => usage.labels.has(label));
}

// proxy/gate/forwarding/held-sink.ts
function holdSink(sink, hold) {
  const waiting = [];
  let isHeld = false;
  const inTurn = (tell2) => {
    if (!isHeld) {
      return tell2();
    }
    const { promise, resolve } = Promise.withResolvers();
    waiting.push(() => void Promise.resolve(tell2()).then(resolve));
    return promise;
  };
  const release = () => {
    isHeld = false;
    while (!isHeld && waiting.length > 0) {
      waiting.shift()?.();
    }
  };
  const tell = (step) => {
    void inTurn(() => {
      step();
      return void 0;
    });
  };
  return {
    opened: () => tell(() => sink.opened()),
    filler: (carriage) => tell(() => sink.filler(carriage)),
    status: (status) => tell(() => sink.status(status)),
    ended: () => tell(() => sink.ended()),
    failed: (loss) => tell(() => sink.failed(loss)),
    message: (message, carriage) => inTurn(() => {
      let passed;
      let isAtOnce = true;
      const later = Promise.withResolvers();
      isHeld = true;
      hold(message, () => {
        passed = sink.message(message, carriage);
        if (!isAtOnce) {
          void Promise.resolve(passed).then(later.resolve);
          release();
        } else {
          isHeld = false;
        }
      });
      isAtOnce = false;
      return isHeld ? later.promise : passed;
    }),
    ...sink.asked !== void 0 && {
      asked: (request, asking) => inTurn(() => sink.asked?.(request, asking))
    }
  };
}

// proxy/gate/forwarding/undecided.ts
function holdUndecided(asks, { sender, sink }, findAsked) {
  return holdSink(sink, (message, then) => {
    if (message.kind === "notification") {
      admitWords(asks, { sender, notification: message }, then);
      return;
    }
    const exchange = findAsked(message);
    if (exchange === void 0) {
      then();
    } else {
      exchange.admit(message, then);
    }
  });
}

// proxy/gate/forwarding/forwarding.ts
var NOTHING2 = /* @__PURE__ */ new Set();
var Forwarding = class {
  #options;
  #exchanges = new InFlight();
  #sessionStreams = /* @__PURE__ */ new Map();
  #inquiries = /* @__PURE__ */ new Set();
  /** Of a session's request; from a place that nobody can count on, a request without a session least of all. */
  #lastId = (0, import_node_crypto5.randomInt)(2 ** 40);
  #isLost = false;
  #isClosing = false;
  #whenIdle;
  constructor(options) {
    this.#options = options;
  }
  request(sender, request, options) {
    const { server, recording, limits, load, streams, upstream, listChanged: listChanged2, asks } = this.#options;
    const { reply, amend, callId, isStanding = false } = options;
    const { session } = sender;
    const places = isStanding ? streams : load;
    if (!places.take()) {
      this.#noteFull(isStanding);
      options.over?.();
      send(reply, refuseBusy(request.id, isStanding ? "streams" : "requests"));
      return;
    }
    const era = eraOf(request);
    const wireId = session === void 0 ? request.id : ++this.#lastId;
    const exchange = new Exchange({
      ...{ request, wireId, era, server, reply, recording, callId },
      admitAnswer: options.admitAnswer,
      amend: (answer) => {
        this.#isLost = false;
        return amend(answer);
      },
      timeoutMs: isStanding ? void 0 : limits.callTimeoutMs,
      pulse: limits,
      resumeGraceMs: session === void 0 ? void 0 : limits.resumeGraceMs,
      isAwaited: () => session !== void 0 && session.streams > 0,
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      messageDropped: () => this.noteMessageDropped(),
      notice: new ChangeNotice({
        ...{ reply, era, id: request.id },
        hearsOf: options.hearsOf ?? NOTHING2,
        takeNotices: () => session?.takeNotices() ?? NOTHING2,
        sender,
        listChanged: (kind) => listChanged2(sender, kind)
      }),
      hearing: options.hearing ?? this.#hearingOf(sender),
      inspecting: this.#openInspecting(options),
      // Without sessions a server asks within its answers, and before it has one it asks nothing.
      ask: openAsking(
        asks,
        sender,
        era === "handshake" && request.method !== "initialize" && parseAccept(sender.fields).stream
      ),
      over: () => {
        session?.exchanges.remove(exchange);
        this.#exchanges.remove(exchange);
        places.free();
        options.over?.();
        this.#checkIdle();
      }
    });
    session?.exchanges.add(exchange);
    this.#exchanges.add(exchange);
    const forward2 = {
      ...{ message: { ...request, id: wireId }, era, agent: sender.agent },
      calls: callId === void 0 ? options.calls : [callId],
      revision: revisionOf(sender),
      session: session?.id,
      accept: writeAccept(parseAccept(sender.fields)),
      paramFields: options.paramFields ?? /* @__PURE__ */ new Map()
    };
    exchange.start(
      (sink) => upstream.send(
        forward2,
        holdUndecided(asks, { sender, sink }, () => exchange),
        options.opensSession ?? (() => void 0)
      )
    );
  }
  /** `reply` gets the status that the server gave. */
  notify(sender, notification, reply) {
    const { upstream, limits } = this.#options;
    const forward2 = {
      ...{ message: notification, era: eraOf(notification), agent: sender.agent },
      revision: revisionOf(sender),
      session: sender.session?.id,
      accept: writeAccept(parseAccept(sender.fields)),
      paramFields: /* @__PURE__ */ new Map()
    };
    const sink = awaitReceipt(reply, this.#openInspecting({}), {
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      over: () => clearTimeout(timer)
    });
    const timer = setTimeout(() => {
      sending.leave();
      reply?.finishEmpty(504);
    }, limits.callTimeoutMs).unref();
    const sending = upstream.send(forward2, sink, () => void 0);
  }
  openStream(sender, reply) {
    const { server, streams, upstream, limits, recording, listChanged: listChanged2, asks } = this.#options;
    const { session } = sender;
    if (!streams.take()) {
      this.#noteFull(true);
      send(reply, refuseBusy(null, "streams"));
      return;
    }
    if (session !== void 0) {
      session.streams++;
    }
    const stream = new SessionStream({
      ...{ reply, session },
      hearing: this.#hearingOf(sender),
      inspecting: this.#openInspecting({}),
      ask: openAsking(asks, sender, true),
      pulse: limits,
      idle: () => recording.noteLimit(server, "stream_idle"),
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      messageDropped: () => this.noteMessageDropped(),
      listChanged: (kind) => listChanged2(sender, kind),
      over: () => {
        streams.free();
        this.#sessionStreams.delete(stream);
        if (session !== void 0) {
          session.streams--;
        }
      }
    });
    this.#sessionStreams.set(stream, sender);
    const request = {
      revision: revisionOf(sender),
      session: session?.id,
      accept: "text/event-stream",
      lastEventId: sender.fields.get("last-event-id"),
      agent: sender.agent
    };
    const findAsked = ({ id }) => session?.findAwaiting(id);
    stream.start((sink) => upstream.openStream(request, holdUndecided(asks, { sender, sink }, findAsked)));
  }
  /**
   * A request of the gate's own, in the name of the sender's session. Resolves with the answer, or with nothing when
   * there is none in time, or more than `maxBytes` of it.
   */
  ask(sender, { method, params }, { timeoutMs, maxBytes }) {
    if (this.#isClosing) {
      return Promise.resolve(void 0);
    }
    const { upstream, limits } = this.#options;
    const message = { kind: "request", id: ++this.#lastId, method, params };
    const forward2 = {
      ...{ message, era: eraOf(message), agent: sender.agent },
      revision: revisionOf(sender),
      session: sender.session?.id,
      accept: writeAccept({ document: true, stream: true }),
      paramFields: /* @__PURE__ */ new Map()
    };
    const inquiry = new Inquiry(message.id, Math.min(maxBytes, limits.maxAnswerBytes), {
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      messageDropped: () => this.noteMessageDropped(),
      listChanged: (kind) => this.#options.listChanged(sender, kind)
    });
    this.#inquiries.add(inquiry);
    inquiry.start((sink) => upstream.send(forward2, sink, () => void 0), timeoutMs);
    return inquiry.answer.finally(() => this.#inquiries.delete(inquiry));
  }
  /** To every agent, or to one: on each stream that can hear it; a session without one hears it on the next that opens. */
  announceChanged(kinds, to) {
    for (const session of this.#options.sessions.list()) {
      if (to === void 0 || to.session === session) {
        kinds.forEach((kind) => session.noticesDue.add(kind));
      }
    }
    for (const [stream, sender] of [...this.#sessionStreams]) {
      if (to === void 0 || isSameViewer(sender, to)) {
        stream.announceChanged(kinds);
      }
    }
    this.#exchanges.list().forEach((exchange) => exchange.announceChanged(kinds, to));
  }
  /** Calls in flight have `graceMs` to end; then they are cancelled. */
  async close(graceMs) {
    this.#isClosing = true;
    [...this.#inquiries].forEach((inquiry) => inquiry.giveUp());
    this.#exchanges.list().forEach((exchange) => exchange.isStanding && exchange.cancel());
    [...this.#sessionStreams.keys()].forEach((stream) => stream.close());
    if (this.#exchanges.size > 0) {
      await new Promise((resolve) => {
        this.#whenIdle = resolve;
        setTimeout(resolve, graceMs).unref();
      });
    }
    this.#exchanges.list().forEach((exchange) => exchange.cancel());
    this.#options.asks.waiting.abandon(() => true, "cancelled");
    await this.#options.upstream.close();
  }
  noteMessageDropped() {
    const { recording, server } = this.#options;
    recording.noteRepeated("server_message_dropped", server, { server, reason: "answers_nothing" });
  }
  /** Streams are counted over all servers. */
  #noteFull(isStream) {
    const { recording, server } = this.#options;
    if (isStream) {
      recording.noteRepeated("limit_reached", "streams", { limit: "max_streams" });
    } else {
      recording.noteLimit(server, "concurrent_calls");
    }
  }
  /** One event for one outage. A server whose answer cannot be taken is there. */
  #noteLost({ code, detail }) {
    const { recording, server } = this.#options;
    if (code === "too_large") {
      recording.noteLimit(server, "answer_size");
    } else if (code === "too_costly") {
      recording.noteLimit(server, "inspection");
    }
    if (code === "too_large" || code === "too_costly" || code === "unreadable") {
      recording.noteRepeated("server_message_dropped", `${server} ${code}`, { server, reason: code });
    } else if (!this.#isLost) {
      this.#isLost = true;
      recording.noteEvent("upstream_lost", "warning", { server, code, detail });
    }
  }
  /** A session that the server does not know any more is none. */
  #noteStatus({ session }, status) {
    if (status === 404 && session !== void 0) {
      this.#options.sessions.forget(session.id);
    }
  }
  #openInspecting({ callId, inspection = FULL_INSPECTION }) {
    const { server, recording, inspector } = this.#options;
    return new Inspecting({ server, recording, inspector, inspection, callId });
  }
  #hearingOf(sender) {
    const { sessions, hearingOf, asks } = this.#options;
    const hearing = hearingOf(sessions.subscriptionsOf(sender.agent, sender.session));
    return {
      hear: (notification) => hearing.hear(notification) ?? hearUnasked(asks, sender, notification)
    };
  }
  #checkIdle() {
    if (this.#exchanges.size === 0) {
      this.#whenIdle?.();
    }
  }
};

// proxy/gate/lists/list-filter.ts
var import_node_crypto6 = require("node:crypto");

// proxy/inspection/definition-cleaning.ts
var PROSE = /* @__PURE__ */ new Set(["title", "description", "$comment"]);
var DATA = /* @__PURE__ */ new Set(["default", "const", "enum", "examples"]);
var QUOTE3 = 34;
var BACKSLASH3 = 92;
var SUSPICIOUS2 = /[\\\x7f-\xff]/;
function cleanDefinition(text) {
  const removed = /* @__PURE__ */ new Map();
  if (!SUSPICIOUS2.test(text)) {
    return { text, removed };
  }
  const parts = [];
  let copied = 0;
  for (const { start, end } of findProse(text)) {
    const written = readSpan(text, { start, end });
    const cleaned = typeof written === "string" ? cleanText(written) : void 0;
    if (cleaned !== void 0 && cleaned.removed.size > 0) {
      parts.push(text.slice(copied, start), toByteText(JSON.stringify(cleaned.text)));
      copied = end;
      cleaned.removed.forEach((count2, kind) => removed.set(kind, (removed.get(kind) ?? 0) + count2));
    }
  }
  return removed.size === 0 ? { text, removed } : { text: parts.join("") + text.slice(copied), removed };
}
function* findProse(text) {
  const levels = [];
  for (let place = 0; place < text.length; place++) {
    const level = levels.at(-1);
    switch (text.charCodeAt(place)) {
      case QUOTE3: {
        const end = findStringEnd(text, place);
        const span = { start: place, end };
        if (level === void 0) {
          yield span;
        } else if (level.isObject && level.name === void 0) {
          level.name = String(readSpan(text, span));
        } else if (level.isObject && !level.isData && PROSE.has(level.name ?? "") && SUSPICIOUS2.test(text.slice(place, end))) {
          yield span;
        }
        place = end - 1;
        break;
      }
      case 123:
      case 91: {
        const isData = level !== void 0 && (level.isData || level.isObject && DATA.has(level.name ?? ""));
        levels.push({ isObject: text[place] === "{", isData, name: void 0 });
        break;
      }
      case 125:
      case 93:
        levels.pop();
        break;
      case 44:
        if (level !== void 0) {
          level.name = void 0;
        }
        break;
      default:
    }
  }
}
function findStringEnd(text, start) {
  let end = start + 1;
  while (text.charCodeAt(end) !== QUOTE3 && end < text.length) {
    end += text.charCodeAt(end) === BACKSLASH3 ? 2 : 1;
  }
  return end + 1;
}

// proxy/gate/sessions/capabilities.ts
var CAPABILITIES = {
  tools: ["tool"],
  resources: ["resource"],
  prompts: ["prompt"],
  completions: ["resource", "prompt"]
};
function withGrantedCapabilities(context, request) {
  const { params } = request;
  const meta = params?.["_meta"];
  if (params === void 0) {
    return request;
  }
  const own = params["capabilities"];
  return {
    ...request,
    params: {
      ...params,
      ...request.method === "initialize" && isObject(own) && { capabilities: keepGranted(context, own) },
      ...isObject(meta) && { _meta: reduceMeta(context, meta) }
    }
  };
}
function reduceMeta(context, { [LOG_LEVEL]: level, ...meta }) {
  const offered = meta[CLIENT_CAPABILITIES];
  return {
    ...meta,
    ...isObject(offered) && { [CLIENT_CAPABILITIES]: keepGranted(context, offered) },
    ...level !== void 0 && isAskGranted(context, "logging") && { [LOG_LEVEL]: level }
  };
}
var OFFERED = ["sampling", "elicitation", "roots"];
function keepGranted(context, offered) {
  const kept = OFFERED.flatMap((ask2) => {
    const own = offered[ask2];
    return own !== void 0 && isAskGranted(context, ask2) ? [[ask2, own]] : [];
  });
  return Object.fromEntries(kept);
}
function reduceServerCapabilities(context, answer) {
  const { policy, server } = context;
  const span = findMembersOf(answer, "result")?.get("capabilities");
  const found = span === void 0 ? void 0 : findMembers(answer.text, span.start);
  if (span === void 0 || found === void 0) {
    return passUnchanged(answer);
  }
  const kept = Object.entries(CAPABILITIES).flatMap(([name, kinds]) => {
    const own = found.spans.get(name);
    if (own === void 0 || !kinds.some((kind) => policy.reaches(server, kind))) {
      return [];
    }
    const text = answer.text.slice(own.start, own.end);
    const isAnnounced = name === "tools" && policy.canLoseTools(server);
    return [`"${name}":${isAnnounced ? withListChanged(text) : text}`];
  });
  const log = found.spans.get("logging");
  if (log !== void 0 && isAskGranted(context, "logging")) {
    kept.push(`"logging":${answer.text.slice(log.start, log.end)}`);
  }
  return { outcome: "ok", message: makePrivate(replaceInMessage(answer, span, `{${kept.join(",")}}`)) };
}
function withListChanged(capability) {
  const found = findMembers(capability, 0);
  if (found === void 0) {
    return capability;
  }
  const { spans, whole } = found;
  const said = spans.get("listChanged");
  if (said !== void 0) {
    return readSpan(capability, said) === true ? capability : replaceSpan(capability, said, "true");
  }
  const rest = capability.slice(whole.start + 1);
  return `{"listChanged":true${spans.size === 0 ? "" : ","}${rest}`;
}
function makePrivate(answer) {
  const span = findMembersOf(answer, "result")?.get("cacheScope");
  return span === void 0 ? answer : replaceInMessage(answer, span, '"private"');
}

// proxy/gate/lists/list-pages.ts
function readPage(answer, { member }) {
  const { text } = answer;
  const members = findMembersOf(answer, "result");
  const list = members?.get(member);
  const entries = list === void 0 ? void 0 : findElements(text, list.start);
  if (list === void 0 || entries === void 0) {
    return void 0;
  }
  const next = members?.get("nextCursor");
  const cursor = next === void 0 ? void 0 : readSpan(text, next);
  const written = text.slice(list.start + 1, list.end - 1).trim();
  if (typeof cursor === "string") {
    return { answer, list, entries, next, written, cursor };
  }
  return cursor === void 0 || cursor === null ? { answer, list, entries, next, written, cursor: void 0 } : void 0;
}
function joinPages(pages) {
  const [{ answer, list, next }] = pages;
  const written = pages.flatMap((page) => page.written === "" ? [] : [page.written]);
  const joined = { span: list, by: `[${written.join(",")}]` };
  const end = next === void 0 ? [] : [endList(answer.text, next, pages.at(-1))];
  const changes = [joined, ...end].toSorted((one, other) => other.span.start - one.span.start);
  return changes.reduce((message, { span, by }) => replaceInMessage(message, span, by), answer);
}
function endList(text, next, last) {
  return last?.next === void 0 || last.cursor !== void 0 ? { span: spanMember(text, next), by: "" } : { span: next, by: last.answer.text.slice(last.next.start, last.next.end) };
}
function spanMember(text, value) {
  const name = text.lastIndexOf('"', text.lastIndexOf('"', value.start - 1) - 1);
  const before = text.slice(0, name).trimEnd();
  if (before.endsWith(",")) {
    return { start: before.length - 1, end: value.end };
  }
  return { start: name, end: text.length - text.slice(value.end).trimStart().replace(/^,\s*/, "").length };
}

// proxy/gate/lists/list-filter.ts
var MAX_NAME_LENGTH = 512;
var DESCRIBING = ["name", "title", "uri", "uriTemplate", "description", "mimeType", "arguments"];
function filterList(answer, filter) {
  const { listing, limits } = filter;
  const page = readPage(answer, listing);
  if (page === void 0 || page.cursor !== void 0 || page.entries.length > limits.maxListed) {
    return void 0;
  }
  const definitions = [];
  for (const { start, end } of page.entries) {
    const definition = readDefinition(answer.text.slice(start, end), listing, limits.maxDepth);
    if (definition === void 0) {
      return void 0;
    }
    definitions.push(definition);
  }
  const shown = definitions.filter((definition) => filter.isVisible(definition));
  const written = `[${shown.map(({ cleaned }) => cleaned.text).join(",")}]`;
  const { list } = page;
  const isUntouched = answer.text.slice(list.start, list.end) === written;
  return {
    message: makePrivate(isUntouched ? answer : replaceInMessage(answer, list, written)),
    ...{ definitions, shown }
  };
}
function readDefinition(text, { kind, nameMember }, maxDepth) {
  const reading = readJson(toCharacters(text), { maxDepth, numbers: "any" });
  const definition = reading.ok ? reading.value : null;
  const name = isObject(definition) ? definition[nameMember] : void 0;
  if (!isObject(definition) || typeof name !== "string" || name.length > MAX_NAME_LENGTH) {
    return void 0;
  }
  const digest = kind === "tool" ? digestDefinition(definition) : digestOther(definition);
  return { name, definition, digest, cleaned: cleanDefinition(text) };
}
function digestOther(definition) {
  const members = DESCRIBING.flatMap((name) => {
    const member = definition[name];
    return member === void 0 ? [] : [[name, member]];
  });
  return (0, import_node_crypto6.hash)("sha256", canonicalize(Object.fromEntries(members)), "hex");
}

// proxy/gate/lists/list-intake.ts
function noteAsking(context, sender, listing) {
  const sighting = sightingOf(context, sender);
  return { listing, sighting, generation: sighting.generation };
}
function takeList(context, answer, { listing, sighting, generation }) {
  const { findings, limits, visibility } = context;
  const { kind } = listing;
  const catalog = context.catalogs[listing.list];
  const list = filterList(answer, {
    ...{ listing, limits },
    isVisible: ({ name, digest }) => visibility.show({ kind, name, digest }).visible
  });
  if (list === void 0) {
    return void 0;
  }
  catalog.learn(list.definitions);
  if (kind === "tool") {
    if (visibility.isLocked) {
      sighting.learn(generation, lockedOnes(list.definitions, visibility));
    }
    list.definitions.forEach((tool) => findings.noteDefinition(tool));
  }
  list.shown.forEach((definition) => findings.noteShown(kind, definition));
  catalog.recordNews(() => recordCatalog(context, listing));
  return list;
}
function lockedOnes(tools, visibility) {
  const locked = tools.filter(({ name }) => visibility.lockedDigestOf(name) !== void 0);
  const isReviewed = ({ name, digest }) => visibility.judgeDefinition(name, digest) === "reviewed";
  return [...locked.filter(isReviewed), ...locked.filter((tool) => !isReviewed(tool))];
}
function noteCatalogs(context, isConcerned) {
  const known = LISTINGS.filter(({ list }) => context.catalogs[list].known.size > 0);
  for (const listing of known.filter(isConcerned)) {
    const catalog = context.catalogs[listing.list];
    catalog.markUnrecorded();
    try {
      catalog.recordNews(() => recordCatalog(context, listing));
    } catch (error) {
      if (!isRecordingFailure(error)) {
        throw error;
      }
    }
  }
}
function recordCatalog({ catalogs, visibility, recording, server }, listing) {
  const { kind, list } = listing;
  const entries = [...catalogs[list].known].map(([name, { digest }]) => ({
    ...{ name, digest },
    ...visibility.show({ kind, name, digest })
  }));
  recording.recordCatalog({ server, [list]: entries });
}

// proxy/gate/sessions/introduction.ts
var import_node_crypto7 = require("node:crypto");
function cleanIntroduction(context, answer) {
  return cleanServerInfo(context, cleanInstructions(context, answer));
}
function cleanInstructions({ visibility, findings }, answer) {
  const span = findMembersOf(answer, "result")?.get("instructions");
  const instructions = span === void 0 ? void 0 : readSpan(answer.text, span);
  if (span === void 0 || instructions === "") {
    return answer;
  }
  if (typeof instructions !== "string") {
    return replaceInMessage(answer, span, '""');
  }
  const digest = digestInstructions(instructions);
  if (visibility.isLocked && digest !== visibility.lockedInstructions) {
    findings.noteInstructions(digest, instructions);
    return replaceInMessage(answer, span, '""');
  }
  const { text, removed } = cleanDefinition(answer.text.slice(span.start, span.end));
  findings.noteCleaned("instructions", digest, removed);
  return removed.size === 0 ? answer : replaceInMessage(answer, span, text);
}
function cleanServerInfo({ findings }, answer) {
  const span = findMembersOf(answer, "result")?.get("serverInfo");
  if (span === void 0) {
    return answer;
  }
  const written = answer.text.slice(span.start, span.end);
  const { text, removed } = cleanDefinition(written);
  if (removed.size === 0) {
    return answer;
  }
  findings.noteCleaned("server_info", (0, import_node_crypto7.hash)("sha256", written, "hex"), removed);
  return replaceInMessage(answer, span, text);
}

// proxy/gate/lists/sighting.ts
var Sighting = class {
  #digests = /* @__PURE__ */ new Map();
  #generation = 0;
  /** The gate's own look at the whole list: one at a time. */
  lookup;
  /** The list was seen: what is not known now is not there. */
  isWhole = false;
  /** Changes whenever what was seen before says nothing any more: a list that was asked for earlier does not count. */
  get generation() {
    return this.#generation;
  }
  /** All that there are. Where a name stands twice, the last counts. */
  learn(generation, tools) {
    if (generation === this.#generation) {
      this.#digests = new Map(tools.map(({ name, digest }) => [name, digest]));
      this.isWhole = true;
    }
  }
  digestOf(tool) {
    return this.#digests.get(tool);
  }
  /** The server said that its tools changed. */
  forget() {
    this.#generation++;
    this.#digests = /* @__PURE__ */ new Map();
    this.isWhole = false;
  }
};

// proxy/gate/sessions/subscriptions.ts
var Subscriptions = class {
  #uris;
  constructor(uris = []) {
    this.#uris = new Set(uris);
  }
  add(uri) {
    this.#uris.add(uri);
  }
  delete(uri) {
    this.#uris.delete(uri);
  }
  /** A server may also name a part of what was subscribed to (2025-11-25 and 2026-07-28, Resources, "Subscriptions"). */
  covers(uri) {
    return this.#uris.has(uri) || listBeginnings(uri).some((beginning) => this.#uris.has(beginning));
  }
};
function listBeginnings(uri) {
  return [...uri.matchAll(/[/?#]/g)].flatMap(({ index }) => [uri.slice(0, index), uri.slice(0, index + 1)]);
}

// proxy/gate/sessions/session.ts
var Session = class {
  id;
  agent;
  client;
  /** What client and server agreed on. */
  revision;
  exchanges = new InFlight();
  /** Requests that wait for the gate's own look at the server, by the ids that the client chose. */
  held = /* @__PURE__ */ new Set();
  sighting = new Sighting();
  /** Resources of which it hears when they change. */
  subscriptions = new Subscriptions();
  /** Kinds whose lists have changed, and no stream was open to say so. */
  noticesDue = /* @__PURE__ */ new Set();
  /** Streams that are open (GET). */
  streams = 0;
  lastUsedAt = performance.now();
  constructor(id, agent, client) {
    this.id = id;
    this.agent = agent;
    this.client = client;
  }
  /** Whose stream broke off, and whose answer this is. */
  findAwaiting(id) {
    return this.exchanges.list().find((exchange) => exchange.awaits(id));
  }
  get isIdle() {
    return this.exchanges.size === 0 && this.held.size === 0 && this.streams === 0;
  }
  hasInFlight(id) {
    return this.exchanges.find(id) !== void 0 || this.held.has(id);
  }
  /** Once after its lists changed: whoever takes it says so. */
  takeNotices() {
    const due = new Set(this.noticesDue);
    this.noticesDue.clear();
    return due;
  }
  cancelAll() {
    this.held.clear();
    this.exchanges.list().forEach((exchange) => exchange.cancel());
  }
};
var SessionTable = class {
  #names;
  #sessions = /* @__PURE__ */ new Map();
  #attachments = /* @__PURE__ */ new Map();
  /** What was seen by whoever has no session. */
  sighting = new Sighting();
  /** Of agents without a session. */
  #subscriptions = /* @__PURE__ */ new Map();
  #opening = 0;
  constructor(names) {
    this.#names = names;
  }
  /** Other processes know these sessions, too: that nobody uses one here does not say that nobody uses it. */
  get areShared() {
    return this.#names !== void 0;
  }
  /** What the agent is told that it is called. */
  nameOf(session) {
    return this.#names?.give(session) ?? session.id;
  }
  /** Handshakes that are under way count as well: what they start is started already. */
  get size() {
    return this.#sessions.size + this.#opening;
  }
  noteOpening() {
    this.#opening++;
  }
  noteOpened() {
    this.#opening--;
  }
  add(session) {
    this.#sessions.set(session.id, session);
  }
  list() {
    return this.#sessions.values();
  }
  /** The server said that its tools changed: to one session, or to nobody in particular. */
  forgetSightings(id) {
    const session = id === void 0 ? void 0 : this.#sessions.get(id);
    (session?.sighting ?? this.sighting).forget();
  }
  forgetAllSightings() {
    [this, ...this.#sessions.values()].forEach(({ sighting }) => sighting.forget());
  }
  /** Only for the agent that opened it; `isFull` says that there is no room for one that was opened elsewhere. */
  find(name, agent, isFull = false) {
    const session = this.#names === void 0 ? this.#sessions.get(name) : this.#open(name, isFull);
    if (session?.agent !== agent) {
      return void 0;
    }
    session.lastUsedAt = performance.now();
    return session;
  }
  #open(name, isFull) {
    const named = this.#names?.open(name);
    const known = named && this.#sessions.get(named.id);
    if (named === void 0 || known !== void 0 || isFull) {
      return known;
    }
    const session = new Session(named.id, named.agent, named.client);
    this.add(session);
    return session;
  }
  attach(agent, attachment) {
    this.#attachments.set(agent, attachment);
  }
  /** Where a server gives out no session ids, an agent's own. */
  subscriptionsOf(agent, session) {
    if (session !== void 0) {
      return session.subscriptions;
    }
    const own = this.#subscriptions.get(agent) ?? new Subscriptions();
    this.#subscriptions.set(agent, own);
    return own;
  }
  lastAttachment(agent) {
    return this.#attachments.get(agent);
  }
  /** Whatever is still in flight goes on to its end. */
  forget(id) {
    this.#sessions.delete(id);
  }
  /** Those that nobody used for `idleMs`. */
  listExpired(idleMs) {
    const latest = performance.now() - idleMs;
    return [...this.#sessions.values()].filter((session) => session.isIdle && session.lastUsedAt < latest);
  }
};

// proxy/gate/sessions/attachment.ts
function passHandshake(context, asked) {
  const { sessions, limits, recording } = context;
  const { sender, request, reply } = asked;
  const { agent } = sender;
  if (sender.session !== void 0) {
    send(reply, refuseMessage("the session is initialized already"));
    return;
  }
  if (sessions.size >= limits.maxSessions) {
    recording.noteLimit(context.server, "sessions");
    send(reply, refuseBusy(request.id, "sessions"));
    return;
  }
  const client = parseClientInfo(request.params?.["clientInfo"]);
  const wanted = request.params?.["protocolVersion"];
  if (!recordAttached(context, asked, { client, revision: typeof wanted === "string" ? wanted : null })) {
    return;
  }
  let session;
  sessions.noteOpening();
  context.forwarding.request(sender, withGrantedCapabilities(context, request), {
    reply,
    opensSession: (id) => {
      session = new Session(id, agent, client);
      sessions.add(session);
      reply.setField("mcp-session-id", sessions.nameOf(session));
    },
    amend: (answer) => {
      const revision = readAgreedRevision(answer);
      if (revision !== void 0) {
        sessions.attach(agent, { client, revision });
      }
      if (session !== void 0) {
        session.revision = revision;
      }
      return passIntroduction(context, answer);
    },
    over: () => sessions.noteOpened()
  });
}
function passDiscovery(context, asked) {
  const { sender, request, reply } = asked;
  const client = findClient(context, sender, request);
  if (recordAttached(context, asked, { client, revision: findClaimedRevision(request) ?? null })) {
    context.forwarding.request(sender, withGrantedCapabilities(context, request), {
      reply,
      amend: (answer) => passIntroduction(context, answer)
    });
  }
}
function passIntroduction(context, answer) {
  return answer.kind === "error" ? passUnchanged(answer) : reduceServerCapabilities(context, cleanIntroduction(context, answer));
}
function recordAttached({ recording, server }, { sender: { agent }, request, reply }, { client, revision }) {
  const detail = { agent, server, client: client === void 0 ? null : { ...client }, revision };
  const recorded = recordOr(
    reply,
    () => refuseUnrecordedRequest(request.id),
    () => {
      recording.recordEvent("client_attached", "info", detail);
      return true;
    }
  );
  return recorded === true;
}
function readAgreedRevision(answer) {
  const span = findMembersOf(answer, "result")?.get("protocolVersion");
  const revision = span === void 0 ? void 0 : readSpan(answer.text, span);
  return typeof revision === "string" ? revision : void 0;
}

// proxy/gate/lists/list-changes.ts
var import_promises = require("node:timers/promises");

// proxy/gate/lists/list-look.ts
async function lookAtList(context, sender, { listing, request, timeoutMs }) {
  const { forwarding, limits, recording, server } = context;
  const asked = noteAsking(context, sender, listing);
  const bounds = { timeoutMs, maxBytes: limits.maxAnswerBytes };
  try {
    const answer = await forwarding.ask(sender, askForList(listing, request), bounds);
    return answer?.kind === "result" ? takeList(context, answer, asked) : void 0;
  } catch (error) {
    if (!isRecordingFailure(error)) {
      const name = error instanceof Error ? error.name : "unknown";
      recording.noteRepeated("internal_error", server, { server, error: name });
    }
    return void 0;
  }
}
function askForList({ method }, request) {
  const meta = findClaimedRevision(request) === void 0 ? void 0 : metaOf(request);
  const said = [PROTOCOL_VERSION, CLIENT_INFO].flatMap((name) => {
    const member = meta?.[name];
    return member === void 0 ? [] : [[name, member]];
  });
  return {
    method,
    params: meta === void 0 ? void 0 : { _meta: { ...Object.fromEntries(said), [CLIENT_CAPABILITIES]: {} } }
  };
}

// proxy/gate/lists/list-view.ts
var import_node_crypto8 = require("node:crypto");
function takeSnapshot({ definitions }) {
  return definitions.map(({ name, digest, cleaned }) => ({
    ...{ name, digest },
    look: (0, import_node_crypto8.hash)("sha256", cleaned.text, "base64")
  }));
}
function looksSame({ kind }, visibility, [one, other]) {
  const looksOf = (snapshot) => snapshot.filter(({ name, digest }) => visibility.show({ kind, name, digest }).visible).map(({ look }) => look);
  return looksOf(one).join() === looksOf(other).join();
}
var MAX_FAILED_LOOKS = 3;
var ListView = class {
  listing;
  #generation = 0;
  #request;
  #snapshot;
  /** What the agent had when the server last said that the list changed, and nobody has looked since. */
  #before;
  #failedLooks = 0;
  /** One look at a time. */
  isLookedAt = false;
  constructor(listing) {
    this.listing = listing;
  }
  /** Changes whenever the server says that the list did: what was asked for earlier may be from before. */
  get generation() {
    return this.#generation;
  }
  /** What there is to look at: how the agent asked, and what it would be compared with. */
  get due() {
    const [request, before] = [this.#request, this.#before];
    return request === void 0 || before === void 0 || this.#failedLooks === MAX_FAILED_LOOKS ? void 0 : { request, before };
  }
  /** The agent has it. */
  give(request, { generation, snapshot }) {
    this.#request = request;
    this.#snapshot = snapshot;
    this.#failedLooks = 0;
    if (generation !== this.#generation) {
      this.#before ??= snapshot;
    }
  }
  /** An agent that was given nothing yet has nothing that could be out of date. */
  noteChange() {
    this.#generation++;
    this.#failedLooks = 0;
    this.#before ??= this.#snapshot;
  }
  /** The gate has looked, and there was nothing to see. */
  noteFailedLook() {
    this.#failedLooks++;
  }
  /** The gate has looked. */
  settle({ generation, snapshot }) {
    this.#snapshot = snapshot;
    this.#failedLooks = 0;
    this.#before = generation === this.#generation ? void 0 : snapshot;
  }
};
var ListViews = class {
  #bySession = /* @__PURE__ */ new WeakMap();
  #byAgent = /* @__PURE__ */ new Map();
  of({ agent, session }, listing) {
    const views = session === void 0 ? this.#byAgent.get(agent) : this.#bySession.get(session);
    const view = views?.get(listing) ?? new ListView(listing);
    if (views !== void 0) {
      views.set(listing, view);
    } else if (session === void 0) {
      this.#byAgent.set(agent, /* @__PURE__ */ new Map([[listing, view]]));
    } else {
      this.#bySession.set(session, /* @__PURE__ */ new Map([[listing, view]]));
    }
    return view;
  }
};

// proxy/gate/lists/list-changes.ts
var PAUSE_MS = 500;
function noteListChanged(context, sender, kind) {
  const { sessions, views } = context;
  if (kind === "tool") {
    sessions.forgetSightings(sender.session?.id);
  }
  for (const listing of LISTINGS.filter((one) => one.kind === kind)) {
    const view = views.of(sender, listing);
    view.noteChange();
    lookForChange(context, sender, view);
  }
}
function lookForChange(context, sender, view) {
  if (!view.isLookedAt && view.due !== void 0) {
    view.isLookedAt = true;
    void lookUntilSettled(context, sender, view);
  }
}
async function lookUntilSettled(context, sender, view) {
  const { forwarding, limits, visibility } = context;
  const { listing } = view;
  for (let { due } = view; due !== void 0 && context.sessionState().active; due = view.due) {
    const { generation } = view;
    const look = { listing, request: due.request, timeoutMs: limits.lookTimeoutMs };
    const list = await lookAtList(context, sender, look);
    if (list === void 0) {
      view.noteFailedLook();
    } else {
      const snapshot = takeSnapshot(list);
      view.settle({ generation, snapshot });
      if (!looksSame(listing, visibility, [due.before, snapshot])) {
        forwarding.announceChanged(/* @__PURE__ */ new Set([listing.kind]), sender);
      }
    }
    await (0, import_promises.setTimeout)(PAUSE_MS, void 0, { ref: false });
  }
  view.isLookedAt = false;
}

// proxy/gate/lists/listing.ts
function passListing(context, { sender, request, reply }, listing) {
  if (request.params?.["cursor"] !== void 0) {
    send(reply, refuseCursor(request.id));
    return;
  }
  const asked = noteAsking(context, sender, listing);
  const view = context.views.of(sender, listing);
  const { generation } = view;
  const amend = (answer) => {
    if (answer.kind === "error") {
      return passUnchanged(answer);
    }
    const list = takeList(context, answer, asked);
    if (list === void 0) {
      const message = `The server "${context.server}" sent a list of ${listing.list.replace("_", " ")} that cannot be read`;
      return { outcome: "blocked", refusal: answerFailure(request.id, message) };
    }
    view.give(request, { generation, snapshot: takeSnapshot(list) });
    lookForChange(context, sender, view);
    return { outcome: "ok", message: list.message };
  };
  context.forwarding.request(sender, withGrantedCapabilities(context, request), { reply, amend });
}

// proxy/gate/calls/call-result.ts
function findWrittenAsks({ era }, answer) {
  if (answer.kind === "error") {
    return { pages: findPages(answer) };
  }
  const members = findMembersOf(answer, "result");
  const asked = members?.get("inputRequests");
  const type = members?.get("resultType");
  const isAsking = type !== void 0 && readSpan(answer.text, type) === "input_required";
  if (members === void 0 || asked === void 0 || era !== "stateless" || !isAsking) {
    return {};
  }
  const state = members.get("requestState");
  return {
    inputs: asksNothing(answer, asked) ? void 0 : answer.text.slice(asked.start, asked.end),
    state: state && answer.text.slice(state.start, state.end)
  };
}
function asksNothing({ text }, inputs) {
  return findMembers(text, inputs.start)?.spans.size === 0;
}
function judgeResult(asking, answer, verdict) {
  if (answer.kind === "error") {
    return verdict === "admitted" || findPages(answer) === void 0 ? passUnchanged(answer) : { outcome: "blocked", refusal: refuseInputRequests(asking) };
  }
  const members = findMembersOf(answer, "result");
  if (members === void 0) {
    const message = "The server sent a result that cannot be read";
    return { outcome: "blocked", refusal: answerFailure(asking.id, message) };
  }
  const read = (name) => {
    const span = members.get(name);
    return span === void 0 ? void 0 : readSpan(answer.text, span);
  };
  const asked = members.get("inputRequests");
  const isAdmitted = asked === void 0 || asksNothing(answer, asked) || asking.era === "stateless" && read("resultType") === "input_required" && verdict === "admitted";
  if (!isAdmitted || !isKnownType(read("resultType"))) {
    return { outcome: "blocked", refusal: refuseInputRequests(asking) };
  }
  return {
    outcome: asking.kind === "tool" && read("isError") === true ? "tool_error" : "ok",
    message: answer
  };
}
function findPages(answer) {
  const error = answer.members.get("error");
  const members = findMembersOf(answer, "error");
  if (members === void 0) {
    return error !== void 0 && answer.text[error.start] === "{" ? "" : void 0;
  }
  const [code, data] = [members.get("code"), members.get("data")];
  if (code === void 0 || readSpan(answer.text, code) !== URL_ELICITATION_REQUIRED) {
    return void 0;
  }
  return data === void 0 ? "" : answer.text.slice(data.start, data.end);
}
function isKnownType(type) {
  return type === void 0 || type === "complete" || type === "input_required";
}

// proxy/gate/asks/input-requests.ts
function admitWritten(context, called, { written, then }) {
  if (written.pages !== void 0) {
    admitPages(context, called, { written: written.pages, then });
  } else if (written.inputs !== void 0) {
    admitInputs(context, called, { written: { ...written, inputs: written.inputs }, then });
  } else {
    then({ kind: "admitted" });
  }
}
function admitInputs(context, { sender, request, callId: call }, {
  written: { inputs: written, state },
  then
}) {
  const { waiting, limits, shared } = context;
  const asked = written.length <= limits.maxRequestBytes ? readMembers(written, limits.maxDepth) : void 0;
  const inputs = asked === void 0 ? void 0 : Object.entries(asked);
  if (inputs === void 0 || inputs.length > limits.maxAsks) {
    then({ kind: "refused" });
    return;
  }
  const asks = inputs.map(([name, input]) => ({
    ...readAsk(input) ?? { method: "", params: {} },
    callId: deriveCallId(call, name)
  }));
  admitAsks(context, { sender, asks }, (verdict) => {
    if (verdict === "unrecorded") {
      then({ kind: "unrecorded" });
      return;
    }
    const places = verdict.asks.map((_, index) => placeOf(request, inputs[index]?.[0] ?? ""));
    verdict.asks.forEach(
      (own, index) => waiting.add(places[index] ?? "", { ...own, agent: sender.agent, session: void 0 })
    );
    if (!verdict.isAdmitted) {
      waiting.abandon((ask2) => verdict.asks.some(({ callId }) => callId === ask2.callId), "blocked");
      then({ kind: "refused" });
      return;
    }
    const sealed = verdict.asks.map(({ callId, inspection }, index) => ({
      ...{ callId, inspection, place: places[index] ?? "" }
    }));
    const name = shared?.seal(addresseeOf(sender), { askedAt: shared.now(), asks: sealed, state });
    then({ kind: "admitted", ...name !== void 0 && { state: name } });
  });
}
function admitPages(context, { sender, callId: call }, { written, then }) {
  const params = readMembers(written, context.limits.maxDepth);
  if (params === void 0) {
    then({ kind: "refused" });
    return;
  }
  const asks = [{ method: "elicitation/create", params, callId: deriveCallId(call, "pages") }];
  admitAsks(context, { sender, asks }, (verdict) => {
    const [own] = verdict === "unrecorded" ? [] : verdict.asks;
    const isRecorded = verdict !== "unrecorded" && (own === void 0 || wasRecorded(
      () => context.recording.recordResult({ call: own.callId, outcome: "ok", duration_ms: 0, bytes: 0 })
    ));
    then({ kind: !isRecorded ? "unrecorded" : own === void 0 ? "refused" : "admitted" });
  });
}
function readAsk(input) {
  if (!isObject(input)) {
    return void 0;
  }
  const { method, params = {} } = input;
  return typeof method === "string" && isObject(params) ? { method, params } : void 0;
}
function withState(answer, state) {
  const members = state === void 0 ? void 0 : findMembersOf(answer, "result");
  const [own, inputs] = [members?.get("requestState"), members?.get("inputRequests")];
  const written = JSON.stringify(state);
  if (own !== void 0) {
    return replaceInMessage(answer, own, written);
  }
  return inputs === void 0 ? answer : replaceInMessage(
    answer,
    inputs,
    `${answer.text.slice(inputs.start, inputs.end)},"requestState":${written}`
  );
}
function placeOf({ method, params }, input) {
  const { kind, name } = NAMED_METHODS.get(method)?.read(params ?? {}) ?? {};
  return JSON.stringify([method, kind ?? null, name ?? null, input]);
}

// proxy/gate/asks/input-answers.ts
function takeAskedInputs(context, { sender, request }, then) {
  const { inputResponses: given, ...params } = request.params ?? {};
  const { state, find } = openPlaces(context, sender, params);
  const restored = state === void 0 ? params : withServerState(params, state);
  if (given === void 0) {
    then(state === void 0 ? request : { ...request, params: restored });
    return;
  }
  const { waiting, recording, server, limits } = context;
  const drop = () => recording.noteRepeated("agent_answer_dropped", server, { server, agent: sender.agent });
  const answers = (isObject(given) ? Object.entries(given) : []).flatMap(([name, answer]) => {
    const ask2 = find(placeOf(request, name));
    const written = JSON.stringify({ jsonrpc: "2.0", id: 0, result: answer });
    const [message] = readServerMessages(toByteText(written)) ?? [];
    const shown = message?.kind === "result" ? ask2?.inspecting.pass(message) : void 0;
    if (ask2 === void 0 || shown === void 0) {
      drop();
      return [];
    }
    return [{ name, answer, ask: ask2, shown }];
  });
  const asks = answers.map(({ ask: ask2 }) => ask2);
  waiting.claim(asks, (own) => {
    const kept = {};
    const isRecorded = wasRecorded(() => {
      for (const { name, answer, ask: ask2, shown } of answers) {
        if (own.includes(ask2)) {
          waiting.end(ask2, "ok", collectEvidence(shown));
          const result = readMembers(shown.text, limits.maxDepth)?.["result"];
          kept[name] = result === void 0 ? answer : result;
        } else {
          drop();
        }
      }
    });
    const isAnswered = Object.keys(kept).length > 0;
    const taken = { ...request, params: { ...restored, ...isAnswered && { inputResponses: kept } } };
    then(isRecorded ? taken : void 0);
  });
}
function openPlaces(context, sender, params) {
  if (context.shared === void 0) {
    const find = (place) => context.waiting.find(({ key, agent }) => key === place && agent === sender.agent);
    return { state: void 0, find };
  }
  const sealed = params["requestState"];
  const opened = typeof sealed === "string" ? reopenAsks(context, sender, sealed) : void 0;
  return {
    state: opened && (opened.state ?? ""),
    find: (place) => opened?.asks.find(({ key }) => key === place)
  };
}
function withServerState({ requestState: _, ...params }, state) {
  const own = state === "" ? void 0 : readMembers(`{"own":${state}}`, 2)?.["own"];
  return own === void 0 ? params : { ...params, requestState: own };
}

// proxy/gate/calls/overload.ts
function holdToLoad({ load, recording, server }, { request }, verdict) {
  const overload = verdict.effect === "allow" ? load.findOverload(performance.now()) : void 0;
  if (verdict.effect === "deny" || overload === void 0) {
    return verdict;
  }
  recording.noteLimit(server, overload.limit);
  const { naming, argumentsInLog } = verdict;
  const asking = { id: request.id, era: eraOf(request), kind: naming.kind };
  const refusal = refuseOverload(asking, server, overload);
  return { effect: "deny", naming, reason: "server_limit", argumentsInLog, refusal };
}
function refuseOverload(asking, server, overload) {
  const { limit, max } = overload;
  return limit === "concurrent_calls" ? refuseByConcurrency(asking, server, max) : refuseByRate(asking, { server, max, retryAfterSeconds: overload.retryAfterSeconds });
}

// proxy/gate/lists/tool-lookup.ts
var MAX_LOOKS = 3;
function needsLook(context, sender, { params }) {
  const { visibility } = context;
  const name = params?.["name"];
  if (!visibility.isLocked || typeof name !== "string" || visibility.lockedDigestOf(name) === void 0) {
    return false;
  }
  const sighting = sightingOf(context, sender);
  return sighting.digestOf(name) === void 0 && !sighting.isWhole && context.sessionState().active && visibility.shows("tool", name);
}
function lookAtTools(context, asked) {
  const sighting = sightingOf(context, asked.sender);
  sighting.lookup ??= lookUntilSeen(context, asked).finally(() => {
    sighting.lookup = void 0;
  });
  return sighting.lookup;
}
async function lookUntilSeen(context, { sender, request }) {
  const sighting = sightingOf(context, sender);
  const deadline = performance.now() + context.limits.lookTimeoutMs;
  for (let look = 0; look < MAX_LOOKS && !sighting.isWhole; look++) {
    const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
    if (await lookAtList(context, sender, { listing: TOOLS, request, timeoutMs }) === void 0) {
      return;
    }
  }
}

// proxy/gate/calls/named-call.ts
function passToolCall(context, asked) {
  const { sender, request, reply } = asked;
  if (!needsLook(context, sender, request)) {
    passNamedCall(context, asked);
    return;
  }
  const { session } = sender;
  session?.held.add(request.id);
  void lookAtTools(context, asked).then(() => {
    if (session?.held.delete(request.id) === false) {
      send(reply, answerFailure(request.id, "The call was cancelled"));
    } else if (session?.hasInFlight(request.id) === true) {
      send(reply, refuseMessage("a request with this id is in flight"));
    } else if (!reply.isOver) {
      passNamedCall(context, asked);
    }
  });
}
function passNamedCall(context, asked) {
  const { request, reply } = asked;
  context.admission.admit(() => admitCall(context, asked), {
    admitted: (call) => passOn(context, asked, call),
    failed: () => send(reply, refuseUnrecorded({ request, era: eraOf(request) }))
  });
}
function admitCall(context, asked) {
  const { request } = asked;
  const decided = decideCall(context, asked);
  const fields = decided.effect === "allow" ? findParamFields2(context, asked, decided.naming) : void 0;
  const agreed = fields?.ok === false && decided.effect === "allow" ? {
    effect: "deny",
    naming: decided.naming,
    reason: "header_mismatch",
    argumentsInLog: decided.argumentsInLog,
    refusal: refuseDisagreement(request.id, fields.detail)
  } : decided;
  const verdict = holdToLoad(context, asked, agreed);
  return { verdict, fields, callId: recordVerdict(context, asked, verdict) };
}
function passOn(context, asked, { verdict, fields, callId }) {
  const { sender, request, reply } = asked;
  if (verdict.effect === "deny") {
    send(reply, verdict.refusal);
    return;
  }
  context.load.noteCall(performance.now());
  takeAskedInputs(context.asks, asked, (answered) => {
    if (answered === void 0) {
      send(reply, refuseUnrecorded({ request, era: eraOf(request) }));
    } else {
      forward(context, { sender, request: answered, reply }, { verdict, fields, callId });
    }
  });
}
function forward(context, asked, { verdict, fields, callId }) {
  const { sender, request, reply } = asked;
  const { kind, name } = verdict.naming;
  const asking = { id: request.id, era: eraOf(request), kind };
  const noteOutcome = keepSubscription(context, asked, name);
  let inputs = { kind: "refused" };
  context.forwarding.request(sender, withoutTask(withGrantedCapabilities(context, request)), {
    reply,
    callId,
    inspection: findInspection(context, verdict),
    ...fields?.ok === true && { paramFields: fields.fields },
    admitAnswer: (answer, then) => {
      const written = findWrittenAsks(asking, answer);
      admitWritten(
        context.asks,
        { sender, request, callId },
        {
          written,
          then: (decided) => {
            inputs = decided;
            then();
          }
        }
      );
    },
    amend: (answer) => {
      noteOutcome(answer);
      if (inputs.kind === "unrecorded") {
        throw new RecordingFailed("what the server asks for was not recorded");
      }
      const judged = judgeResult(asking, answer, inputs.kind);
      const { state } = inputs.kind === "admitted" ? inputs : {};
      return state === void 0 || "refusal" in judged ? judged : { ...judged, message: withState(judged.message, state) };
    }
  });
}
function findInspection({ policy }, { decision }) {
  return policy.inspectionOf(decision.reason === "granted" ? decision.rule : "");
}
function keepSubscription({ sessions }, { sender, request }, uri) {
  const subscriptions = sessions.subscriptionsOf(sender.agent, sender.session);
  switch (request.method) {
    case SUBSCRIBE:
      subscriptions.add(uri);
      return ({ kind }) => kind === "error" && subscriptions.delete(uri);
    case UNSUBSCRIBE:
      subscriptions.delete(uri);
      return () => void 0;
    default:
      return () => void 0;
  }
}
function findParamFields2({ catalogs }, { sender, request }, { kind, name }) {
  return kind === "tool" && eraOf(request) === "stateless" ? buildParamFields(catalogs.tools.paramFieldsOf(name), request.params?.["arguments"], sender.fields) : void 0;
}
function withoutTask(request) {
  if (request.params === void 0) {
    return request;
  }
  const { task, ...params } = request.params;
  return { ...request, params };
}

// proxy/gate/sessions/hearing.ts
function openHearing(visibility, subscriptions) {
  const passes = (notification) => {
    switch (notification.method) {
      case PROGRESS:
      case SUBSCRIBED:
        return true;
      case UPDATED: {
        const span = findMembersOf(notification, "params")?.get("uri");
        const uri = span === void 0 ? void 0 : readSpan(notification.text, span);
        return typeof uri === "string" && subscriptions.covers(uri) && visibility.shows("resource", uri);
      }
      default:
        return false;
    }
  };
  return { hear: (notification) => passes(notification) ? notification : void 0 };
}

// proxy/gate/sessions/subscription.ts
var WISHES = {
  tool: "toolsListChanged",
  resource: "resourcesListChanged",
  prompt: "promptsListChanged"
};
var MAX_RESOURCES = 200;
function passSubscription(context, asked) {
  const { request, reply } = asked;
  const wishes = request.params?.["notifications"];
  const wanted = isObject(wishes) ? listResources(wishes) : [];
  if (wanted === void 0) {
    const form = `resourceSubscriptions holds at most ${MAX_RESOURCES} URIs`;
    send(reply, refuseInvalidCall(request.id, form));
    return;
  }
  context.admission.admit(() => wanted.flatMap((uri) => decideResource(context, asked, uri)), {
    admitted: (opened) => listen(context, asked, opened),
    failed: () => send(reply, refuseUnrecordedRequest(request.id))
  });
}
function listen(context, asked, opened) {
  const { sender, request, reply } = asked;
  const wishes = request.params?.["notifications"];
  const hearsOf = new Set(
    KINDS2.filter((kind) => isObject(wishes) && wishes[WISHES[kind]] === true && isOffered(context, kind))
  );
  const granted = isObject(wishes) ? reduceWishes(wishes, hearsOf, opened) : void 0;
  const hearing = openOwnHearing(context, granted ?? {}, hearsOf);
  const startedAt = performance.now();
  context.forwarding.request(sender, withGrantedCapabilities(context, withWishes(request, granted)), {
    ...{ reply, hearsOf, hearing, amend: passUnchanged, isStanding: true },
    calls: opened.map(({ callId }) => callId),
    over: () => {
      const duration_ms = Math.round(performance.now() - startedAt);
      const outcome = hearing.isAcknowledged ? "ok" : "error";
      opened.forEach(({ callId }) => recordEnd(context, { call: callId, outcome, duration_ms, bytes: 0 }));
    }
  });
}
function decideResource(context, { sender, request }, uri) {
  const meta = request.params?.["_meta"];
  const params = { uri, ...meta !== void 0 && { _meta: meta } };
  const verdict = decideCall(context, { sender, request: { ...request, method: SUBSCRIBE, params } });
  const callId = recordVerdict(context, { sender, request: { ...request, params } }, verdict);
  return verdict.effect === "allow" ? [{ uri, callId }] : [];
}
function recordEnd({ recording }, result) {
  try {
    recording.recordResult(result);
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
  }
}
function listResources({ resourceSubscriptions: uris = [] }) {
  return Array.isArray(uris) && uris.length <= MAX_RESOURCES && uris.every(isName) ? [...new Set(uris)] : void 0;
}
function isOffered({ policy, server }, kind) {
  return policy.reaches(server, kind);
}
function reduceWishes(wishes, hearsOf, opened) {
  return {
    ...Object.fromEntries([...hearsOf].map((kind) => [WISHES[kind], true])),
    ...wishes["resourceSubscriptions"] !== void 0 && opened.length > 0 && { resourceSubscriptions: opened.map(({ uri }) => uri) }
  };
}
function withWishes(request, notifications) {
  return notifications === void 0 ? request : { ...request, params: { ...request.params, notifications } };
}
function openOwnHearing(context, granted, hearsOf) {
  const { resourceSubscriptions: uris = [] } = granted;
  const subscriptions = new Subscriptions(Array.isArray(uris) ? uris.map(String) : []);
  const hearing = openHearing(context.visibility, subscriptions);
  const announcesTools = hearsOf.has("tool") && context.policy.canLoseTools(context.server);
  const own = {
    isAcknowledged: false,
    hear: (notification) => {
      if (notification.method !== SUBSCRIBED) {
        return hearing.hear(notification);
      }
      own.isAcknowledged = true;
      return announcesTools ? withTools(notification, context.limits.maxDepth) : notification;
    }
  };
  return own;
}
function withTools(acknowledgment, maxDepth) {
  const span = findMembersOf(acknowledgment, "params")?.get("notifications");
  const written = span === void 0 ? void 0 : acknowledgment.text.slice(span.start, span.end);
  const reading = written === void 0 ? void 0 : readJson(toCharacters(written), { maxDepth, numbers: "any" });
  if (span === void 0 || reading?.ok !== true || !isObject(reading.value)) {
    return acknowledgment;
  }
  const honoured = { ...reading.value, [WISHES.tool]: true };
  return canonicalize(honoured) === canonicalize(reading.value) ? acknowledgment : replaceInMessage(acknowledgment, span, toByteText(JSON.stringify(honoured)));
}

// proxy/gate/passages.ts
var PASSAGES = new Map([
  ["initialize", { pass: passHandshake, era: "handshake" }],
  ["server/discover", { pass: passDiscovery }],
  ["ping", { pass: passPing }],
  ...LISTINGS.map((listing) => [
    listing.method,
    {
      pass: (context, asked) => passListing(context, asked, listing),
      // A client may ask for tools whatever it was told.
      ...listing.kind !== "tool" && { kinds: [listing.kind] }
    }
  ]),
  ["tools/call", { pass: passToolCall }],
  ["resources/read", { pass: passNamedCall, kinds: ["resource"] }],
  [SUBSCRIBE, { pass: passNamedCall, kinds: ["resource"], era: "handshake" }],
  [UNSUBSCRIBE, { pass: passNamedCall, kinds: ["resource"], era: "handshake" }],
  ["prompts/get", { pass: passNamedCall, kinds: ["prompt"] }],
  ["completion/complete", { pass: passNamedCall, kinds: ["prompt", "resource"] }],
  [SET_LEVEL, { pass: passNamedCall, ask: "logging", era: "handshake" }],
  ["subscriptions/listen", { pass: passSubscription }]
]);
function passPing(context, { sender, request, reply }) {
  context.forwarding.request(sender, withGrantedCapabilities(context, request), {
    reply,
    amend: passUnchanged
  });
}

// proxy/gate/gate.ts
var SWEEP_MS = 3e4;
var NOTHING3 = /* @__PURE__ */ new Set();
var Gate = class {
  #context;
  #endSession;
  #sweep;
  #isClosed = false;
  /** `endSession` tells the server; the HTTP status that it gave. */
  constructor(context, endSession) {
    this.#context = context;
    this.#endSession = endSession;
    const { sessionIdleMs } = context.limits;
    this.#sweep = setInterval(() => this.#endIdle(), Math.min(SWEEP_MS, sessionIdleMs)).unref();
  }
  get limits() {
    return this.#context.limits;
  }
  /** The messages of one POST. */
  post({ agent, fields, reply, callIds }, { messages, isBatch }) {
    if (this.#isClosed) {
      send(reply, refuseHttp(503, "Service Unavailable: the proxy is closing"));
      return;
    }
    const accepted = parseAccept(fields);
    if (!accepted.document && !accepted.stream) {
      send(
        reply,
        refuseHttp(406, "Not Acceptable: application/json and text/event-stream are what there is")
      );
      return;
    }
    const [first] = messages;
    const isStateless = first !== void 0 && eraOf(first) === "stateless";
    const session = isStateless ? void 0 : this.#findSession(agent, fields);
    if (session === "unknown") {
      send(reply, refuseUnknownSession(first?.kind === "request" ? first.id : null));
      return;
    }
    const sender = { agent, fields, session, callIds };
    if (isBatch && !this.#takesBatches(sender, messages)) {
      send(reply, refuseMessage("a batch is not part of this revision"));
      return;
    }
    const requests = messages.filter((message) => message.kind === "request");
    const replies = isBatch ? splitReply(reply, requests.length) : [reply];
    requests.forEach((request, index) => this.#ask({ sender, request, reply: replies[index] ?? reply }));
    const ownReply = requests.length === 0 && !isBatch ? reply : void 0;
    for (const message of messages) {
      if (message.kind === "notification") {
        this.#notify(sender, message, ownReply);
      } else if (message.kind === "response") {
        passClientAnswer(this.#context.asks, sender, message);
        ownReply?.finishEmpty(202);
      }
    }
    if (requests.length === 0 && isBatch) {
      reply.finishEmpty(202);
    }
  }
  /** GET: a stream that belongs to no request. */
  openStream({ agent, fields, reply }) {
    const session = this.#findSession(agent, fields);
    if (session === "unknown") {
      send(reply, refuseUnknownSession(null));
    } else if (!parseAccept(fields).stream) {
      send(reply, refuseHttp(406, "Not Acceptable: text/event-stream is what there is"));
    } else {
      this.#context.forwarding.openStream({ agent, fields, session }, reply);
    }
  }
  /** DELETE. */
  async endSession({ agent, fields, reply }) {
    const session = this.#findSession(agent, fields);
    if (session === void 0) {
      send(reply, refuseMissingSession(null));
    } else if (session === "unknown") {
      send(reply, refuseUnknownSession(null));
    } else {
      session.cancelAll();
      this.#context.asks.waiting.abandon((ask2) => ask2.session === session, "cancelled");
      const status = await this.#endSession(session);
      if (status < 400) {
        this.#context.sessions.forget(session.id);
      }
      reply.finishEmpty(status);
    }
  }
  /** The session has read more than `before`: who sees less by it is told. */
  tellLess(before) {
    this.#announceDifference(this.#listVisible(before), this.listVisible());
  }
  /** What agents see at this moment, of what the server listed. */
  listVisible() {
    return this.#listVisible(this.#context.usage.labels);
  }
  /** The policy is another one: where others are visible than `before`, agents are told. */
  tellChanged(before) {
    this.#context.sessions.forgetAllSightings();
    this.#announceDifference(before, this.listVisible());
  }
  #listVisible(labels) {
    const { catalogs, visibility } = this.#context;
    return new Map(
      LISTINGS.map((listing) => {
        const { kind, list } = listing;
        const visible = [...catalogs[list].known].filter(
          ([name, { digest }]) => visibility.show({ kind, name, digest }, labels).visible
        );
        return [listing, new Set(visible.map(([name]) => name))];
      })
    );
  }
  #announceDifference(before, after) {
    const changed = LISTINGS.filter(
      (listing) => (after.get(listing) ?? NOTHING3).symmetricDifference(before.get(listing) ?? NOTHING3).size > 0
    );
    if (changed.length > 0) {
      noteCatalogs(this.#context, (listing) => changed.includes(listing));
      this.#context.forwarding.announceChanged(new Set(changed.map(({ kind }) => kind)));
    }
  }
  async close(graceMs) {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    await this.#context.forwarding.close(graceMs);
  }
  #ask(asked) {
    const { sender, request, reply } = asked;
    const passage = PASSAGES.get(request.method);
    const era = eraOf(request);
    const state = this.#context.sessionState();
    if (passage === void 0 || !this.#exists(passage, era)) {
      this.#recordUnknown(sender, request);
      send(reply, refuseMethod(request.id, era));
    } else if (sender.session?.hasInFlight(request.id) === true) {
      send(reply, refuseMessage("a request with this id is in flight"));
    } else if (!state.active && !NAMED_METHODS.has(request.method)) {
      send(reply, refuseEndedSessionRequest(request.id, state.reason));
    } else {
      passage.pass(this.#context, asked);
    }
  }
  #exists({ kinds, ask: ask2, era }, asked) {
    const { policy, server } = this.#context;
    const isReached = kinds === void 0 || kinds.some((kind) => policy.reaches(server, kind));
    const isGranted = ask2 === void 0 || isAskGranted(this.#context, ask2);
    return isReached && isGranted && (era === void 0 || era === asked);
  }
  /** Nothing is forwarded, so nothing depends on the record. */
  #recordUnknown(sender, request) {
    const { recording, server } = this.#context;
    const { _meta, ...params } = request.params ?? {};
    const facts = {
      ...{ agent: sender.agent, server, method: request.method },
      client: findClient(this.#context, sender, request),
      args: params,
      traceparent: findTraceparent(request)
    };
    try {
      recording.recordCall(facts, { decision: "deny", reason: "method_not_granted" });
    } catch (error) {
      if (!isRecordingFailure(error)) {
        throw error;
      }
    }
  }
  /** What does not pass is taken and goes nowhere: a notification has no answer. */
  #notify(sender, notification, reply) {
    const { session } = sender;
    const { method, params } = notification;
    if (method === "notifications/cancelled") {
      const { requestId, reason } = params ?? {};
      if (isRequestId(requestId)) {
        session?.held.delete(requestId);
        session?.exchanges.find(requestId)?.cancel(typeof reason === "string" ? reason : void 0);
      }
      reply?.finishEmpty(202);
    } else if (passesFromClient(method) || method === ROOTS_CHANGED && isAskGranted(this.#context, "roots")) {
      this.#context.forwarding.notify(sender, notification, reply);
    } else {
      reply?.finishEmpty(202);
    }
  }
  #findSession(agent, fields) {
    const id = fields.get("mcp-session-id");
    const { sessions, limits } = this.#context;
    const isFull = sessions.size >= limits.maxSessions;
    return id === void 0 ? void 0 : sessions.find(id, agent, isFull) ?? "unknown";
  }
  /** Only what was agreed on counts; a handshake cannot be part of a batch. */
  #takesBatches(sender, messages) {
    const { session, agent } = sender;
    const agreed = session === void 0 ? this.#context.sessions.lastAttachment(agent)?.revision : session.revision;
    const said = revisionOf(sender) ?? BATCH_REVISION;
    const hasHandshake = messages.some(
      (message) => message.kind === "request" && message.method === "initialize"
    );
    return agreed === BATCH_REVISION && said === BATCH_REVISION && !hasHandshake;
  }
  #endIdle() {
    const { sessions, limits } = this.#context;
    for (const session of sessions.listExpired(limits.sessionIdleMs)) {
      sessions.forget(session.id);
      if (!sessions.areShared) {
        void this.#endSession(session);
      }
    }
  }
};

// proxy/gate/forwarding/process-record.ts
var MAX_LINES = 5;
var MAX_LENGTH = 600;
function recordProcesses({
  server,
  recording,
  limits
}) {
  return {
    noteEnded: ({ code, detail }, said) => {
      if (code === "out_of_memory") {
        recording.noteLimit(server, "memory");
      }
      const event = code === "start_failed" ? "server_start_failed" : "server_exited";
      const stderr = excerpt2(recording, said);
      recording.noteEvent(event, "warning", { server, code, detail, ...stderr !== "" && { stderr } });
    },
    noteRestarted: (restart) => recording.noteEvent("server_restarted", "info", { server, restart, of: limits.maxRestarts }),
    noteDown: ({ detail }) => recording.noteEvent("server_down", "warning", { server, detail })
  };
}
function excerpt2(recording, said) {
  const lines = recording.redact(cleanText(said).text).trimEnd().split(/\r?\n/).slice(-MAX_LINES);
  return lines.join("\n").slice(-MAX_LENGTH);
}

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

// proxy/gate/calls/server-load.ts
var WINDOW_MS = 6e4;
var ServerLoad = class {
  #limits;
  #inWork;
  /** When the last calls were let through, as many as may be; the oldest is overwritten. */
  #times;
  #next = 0;
  constructor(limits) {
    this.#limits = limits;
    this.#inWork = new Places(limits.maxConcurrentCalls);
  }
  /** One request goes to the server, whatever it asks; false when there is no place. */
  take() {
    return this.#inWork.take();
  }
  free() {
    this.#inWork.free();
  }
  /** What keeps one more call from being let through. */
  findOverload(now) {
    const { maxConcurrentCalls, maxCallsPerMinute: max } = this.#limits;
    if (this.#inWork.taken >= maxConcurrentCalls) {
      return { limit: "concurrent_calls", max: maxConcurrentCalls };
    }
    const oldest = this.#times?.[this.#next];
    const waitMs = oldest === void 0 ? 0 : oldest + WINDOW_MS - now;
    return waitMs > 0 ? { limit: "calls_per_minute", max, retryAfterSeconds: Math.ceil(waitMs / 1e3) } : void 0;
  }
  noteCall(now) {
    const { maxCallsPerMinute } = this.#limits;
    if (Number.isFinite(maxCallsPerMinute)) {
      this.#times ??= new Float64Array(maxCallsPerMinute).fill(Number.NEGATIVE_INFINITY);
      this.#times[this.#next] = now;
      this.#next = (this.#next + 1) % maxCallsPerMinute;
    }
  }
};

// proxy/gate/lists/visibility.ts
var NOTHING_READ2 = /* @__PURE__ */ new Set();
var Visibility = class {
  #options;
  #lock;
  #tools;
  constructor(options) {
    this.#options = options;
  }
  /** That of the policy at this moment: it can be replaced while the session runs. */
  get #locked() {
    const { policy, server } = this.#options;
    const lock = policy.lockOf(server);
    if (lock !== this.#lock) {
      this.#lock = lock;
      this.#tools = lock === void 0 ? void 0 : new Map(Object.entries(lock.tools));
    }
    return this.#tools;
  }
  /** Of the instructions that were reviewed; undefined where there is no lock or it holds none. */
  get lockedInstructions() {
    const { policy, server } = this.#options;
    return policy.lockOf(server)?.instructions;
  }
  get isLocked() {
    return this.#locked !== void 0;
  }
  lockedDigestOf(tool) {
    return this.#locked?.get(tool);
  }
  judgeDefinition(tool, digest) {
    const tools = this.#locked;
    if (tools === void 0) {
      return "reviewed";
    }
    const locked = tools.get(tool);
    return locked === digest ? "reviewed" : locked === void 0 ? "unreviewed" : "drifted";
  }
  show({ kind, name, digest }, labels = this.#options.usage.labels) {
    const shown = this.#ask(kind, name, labels);
    const verdict = shown.visible && kind === "tool" ? this.judgeDefinition(name, digest) : "reviewed";
    return verdict === "reviewed" ? shown : { visible: false, why: verdict };
  }
  /** What no list has to show first. */
  shows(kind, name) {
    return this.#ask(kind, name, this.#options.usage.labels).visible;
  }
  /** Whether any rule names it, whatever the session has read: what nobody could see needs no report. */
  concernsAgents(tool) {
    return this.#ask("tool", tool, NOTHING_READ2).visible;
  }
  #ask(kind, name, labels) {
    const { policy, server } = this.#options;
    return policy.show({ server, kind, name }, labels);
  }
};

// proxy/gate/asks/waiting-asks.ts
var MAX_KNOWN = 1e4;
var WaitingAsks = class {
  #options;
  #asks = /* @__PURE__ */ new Set();
  #known = /* @__PURE__ */ new Set();
  constructor(options) {
    this.#options = options;
  }
  /** Whether it was asked here before, answered or not. */
  isKnown(callId) {
    return this.#known.has(callId);
  }
  hasRoom(agent, max) {
    return this.#list((ask2) => ask2.agent === agent).length < max;
  }
  add(key, asked) {
    const timer = setTimeout(() => this.#abandon([ask2], "timeout"), this.#options.timeoutMs).unref();
    const ask2 = { ...asked, key, startedAt: performance.now(), timer };
    this.#asks.add(ask2);
    this.#known.add(ask2.callId);
    const [oldest = ""] = this.#known.size > MAX_KNOWN ? this.#known : [];
    this.#known.delete(oldest);
  }
  /** The one that waits longest. */
  find(isMeant) {
    return this.#list(isMeant)[0];
  }
  /** None of them waits any more; `then` gets those that nobody else has ended, which its caller must end. */
  claim(asks, then) {
    const here = asks.filter((ask2) => this.#asks.delete(ask2));
    here.forEach(({ timer }) => clearTimeout(timer));
    const { shared } = this.#options;
    if (shared === void 0 || asks.length === 0) {
      then(here);
      return;
    }
    shared.claim(
      asks.map(({ callId }) => callId),
      (own) => then(asks.filter((_, index) => own[index] === true))
    );
  }
  /** One that was claimed. Throws `RecordingFailed`: what the log does not hold is not passed on. */
  end(ask2, outcome, evidence = NO_BYTES) {
    const duration_ms = Math.round(performance.now() - ask2.startedAt);
    const found = ask2.inspecting.conclude(ask2.callId);
    this.#options.recording.recordResult({
      ...{ call: ask2.callId, outcome, duration_ms, ...evidence, ...found }
    });
  }
  /** Nobody will answer any more. */
  abandon(isMeant, outcome) {
    this.#abandon(this.#list(isMeant), outcome);
  }
  /** One that was claimed. */
  giveUp(ask2, outcome) {
    try {
      this.end(ask2, outcome);
    } catch (error) {
      if (!isRecordingFailure(error)) {
        throw error;
      }
    }
    if (outcome !== "cancelled") {
      ask2.abandoned?.();
    }
  }
  #abandon(asks, outcome) {
    if (asks.length > 0) {
      this.claim(asks, (own) => own.forEach((ask2) => this.giveUp(ask2, outcome)));
    }
  }
  #list(isMeant) {
    return [...this.#asks].filter(isMeant);
  }
};

// proxy/gate/lists/whole-lists.ts
var BY_METHOD = new Map(LISTINGS.map((listing) => [listing.method, listing]));
function readListsWhole(upstream, bounds) {
  return {
    send: (forward2, sink, opensSession) => {
      const { message } = forward2;
      const listing = message.kind === "request" ? BY_METHOD.get(message.method) : void 0;
      if (message.kind !== "request" || listing === void 0) {
        return upstream.send(forward2, sink, opensSession);
      }
      return new ListReading({ upstream, bounds, listing, sink, forward: forward2, request: message }).start();
    },
    openStream: (request, sink) => upstream.openStream(request, sink),
    answer: (from, text) => upstream.answer?.(from, text),
    endSession: (session, revision, agent) => upstream.endSession(session, revision, agent),
    close: () => upstream.close()
  };
}
var ListReading = class {
  #options;
  #sending;
  /** The first page was answered, and others follow: whatever else comes to it says nothing. */
  #readsOn = false;
  #isOver = false;
  constructor(options) {
    this.#options = options;
  }
  start() {
    const { upstream, sink, forward: forward2, request, listing } = this.#options;
    let isStream = false;
    this.#sending = upstream.send(
      forward2,
      {
        opened: () => {
          isStream = true;
          sink.opened();
        },
        filler: (carriage) => sink.filler(carriage),
        message: (message, carriage) => {
          if (message.kind === "notification") {
            return sink.message(message, carriage);
          }
          if (this.#readsOn) {
            return void 0;
          }
          const isFirst = message.kind === "result" && message.id === request.id;
          const page = isFirst ? readPage(message, listing) : void 0;
          if (page?.cursor === void 0) {
            return sink.message(message, carriage);
          }
          this.#readsOn = true;
          if (isStream) {
            this.#sending?.leave();
          }
          void this.#readOn(page, carriage);
          return void 0;
        },
        status: (status) => this.#readsOn ? void 0 : sink.status(status),
        ended: () => this.#readsOn ? void 0 : sink.ended(),
        failed: (loss) => this.#readsOn ? void 0 : sink.failed(loss)
      },
      () => void 0
    );
    const stop = (end) => {
      this.#isOver = true;
      if (this.#sending !== void 0) {
        end(this.#sending);
      }
    };
    return {
      cancel: (reason) => stop((sending) => sending.cancel(reason)),
      leave: () => stop((sending) => sending.leave())
    };
  }
  async #readOn(first, carriage) {
    const { listing, bounds, sink } = this.#options;
    const pages = [first];
    let entries = first.entries.length;
    let bytes = first.answer.text.length;
    let isWhole = false;
    for (let last = first; !isWhole && pages.length < bounds.maxListed; ) {
      const answer = await this.#ask(last.cursor, pages.length);
      if (this.#isOver) {
        return;
      }
      const page = answer === void 0 ? void 0 : readPage(answer, listing);
      entries += page?.entries.length ?? 0;
      bytes += page?.answer.text.length ?? 0;
      if (page === void 0 || entries > bounds.maxListed || bytes > bounds.maxAnswerBytes) {
        break;
      }
      const isAgain = page.cursor === last.cursor && page.written === last.written;
      isWhole = isAgain || page.cursor === void 0;
      if (!isAgain) {
        pages.push(page);
      }
      last = page;
    }
    void sink.message(isWhole ? joinPages(pages) : first.answer, carriage);
    sink.ended();
  }
  /** Nothing where there is no such page. What else the server says on the way is heard. */
  async #ask(cursor, place) {
    const { upstream, sink, forward: forward2, request } = this.#options;
    const { promise, resolve } = Promise.withResolvers();
    const message = askForPage(request, { cursor, id: `${request.id}/${place + 1}` });
    const give = () => resolve(void 0);
    let isStream = false;
    const sending = upstream.send(
      { ...forward2, message },
      {
        opened: () => {
          isStream = true;
        },
        filler: () => sink.filler({}),
        message: (said) => {
          if (said.kind === "notification") {
            return sink.message(said, {});
          }
          if (said.id === message.id) {
            resolve(said.kind === "result" ? said : void 0);
          }
          return void 0;
        },
        status: give,
        ended: give,
        failed: give
      },
      () => void 0
    );
    this.#sending = sending;
    const answer = await promise;
    if (isStream) {
      sending.leave();
    }
    return answer;
  }
};
function askForPage(request, { cursor, id }) {
  const said = metaOf(request);
  const { progressToken: _, ...meta } = said ?? {};
  const params = {
    ...request.params,
    ...cursor !== void 0 && { cursor },
    ...said !== void 0 && { _meta: meta }
  };
  return { ...request, id, params };
}

// proxy/gate/server-gate.ts
function openServerGate(options) {
  const { server, recording, limits, streams, policy, usage, names, environment, stderr } = options;
  const { inspector, credential, admission = AT_ONCE } = options;
  const sessions = new SessionTable(options.sessionNames);
  const load = new ServerLoad(limits);
  const asks = {
    ...{ server, policy, usage, sessions, recording, inspector, limits },
    waiting: new WaitingAsks({ recording, timeoutMs: limits.callTimeoutMs, shared: options.sharedAsks }),
    admission,
    shared: options.sharedAsks,
    isRelayed: options.isRelayed === true,
    answer: (sender, text) => upstream.answer?.(
      { session: sender.session?.id, revision: revisionOf(sender), agent: sender.agent },
      text
    ),
    sessionState: () => options.sessionState(),
    labelsGained: (before) => options.labelsGained(before)
  };
  const guarded = (connected2) => credential === void 0 ? connected2 : guardReflections(connected2, {
    ...credential.reflections,
    reflected: () => recording.noteRepeated("secret_redacted", server, { server, kinds: ["credential"] })
  });
  const connected = options.connect({
    ...{ limits, environment, stderr },
    events: {
      answer: (request) => refuseServerRequest(asks, request),
      toolsChanged: (session) => sessions.forgetSightings(session),
      sessionEnded: (session) => sessions.forget(session),
      ...recordProcesses({ server, recording, limits }),
      noteOutputDropped: () => recording.noteRepeated("server_output_dropped", server, { server }),
      noteMessageDropped: () => forwarding.noteMessageDropped()
    }
  });
  const upstream = readListsWhole(guarded(connected), limits);
  const visibility = new Visibility({ server, policy, usage });
  const forwarding = new Forwarding({
    ...{ server, recording, limits, load, sessions, streams, upstream, inspector, asks },
    listChanged: (sender, kind) => noteListChanged(context, sender, kind),
    hearingOf: (subscriptions) => openHearing(visibility, subscriptions)
  });
  const context = {
    ...{ server, policy, usage, visibility, recording, limits, load, sessions, forwarding, asks },
    findings: new DefinitionFindings({ server, recording, visibility, names }),
    catalogs: openCatalogs(),
    views: new ListViews(),
    admission,
    credential: () => credential?.provenance(),
    sessionState: () => options.sessionState(),
    labelsGained: (before) => options.labelsGained(before)
  };
  return new Gate(context, ({ id, revision, agent }) => upstream.endSession(id, revision, agent));
}
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  openServerGate
});
