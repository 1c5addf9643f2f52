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

// proxy/inspection/inspector.ts
var inspector_exports = {};
__export(inspector_exports, {
  createInspector: () => createInspector
});
module.exports = __toCommonJS(inspector_exports);

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
function foldCase(name) {
  return name.toUpperCase().toLowerCase();
}

// proxy/messages/server-message.ts
function findMembersOf(message, name) {
  const { received, text } = message;
  if (name === "result" && received.result !== void 0 && received.text === text) {
    return received.result;
  }
  const span = message.members.get(name);
  return span === void 0 ? void 0 : findMembers(message.text, span.start)?.spans;
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

// proxy/inspection/effort.ts
var MAX_UNITS = 125e4;
var COST = {
  /** One string, however short. */
  string: 4,
  /** A place where something invisible may be, and one where a secret may begin: most are nothing. */
  hiddenPlace: 4,
  secretPlace: 20,
  /** What is taken out or replaced, each time. */
  change: 40
};
var TooMuchToInspect = class extends Error {
};
var Effort = class {
  #left = MAX_UNITS;
  /** Throws `TooMuchToInspect`. */
  spend(units) {
    this.#left -= units;
    if (this.#left < 0) throw new TooMuchToInspect("too much to inspect");
  }
};

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

// proxy/inspection/message-strings.ts
var ENVELOPE = /* @__PURE__ */ new Set(["jsonrpc", "id", "method"]);
var HANDED_BACK = ["nextCursor", "requestState", "progressToken", "requestId"];
var LISTS = ["content", "contents", "messages", "resource"];
var MAX_NESTING = 4;
function findUnread(message) {
  const unread = [];
  for (const [name] of listBodies(message)) {
    const members = findMembersOf(message, name);
    for (const name2 of HANDED_BACK) {
      const span = members?.get(name2);
      if (span !== void 0 && message.text[span.start] === '"') {
        unread.push(span);
      }
    }
    collectBinary(message.text, members, { into: unread, depth: 0 });
  }
  return unread.sort((left, right) => left.start - right.start);
}
function collectBinary(text, members, { into, depth }) {
  if (members === void 0 || depth > MAX_NESTING) {
    return;
  }
  const type = members.get("type");
  const said = type === void 0 ? void 0 : readSpan(text, type);
  const binary = members.get(said === "image" || said === "audio" ? "data" : "blob");
  if (binary !== void 0 && text[binary.start] === '"') {
    into.push(binary);
  }
  for (const list of LISTS) {
    const span = members.get(list);
    const inner = span === void 0 ? [] : findElements(text, span.start) ?? [span];
    inner.forEach(
      (each) => collectBinary(text, findMembers(text, each.start)?.spans, { into, depth: depth + 1 })
    );
  }
}
function findStrings(message, unread, noted) {
  const { text } = message;
  const strings = [];
  let next = 0;
  for (const [, body] of listBodies(message)) {
    for (let start = text.indexOf('"', body.start); start !== -1 && start < body.end; ) {
      const end = skipString(text, start);
      if (end === -1) {
        return void 0;
      }
      while ((unread[next]?.end ?? Infinity) <= start) next++;
      if (unread[next]?.start !== start) {
        noted();
        strings.push({ start, end, isName: text[skipSpace(text, end)] === ":" });
      }
      start = text.indexOf('"', end);
    }
  }
  return strings;
}
function listBodies({ members }) {
  return [...members].filter(([name]) => !ENVELOPE.has(name));
}

// audit/redaction/token-beginnings.ts
var TOKEN_BEGINNINGS = [
  ...["lanyard_", "lop_"],
  ...["gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_"],
  ...["glpat-", "glrt-", "glcbt-", "gldt-", "glptt-", "glsoat-"],
  ...["sk-", "k_live_", "k_test_"],
  ...["AKIA", "ASIA", "ABIA", "ACCA", "AIza", "ya29."],
  ...["xox", "xapp-", "npm_", "pypi-", "hf_", "dckr_pat_", "dckr_oat_"],
  ...["doo_v1_", "dop_v1_", "dor_v1_", "ntn_", "lin_api_", "lin_oauth_", "SG."],
  ...["eyJ", "-----BEGIN "]
];

// proxy/inspection/byte-pairs.ts
var SPACE = 32;
function mark(table, { first, second, anyCase = false, bits }) {
  const lows = listBytes(first, anyCase);
  const highs = listBytes(second, anyCase);
  for (let high = 0; high < highs.length; high++) {
    const from = (highs[high] ?? 0) << 8;
    for (let low = 0; low < lows.length; low++) {
      const pair = from | (lows[low] ?? 0);
      table[pair] = (table[pair] ?? 0) | bits;
    }
  }
}
function listPairs({ first, second, anyCase = false }) {
  const highs = listBytes(second, anyCase);
  return listBytes(first, anyCase).flatMap((low) => highs.map((high) => low | high << 8));
}
var EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);
function listBytes(byte, anyCase) {
  if (byte === void 0) {
    return EVERY_BYTE;
  }
  return anyCase && isLetter(byte) ? [byte, byte & ~32] : [byte];
}
function isControl(byte) {
  return byte === 127 || byte < SPACE && byte !== 9 && byte !== 10 && byte !== 13;
}
function isLetter(byte) {
  return (byte | 32) >= 97 && (byte | 32) <= 122;
}
function foldCase2(byte, anyCase) {
  return anyCase && isLetter(byte) ? byte | 32 : byte;
}

// proxy/inspection/byte-search.ts
var BUCKETS = 14;
var ESCAPES = 1 << 14;
var ALWAYS = 1 << 15;
var BACKSLASH2 = 92;
var CARRIAGE_RETURN = 114;
var LINE_FEED = 110;
var PLAIN_ESCAPES = new Set(['"', "\\", "n", "t"].map((sign) => sign.charCodeAt(0)));
var COMMON = new Set(
  "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ec ct us".split(
    " "
  )
);
var STEP = 4;
var BLOCK = 4096;
var BEHIND = 16;
var FIRST_KEPT = 64 * 1024;
var MAX_KEPT = 1024 * 1024;
function hold(length) {
  const whole = new ArrayBuffer(length + 3 & ~3);
  return { bytes: Buffer.from(whole), words: new Uint16Array(whole), doubles: new Int32Array(whole) };
}
var ByteSearch = class {
  #escape;
  #control;
  /** By pair of bytes, the first in the lower half: one bit per bucket. */
  #pairs = new Uint16Array(65536);
  #following = new Uint16Array(65536).fill(ALWAYS | ESCAPES);
  /** By pair. */
  #candidates = new Array(65536);
  /** By the second byte of a pair whose first can be any. */
  #openCandidates = new Array(256);
  /** What is searched, written over by the next. */
  #held = hold(FIRST_KEPT);
  /** Of one block, written over by the next. */
  #hits = new Int32Array(BLOCK / STEP);
  #dealt = 0;
  /** `escape`: escapes of JSON but for `\" \\ \n \t \r\n`. `control`: control characters but white space. */
  constructor({ escape, control }) {
    this.#escape = escape;
    this.#control = control;
    for (let byte = 0; byte < 256; byte++) {
      if (isControl(byte)) {
        mark(this.#pairs, { first: byte, bits: ALWAYS });
        mark(this.#pairs, { second: byte, bits: ALWAYS });
      }
      if (PLAIN_ESCAPES.has(byte)) {
        listPairs({ first: byte }).forEach((pair) => this.#following[pair] = ALWAYS);
      } else {
        mark(this.#pairs, { first: BACKSLASH2, second: byte, bits: ALWAYS });
      }
    }
    mark(this.#pairs, { first: BACKSLASH2, second: BACKSLASH2, bits: ALWAYS });
    mark(this.#pairs, { second: BACKSLASH2, bits: ESCAPES });
  }
  add({ kind, bytes, anyCase = false }) {
    const codes = readCodes(bytes, anyCase);
    const bucket = this.#dealt++ % BUCKETS;
    const rarest = codes.length === 2 ? -1 : findRarest(codes);
    for (const offset of [rarest, rarest + 1]) {
      const [first, second, third, fourth] = [0, 1, 2, 3].map((index) => codes[offset + index]);
      const candidate = { kind, codes, anyCase, offset };
      if (offset === -1) {
        (this.#openCandidates[second ?? 0] ??= []).push(candidate);
      } else {
        listPairs({ first, second, anyCase }).forEach(
          (pair) => (this.#candidates[pair] ??= []).push(candidate)
        );
      }
      const isOpen = third === void 0 && fourth === void 0;
      mark(this.#pairs, { first, second, anyCase, bits: isOpen ? 1 << bucket | ALWAYS : 1 << bucket });
      if (!isOpen) {
        mark(this.#following, { first: third, second: fourth, anyCase, bits: 1 << bucket });
      }
    }
  }
  /**
   * `text` has one character per byte. `noted` hears of each place at which something is; it can throw to end the
   * search. Without it the search ends soon after the first.
   */
  search(text, noted) {
    const held = this.#hold(text);
    const end = text.length >> 1;
    let found = 0;
    for (let from = 0; from <= end; from += BLOCK) {
      const hits = this.#findHits(held, from, Math.min(end, from + BLOCK - 1));
      for (let index = 0; index < hits; index++) {
        const here = this.#lookInStep(held, this.#hits[index] ?? 0);
        found |= here;
        if (here !== 0) {
          if (noted === void 0) {
            return found;
          }
          noted(here);
        }
      }
    }
    return found;
  }
  /** The bytes of a text, and spaces behind it. */
  #hold(text) {
    const wanted = text.length + BEHIND;
    let held = this.#held;
    if (held.bytes.length < wanted) {
      held = hold(Math.max(wanted, 2 * held.bytes.length));
      if (wanted <= MAX_KEPT) {
        this.#held = held;
      }
    }
    held.bytes.write(text, "latin1");
    held.bytes.fill(SPACE, text.length, wanted);
    return held;
  }
  /**
   * The steps in which a pair and what follows it are of one bucket: how many; their places go to `#hits`. Nothing is
   * called in here and both tables are asked every time: this is where the time goes, and a processor guesses badly.
   */
  #findHits({ doubles }, from, last) {
    const pairs = this.#pairs;
    const following = this.#following;
    const places = this.#hits;
    let count2 = 0;
    let double = doubles[from >> 1] ?? 0;
    for (let place = from; place <= last; place += STEP) {
      const second = doubles[(place >> 1) + 1] ?? 0;
      const third = doubles[(place >> 1) + 2] ?? 0;
      const b = double >>> 16;
      const c = second & 65535;
      const d = second >>> 16;
      const hits = (pairs[double & 65535] ?? 0) & (following[b] ?? 0) | (pairs[b] ?? 0) & (following[c] ?? 0) | (pairs[c] ?? 0) & (following[d] ?? 0) | (pairs[d] ?? 0) & (following[third & 65535] ?? 0);
      if (hits !== 0) {
        places[count2++] = place;
      }
      double = third;
    }
    return count2;
  }
  #lookInStep({ bytes, words: words2 }, step) {
    const pairs = this.#pairs;
    const following = this.#following;
    let found = 0;
    for (let place = step; place < step + STEP; place++) {
      const word = words2[place] ?? 0;
      if (((pairs[word] ?? 0) & (following[words2[place + 1] ?? 0] ?? 0)) !== 0) {
        found |= this.#look(bytes, place * 2, word);
      }
    }
    return found;
  }
  #look(bytes, at, pair) {
    const second = pair >> 8;
    let found = isControl(pair & 255) || isControl(second) ? this.#control : 0;
    if (opensEscape(bytes, at) || opensEscape(bytes, at + 1)) {
      found |= this.#escape;
    }
    found |= findStanding(this.#candidates[pair], bytes, at);
    found |= findStanding(this.#openCandidates[second], bytes, at);
    return found;
  }
};
function readCodes(bytes, anyCase) {
  const codes = Buffer.from(bytes, "latin1");
  return anyCase ? codes.map((code) => foldCase2(code, true)) : codes;
}
function findStanding(candidates, bytes, at) {
  let found = 0;
  if (candidates !== void 0) {
    for (const candidate of candidates) {
      if (stands(candidate, bytes, at)) {
        found |= candidate.kind;
      }
    }
  }
  return found;
}
function stands({ codes, anyCase, offset }, bytes, at) {
  const start = at - offset;
  for (let index = 0; index < codes.length; index++) {
    if (foldCase2(bytes[start + index] ?? 0, anyCase) !== codes[index]) {
      return false;
    }
  }
  return true;
}
function endsLine(bytes, at) {
  const [second, third, fourth] = [bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return second === CARRIAGE_RETURN && third === BACKSLASH2 && fourth === LINE_FEED;
}
function opensEscape(bytes, at) {
  if (bytes[at] !== BACKSLASH2 || PLAIN_ESCAPES.has(bytes[at + 1] ?? 0) || endsLine(bytes, at)) {
    return false;
  }
  let before = at - 1;
  while (bytes[before] === BACKSLASH2) before--;
  return (at - before) % 2 === 1;
}
function findRarest(codes) {
  const weigh = (at) => {
    const pair = String.fromCharCode(codes[at] ?? 0, codes[at + 1] ?? 0);
    return COMMON.has(pair) ? 10 : /[a-z ]{2}/.test(pair) ? 3 : 1;
  };
  let best = 0;
  let least = Infinity;
  for (let at = 0; at <= Math.max(0, codes.length - 5) && least > 2; at++) {
    const weight = weigh(at) + weigh(at + 1);
    if (weight < least) {
      [best, least] = [at, weight];
    }
  }
  return best;
}

// proxy/inspection/injection-markers.ts
var words = (most) => String.raw`(?:\W{1,5}\w{1,20}){0,${most}}\W{1,5}`;
var AGENTS = "ai|llm|assistants?|agents?|language models?|claude|chatgpt|copilot|gemini|codex";
var SECRETS = String.raw`secrets?|tokens?|passwords?|credentials?|api[ _-]?keys?|private keys?|ssh keys?|environment variables?|cookies?`;
var PEOPLE = "user|human|operator|developer";
function saying(pattern) {
  const said = new RegExp(pattern, "im");
  return (text) => said.test(text);
}
var INJECTION_MARKERS = [
  {
    // "Ignore all previous instructions", "new system prompt:"
    name: "instruction_override",
    hints: ["instruction", "prompt", "rules", "guideline"],
    isIn: saying(
      String.raw`\b(?:ignore|disregard|forget|override|bypass)${words(2)}(?:previous|prior|above|earlier|preceding|existing|all|any|your|these|system)${words(3)}(?:instructions?|prompts?|rules|guidelines?)\b|\bnew (?:system )?(?:instructions?|prompt)\s{0,5}:`
    )
  },
  {
    // A comment of HTML or Markdown, which a page does not show, that speaks to an agent
    name: "hidden_comment",
    hints: ["<!--"],
    isIn: speaksInComment
  },
  {
    // What separates the speakers in a model's own input
    name: "role_marker",
    hints: [
      "<|im_",
      "<|sys",
      "<|use",
      "<|ass",
      "<|end",
      "<|eot",
      "<|sta",
      "inst]",
      "sys>>",
      "system>",
      "assistant>"
    ],
    isIn: saying(
      String.raw`<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\||\[/?INST\]|<</?SYS>>|</?(?:system|assistant)>`
    )
  },
  {
    // A line that begins as a system prompt would
    name: "system_block",
    hints: ["system:", "system**", "system prompt", "system message", "system note", "system override"],
    isIn: saying(String.raw`^[ \t#>*\[-]{0,10}system(?: prompt| message| note| override)?[\]*]{0,3}\s{0,3}:`)
  },
  {
    // "Send the API key to …"
    name: "secret_request",
    hints: ["secret", "token", "password", "credential", "key", "environment variable", "cookie"],
    isIn: saying(
      String.raw`\b(?:send|post|upload|forward|e-?mail|exfiltrate|leak|reveal|paste|submit|transmit)${words(6)}(?:${SECRETS})\b`
    )
  },
  {
    // "Post it to a public gist"
    name: "public_post",
    hints: ["public"],
    isIn: saying(
      String.raw`\b(?:post|publish|create|open|write|push|send|upload)${words(6)}public${words(2)}(?:gist|repo|repository|issue|comment|page|channel|paste|bucket|url|endpoint)\b`
    )
  },
  {
    // "Do not tell the user"
    name: "concealment",
    hints: ["the user", "your user", "any user", "human", "operator", "developer"],
    isIn: saying(
      String.raw`\b(?:do not|don['’]?t|never|without)\W{1,5}(?:tell|mention|inform|notify|alert|reveal|disclose|ask|show)(?:ing|l?ing)?${words(4)}(?:the|your|any)\W{1,5}(?:${PEOPLE})`
    )
  },
  {
    // "Note to the AI assistant", "AI agents must"
    name: "addressed_agent",
    hints: [
      " ai",
      "ai ",
      "llm",
      "assistant",
      "agent",
      "language model",
      "claude",
      "chatgpt",
      "copilot",
      "gemini",
      "codex"
    ],
    isIn: saying(
      String.raw`\b(?:attention|important|note|message|instructions?|notice)${words(3)}(?:${AGENTS})\b|\b(?:${AGENTS})\W{1,5}(?:must|should|reading this|please)\b`
    )
  },
  {
    // "You must call the create_gist tool"
    name: "tool_order",
    hints: ["tool"],
    isIn: saying(
      String.raw`\b(?:you must|you should|you need to|please|now|immediately|then|first)\W{1,5}(?:call|invoke|use|run|execute)${words(3)}tool\b`
    )
  }
];
var SPOKEN_TO = new RegExp(
  String.raw`\b(?:${AGENTS}|model|instructions?|prompt|you (?:must|should))\b`,
  "i"
);
function speaksInComment(text) {
  for (let start = text.indexOf("<!--"); start !== -1; ) {
    const end = text.indexOf("-->", start + 4);
    if (SPOKEN_TO.test(text.slice(start + 4, end === -1 ? void 0 : end))) {
      return true;
    }
    start = end === -1 ? -1 : text.indexOf("<!--", end);
  }
  return false;
}

// proxy/inspection/suspicion.ts
var HIDDEN = 1;
var ESCAPED = 2;
var SECRET = 4;
var FIRST_HINT = 8;
var UNSEEN2 = [
  [128, 159],
  [173, 173],
  [847, 847],
  [1564, 1564],
  [4447, 4448],
  [6068, 6069],
  [6155, 6159],
  [8203, 8207],
  [8234, 8238],
  [8288, 8303],
  [12644, 12644],
  [65024, 65039],
  [65279, 65279],
  [65440, 65440],
  [65520, 65531],
  [119155, 119162],
  [917504, 921599]
];
function buildFormSearch(forms) {
  const search = new ByteSearch({ escape: ESCAPED, control: 0 });
  for (const text of forms) {
    search.add({ kind: SECRET, bytes: toByteText(text) });
  }
  return search;
}
function buildSearch(forms) {
  const search = new ByteSearch({ escape: ESCAPED, control: HIDDEN });
  for (const bytes of listUnseen()) {
    search.add({ kind: HIDDEN, bytes });
  }
  for (const text of [...TOKEN_BEGINNINGS, ...forms]) {
    search.add({ kind: SECRET, bytes: toByteText(text) });
  }
  INJECTION_MARKERS.forEach(
    ({ hints }, index) => hints.forEach((bytes) => search.add({ kind: FIRST_HINT << index, bytes, anyCase: true }))
  );
  return search;
}
function listUnseen() {
  const unseen = /* @__PURE__ */ new Set();
  for (const [first, last] of UNSEEN2) {
    for (let code = first; code <= last; code += code < 65536 ? 1 : 64 - code % 64) {
      unseen.add(toByteText(String.fromCodePoint(code)).slice(0, 3));
    }
  }
  return unseen;
}
function listHinted(found) {
  return INJECTION_MARKERS.filter((_, index) => (found & FIRST_HINT << index) !== 0);
}

// proxy/inspection/inspector.ts
var SMALL_BYTES = 256 * 1024;
var MAX_MARKED_LENGTH = 1024 * 1024;
var NOTHING2 = /* @__PURE__ */ new Map();
function createInspector(redactor, { everywhere = false } = {}) {
  let built;
  return {
    inspect: (message, inspection) => {
      if (redactor.forms.size !== built?.forms) {
        const build = everywhere ? buildFormSearch : buildSearch;
        built = { search: build(redactor.forms.keys()), forms: redactor.forms.size };
      }
      const { search } = built;
      return isSuspicious({ message, search, everywhere }) ? lookWithin(new Look({ message, inspection, redactor, search, everywhere })) : void 0;
    }
  };
}
function lookWithin(look) {
  try {
    return look.inspect();
  } catch (error) {
    if (error instanceof TooMuchToInspect) {
      return { ok: false, fault: "too_much" };
    }
    throw error;
  }
}
function isSuspicious({ message, search, everywhere }) {
  const { text } = message;
  if (everywhere || text.length <= SMALL_BYTES) {
    return search.search(text) !== 0;
  }
  let from = 0;
  return [...findUnread(message), { start: text.length, end: text.length }].some(({ start, end }) => {
    const piece = text.slice(from, start);
    from = end;
    return search.search(piece) !== 0;
  });
}
var Look = class {
  #options;
  #redactions = /* @__PURE__ */ new Map();
  #removals = /* @__PURE__ */ new Map();
  #markers = /* @__PURE__ */ new Set();
  /** By a name of members that was changed, how often it came out the same. */
  #names = /* @__PURE__ */ new Map();
  #effort = new Effort();
  #leftToMark = MAX_MARKED_LENGTH;
  constructor(options) {
    this.#options = options;
  }
  inspect() {
    const { message, everywhere } = this.#options;
    const unread = everywhere ? [] : findUnread(message);
    const strings = findStrings(message, unread, () => this.#effort.spend(COST.string));
    if (strings === void 0 || everywhere && this.#isSecretBetween(strings)) {
      return { ok: false, fault: "unreadable" };
    }
    const changes = [];
    for (const span of strings) {
      const raw = message.text.slice(span.start, span.end);
      const found = this.#search(raw);
      if (found !== 0) {
        const text = readSpan(message.text, span);
        if (typeof text !== "string") {
          return { ok: false, fault: "unreadable" };
        }
        const shown = this.#inspectText(text, found);
        if (shown !== text) {
          changes.push({
            span,
            by: toByteText(JSON.stringify(span.isName ? this.#findFreeName(shown) : shown))
          });
        }
      }
    }
    return {
      ok: true,
      message: changes.length === 0 ? message : replaceAll(message, changes),
      findings: { redactions: this.#redactions, removals: this.#removals, markers: this.#markers }
    };
  }
  /** In a number, in what makes it a message. */
  #isSecretBetween(strings) {
    const { redactor, message } = this.#options;
    let from = 0;
    const between = [...strings, { start: message.text.length, end: message.text.length }].map(
      ({ start, end }) => {
        const piece = message.text.slice(from, start);
        from = end;
        return piece;
      }
    );
    const text = between.join('"');
    return (this.#search(text) & SECRET) !== 0 && redactor.redactText(toCharacters(text)).count > 0;
  }
  #search(text) {
    return this.#options.search.search(text, (kind) => {
      if ((kind & SECRET) !== 0) this.#effort.spend(COST.secretPlace);
      if ((kind & HIDDEN) !== 0) this.#effort.spend(COST.hiddenPlace);
    });
  }
  /** Cleaned first: what is hidden between the characters of a secret would hide it. */
  #inspectText(text, foundRaw) {
    const { inspection, redactor, everywhere } = this.#options;
    const isPlain = (foundRaw & (HIDDEN | ESCAPED)) === 0;
    const change = () => this.#effort.spend(COST.change);
    const cleaned = isPlain ? void 0 : everywhere ? { text, removed: NOTHING2 } : cleanText(text, change);
    const isClean = inspection.text === "pass" || cleaned === void 0;
    const plain = cleaned?.text ?? text;
    const found = cleaned === void 0 ? foundRaw : this.#search(toByteText(plain));
    this.#mark(plain, found);
    let shown = isClean ? text : plain;
    if (!isClean) {
      cleaned.removed.forEach((times, kind) => count(this.#removals, kind, times));
    }
    if (inspection.secrets === "redact" && (found & SECRET) !== 0) {
      const redacted = redactor.redactText(shown, (kind) => {
        change();
        count(this.#redactions, kind, 1);
      });
      shown = redacted.count === 0 ? shown : redacted.text;
    }
    return shown;
  }
  #mark(text, found) {
    for (const { name, isIn } of listHinted(found)) {
      if (!this.#markers.has(name) && isIn(text.slice(0, this.#leftToMark))) {
        this.#markers.add(name);
      }
    }
    this.#leftToMark = Math.max(0, this.#leftToMark - text.length);
  }
  /** A second member of a name would hide the first; one that came so may be anywhere. */
  #findFreeName(name) {
    const isTaken = () => this.#options.message.text.includes(toByteText(JSON.stringify(name)));
    const times = (this.#names.get(name) ?? (isTaken() ? 1 : 0)) + 1;
    this.#names.set(name, times);
    return times === 1 ? name : `${name}#${times}`;
  }
};
function count(counts, kind, times) {
  counts.set(kind, (counts.get(kind) ?? 0) + times);
}
function replaceAll(message, changes) {
  const start = changes[0]?.span.start ?? 0;
  const parts = [];
  let end = start;
  for (const { span, by } of changes) {
    parts.push(message.text.slice(end, span.start), by);
    end = span.end;
  }
  return replaceInMessage(message, { start, end }, parts.join(""));
}
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  createInspector
});
