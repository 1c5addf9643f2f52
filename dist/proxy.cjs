"use strict";
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(
  // If the importer is in node compatibility mode or this is not an ESM
  // file that has been converted to a CommonJS file using a Babel-
  // compatible transform (i.e. "__esModule" has not been set), then set
  // "default" to the CommonJS "module.exports" for node compatibility.
  isNodeMode || !mod || !mod.__esModule ? __defProp(target, "default", { value: mod, enumerable: true }) : target,
  mod
));

// action/proxy.ts
var import_node_fs5 = require("node:fs");
var import_node_path5 = require("node:path");

// action/bundles.ts
var PROXY_BUNDLES = [
  "proxy.cjs",
  "server-gate.cjs",
  "condition.cjs",
  "http-upstream.cjs",
  "inspector.cjs",
  "self-test.cjs",
  "stdio-upstream.cjs"
];

// action/guard/guard.ts
var import_node_crypto9 = require("node:crypto");
var import_node_path4 = require("node:path");

// audit/redaction/secret-forms.ts
var MIN_SECRET_LENGTH = 4;
var MIN_PART_LENGTH = 12;
function listSecretForms(value) {
  if (value.length < MIN_SECRET_LENGTH) {
    return [];
  }
  const forms = /* @__PURE__ */ new Set();
  for (const text of [value, ...listLines(value)]) {
    const escaped = JSON.stringify(text).slice(1, -1);
    forms.add(text);
    forms.add(escaped);
    forms.add(JSON.stringify(escaped).slice(1, -1));
    for (const encoded of listUrlForms(text.toWellFormed())) {
      forms.add(encoded);
    }
  }
  for (const encoded of listBase64Forms(value)) {
    forms.add(encoded);
  }
  return [...forms];
}
function listLines(value) {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= MIN_PART_LENGTH && !line.startsWith("-----"));
}
function listUrlForms(text) {
  const plain = encodeURIComponent(text);
  const strict = plain.replace(/[!'()*~._-]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ v: text }).toString().slice(2);
  return [plain, strict, form].flatMap((url) => [
    url,
    url.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())
  ]);
}
function listBase64Forms(value) {
  const bytes = Buffer.from(value, "utf8");
  const whole = bytes.toString("base64");
  const forms = [whole, whole.replace(/=+$/, "")];
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64").replace(/=+$/, "");
    const first = before === 0 ? 0 : before + 1;
    const last = (before + bytes.length) % 3 === 0 ? encoded.length : encoded.length - 1;
    const inner = encoded.slice(first, last);
    if (inner.length >= MIN_PART_LENGTH) {
      forms.push(inner);
    }
  }
  return forms.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

// audit/redaction/token-formats.ts
var NO_WORD = "(?<![A-Za-z0-9])";
var ESCAPE = "(?<=\\\\(?:[abefnrtv]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})|%[0-9A-Fa-f]{2}|[\\x1bBbe3]\\[[0-9;]{0,16}m)";
var START = `(?:${NO_WORD}|${ESCAPE})`;
function startingWith(prefix, rest) {
  return new RegExp(`${START}(?:${prefix})${rest}`);
}
var TOKEN_FORMATS = [
  {
    kind: "lanyard-token",
    pattern: startingWith("lanyard_[a-z]{1,16}_|lop_", "[A-Za-z0-9_-]{16,}")
  },
  // Installation tokens of the newer form hold dots, as JWTs do.
  { kind: "github-token", pattern: startingWith("gh[oprsu]_", "[A-Za-z0-9_-]{20,}(?:\\.[A-Za-z0-9_-]+)*") },
  { kind: "github-token", pattern: startingWith("github_pat_", "[A-Za-z0-9_]{20,}") },
  { kind: "gitlab-token", pattern: startingWith("gl(?:pat|rt|cbt|dt|ptt|soat)-", "[A-Za-z0-9_.-]{20,}") },
  { kind: "anthropic-key", pattern: startingWith("sk-ant-", "[A-Za-z0-9_-]{16,}") },
  // The digit tells a key from words with hyphens.
  { kind: "openai-key", pattern: startingWith("sk-", "(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{20,}") },
  { kind: "stripe-key", pattern: startingWith("[rs]k_(?:live|test)_", "[A-Za-z0-9]{16,}") },
  { kind: "aws-key", pattern: startingWith("AKIA|ASIA|ABIA|ACCA", "[A-Z2-7]{16}(?![A-Za-z0-9])") },
  { kind: "google-key", pattern: startingWith("AIza", "[A-Za-z0-9_-]{35}") },
  { kind: "google-token", pattern: startingWith("ya29\\.", "[A-Za-z0-9_.-]{20,}") },
  { kind: "slack-token", pattern: startingWith("xox[a-z]-|xox[a-z]\\.xox[a-z]-|xapp-", "[A-Za-z0-9-]{10,}") },
  { kind: "npm-token", pattern: startingWith("npm_", "[A-Za-z0-9]{36,}") },
  { kind: "pypi-token", pattern: startingWith("pypi-", "[A-Za-z0-9_-]{50,}") },
  { kind: "hugging-face-token", pattern: startingWith("hf_", "[A-Za-z0-9]{30,}") },
  { kind: "docker-token", pattern: startingWith("dckr_(?:pat|oat)_", "[A-Za-z0-9_-]{20,}") },
  { kind: "digitalocean-token", pattern: startingWith("do[opr]_v1_", "[a-f0-9]{64}") },
  { kind: "notion-token", pattern: startingWith("ntn_", "[A-Za-z0-9]{40,}") },
  { kind: "linear-key", pattern: startingWith("lin_(?:api|oauth)_", "[A-Za-z0-9]{32,}") },
  { kind: "sendgrid-key", pattern: startingWith("SG\\.", "[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}") },
  // Signed (three parts) or encrypted (five parts, of which the second may be empty). The first look ahead settles
  // whether the dots are there, so that many beginnings without an end cost no more than one.
  {
    kind: "jwt",
    pattern: /(?<![\w-])(?=[\w-]+\.[\w-]*\.[\w-])[\w-]*?eyJ[\w-]{8,}\.[\w-]*\.[\w-]+(?:\.[\w-]+){0,2}/
  },
  // A key that was cut off is redacted to the end of the text.
  {
    kind: "private-key",
    pattern: /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{1,64}-----|$)/
  }
];

// audit/redaction/redaction.ts
function createRedactor(secrets, { formats = true } = {}) {
  return new PatternRedactor(secrets, formats);
}
var FORMATS = new RegExp(
  TOKEN_FORMATS.map(({ pattern }, index) => `(?<f${index}>${pattern.source})`).join("|"),
  "g"
);
var MIN_FORMAT_LENGTH = 15;
var PatternRedactor = class {
  /** By the form of a secret. */
  #replacements = /* @__PURE__ */ new Map();
  #known;
  #formats;
  constructor(secrets, formats) {
    this.#formats = formats;
    for (const secret of secrets) {
      this.add(secret);
    }
  }
  add({ id, kind, value }) {
    for (const form of listSecretForms(value)) {
      if (!this.#replacements.has(form)) {
        this.#replacements.set(form, { kind, text: `[redacted:${kind}:${id}]` });
      }
    }
    const forms = [...this.#replacements.keys()].sort((left, right) => right.length - left.length);
    this.#known = forms.length > 0 ? new RegExp(forms.map((form) => RegExp.escape(form)).join("|"), "g") : void 0;
  }
  get forms() {
    return this.#replacements;
  }
  /** What is known comes first: a format that ends in the middle of a known secret must not leave its other half. */
  redactText(text, note) {
    let count3 = 0;
    const wellFormed = text.toWellFormed();
    const withoutKnown = this.#known ? wellFormed.replace(this.#known, (form) => {
      count3 += 1;
      const replacement = this.#replacements.get(form);
      note?.(replacement?.kind ?? "secret");
      return replacement?.text ?? "[redacted]";
    }) : wellFormed;
    if (!this.#formats || withoutKnown.length < MIN_FORMAT_LENGTH) {
      return { text: withoutKnown, count: count3 };
    }
    const redacted = withoutKnown.replace(FORMATS, (...match) => {
      count3 += 1;
      const kind = findKind(match.at(-1));
      note?.(kind);
      return `[redacted:${kind}:unknown]`;
    });
    return { text: redacted, count: count3 };
  }
  redactJson(value) {
    let count3 = 0;
    const redactOne = (text) => {
      const redacted = this.redactText(text);
      count3 += redacted.count;
      return redacted.text;
    };
    return { value: mapTexts(value, redactOne), count: count3 };
  }
};
function findKind(groups) {
  const matched = TOKEN_FORMATS.find(
    (_, index) => typeof groups === "object" && groups !== null && Reflect.get(groups, `f${index}`) !== void 0
  );
  return matched?.kind ?? "secret";
}
function mapTexts(value, map) {
  if (typeof value === "string") {
    return map(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => mapTexts(item, map));
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const mapped = /* @__PURE__ */ new Map();
  const numbers = /* @__PURE__ */ new Map();
  for (const [name, member] of Object.entries(value)) {
    mapped.set(findFreeName(map(name), { mapped, numbers }), mapTexts(member, map));
  }
  return Object.fromEntries(mapped);
}
function findFreeName(name, { mapped, numbers }) {
  let free = name;
  for (let number3 = numbers.get(name) ?? 1; mapped.has(free); numbers.set(name, number3)) {
    number3++;
    free = `${name}#${number3}`;
  }
  return free;
}

// node_modules/zod/v4/core/util.js
function getEnumValues(entries) {
  const numericValues = Object.values(entries).filter((v) => typeof v === "number");
  const values = Object.entries(entries).filter(([k, _]) => numericValues.indexOf(+k) === -1).map(([_, v]) => v);
  return values;
}
function jsonStringifyReplacer(_, value) {
  if (typeof value === "bigint")
    return value.toString();
  return value;
}
var Cached = class {
  constructor(getter) {
    this._getter = getter;
    this._value = void 0;
  }
  get value() {
    const getter = this._getter;
    if (getter !== void 0) {
      this._value = getter();
      this._getter = void 0;
    }
    return this._value;
  }
};
function cached(getter) {
  return new Cached(getter);
}
function nullish(input) {
  return input === null || input === void 0;
}
function cleanRegex(source) {
  const start = source.startsWith("^") ? 1 : 0;
  const end = source.endsWith("$") ? source.length - 1 : source.length;
  return source.slice(start, end);
}
var EVALUATING = /* @__PURE__ */ Symbol("evaluating");
function defineLazy(object2, key, getter) {
  let value = void 0;
  Object.defineProperty(object2, key, {
    get() {
      if (value === EVALUATING) {
        return void 0;
      }
      if (value === void 0) {
        value = EVALUATING;
        value = getter();
      }
      return value;
    },
    set(v) {
      Object.defineProperty(object2, key, {
        value: v
        // configurable: true,
      });
    },
    configurable: true
  });
}
function assignProp(target, prop, value) {
  Object.defineProperty(target, prop, {
    value,
    writable: true,
    enumerable: true,
    configurable: true
  });
}
function rawShape(def) {
  const desc = Object.getOwnPropertyDescriptor(def, "shape");
  return desc?.get ? desc.get.raw : desc?.value;
}
function sourceShape(schema) {
  return rawShape(schema._zod.def) ?? schema._zod.def.shape;
}
function deferProp(target, key, getter) {
  Object.defineProperty(target, key, {
    get() {
      const value = getter();
      assignProp(this, key, value);
      return value;
    },
    enumerable: true,
    configurable: true
  });
}
function putProp(target, key, value) {
  if (key in target)
    assignProp(target, key, value);
  else
    target[key] = value;
}
function mirrorShape(target, source, keys, wrap2) {
  const raw = sourceShape(source);
  for (const key of keys) {
    const desc = Object.getOwnPropertyDescriptor(raw, key);
    if (!desc.enumerable)
      continue;
    if (desc.get) {
      deferProp(target, key, () => {
        const value = source._zod.def.shape[key];
        return wrap2 ? wrap2(value, key) : value;
      });
    } else
      putProp(target, key, wrap2 ? wrap2(desc.value, key) : desc.value);
  }
}
function mirrorProps(target, source) {
  for (const key of Reflect.ownKeys(source)) {
    const desc = Object.getOwnPropertyDescriptor(source, key);
    if (!desc.enumerable)
      continue;
    if (desc.get)
      deferProp(target, key, () => source[key]);
    else
      putProp(target, key, desc.value);
  }
}
function mergeDefs(...defs) {
  const mergedDescriptors = {};
  for (const def of defs) {
    const descriptors = Object.getOwnPropertyDescriptors(def);
    Object.assign(mergedDescriptors, descriptors);
  }
  return Object.defineProperties({}, mergedDescriptors);
}
var captureStackTrace = "captureStackTrace" in Error ? Error.captureStackTrace : (..._args) => {
};
function isObject(data) {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}
function isPlainObject(o) {
  if (isObject(o) === false)
    return false;
  const ctor = o.constructor;
  if (ctor === void 0)
    return true;
  if (typeof ctor !== "function")
    return true;
  const prot = ctor.prototype;
  if (isObject(prot) === false)
    return false;
  if (Object.prototype.hasOwnProperty.call(prot, "isPrototypeOf") === false) {
    return false;
  }
  return true;
}
var propertyKeyTypes = /* @__PURE__ */ new Set(["string", "number", "symbol"]);
function escapeRegex(str) {
  return str.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
function clone(inst, def, params) {
  const cl = new inst._zod.constr(def ?? inst._zod.def);
  if (!def || params?.parent)
    cl._zod.parent = inst;
  return cl;
}
function normalizeParams(_params) {
  const params = _params;
  if (!params)
    return {};
  if (typeof params === "string")
    return { error: () => params };
  if (params?.message !== void 0) {
    if (params?.error !== void 0)
      throw new Error("Cannot specify both `message` and `error` params");
    params.error = params.message;
  }
  delete params.message;
  if (typeof params.error === "string")
    return { ...params, error: () => params.error };
  return params;
}
function optionalKeys(shape) {
  return Object.keys(shape).filter((k) => {
    return shape[k]._zod.optin !== void 0 && shape[k]._zod.optout === "optional";
  });
}
var NUMBER_FORMAT_RANGES = /* @__PURE__ */ (() => ({
  safeint: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
  float32: [-34028234663852886e22, 34028234663852886e22],
  float64: [-Number.MAX_VALUE, Number.MAX_VALUE]
}))();
function extend(schema, shape) {
  if (!isPlainObject(shape)) {
    throw new Error("Invalid input to extend: expected a plain object");
  }
  const checks = schema._zod.def.checks;
  const hasChecks = checks && checks.length > 0;
  if (hasChecks) {
    const existingShape = sourceShape(schema);
    for (const key of Reflect.ownKeys(shape)) {
      if (Object.getOwnPropertyDescriptor(existingShape, key) !== void 0) {
        throw new Error("Cannot overwrite keys on object schemas containing refinements. Use `.safeExtend()` instead.");
      }
    }
  }
  return clone(schema, mergeDefs(schema._zod.def, { shape: extended(schema, shape) }));
}
function extended(schema, shape) {
  const newShape = {};
  mirrorShape(newShape, schema, Reflect.ownKeys(sourceShape(schema)));
  mirrorProps(newShape, shape);
  return newShape;
}
function aborted(x, startIndex = 0) {
  if (x.aborted === true)
    return true;
  for (let i = startIndex; i < x.issues.length; i++) {
    if (x.issues[i]?.continue !== true) {
      return true;
    }
  }
  return false;
}
function explicitlyAborted(x, startIndex = 0) {
  if (x.aborted === true)
    return true;
  for (let i = startIndex; i < x.issues.length; i++) {
    if (x.issues[i]?.continue === false) {
      return true;
    }
  }
  return false;
}
function prefixIssues(path, issues) {
  return issues.map((iss) => {
    var _a3;
    (_a3 = iss).path ?? (_a3.path = []);
    iss.path.unshift(path);
    return iss;
  });
}
function unwrapMessage(message2) {
  return typeof message2 === "string" ? message2 : message2?.message;
}
function sizeCaps(defChecks) {
  const caps = [];
  for (const ch of defChecks ?? []) {
    const d = ch._zod.def;
    if (!/_(length|size)$|_equals$/.test(d.check))
      break;
    const max = d.maximum ?? d.length ?? d.size;
    if (max >= 0)
      caps.push([max, ch]);
  }
  return caps;
}
function attachSchema(issues, start, inst) {
  var _a3;
  for (let i = start; i < issues.length; i++) {
    (_a3 = issues[i]).schema ?? (_a3.schema = inst);
  }
}
function finalizeIssue(iss, ctx, config2) {
  var _a3;
  const traits = iss.inst?._zod?.traits;
  if (traits?.has("$ZodType")) {
    if (traits.has("$ZodCheck"))
      (_a3 = iss).schema ?? (_a3.schema = iss.inst);
    else
      iss.schema = iss.inst;
  }
  const schemaError = iss.schema !== iss.inst ? iss.schema?._zod.def?.error : void 0;
  const message2 = iss.message ? iss.message : unwrapMessage(iss.inst?._zod.def?.error?.(iss)) ?? unwrapMessage(schemaError?.(iss)) ?? unwrapMessage(ctx?.error?.(iss)) ?? unwrapMessage(config2.customError?.(iss)) ?? unwrapMessage(config2.localeError?.(iss)) ?? "Invalid input";
  const full = {};
  for (const k of Object.keys(iss)) {
    if (k === "inst" || k === "schema" || k === "continue" || k === "input" || k === "__proto__")
      continue;
    full[k] = iss[k];
  }
  full.path ?? (full.path = []);
  full.message = message2;
  if (ctx?.reportInput) {
    full.input = iss.input;
  }
  return full;
}
var highSurrogate = /[\uD800-\uDBFF]/;
function codePointLength(str) {
  const units = str.length;
  if (!highSurrogate.test(str))
    return units;
  let count3 = units;
  for (let i = 0; i < units - 1; i++) {
    if ((str.charCodeAt(i) & 64512) === 55296 && (str.charCodeAt(i + 1) & 64512) === 56320) {
      count3--;
      i++;
    }
  }
  return count3;
}
function getLengthableOrigin(input) {
  if (Array.isArray(input))
    return "array";
  if (typeof input === "string")
    return "string";
  return "unknown";
}
function issue(...args) {
  const [iss, input, inst] = args;
  if (typeof iss === "string") {
    return {
      message: iss,
      code: "custom",
      input,
      inst
    };
  }
  return { ...iss };
}
function members(proto, table2) {
  for (const key in table2) {
    const desc = Object.getOwnPropertyDescriptor(table2, key);
    if (desc.get)
      Object.defineProperty(proto, key, { ...desc, enumerable: false });
    else
      defineBound(proto, key, desc.value);
  }
}
function own(inst, key, value, enumerable = true) {
  Object.defineProperty(inst, key, { configurable: true, writable: true, enumerable, value });
  return value;
}
function hide(inst, key, value) {
  return own(inst, key, value, false);
}
function defineBound(proto, key, fn) {
  Object.defineProperty(proto, key, {
    configurable: true,
    get() {
      return this == null ? fn : own(this, key, fn.bind(this));
    },
    set(value) {
      own(this, key, value);
    }
  });
}
function claim(inst, sentinel) {
  const proto = Object.getPrototypeOf(inst);
  return sentinel in proto ? void 0 : proto;
}
var installing;
var broke = false;
var breaker = {
  configurable: true,
  get() {
    broke = true;
    return void 0;
  }
};
function defineLazyInternal(inst, key, compute) {
  const proto = Object.getPrototypeOf(inst._zod);
  if (key in proto && installing !== inst._zod) {
    installing = void 0;
    return;
  }
  installing = inst._zod;
  Object.defineProperty(proto, key, {
    configurable: true,
    get() {
      Object.defineProperty(this, key, breaker);
      const outer = broke;
      broke = false;
      try {
        const value = compute(this);
        if (broke)
          delete this[key];
        else
          Object.defineProperty(this, key, { configurable: true, writable: true, value });
        broke = broke || outer;
        return value;
      } catch (err) {
        delete this[key];
        broke = broke || outer;
        throw err;
      }
    },
    set(value) {
      Object.defineProperty(this, key, { configurable: true, writable: true, value });
    }
  });
}
function installLazyProp(inst, key, make, enumerable) {
  const proto = claim(inst, key);
  if (!proto)
    return;
  Object.defineProperty(proto, key, {
    configurable: true,
    get() {
      const desc = { configurable: true, writable: true, enumerable, value: void 0 };
      Object.defineProperty(this, key, desc);
      desc.value = make(this);
      Object.defineProperty(this, key, desc);
      return desc.value;
    },
    set(value) {
      Object.defineProperty(this, key, { configurable: true, writable: true, enumerable, value });
    }
  });
}

// node_modules/zod/v4/core/core.js
var _a;
var _zodDesc = { value: void 0, enumerable: false };
var _E = "captureStackTrace" in Error ? Error : null;
function newError(Definition) {
  const E = _E;
  if (E) {
    const saved = E.stackTraceLimit;
    if (typeof saved === "number") {
      try {
        E.stackTraceLimit = 0;
      } catch {
        _E = null;
        return new Definition();
      }
      try {
        return new Definition();
      } finally {
        E.stackTraceLimit = saved;
      }
    }
  }
  return new Definition();
}
// @__NO_SIDE_EFFECTS__
function $constructor(name, initializer2, proto, params) {
  const zodProto = {};
  function Internals(def) {
    this.def = def;
    this.constr = _;
    this.traits = /* @__PURE__ */ new Set();
  }
  Internals.prototype = zodProto;
  const protoMembers = proto;
  const initialized = protoMembers && /* @__PURE__ */ new WeakSet();
  function init(inst, def) {
    if (!inst._zod) {
      _zodDesc.value = new Internals(def);
      try {
        Object.defineProperty(inst, "_zod", _zodDesc);
      } finally {
        _zodDesc.value = void 0;
      }
    } else if (inst._zod.traits.has(name)) {
      return;
    }
    inst._zod.traits.add(name);
    initializer2(inst, def);
    if (initialized) {
      const own2 = Object.getPrototypeOf(inst);
      const ctorProto = inst._zod.constr.prototype;
      let up = own2;
      while (up && up !== ctorProto)
        up = Object.getPrototypeOf(up);
      const target = up ?? own2;
      if (!initialized.has(target)) {
        initialized.add(target);
        members(target, protoMembers);
      }
    }
    const proto2 = _.prototype;
    for (const k in proto2) {
      if (!Object.prototype.hasOwnProperty.call(proto2, k))
        continue;
      if (!(k in inst)) {
        inst[k] = proto2[k].bind(inst);
      }
    }
  }
  const Parent = params?.Parent ?? Object;
  class Definition extends Parent {
  }
  Object.defineProperty(Definition, "name", { value: name });
  function _(def) {
    const inst = params?.Parent ? newError(Definition) : this;
    init(inst, def);
    const deferred = inst._zod.deferred;
    if (deferred) {
      for (const fn of deferred) {
        fn();
      }
      inst._zod.deferred = void 0;
    }
    const pp = globalThis.__zod_globalConfig?.postProcessor;
    if (pp)
      pp(inst);
    return inst;
  }
  Object.defineProperty(_, "init", { value: init });
  Object.defineProperty(_, Symbol.hasInstance, {
    value: (inst) => {
      if (params?.Parent && inst instanceof params.Parent)
        return true;
      return inst?._zod?.traits?.has(name);
    }
  });
  Object.defineProperty(_, "name", { value: name });
  return _;
}
var $ZodAsyncError = class extends Error {
  constructor() {
    super(`Encountered Promise during synchronous parse. Use .parseAsync() instead.`);
  }
};
var $ZodEncodeError = class extends Error {
  constructor(name) {
    super(`Encountered unidirectional transform during encode: ${name}`);
    this.name = "ZodEncodeError";
  }
};
(_a = globalThis).__zod_globalConfig ?? (_a.__zod_globalConfig = {});
var globalConfig = globalThis.__zod_globalConfig;
function config(newConfig) {
  if (newConfig)
    Object.assign(globalConfig, newConfig);
  return globalConfig;
}

// node_modules/zod/v4/core/errors.js
function _getMessage() {
  const internals = this._zod;
  internals.message ?? (internals.message = JSON.stringify(internals.def, jsonStringifyReplacer, 2));
  return internals.message;
}
function _setMessage(value) {
  this._zod.message = value;
}
var _messageDesc = {
  get: _getMessage,
  set: _setMessage,
  enumerable: true,
  configurable: true
};
var _issuesDesc = { value: void 0, enumerable: false };
var _installedToString = /* @__PURE__ */ new WeakSet([Object.prototype, Error.prototype]);
var initializer = (inst, def) => {
  inst.name = "$ZodError";
  _issuesDesc.value = def;
  Object.defineProperty(inst, "issues", _issuesDesc);
  _issuesDesc.value = void 0;
  Object.defineProperty(inst, "message", _messageDesc);
  const proto = Object.getPrototypeOf(inst);
  if (!_installedToString.has(proto)) {
    _installedToString.add(proto);
    Object.defineProperty(proto, "toString", {
      configurable: true,
      enumerable: false,
      get() {
        const value = () => this.message;
        Object.defineProperty(this, "toString", { value, configurable: true, writable: true });
        return value;
      },
      set(value) {
        Object.defineProperty(this, "toString", { value, configurable: true, writable: true });
      }
    });
  }
};
var $ZodError = $constructor("$ZodError", initializer);
var $ZodRealError = $constructor("$ZodError", initializer, void 0, {
  Parent: Error
});

// node_modules/zod/v4/core/parse.js
var _parse = (_Err) => {
  const fn = (schema, value, _ctx, _params) => {
    const ctx = _ctx ? { ..._ctx, async: false } : { async: false };
    const result = schema._zod.run({ value, issues: [] }, ctx);
    if (result instanceof Promise) {
      throw new $ZodAsyncError();
    }
    if (result.issues.length) {
      const e = new (_params?.Err ?? _Err)(result.issues.map((iss) => finalizeIssue(iss, ctx, config())));
      captureStackTrace(e, _params?.callee ?? fn);
      throw e;
    }
    return result.value;
  };
  return fn;
};
var parse = /* @__PURE__ */ _parse($ZodRealError);
var _parseAsync = (_Err) => {
  const fn = async (schema, value, _ctx, params) => {
    const ctx = _ctx ? { ..._ctx, async: true } : { async: true };
    let result = schema._zod.run({ value, issues: [] }, ctx);
    if (result instanceof Promise)
      result = await result;
    if (result.issues.length) {
      const e = new (params?.Err ?? _Err)(result.issues.map((iss) => finalizeIssue(iss, ctx, config())));
      captureStackTrace(e, params?.callee ?? fn);
      throw e;
    }
    return result.value;
  };
  return fn;
};
var parseAsync = /* @__PURE__ */ _parseAsync($ZodRealError);
var _safeParse = (_Err) => (schema, value, _ctx) => {
  const ctx = _ctx ? { ..._ctx, async: false } : { async: false };
  const result = schema._zod.run({ value, issues: [] }, ctx);
  if (result instanceof Promise) {
    throw new $ZodAsyncError();
  }
  return result.issues.length ? failure(_Err, result.issues, ctx) : { success: true, data: result.value };
};
var safeParse = /* @__PURE__ */ _safeParse($ZodRealError);
function failure(Err, issues, ctx) {
  let error;
  return {
    success: false,
    get error() {
      if (!error) {
        error = new Err(issues.map((iss) => finalizeIssue(iss, ctx, config())));
        issues = void 0;
        ctx = void 0;
      }
      return error;
    },
    set error(e) {
      error = e;
      issues = void 0;
      ctx = void 0;
    }
  };
}
var _safeParseAsync = (_Err) => async (schema, value, _ctx) => {
  const ctx = _ctx ? { ..._ctx, async: true } : { async: true };
  let result = schema._zod.run({ value, issues: [] }, ctx);
  if (result instanceof Promise)
    result = await result;
  return result.issues.length ? failure(_Err, result.issues, ctx) : { success: true, data: result.value };
};
var safeParseAsync = /* @__PURE__ */ _safeParseAsync($ZodRealError);

// node_modules/zod/v4/core/regexes.js
var anyString = /^[\s\S]{0,}$/;
var number = /^-?\d+(?:\.\d+)?$/;
var boolean = /^(?:true|false)$/i;
var _null = /^null$/i;

// node_modules/zod/v4/core/checks.js
var $ZodCheck = /* @__PURE__ */ $constructor("$ZodCheck", (inst, def) => {
  var _a3;
  inst._zod ?? (inst._zod = {});
  inst._zod.def = def;
  (_a3 = inst._zod).onattach ?? (_a3.onattach = []);
});
var _whenHasLength = (payload) => {
  const val = payload.value;
  return !nullish(val) && val.length !== void 0;
};
var numericOriginMap = {
  number: "number",
  bigint: "bigint",
  object: "date"
};
var $ZodCheckLessThan = /* @__PURE__ */ $constructor("$ZodCheckLessThan", (inst, def) => {
  $ZodCheck.init(inst, def);
  const origin = numericOriginMap[typeof def.value];
  inst._zod.check = (payload) => {
    if (def.inclusive ? payload.value <= def.value : payload.value < def.value) {
      return;
    }
    payload.issues.push({
      origin: numericOriginMap[typeof payload.value] ?? origin,
      code: "too_big",
      maximum: typeof def.value === "object" ? def.value.getTime() : def.value,
      input: payload.value,
      inclusive: def.inclusive,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckGreaterThan = /* @__PURE__ */ $constructor("$ZodCheckGreaterThan", (inst, def) => {
  $ZodCheck.init(inst, def);
  const origin = numericOriginMap[typeof def.value];
  inst._zod.check = (payload) => {
    if (def.inclusive ? payload.value >= def.value : payload.value > def.value) {
      return;
    }
    payload.issues.push({
      origin: numericOriginMap[typeof payload.value] ?? origin,
      code: "too_small",
      minimum: typeof def.value === "object" ? def.value.getTime() : def.value,
      input: payload.value,
      inclusive: def.inclusive,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckNumberFormat = /* @__PURE__ */ $constructor("$ZodCheckNumberFormat", (inst, def) => {
  $ZodCheck.init(inst, def);
  def.format = def.format || "float64";
  const isInt = def.format?.includes("int");
  const origin = isInt ? "int" : "number";
  const [minimum, maximum] = NUMBER_FORMAT_RANGES[def.format];
  inst._zod.check = (payload) => {
    const input = payload.value;
    if (isInt) {
      if (!Number.isInteger(input)) {
        payload.issues.push({
          expected: origin,
          format: def.format,
          code: "invalid_type",
          continue: false,
          input,
          inst
        });
        return;
      }
      if (!Number.isSafeInteger(input)) {
        if (input > 0) {
          payload.issues.push({
            input,
            code: "too_big",
            maximum: Number.MAX_SAFE_INTEGER,
            note: "Integers must be within the safe integer range.",
            inst,
            origin,
            inclusive: true,
            continue: !def.abort
          });
        } else {
          payload.issues.push({
            input,
            code: "too_small",
            minimum: Number.MIN_SAFE_INTEGER,
            note: "Integers must be within the safe integer range.",
            inst,
            origin,
            inclusive: true,
            continue: !def.abort
          });
        }
        return;
      }
    }
    if (input < minimum) {
      payload.issues.push({
        origin: "number",
        input,
        code: "too_small",
        minimum,
        inclusive: true,
        inst,
        continue: !def.abort
      });
    }
    if (input > maximum) {
      payload.issues.push({
        origin: "number",
        input,
        code: "too_big",
        maximum,
        inclusive: true,
        inst,
        continue: !def.abort
      });
    }
  };
});
var $ZodCheckMaxLength = /* @__PURE__ */ $constructor("$ZodCheckMaxLength", (inst, def) => {
  var _a3;
  $ZodCheck.init(inst, def);
  (_a3 = inst._zod.def).when ?? (_a3.when = _whenHasLength);
  inst._zod.check = (payload) => {
    const input = payload.value;
    const units = input.length;
    const length = typeof input === "string" && units > def.maximum ? codePointLength(input) : units;
    if (length <= def.maximum)
      return;
    const origin = getLengthableOrigin(input);
    payload.issues.push({
      origin,
      code: "too_big",
      maximum: def.maximum,
      inclusive: true,
      input,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckMinLength = /* @__PURE__ */ $constructor("$ZodCheckMinLength", (inst, def) => {
  var _a3;
  $ZodCheck.init(inst, def);
  (_a3 = inst._zod.def).when ?? (_a3.when = _whenHasLength);
  inst._zod.check = (payload) => {
    const input = payload.value;
    const units = input.length;
    const length = typeof input === "string" && units >= def.minimum && units < def.minimum * 2 ? codePointLength(input) : units;
    if (length >= def.minimum)
      return;
    const origin = getLengthableOrigin(input);
    payload.issues.push({
      origin,
      code: "too_small",
      minimum: def.minimum,
      inclusive: true,
      input,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckStringFormat = /* @__PURE__ */ $constructor("$ZodCheckStringFormat", (inst, def) => {
  var _a3, _b;
  $ZodCheck.init(inst, def);
  if (def.pattern)
    (_a3 = inst._zod).check ?? (_a3.check = (payload) => {
      def.pattern.lastIndex = 0;
      if (def.pattern.test(payload.value))
        return;
      payload.issues.push({
        origin: "string",
        code: "invalid_format",
        format: def.format,
        input: payload.value,
        ...def.pattern ? { pattern: def.pattern.toString() } : {},
        inst,
        continue: !def.abort
      });
    });
  else
    (_b = inst._zod).check ?? (_b.check = () => {
    });
});
var $ZodCheckRegex = /* @__PURE__ */ $constructor("$ZodCheckRegex", (inst, def) => {
  $ZodCheckStringFormat.init(inst, def);
  inst._zod.check = (payload) => {
    def.pattern.lastIndex = 0;
    if (def.pattern.test(payload.value))
      return;
    payload.issues.push({
      origin: "string",
      code: "invalid_format",
      format: "regex",
      input: payload.value,
      pattern: def.pattern.toString(),
      inst,
      continue: !def.abort
    });
  };
});

// node_modules/zod/v4/core/versions.js
var version = {
  major: 4,
  minor: 6,
  patch: 7
};

// node_modules/zod/v4/core/schemas.js
var $ZodType = /* @__PURE__ */ $constructor("$ZodType", (inst, def) => {
  var _a3;
  inst ?? (inst = {});
  inst._zod.def = def;
  inst._zod.bag = inst._zod.bag || {};
  inst._zod.version = version;
  const defChecks = inst._zod.def.checks;
  const checks = inst._zod.traits.has("$ZodCheck") ? [inst, ...defChecks ?? []] : defChecks?.length ? [...defChecks] : [];
  for (const ch of checks) {
    for (const fn of ch._zod.onattach) {
      fn(inst);
    }
  }
  if (checks.length === 0) {
    (_a3 = inst._zod).deferred ?? (_a3.deferred = []);
    inst._zod.deferred?.push(() => {
      inst._zod.run = inst._zod.parse;
    });
  } else {
    const runChecks = (payload, checks2, ctx) => {
      if (payload.memo)
        return payload;
      let isAborted = aborted(payload);
      let asyncResult;
      for (const ch of checks2) {
        if (ch._zod.def.when) {
          if (explicitlyAborted(payload))
            continue;
          const shouldRun = ch._zod.def.when(payload);
          if (!shouldRun)
            continue;
        } else if (isAborted) {
          continue;
        }
        const currLen = payload.issues.length;
        const _ = ch._zod.check(payload);
        if (_ instanceof Promise && ctx?.async === false) {
          throw new $ZodAsyncError();
        }
        if (asyncResult || _ instanceof Promise) {
          asyncResult = (asyncResult ?? Promise.resolve()).then(async () => {
            await _;
            const nextLen = payload.issues.length;
            if (nextLen === currLen)
              return;
            attachSchema(payload.issues, currLen, inst);
            if (!isAborted)
              isAborted = aborted(payload, currLen);
          });
        } else {
          const nextLen = payload.issues.length;
          if (nextLen === currLen)
            continue;
          attachSchema(payload.issues, currLen, inst);
          if (!isAborted)
            isAborted = aborted(payload, currLen);
        }
      }
      if (asyncResult) {
        return asyncResult.then(() => {
          return payload;
        });
      }
      return payload;
    };
    const handleCanaryResult = (canary, payload, ctx) => {
      if (aborted(canary)) {
        canary.aborted = true;
        return canary;
      }
      const checkResult = runChecks(payload, checks, ctx);
      if (checkResult instanceof Promise) {
        if (ctx.async === false)
          throw new $ZodAsyncError();
        return checkResult.then((checkResult2) => inst._zod.parse(checkResult2, ctx));
      }
      return inst._zod.parse(checkResult, ctx);
    };
    inst._zod.run = (payload, ctx) => {
      if (ctx.skipChecks) {
        return inst._zod.parse(payload, ctx);
      }
      if (ctx.direction === "backward") {
        const canary = inst._zod.parse({ value: payload.value, issues: [] }, { ...ctx, skipChecks: true });
        if (canary instanceof Promise) {
          return canary.then((canary2) => {
            return handleCanaryResult(canary2, payload, ctx);
          });
        }
        return handleCanaryResult(canary, payload, ctx);
      }
      const result = inst._zod.parse(payload, ctx);
      if (result instanceof Promise) {
        if (ctx.async === false)
          throw new $ZodAsyncError();
        return result.then((result2) => runChecks(result2, checks, ctx));
      }
      return runChecks(result, checks, ctx);
    };
  }
}, {
  // Wrappers extend this by installing a richer factory over it; reading it eagerly would defeat the laziness.
  get "~standard"() {
    return hide(this, "~standard", standardProps(this));
  },
  set "~standard"(value) {
    own(this, "~standard", value);
  }
});
var toStandardResult = (r, ctx) => r.issues.length ? { issues: r.issues.map((iss) => finalizeIssue(iss, ctx, config())) } : { value: r.value };
async function validateAsync(inst, value) {
  const ctx = { async: true };
  return toStandardResult(await inst._zod.run({ value, issues: [] }, ctx), ctx);
}
function standardProps(inst) {
  return {
    validate: (value) => {
      const ctx = { async: false };
      try {
        const r = inst._zod.run({ value, issues: [] }, ctx);
        if (!(r instanceof Promise))
          return toStandardResult(r, ctx);
      } catch (_) {
      }
      return validateAsync(inst, value);
    },
    vendor: "zod",
    version: 1
  };
}
var $ZodString = /* @__PURE__ */ $constructor("$ZodString", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.pattern = def.pattern ?? anyString;
  inst._zod.parse = (payload, _) => {
    if (def.coerce)
      try {
        payload.value = String(payload.value);
      } catch (_2) {
      }
    if (typeof payload.value === "string")
      return payload;
    payload.issues.push({
      expected: "string",
      code: "invalid_type",
      input: payload.value,
      inst
    });
    return payload;
  };
});
var $ZodNumber = /* @__PURE__ */ $constructor("$ZodNumber", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.pattern = number;
  inst._zod.parse = (payload, _ctx) => {
    if (def.coerce)
      try {
        payload.value = Number(payload.value);
      } catch (_) {
      }
    const input = payload.value;
    if (typeof input === "number" && !Number.isNaN(input) && Number.isFinite(input)) {
      return payload;
    }
    const received = typeof input === "number" ? Number.isNaN(input) ? "NaN" : !Number.isFinite(input) ? String(input) : void 0 : void 0;
    payload.issues.push({
      expected: "number",
      code: "invalid_type",
      input,
      inst,
      ...received ? { received } : {}
    });
    return payload;
  };
});
var $ZodNumberFormat = /* @__PURE__ */ $constructor("$ZodNumberFormat", (inst, def) => {
  $ZodCheckNumberFormat.init(inst, def);
  $ZodNumber.init(inst, def);
});
var $ZodBoolean = /* @__PURE__ */ $constructor("$ZodBoolean", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.pattern = boolean;
  inst._zod.parse = (payload, _ctx) => {
    if (def.coerce)
      try {
        payload.value = Boolean(payload.value);
      } catch (_) {
      }
    const input = payload.value;
    if (typeof input === "boolean")
      return payload;
    payload.issues.push({
      expected: "boolean",
      code: "invalid_type",
      input,
      inst
    });
    return payload;
  };
});
var $ZodNull = /* @__PURE__ */ $constructor("$ZodNull", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.pattern = _null;
  inst._zod.values = /* @__PURE__ */ new Set([null]);
  inst._zod.parse = (payload, _ctx) => {
    const input = payload.value;
    if (input === null)
      return payload;
    payload.issues.push({
      expected: "null",
      code: "invalid_type",
      input,
      inst
    });
    return payload;
  };
});
var $ZodNever = /* @__PURE__ */ $constructor("$ZodNever", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.parse = (payload, _ctx) => {
    payload.issues.push({
      expected: "never",
      code: "invalid_type",
      input: payload.value,
      inst
    });
    return payload;
  };
});
function capSize(inst, size) {
  const caps = sizeCaps(inst._zod.def.checks);
  if (!caps.length)
    return;
  const cap = Math.min(...caps.map((c) => c[0]));
  const parse2 = inst._zod.parse;
  inst._zod.parse = (payload, ctx) => {
    const n = size(payload.value);
    if (n > cap && !ctx?.skipChecks && ctx?.direction !== "backward") {
      for (const [max, ch] of sizeCaps(inst._zod.def.checks)) {
        if (n > max && ch._zod.def.when(payload)) {
          const start = payload.issues.length;
          ch._zod.check(payload);
          payload.issues[start].continue = false;
          attachSchema(payload.issues, start, inst);
          return payload;
        }
      }
    }
    return parse2(payload, ctx);
  };
}
var arraySize = (input) => Array.isArray(input) ? input.length : -1;
function handleArrayResult(result, final, index) {
  if (result.issues.length) {
    final.issues.push(...prefixIssues(index, result.issues));
  }
  final.value[index] = result.value;
}
var $ZodArray = /* @__PURE__ */ $constructor("$ZodArray", (inst, def) => {
  $ZodType.init(inst, def);
  const memo = globalConfig.memoizer;
  memo?.attach(inst);
  inst._zod.parse = (payload, ctx) => {
    const input = payload.value;
    if (!Array.isArray(input)) {
      payload.issues.push({
        expected: "array",
        code: "invalid_type",
        input,
        inst
      });
      return payload;
    }
    payload.value = memo ? memo.alloc(inst, payload, Array(input.length), ctx) : Array(input.length);
    const proms = [];
    const abortEarly = ctx?.abortEarly;
    for (let i = 0; i < input.length; i++) {
      const item = input[i];
      const result = def.element._zod.run({
        value: item,
        issues: []
      }, ctx);
      if (result instanceof Promise) {
        proms.push(result.then((result2) => handleArrayResult(result2, payload, i)));
      } else {
        handleArrayResult(result, payload, i);
        if (abortEarly && result.issues.length !== 0 && aborted(result))
          break;
      }
    }
    if (proms.length) {
      return Promise.all(proms).then(() => payload);
    }
    return payload;
  };
  capSize(inst, arraySize);
});
function handlePropertyResult(result, final, key, input, optin, optout) {
  const isPresent = key in input;
  const isOptionalOut = optout === "optional";
  if (!isPresent && isOptionalOut && optin === "optional") {
    return;
  }
  if (result.issues.length) {
    if (optin !== void 0 && isOptionalOut && !isPresent) {
      return;
    }
    final.issues.push(...prefixIssues(key, result.issues));
  }
  if (!isPresent && optin === void 0) {
    if (!result.issues.length) {
      final.issues.push({
        code: "invalid_type",
        expected: "nonoptional",
        input: void 0,
        path: [key]
      });
    }
    return;
  }
  if (result.value === void 0) {
    if (isPresent || optin === "defaulted" && !isOptionalOut) {
      final.value[key] = void 0;
    }
  } else {
    final.value[key] = result.value;
  }
}
var NO_SYMBOL_KEYS = [];
function normalizeDef(def) {
  const keys = Object.keys(def.shape);
  const ownSymbols = Object.getOwnPropertySymbols(def.shape);
  const symbolKeys = ownSymbols.length ? ownSymbols : NO_SYMBOL_KEYS;
  const allKeys = symbolKeys.length ? [...keys, ...symbolKeys] : keys;
  for (const k of allKeys) {
    if (!def.shape?.[k]?._zod?.traits?.has("$ZodType")) {
      throw new Error(`Invalid element at key "${String(k)}": expected a Zod schema`);
    }
  }
  const okeys = optionalKeys(def.shape);
  return {
    ...def,
    allKeys,
    symbolKeys,
    // string-only: handleCatchall matches it against `for...in`, which never yields a symbol
    keySet: new Set(keys),
    numKeys: keys.length,
    optionalKeys: new Set(okeys)
  };
}
function handleCatchall(proms, input, payload, ctx, def, inst, abortEarly) {
  const unrecognized = [];
  const keySet = def.keySet;
  const _catchall = def.catchall._zod;
  const t = _catchall.def.type;
  const optin = _catchall.optin;
  const optout = _catchall.optout;
  let seen = 0;
  for (const key in input) {
    if (abortEarly && payload.issues.length !== seen) {
      if (aborted(payload, seen))
        break;
      seen = payload.issues.length;
    }
    if (keySet.has(key))
      continue;
    if (key === "__proto__") {
      if (t === "never")
        unrecognized.push(key);
      continue;
    }
    if (t === "never") {
      unrecognized.push(key);
      continue;
    }
    const r = _catchall.run({ value: input[key], issues: [] }, ctx);
    if (r instanceof Promise) {
      proms.push(r.then((r2) => handlePropertyResult(r2, payload, key, input, optin, optout)));
    } else {
      handlePropertyResult(r, payload, key, input, optin, optout);
    }
  }
  if (unrecognized.length) {
    payload.issues.push({
      code: "unrecognized_keys",
      keys: unrecognized,
      input,
      inst,
      // Describes the shape of the input, not the validity of the parsed value, so it never aborts. The parse still fails; the schema's own checks just get to run first, and an enclosing intersection can reconcile the key against a sibling operand.
      continue: true
    });
  }
  if (!proms.length)
    return payload;
  return Promise.all(proms).then(() => {
    return payload;
  });
}
var $ZodObject = /* @__PURE__ */ $constructor("$ZodObject", (inst, def) => {
  $ZodType.init(inst, def);
  const desc = Object.getOwnPropertyDescriptor(def, "shape");
  const sh = desc?.get ? desc.get.raw : def.shape ?? {};
  if (sh) {
    const get = () => {
      const newSh = { ...sh };
      Object.defineProperty(def, "shape", { value: newSh });
      get.raw = newSh;
      return newSh;
    };
    get.raw = sh;
    Object.defineProperty(def, "shape", { get });
  }
  const _normalized = cached(() => normalizeDef(def));
  defineLazyInternal(inst, "propValues", (zod) => {
    const shape = zod.def.shape;
    const propValues = {};
    for (const key in shape) {
      const field = shape[key]._zod;
      if (field.values) {
        if (!Object.prototype.hasOwnProperty.call(propValues, key)) {
          assignProp(propValues, key, /* @__PURE__ */ new Set());
        }
        for (const v of field.values)
          propValues[key].add(v);
        if (field.optin !== void 0)
          propValues[key].add(void 0);
      }
    }
    return propValues;
  });
  const isObject4 = isObject;
  const catchall = def.catchall;
  let value;
  const memo = globalConfig.memoizer;
  memo?.attach(inst);
  inst._zod.parse = (payload, ctx) => {
    value ?? (value = _normalized.value);
    const input = payload.value;
    if (!isObject4(input)) {
      payload.issues.push({
        expected: "object",
        code: "invalid_type",
        input,
        inst
      });
      return payload;
    }
    payload.value = memo ? memo.alloc(inst, payload, {}, ctx) : {};
    const proms = [];
    const shape = value.shape;
    const abortEarly = ctx?.abortEarly;
    let seen = payload.issues.length;
    for (const key of value.allKeys) {
      if (abortEarly && payload.issues.length !== seen) {
        if (aborted(payload, seen))
          break;
        seen = payload.issues.length;
      }
      if (key === "__proto__")
        continue;
      const el = shape[key];
      const optin = el._zod.optin;
      const optout = el._zod.optout;
      const r = el._zod.run({ value: input[key], issues: [] }, ctx);
      if (r instanceof Promise) {
        proms.push(r.then((r2) => handlePropertyResult(r2, payload, key, input, optin, optout)));
      } else {
        handlePropertyResult(r, payload, key, input, optin, optout);
      }
    }
    if (!catchall) {
      return proms.length ? Promise.all(proms).then(() => payload) : payload;
    }
    return handleCatchall(proms, input, payload, ctx, _normalized.value, inst, abortEarly === true);
  };
});
function handleUnionResults(results, final, inst, ctx) {
  for (const result of results) {
    if (result.issues.length === 0) {
      final.value = result.value;
      return final;
    }
  }
  const nonaborted = results.filter((r) => !aborted(r));
  if (nonaborted.length === 1) {
    final.value = nonaborted[0].value;
    return nonaborted[0];
  }
  final.issues.push({
    code: "invalid_union",
    input: final.value,
    inst,
    errors: results.map((result) => result.issues.map((iss) => finalizeIssue(iss, ctx, config())))
  });
  return final;
}
var $ZodUnion = /* @__PURE__ */ $constructor("$ZodUnion", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "optin", (zod) => zod.def.options.some((o) => o._zod.optin === "defaulted") ? "defaulted" : zod.def.options.some((o) => o._zod.optin !== void 0) ? "optional" : void 0);
  defineLazyInternal(inst, "optout", (zod) => zod.def.options.some((o) => o._zod.optout === "optional") ? "optional" : void 0);
  defineLazyInternal(inst, "values", (zod) => {
    if (zod.def.options.every((o) => o._zod.values)) {
      return new Set(zod.def.options.flatMap((option) => Array.from(option._zod.values)));
    }
    return void 0;
  });
  defineLazyInternal(inst, "pattern", (zod) => {
    if (zod.def.options.every((o) => o._zod.pattern)) {
      const patterns = zod.def.options.map((o) => o._zod.pattern);
      return new RegExp(`^(${patterns.map((p) => cleanRegex(p.source)).join("|")})$`);
    }
    return void 0;
  });
  const first = def.options.length === 1 ? def.options[0]._zod.run : null;
  inst._zod.parse = (payload, ctx) => {
    if (first) {
      return first(payload, ctx);
    }
    let async = false;
    const results = [];
    for (const option of def.options) {
      const result = option._zod.run({
        value: payload.value,
        issues: []
      }, ctx);
      if (result instanceof Promise) {
        results.push(result);
        async = true;
      } else {
        if (result.issues.length === 0)
          return result;
        results.push(result);
      }
    }
    if (!async)
      return handleUnionResults(results, payload, inst, ctx);
    return Promise.all(results).then((results2) => {
      return handleUnionResults(results2, payload, inst, ctx);
    });
  };
});
function discriminatorMap(def) {
  const map = /* @__PURE__ */ new Map();
  for (const option of def.options) {
    const values = option._zod.propValues?.[def.discriminator];
    if (!values || values.size === 0)
      throw new Error(`Invalid discriminated union option at index "${def.options.indexOf(option)}"`);
    for (const value of values) {
      if (map.has(value)) {
        if (value !== void 0)
          throw new Error(`Duplicate discriminator value "${String(value)}"`);
        map.set(value, null);
      } else {
        map.set(value, option);
      }
    }
  }
  return map;
}
var $ZodDiscriminatedUnion = /* @__PURE__ */ $constructor("$ZodDiscriminatedUnion", (inst, def) => {
  def.inclusive = false;
  $ZodUnion.init(inst, def);
  const _super = inst._zod.parse;
  defineLazyInternal(inst, "propValues", (zod) => {
    const propValues = {};
    let undefinedCount = 0;
    for (const option of zod.def.options) {
      const pv = option._zod.propValues;
      if (!pv || Object.keys(pv).length === 0)
        throw new Error(`Invalid discriminated union option at index "${zod.def.options.indexOf(option)}"`);
      if (pv[zod.def.discriminator]?.has(void 0))
        undefinedCount++;
      for (const [k, v] of Object.entries(pv)) {
        if (!Object.prototype.hasOwnProperty.call(propValues, k)) {
          assignProp(propValues, k, /* @__PURE__ */ new Set());
        }
        for (const val of v) {
          propValues[k].add(val);
        }
      }
    }
    if (!zod.def.unionFallback && undefinedCount > 1)
      propValues[zod.def.discriminator]?.delete(void 0);
    return propValues;
  });
  def.options.forEach((option, i) => {
    const propShape = rawShape(option._zod.def);
    if (propShape && !Object.prototype.hasOwnProperty.call(propShape, def.discriminator)) {
      throw new Error(`Invalid discriminated union option at index "${i}"`);
    }
  });
  const disc = cached(() => discriminatorMap(def));
  inst._zod.parse = (payload, ctx) => {
    const input = payload.value;
    if (!isObject(input)) {
      payload.issues.push({
        code: "invalid_type",
        expected: "object",
        input,
        inst
      });
      return payload;
    }
    const value = input?.[def.discriminator];
    const opt = disc.value.get(value);
    if (opt && (value !== void 0 || ctx.direction !== "backward")) {
      return opt._zod.run(payload, ctx);
    }
    if (def.unionFallback || ctx.direction === "backward") {
      return _super(payload, ctx);
    }
    payload.issues.push({
      code: "invalid_union",
      errors: [],
      note: "No matching discriminator",
      discriminator: def.discriminator,
      options: Array.from(disc.value.keys()).filter((value2) => disc.value.get(value2) !== null),
      input,
      path: [def.discriminator],
      inst
    });
    return payload;
  };
});
var $ZodRecord = /* @__PURE__ */ $constructor("$ZodRecord", (inst, def) => {
  $ZodType.init(inst, def);
  const memo = globalConfig.memoizer;
  memo?.attach(inst);
  inst._zod.parse = (payload, ctx) => {
    const input = payload.value;
    if (!isPlainObject(input)) {
      payload.issues.push({
        expected: "record",
        code: "invalid_type",
        input,
        inst
      });
      return payload;
    }
    const proms = [];
    const values = def.keyType._zod.values;
    if (values && !def.partial) {
      payload.value = memo ? memo.alloc(inst, payload, {}, ctx) : {};
      const recordKeys = /* @__PURE__ */ new Set();
      for (const key of values) {
        if (typeof key === "string" || typeof key === "number" || typeof key === "symbol") {
          recordKeys.add(typeof key === "number" ? key.toString() : key);
          if (key === "__proto__")
            continue;
          const keyResult = def.keyType._zod.run({ value: key, issues: [] }, ctx);
          if (keyResult instanceof Promise) {
            throw new Error("Async schemas not supported in object keys currently");
          }
          if (keyResult.issues.length) {
            payload.issues.push({
              code: "invalid_key",
              origin: "record",
              issues: keyResult.issues.map((iss) => finalizeIssue(iss, ctx, config())),
              input: key,
              path: [key],
              inst
            });
            continue;
          }
          const outKey = keyResult.value;
          if (outKey === "__proto__")
            continue;
          const result = def.valueType._zod.run({ value: input[key], issues: [] }, ctx);
          if (result instanceof Promise) {
            proms.push(result.then((result2) => {
              if (result2.issues.length) {
                payload.issues.push(...prefixIssues(key, result2.issues));
              }
              payload.value[outKey] = result2.value;
            }));
          } else {
            if (result.issues.length) {
              payload.issues.push(...prefixIssues(key, result.issues));
            }
            payload.value[outKey] = result.value;
          }
        }
      }
      let unrecognized;
      for (const key in input) {
        if (!recordKeys.has(key)) {
          if (def.mode === "loose") {
            if (key === "__proto__")
              continue;
            payload.value[key] = input[key];
          } else {
            unrecognized = unrecognized ?? [];
            unrecognized.push(key);
          }
        }
      }
      if (unrecognized && unrecognized.length > 0) {
        payload.issues.push({
          code: "unrecognized_keys",
          input,
          inst,
          keys: unrecognized,
          continue: true
        });
      }
    } else {
      payload.value = memo ? memo.alloc(inst, payload, {}, ctx) : {};
      let unrecognized;
      for (const key of Reflect.ownKeys(input)) {
        if (key === "__proto__")
          continue;
        if (!Object.prototype.propertyIsEnumerable.call(input, key))
          continue;
        let keyResult = def.keyType._zod.run({ value: key, issues: [] }, ctx);
        if (keyResult instanceof Promise) {
          throw new Error("Async schemas not supported in object keys currently");
        }
        const checkNumericKey = typeof key === "string" && number.test(key) && keyResult.issues.length;
        if (checkNumericKey) {
          const retryResult = def.keyType._zod.run({ value: Number(key), issues: [] }, ctx);
          if (retryResult instanceof Promise) {
            throw new Error("Async schemas not supported in object keys currently");
          }
          if (retryResult.issues.length === 0) {
            keyResult = retryResult;
          }
        }
        if (keyResult.issues.length) {
          if (def.mode === "loose") {
            payload.value[key] = input[key];
          } else if (values) {
            unrecognized = unrecognized ?? [];
            unrecognized.push(key);
          } else {
            payload.issues.push({
              code: "invalid_key",
              origin: "record",
              issues: keyResult.issues.map((iss) => finalizeIssue(iss, ctx, config())),
              input: key,
              path: [key],
              inst
            });
          }
          continue;
        }
        const outKey = keyResult.value;
        if (outKey === "__proto__")
          continue;
        const result = def.valueType._zod.run({ value: input[key], issues: [] }, ctx);
        if (result instanceof Promise) {
          proms.push(result.then((result2) => {
            if (result2.issues.length) {
              payload.issues.push(...prefixIssues(key, result2.issues));
            }
            payload.value[outKey] = result2.value;
          }));
        } else {
          if (result.issues.length) {
            payload.issues.push(...prefixIssues(key, result.issues));
          }
          payload.value[outKey] = result.value;
        }
      }
      if (unrecognized && unrecognized.length > 0) {
        payload.issues.push({
          code: "unrecognized_keys",
          input,
          inst,
          keys: unrecognized,
          continue: true
        });
      }
    }
    if (proms.length) {
      return Promise.all(proms).then(() => payload);
    }
    return payload;
  };
});
var $ZodEnum = /* @__PURE__ */ $constructor("$ZodEnum", (inst, def) => {
  $ZodType.init(inst, def);
  const values = getEnumValues(def.entries);
  const valuesSet = new Set(values);
  inst._zod.values = valuesSet;
  defineLazyInternal(inst, "pattern", (zod) => {
    const patternValues = getEnumValues(zod.def.entries).filter((k) => propertyKeyTypes.has(typeof k));
    return new RegExp(patternValues.length ? `^(${patternValues.map((o) => escapeRegex(o.toString())).join("|")})$` : "^[^\\s\\S]$");
  });
  inst._zod.parse = (payload, _ctx) => {
    const input = payload.value;
    if (valuesSet.has(input)) {
      return payload;
    }
    payload.issues.push({
      code: "invalid_value",
      values,
      input,
      inst
    });
    return payload;
  };
});
var $ZodLiteral = /* @__PURE__ */ $constructor("$ZodLiteral", (inst, def) => {
  $ZodType.init(inst, def);
  const values = new Set(def.values);
  inst._zod.values = values;
  defineLazyInternal(inst, "pattern", (zod) => {
    const vals = zod.def.values;
    return new RegExp(vals.length ? `^(${vals.map((o) => typeof o === "string" ? escapeRegex(o) : o ? escapeRegex(o.toString()) : String(o)).join("|")})$` : "^[^\\s\\S]$");
  });
  inst._zod.parse = (payload, _ctx) => {
    const input = payload.value;
    if (values.has(input)) {
      return payload;
    }
    payload.issues.push({
      code: "invalid_value",
      values: def.values,
      input,
      inst
    });
    return payload;
  };
});
var $ZodTransform = /* @__PURE__ */ $constructor("$ZodTransform", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.optin = "optional";
  globalConfig.memoizer?.guard(inst);
  inst._zod.parse = (payload, ctx) => {
    if (ctx.direction === "backward") {
      throw new $ZodEncodeError(inst.constructor.name);
    }
    const _out = def.transform(payload.value, payload);
    if (ctx.async) {
      const output = _out instanceof Promise ? _out : Promise.resolve(_out);
      return output.then((output2) => {
        payload.value = output2;
        return payload;
      });
    }
    if (_out instanceof Promise) {
      throw new $ZodAsyncError();
    }
    payload.value = _out;
    return payload;
  };
});
function handleOptionalResult(payload, result) {
  payload.value = result.issues.length ? void 0 : result.value;
  return payload;
}
var $ZodOptional = /* @__PURE__ */ $constructor("$ZodOptional", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "optin", (zod) => zod.def.innerType._zod.optin === "defaulted" ? "defaulted" : "optional");
  inst._zod.optout = "optional";
  defineLazyInternal(inst, "values", (zod) => {
    const values = zod.def.innerType._zod.values;
    return values ? /* @__PURE__ */ new Set([...values, void 0]) : void 0;
  });
  defineLazyInternal(inst, "pattern", (zod) => {
    const pattern = zod.def.innerType._zod.pattern;
    return pattern ? new RegExp(`^(${cleanRegex(pattern.source)})?$`) : void 0;
  });
  inst._zod.parse = (payload, ctx) => {
    if (payload.value === void 0) {
      if (def.innerType._zod.optin !== "defaulted")
        return payload;
      const result = def.innerType._zod.run({ value: payload.value, issues: [] }, ctx);
      if (result instanceof Promise)
        return result.then((result2) => handleOptionalResult(payload, result2));
      return handleOptionalResult(payload, result);
    }
    return def.innerType._zod.run(payload, ctx);
  };
});
var $ZodNullable = /* @__PURE__ */ $constructor("$ZodNullable", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "optin", (zod) => zod.def.innerType._zod.optin);
  defineLazyInternal(inst, "optout", (zod) => zod.def.innerType._zod.optout);
  defineLazyInternal(inst, "pattern", (zod) => {
    const pattern = zod.def.innerType._zod.pattern;
    return pattern ? new RegExp(`^(${cleanRegex(pattern.source)}|null)$`) : void 0;
  });
  defineLazyInternal(inst, "values", (zod) => {
    return zod.def.innerType._zod.values ? /* @__PURE__ */ new Set([...zod.def.innerType._zod.values, null]) : void 0;
  });
  inst._zod.parse = (payload, ctx) => {
    if (payload.value === null)
      return payload;
    return def.innerType._zod.run(payload, ctx);
  };
});
var $ZodPipe = /* @__PURE__ */ $constructor("$ZodPipe", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "values", (zod) => zod.def.in._zod.values);
  defineLazyInternal(inst, "optin", (zod) => zod.def.in._zod.optin);
  defineLazyInternal(inst, "optout", (zod) => zod.def.out._zod.optout);
  defineLazyInternal(inst, "propValues", (zod) => zod.def.in._zod.propValues);
  inst._zod.parse = (payload, ctx) => {
    if (ctx.direction === "backward") {
      const right = def.out._zod.run(payload, ctx);
      if (right instanceof Promise) {
        return right.then((right2) => handlePipeResult(right2, def.in, ctx));
      }
      return handlePipeResult(right, def.in, ctx);
    }
    const left = def.in._zod.run(payload, ctx);
    if (left instanceof Promise) {
      return left.then((left2) => handlePipeResult(left2, def.out, ctx));
    }
    return handlePipeResult(left, def.out, ctx);
  };
});
function handlePipeResult(left, next, ctx) {
  if (left.issues.some((iss) => iss.code !== "unrecognized_keys")) {
    left.aborted = true;
    return left;
  }
  return next._zod.run({ value: left.value, issues: left.issues }, ctx);
}
var $ZodLazy = /* @__PURE__ */ $constructor("$ZodLazy", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazy(inst._zod, "innerType", () => {
    const d = def;
    if (!d._cachedInner)
      d._cachedInner = def.getter();
    return d._cachedInner;
  });
  defineLazyInternal(inst, "pattern", (zod) => zod.innerType?._zod?.pattern);
  defineLazyInternal(inst, "propValues", (zod) => zod.innerType?._zod?.propValues);
  defineLazyInternal(inst, "optin", (zod) => zod.innerType?._zod?.optin ?? void 0);
  defineLazyInternal(inst, "optout", (zod) => zod.innerType?._zod?.optout ?? void 0);
  inst._zod.parse = (payload, ctx) => {
    const inner = inst._zod.innerType;
    return inner._zod.run(payload, ctx);
  };
});
var $ZodCustom = /* @__PURE__ */ $constructor("$ZodCustom", (inst, def) => {
  $ZodCheck.init(inst, def);
  $ZodType.init(inst, def);
  inst._zod.parse = (payload, _) => {
    return payload;
  };
  inst._zod.check = (payload) => {
    const input = payload.value;
    const r = def.fn(input);
    if (r instanceof Promise) {
      return r.then((r2) => handleRefineResult(r2, payload, input, inst));
    }
    handleRefineResult(r, payload, input, inst);
    return;
  };
});
function handleRefineResult(result, payload, input, inst) {
  if (!result) {
    const _iss = {
      code: "custom",
      input,
      inst,
      // incorporates params.error into issue reporting
      path: [...inst._zod.def.path ?? []],
      // incorporates params.error into issue reporting
      continue: !inst._zod.def.abort
      // params: inst._zod.def.params,
    };
    if (inst._zod.def.params)
      _iss.params = inst._zod.def.params;
    payload.issues.push(issue(_iss));
  }
}

// node_modules/zod/v4/core/registries.js
var _a2;
var $ZodRegistry = class {
  constructor() {
    this._map = /* @__PURE__ */ new WeakMap();
    this._idmap = /* @__PURE__ */ new Map();
  }
  add(schema, ..._meta) {
    const meta2 = _meta[0];
    this._map.set(schema, meta2);
    if (meta2 && typeof meta2 === "object" && "id" in meta2) {
      this._idmap.set(meta2.id, schema);
    }
    return this;
  }
  clear() {
    this._map = /* @__PURE__ */ new WeakMap();
    this._idmap = /* @__PURE__ */ new Map();
    return this;
  }
  remove(schema) {
    const meta2 = this._map.get(schema);
    if (meta2 && typeof meta2 === "object" && "id" in meta2) {
      this._idmap.delete(meta2.id);
    }
    this._map.delete(schema);
    return this;
  }
  get(schema) {
    const p = schema._zod.parent;
    if (p) {
      const pm = { ...this.get(p) ?? {} };
      delete pm.id;
      const f = { ...pm, ...this._map.get(schema) };
      return Object.keys(f).length ? f : void 0;
    }
    return this._map.get(schema);
  }
  has(schema) {
    return this._map.has(schema);
  }
};
function registry() {
  return new $ZodRegistry();
}
(_a2 = globalThis).__zod_globalRegistry ?? (_a2.__zod_globalRegistry = registry());
var globalRegistry = globalThis.__zod_globalRegistry;

// node_modules/zod/v4/core/api.js
function snapshotChecks(def) {
  if (def.checks)
    def.checks = [...def.checks];
  return def;
}
// @__NO_SIDE_EFFECTS__
function _string(Class, params) {
  return new Class(snapshotChecks({ type: "string", ...normalizeParams(params) }));
}
// @__NO_SIDE_EFFECTS__
function _number(Class, params) {
  return new Class(snapshotChecks({ type: "number", checks: [], ...normalizeParams(params) }));
}
// @__NO_SIDE_EFFECTS__
function _int(Class, params) {
  return new Class({
    type: "number",
    check: "number_format",
    abort: false,
    format: "safeint",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _boolean(Class, params) {
  return new Class({
    type: "boolean",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _null2(Class, params) {
  return new Class({
    type: "null",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _never(Class, params) {
  return new Class({
    type: "never",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _lte(value, params) {
  return new $ZodCheckLessThan({
    check: "less_than",
    ...normalizeParams(params),
    value,
    inclusive: true
  });
}
// @__NO_SIDE_EFFECTS__
function _gt(value, params) {
  return new $ZodCheckGreaterThan({
    check: "greater_than",
    ...normalizeParams(params),
    value,
    inclusive: false
  });
}
// @__NO_SIDE_EFFECTS__
function _gte(value, params) {
  return new $ZodCheckGreaterThan({
    check: "greater_than",
    ...normalizeParams(params),
    value,
    inclusive: true
  });
}
// @__NO_SIDE_EFFECTS__
function _positive(params) {
  return /* @__PURE__ */ _gt(0, params);
}
// @__NO_SIDE_EFFECTS__
function _nonnegative(params) {
  return /* @__PURE__ */ _gte(0, params);
}
// @__NO_SIDE_EFFECTS__
function _maxLength(maximum, params) {
  const ch = new $ZodCheckMaxLength({
    check: "max_length",
    ...normalizeParams(params),
    maximum
  });
  return ch;
}
// @__NO_SIDE_EFFECTS__
function _minLength(minimum, params) {
  return new $ZodCheckMinLength({
    check: "min_length",
    ...normalizeParams(params),
    minimum
  });
}
// @__NO_SIDE_EFFECTS__
function _regex(pattern, params) {
  return new $ZodCheckRegex({
    check: "string_format",
    format: "regex",
    ...normalizeParams(params),
    pattern
  });
}
// @__NO_SIDE_EFFECTS__
function _custom(Class, fn, _params) {
  const norm = normalizeParams(_params);
  norm.abort ?? (norm.abort = true);
  const schema = new Class({
    type: "custom",
    check: "custom",
    fn,
    ...norm
  });
  return schema;
}
// @__NO_SIDE_EFFECTS__
function _refine(Class, fn, _params) {
  const schema = new Class({
    type: "custom",
    check: "custom",
    fn,
    ...normalizeParams(_params)
  });
  return schema;
}
// @__NO_SIDE_EFFECTS__
function describe(description) {
  const ch = new $ZodCheck({ check: "describe" });
  ch._zod.onattach = [
    (inst) => {
      const existing = globalRegistry.get(inst) ?? {};
      globalRegistry.add(inst, { ...existing, description });
    }
  ];
  ch._zod.check = () => {
  };
  return ch;
}

// node_modules/zod/v4/mini/schemas.js
var ZodMiniType = /* @__PURE__ */ $constructor("ZodMiniType", (inst, def) => {
  if (!inst._zod)
    throw new Error("Uninitialized schema in ZodMiniType.");
  $ZodType.init(inst, def);
  inst.def = def;
  inst.type = def.type;
}, {
  // `with` is an alias for `check`: the same function object, not a wrapper.
  get with() {
    return this.check;
  },
  set with(value) {
    own(this, "with", value);
  },
  parse(data, params) {
    return parse(this, data, params, { callee: this.parse });
  },
  parseAsync(data, params) {
    return parseAsync(this, data, params, { callee: this.parseAsync });
  },
  safeParse(data, params) {
    return safeParse(this, data, params);
  },
  safeParseAsync(data, params) {
    return safeParseAsync(this, data, params);
  },
  check(...checks) {
    const def = this.def;
    return this.clone({
      ...def,
      checks: [
        ...def.checks ?? [],
        ...checks.map((ch) => typeof ch === "function" ? { _zod: { check: ch, def: { check: "custom" }, onattach: [] } } : ch)
      ]
    }, { parent: true });
  },
  clone(_def, params) {
    return clone(this, _def, params);
  },
  brand() {
    return this;
  },
  register(reg, meta2) {
    reg.add(this, meta2);
    return this;
  },
  apply(fn, ...args) {
    return args.length === 0 ? fn(this) : fn(this, ...args);
  }
});
var ZodMiniString = /* @__PURE__ */ $constructor("ZodMiniString", (inst, def) => {
  $ZodString.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function string2(params) {
  return _string(ZodMiniString, params);
}
var ZodMiniNumber = /* @__PURE__ */ $constructor("ZodMiniNumber", (inst, def) => {
  $ZodNumber.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function number2(params) {
  return _number(ZodMiniNumber, params);
}
var ZodMiniNumberFormat = /* @__PURE__ */ $constructor("ZodMiniNumberFormat", (inst, def) => {
  $ZodNumberFormat.init(inst, def);
  ZodMiniNumber.init(inst, def);
});
function int(params) {
  return _int(ZodMiniNumberFormat, params);
}
var ZodMiniBoolean = /* @__PURE__ */ $constructor("ZodMiniBoolean", (inst, def) => {
  $ZodBoolean.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function boolean2(params) {
  return _boolean(ZodMiniBoolean, params);
}
var ZodMiniNull = /* @__PURE__ */ $constructor("ZodMiniNull", (inst, def) => {
  $ZodNull.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function _null3(params) {
  return _null2(ZodMiniNull, params);
}
var ZodMiniNever = /* @__PURE__ */ $constructor("ZodMiniNever", (inst, def) => {
  $ZodNever.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function never(params) {
  return _never(ZodMiniNever, params);
}
var ZodMiniArray = /* @__PURE__ */ $constructor("ZodMiniArray", (inst, def) => {
  $ZodArray.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function array(element, params) {
  return new ZodMiniArray({
    type: "array",
    element,
    ...normalizeParams(params)
  });
}
var ZodMiniObject = /* @__PURE__ */ $constructor("ZodMiniObject", (inst, def) => {
  $ZodObject.init(inst, def);
  ZodMiniType.init(inst, def);
  installLazyProp(inst, "shape", (self) => self._zod.def.shape, false);
});
// @__NO_SIDE_EFFECTS__
function object(shape, params) {
  const def = {
    type: "object",
    shape: shape ?? {},
    ...normalizeParams(params)
  };
  return new ZodMiniObject(def);
}
// @__NO_SIDE_EFFECTS__
function strictObject(shape, params) {
  return new ZodMiniObject({
    type: "object",
    shape,
    catchall: /* @__PURE__ */ never(),
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function extend2(schema, shape) {
  return extend(schema, shape);
}
var ZodMiniUnion = /* @__PURE__ */ $constructor("ZodMiniUnion", (inst, def) => {
  $ZodUnion.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function union(options, params) {
  return new ZodMiniUnion({
    type: "union",
    options,
    ...normalizeParams(params)
  });
}
var ZodMiniDiscriminatedUnion = /* @__PURE__ */ $constructor("ZodMiniDiscriminatedUnion", (inst, def) => {
  $ZodDiscriminatedUnion.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function discriminatedUnion(discriminator, options, params) {
  return new ZodMiniDiscriminatedUnion({
    type: "union",
    options,
    discriminator,
    ...normalizeParams(params)
  });
}
var ZodMiniRecord = /* @__PURE__ */ $constructor("ZodMiniRecord", (inst, def) => {
  $ZodRecord.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function record(keyType, valueType, params) {
  if (!valueType || !valueType._zod) {
    return new ZodMiniRecord({
      type: "record",
      keyType: /* @__PURE__ */ string2(),
      valueType: keyType,
      ...normalizeParams(valueType)
    });
  }
  return new ZodMiniRecord({
    type: "record",
    keyType,
    valueType,
    ...normalizeParams(params)
  });
}
var ZodMiniEnum = /* @__PURE__ */ $constructor("ZodMiniEnum", (inst, def) => {
  $ZodEnum.init(inst, def);
  ZodMiniType.init(inst, def);
  inst.options = [...inst._zod.values];
});
// @__NO_SIDE_EFFECTS__
function _enum(values, params) {
  const entries = Array.isArray(values) ? Object.fromEntries(values.map((v) => [v, v])) : values;
  return new ZodMiniEnum({
    type: "enum",
    entries,
    ...normalizeParams(params)
  });
}
var ZodMiniLiteral = /* @__PURE__ */ $constructor("ZodMiniLiteral", (inst, def) => {
  $ZodLiteral.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function literal(value, params) {
  return new ZodMiniLiteral({
    type: "literal",
    values: Array.isArray(value) ? value : [value],
    ...normalizeParams(params)
  });
}
var ZodMiniTransform = /* @__PURE__ */ $constructor("ZodMiniTransform", (inst, def) => {
  $ZodTransform.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function transform(fn) {
  return new ZodMiniTransform({
    type: "transform",
    transform: fn
  });
}
var ZodMiniOptional = /* @__PURE__ */ $constructor("ZodMiniOptional", (inst, def) => {
  $ZodOptional.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function optional(innerType) {
  return new ZodMiniOptional({
    type: "optional",
    innerType
  });
}
var ZodMiniNullable = /* @__PURE__ */ $constructor("ZodMiniNullable", (inst, def) => {
  $ZodNullable.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function nullable(innerType) {
  return new ZodMiniNullable({
    type: "nullable",
    innerType
  });
}
var ZodMiniPipe = /* @__PURE__ */ $constructor("ZodMiniPipe", (inst, def) => {
  $ZodPipe.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function pipe(in_, out) {
  return new ZodMiniPipe({
    type: "pipe",
    in: in_,
    out
  });
}
var ZodMiniLazy = /* @__PURE__ */ $constructor("ZodMiniLazy", (inst, def) => {
  $ZodLazy.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function _lazy(getter) {
  return new ZodMiniLazy({
    type: "lazy",
    getter
  });
}
var ZodMiniCustom = /* @__PURE__ */ $constructor("ZodMiniCustom", (inst, def) => {
  $ZodCustom.init(inst, def);
  ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function custom(fn, _params) {
  return _custom(ZodMiniCustom, fn ?? (() => true), _params);
}
// @__NO_SIDE_EFFECTS__
function refine(fn, _params = {}) {
  return _refine(ZodMiniCustom, fn, _params);
}
var describe2 = describe;
// @__NO_SIDE_EFFECTS__
function json() {
  const jsonSchema = /* @__PURE__ */ _lazy(() => {
    return /* @__PURE__ */ union([/* @__PURE__ */ string2(), /* @__PURE__ */ number2(), /* @__PURE__ */ boolean2(), /* @__PURE__ */ _null3(), /* @__PURE__ */ array(jsonSchema), /* @__PURE__ */ record(/* @__PURE__ */ string2(), jsonSchema)]);
  });
  return jsonSchema;
}

// policies/resource-pattern.ts
var uriCharacter = String.raw`[^\s*{}\\\u0000-\u001f\u007f]`;
var variable = String.raw`\{run\.[a-z_]+\}`;
var endsInHost = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+\*$/u;
var ResourcePattern = string2().check(
  _regex(
    new RegExp(`^[a-z][a-z0-9+.-]*:(?:(?:${uriCharacter}|${variable}){1,500}\\*?|\\*)$`, "u"),
    "expected the URI of a resource, or the beginning of one with one * at its end"
  ),
  refine(
    (pattern) => !endsInHost.test(pattern),
    "this names every host that begins like this one: end it with /*"
  ),
  describe2('A URI, or the beginning of one with one * at its end: "repo://{run.repository}/*".')
);
var plainFact = /^(?!\.{1,2}(?:\/|$))[\w.~+,=-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.~+,=-]+)*$/;
function compileResource(pattern, run2) {
  const isPrefix = pattern.endsWith("*");
  let isComplete = true;
  const text = (isPrefix ? pattern.slice(0, -1) : pattern).replace(
    /\{run\.([a-z_]+)\}/g,
    (_written, name) => {
      const fact = String(run2.get(name) ?? "");
      isComplete &&= plainFact.test(fact);
      return fact;
    }
  );
  return isComplete ? { text, isPrefix } : void 0;
}
var resolvable = /(?:^|[/\\:])(?:\.|%2e){1,2}(?:[/\\?#;]|%3b|$)|%(?:2f|5c|00|25|c0|c1)|[\\\s\u0000-\u001f\u007f]/iu;
function isPlainUri(uri) {
  const rest = uri.replace(/^[a-z][a-z0-9+.-]*:(?:\/\/)?/i, "");
  return !rest.includes("//") && !resolvable.test(uri) && uri.normalize("NFKC") === uri;
}

// policies/tool-pattern.ts
var nameCharacter = "[^\\s*\\u0000-\\u001f\\u007f]";
var ToolName = string2().check(
  _regex(
    new RegExp(`^${nameCharacter}{1,128}$`, "u"),
    "expected the name of one tool, without spaces and without *"
  ),
  describe2("The exact name of a tool of this server.")
);
var ToolPattern = string2().check(
  _regex(
    new RegExp(`^(?:${nameCharacter}{1,128}\\*?|\\*)$`, "u"),
    "expected the exact name of a tool, or a prefix with one * at its end"
  ),
  describe2("The exact name of a tool, or a prefix with one * at its end: get_issue, get_*.")
);
function prefixOf(pattern) {
  return pattern.endsWith("*") ? pattern.slice(0, -1) : void 0;
}

// policies/rule-table.ts
function createRule({ rule, when = "", limit = 0 }, condition) {
  const effect = "deny";
  const denyBy = (reason) => Object.freeze({ effect, reason, rule, condition: when });
  return Object.freeze({
    name: rule,
    condition,
    limit: limit === 0 ? void 0 : limit,
    granted: Object.freeze({ effect: "allow", reason: "granted", rule }),
    conditionFalse: denyBy("condition_false"),
    conditionError: denyBy("condition_error"),
    limitReached: Object.freeze({ effect, reason: "limit_reached", rule, limit })
  });
}
function compileTables(grants, { rules, run: run2 }) {
  const tableOf = (patternsOf, isPrefixable) => compileTable(
    grants.flatMap((grant) => {
      const rule = rules.get(grant);
      return rule === void 0 ? [] : [{ rule, patterns: patternsOf(grant) }];
    }),
    isPrefixable
  );
  return {
    tool: tableOf(({ tools = [] }) => tools.map(compileName)),
    resource: tableOf(
      ({ resources = [] }) => resources.flatMap((pattern) => compileResource(pattern, run2) ?? []),
      isPlainUri
    ),
    prompt: tableOf(({ prompts = [] }) => prompts.map(compileName)),
    ask: tableOf(({ asks = [] }) => asks.map(compileName))
  };
}
function compileName(pattern) {
  const prefix = prefixOf(pattern);
  return { text: prefix ?? pattern, isPrefix: prefix !== void 0 };
}
var NO_RULES = [];
function compileTable(naming, isPrefixable = () => true) {
  const patterns = naming.flatMap((each) => each.patterns);
  const textsOf = (wanted) => new Set(patterns.filter(({ isPrefix }) => isPrefix === wanted).map(({ text }) => text));
  const findRules = (matches) => naming.filter((each) => each.patterns.some(matches)).map(({ rule }) => rule);
  const byName = new Map(
    [...textsOf(false)].map((name) => [
      name,
      findRules(
        ({ text, isPrefix }) => isPrefix ? name.startsWith(text) && isPrefixable(name) : name === text
      )
    ])
  );
  const byPrefix = new Map(
    [...textsOf(true)].map((prefix) => [
      prefix,
      findRules(({ text, isPrefix }) => isPrefix && prefix.startsWith(text))
    ])
  );
  const lengths = [...new Set([...byPrefix.keys()].map((prefix) => prefix.length))].sort((a, b) => b - a);
  const findByPrefix = (name) => {
    for (const length of lengths) {
      const rules = byPrefix.get(name.slice(0, length));
      if (rules !== void 0) {
        return isPrefixable(name) ? rules : NO_RULES;
      }
    }
    return NO_RULES;
  };
  return { isEmpty: patterns.length === 0, find: (name) => byName.get(name) ?? findByPrefix(name) };
}

// policies/checks/trigger.ts
function pullRequestNumberOf(ref) {
  const digits = /^refs\/pull\/([1-9][0-9]{0,9})\/merge$/.exec(ref)?.[1];
  return digits === void 0 ? void 0 : Number(digits);
}

// policies/run-facts.ts
var runClaims = [
  "actor",
  "actor_id",
  "base_ref",
  "check_run_id",
  "enterprise",
  "enterprise_id",
  "environment",
  "event_name",
  "head_ref",
  "job_workflow_ref",
  "job_workflow_sha",
  "ref",
  "ref_protected",
  "ref_type",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "repository_visibility",
  "run_attempt",
  "run_id",
  "run_number",
  "runner_environment",
  "sha",
  "workflow",
  "workflow_ref",
  "workflow_sha"
];
var RUN_FACT_TYPES = {
  ...Object.fromEntries(runClaims.map((name) => [name, "string"])),
  repository_name: "string",
  pull_request_number: "double"
};
function collectRunFacts(claims) {
  const facts = /* @__PURE__ */ new Map();
  for (const name of runClaims) {
    const value = Object.hasOwn(claims, name) ? claims[name] : void 0;
    if (typeof value === "string") {
      facts.set(name, value);
    }
  }
  const [repository, ref] = [claims["repository"], claims["ref"]];
  if (typeof repository === "string" && repository.includes("/")) {
    facts.set("repository_name", repository.slice(repository.indexOf("/") + 1));
  }
  const number3 = typeof ref === "string" ? pullRequestNumberOf(ref) : void 0;
  if (number3 !== void 0) {
    facts.set("pull_request_number", number3);
  }
  return facts;
}

// policies/session-policy.ts
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
function canonicalize(object2) {
  if (object2 === null || typeof object2 !== "object") {
    return serializePrimitive(object2);
  }
  const seen = /* @__PURE__ */ new Set();
  const root = enterValue(object2, seen);
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

// policies/asks.ts
var Ask = _enum(["sampling", "elicitation", "roots", "logging"]).check(describe2("What the server may ask the agent for, or tell it without being asked."));

// policies/labels.ts
var ReadLabel = _enum(["untrusted", "private"]);
var WriteLabel = _enum(["public"]);

// policies/session-policy.ts
var Sha256 = string2().check(_regex(/^[0-9a-f]{64}$/));
var ArgumentsInLog = _enum(["full", "redacted", "digest"]);
var SecretsInResult = _enum(["redact", "pass"]);
var TextInResult = _enum(["clean", "pass"]);
var SessionGrant = strictObject({
  /** `<role>#<n>`, counted from 1 in the order of the role: the name a reviewer sees. */
  rule: string2(),
  server: string2(),
  /** Exact names, or a prefix with one `*` at its end. */
  tools: optional(array(ToolPattern)),
  resources: optional(array(ResourcePattern)),
  prompts: optional(array(ToolPattern)),
  asks: optional(array(Ask)),
  /** A CEL expression; absent means always. */
  when: optional(string2()),
  /** Calls of the session, of all agents together; absent means any number. */
  limit: optional(int().check(_gte(1))),
  /** `full` where it is absent. */
  arguments: optional(ArgumentsInLog),
  inspect: optional(
    strictObject({ secrets: optional(SecretsInResult), text: optional(TextInResult) })
  )
});
var SessionFlow = strictObject({
  /** `<role>~<n>`, counted from 1 in the order of the role. */
  rule: string2(),
  after: array(ReadLabel),
  deny: array(WriteLabel)
});
var ToolFacts = strictObject({
  read_only: optional(boolean2()),
  reads: optional(array(ReadLabel)),
  writes: optional(array(WriteLabel))
});
var ServerFacts = strictObject({
  reads: optional(array(ReadLabel)),
  writes: optional(array(WriteLabel)),
  tools: optional(record(ToolName, ToolFacts)),
  /** The reviewed definitions; absent where the server is not locked. */
  lock: optional(strictObject({ instructions: optional(Sha256), tools: record(string2(), Sha256) }))
});
var SessionPolicy = strictObject({
  v: literal(1),
  robot: string2(),
  roles: array(string2()),
  /** `observe`: tools marked read_only pass without a grant. */
  mode: _enum(["enforce", "observe"]),
  grants: array(SessionGrant),
  flow: array(SessionFlow),
  /** By name: every server that the session reaches. */
  servers: record(string2(), ServerFacts)
});
function digestPolicy(policy) {
  const canonical = canonicalize(policy);
  if (canonical === void 0) {
    throw new Error("a session policy has no canonical form");
  }
  return (0, import_node_crypto.createHash)("sha256").update(canonical).digest("hex");
}

// policies/compilation.ts
var NO_RULES2 = [];
var NO_LABELS = Object.freeze([]);
var FULL_INSPECTION = Object.freeze({ secrets: "redact", text: "clean" });
var NO_GRANT = Object.freeze({ effect: "deny", reason: "no_grant" });
async function compilePolicy(given, { claims }) {
  const source = freeze(structuredClone(given));
  const { robot, mode, flow } = source;
  const run2 = collectRunFacts(claims);
  const conditions = await compileConditions(source.grants);
  const rules = new Map(source.grants.map((grant) => [grant, createRule(grant, conditions.get(grant))]));
  const tables = new Map(
    [...Map.groupBy(source.grants, ({ server }) => server)].map(([server, grants]) => [
      server,
      compileTables(grants, { rules, run: run2 })
    ])
  );
  const servers = new Map(Object.entries(source.servers).map(([name, known]) => [name, compileFacts(known)]));
  const audits = new Map(source.grants.map((grant) => [grant.rule, grant.arguments ?? "full"]));
  const inspections = new Map(source.grants.map((grant) => [grant.rule, findInspection(grant)]));
  const findRules = ({ server, kind, name }) => tables.get(server)?.[kind].find(name) ?? NO_RULES2;
  const findFlow = (target, labels) => {
    if (labels.size === 0 || flow.length === 0) {
      return void 0;
    }
    const written = servers.get(target.server)?.writesOf(target) ?? NO_LABELS;
    return flow.find(
      ({ after, deny }) => deny.some((label) => written.includes(label)) && after.some((label) => labels.has(label))
    );
  };
  const isObserved = (target) => mode === "observe" && servers.get(target.server)?.isReadOnly(target) === true;
  const judge = (call, usage) => {
    const naming = findRules(call);
    if (naming.length === 0) {
      return NO_GRANT;
    }
    const taken = findFlow(call, usage.labels);
    if (taken !== void 0) {
      return { effect: "deny", reason: "flow", rule: taken.rule };
    }
    const { args, name: tool, server, agent } = call;
    return applyRules(naming, usage, { args, tool, server, agent, run: run2, robot, calls: usage.calls });
  };
  return Object.freeze({
    digest: digestPolicy(source),
    mode,
    reaches: (server, kind) => {
      const known = servers.get(server);
      const isNamed = kind === void 0 || tables.get(server)?.[kind].isEmpty === false;
      return known !== void 0 && (isNamed || mode === "observe" && kind === "tool" && known.hasReadOnly);
    },
    canLoseTools: (server) => {
      const written = servers.get(server)?.written ?? NO_LABELS;
      return flow.some(({ deny }) => deny.some((label) => written.includes(label)));
    },
    show: (target, labels) => {
      const rule = findRules(target)[0];
      const taken = rule === void 0 ? void 0 : findFlow(target, labels);
      if (rule !== void 0 && taken === void 0) {
        return { visible: true, why: rule.name };
      }
      return isObserved(target) ? { visible: true, why: "observed" } : { visible: false, why: rule === void 0 ? "no_grant" : "flow" };
    },
    decide: (call, usage) => {
      const decision = judge(call, usage);
      return decision.effect === "deny" && isObserved(call) ? { effect: "allow", reason: "observed", instead: decision } : decision;
    },
    labelsOf: (target) => servers.get(target.server)?.readsOf(target) ?? NO_LABELS,
    argumentsInLog: (rule) => audits.get(rule) ?? "full",
    inspectionOf: (rule) => inspections.get(rule) ?? FULL_INSPECTION,
    lockOf: (server) => servers.get(server)?.lock
  });
}
function findInspection({ inspect: { secrets = "redact", text = "clean" } = {} }) {
  return Object.freeze({ secrets, text });
}
function applyRules(rules, usage, facts) {
  let refusal;
  for (const rule of rules) {
    const denial = applyRule(rule, usage, facts);
    if (denial === void 0) {
      return rule.granted;
    }
    refusal ??= denial;
  }
  return refusal ?? NO_GRANT;
}
function applyRule(rule, usage, facts) {
  switch (rule.condition?.evaluate(facts)) {
    case "false":
      return rule.conditionFalse;
    case "error":
      return rule.conditionError;
    case "true":
    case void 0:
      return rule.limit !== void 0 && usage.callsOf(rule.name) >= rule.limit ? rule.limitReached : void 0;
  }
}
async function compileConditions(grants) {
  const conditional = grants.filter((grant) => grant.when !== void 0);
  if (conditional.length === 0) {
    return /* @__PURE__ */ new Map();
  }
  const { compileCondition } = await import("./condition.cjs");
  return new Map(
    conditional.map((grant) => {
      const compiled = compileCondition(grant.when ?? "");
      if (!compiled.ok) {
        throw new Error(`the condition of ${grant.rule} does not compile: ${compiled.message}`);
      }
      return [grant, compiled.condition];
    })
  );
}
function compileFacts({ reads = [], writes = [], tools = {}, lock }) {
  const byName = new Map(Object.entries(tools));
  const ownOf = ({ kind, name }) => kind === "tool" ? byName.get(name) : void 0;
  return {
    readsOf: (target) => ownOf(target)?.reads ?? reads,
    writesOf: (target) => ownOf(target)?.writes ?? (isWriting(target) ? writes : NO_LABELS),
    isReadOnly: (target) => ownOf(target)?.read_only === true,
    written: [...writes, ...[...byName.values()].flatMap((tool) => tool.writes ?? [])],
    hasReadOnly: [...byName.values()].some((tool) => tool.read_only === true),
    lock
  };
}
function isWriting({ kind, name }) {
  return kind === "tool" || kind === "ask" && name !== "logging";
}
function freeze(value) {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}

// policies/usage.ts
var UsageSnapshot = strictObject({
  calls: int(),
  rules: record(string2(), int()),
  labels: array(ReadLabel)
});
var SessionUsage = class {
  #policy;
  #callsByRule = /* @__PURE__ */ new Map();
  #labels = /* @__PURE__ */ new Set();
  #calls = 0;
  constructor(policy) {
    this.#policy = policy;
  }
  get calls() {
    return this.#calls;
  }
  get labels() {
    return this.#labels;
  }
  callsOf(rule) {
    return this.#callsByRule.get(rule) ?? 0;
  }
  snapshot() {
    return {
      calls: this.#calls,
      rules: Object.fromEntries(this.#callsByRule),
      labels: [...this.#labels]
    };
  }
  /** As it was then; whatever was counted since is not. */
  restore({ calls, rules, labels }) {
    this.#calls = calls;
    this.#callsByRule.clear();
    Object.entries(rules).forEach(([rule, count3]) => this.#callsByRule.set(rule, count3));
    this.#labels.clear();
    labels.forEach((label) => this.#labels.add(label));
  }
  /** Labels that the session gained elsewhere. */
  addLabels(labels) {
    for (const label of labels) {
      this.#labels.add(label);
    }
  }
  /** Returns the labels that the session has gained by it. */
  count(call, decision) {
    if (decision.effect === "deny") {
      return [];
    }
    this.#calls += 1;
    if (decision.reason === "granted") {
      this.#callsByRule.set(decision.rule, this.callsOf(decision.rule) + 1);
    }
    const gained = this.#policy.labelsOf(call).filter((label) => !this.#labels.has(label));
    for (const label of gained) {
      this.#labels.add(label);
    }
    return gained;
  }
};

// proxy/front/front.ts
var import_node_crypto3 = require("node:crypto");
var import_node_http = require("node:http");

// proxy/messages/fields.ts
var LISTS = /* @__PURE__ */ new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cookie",
  "via",
  "forwarded",
  "x-forwarded-for"
]);
function readFields(raw) {
  const fields = /* @__PURE__ */ new Map();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = raw[index + 1] ?? "";
    const before = fields.get(name);
    if (before !== void 0 && !LISTS.has(name)) {
      return void 0;
    }
    fields.set(name, before === void 0 ? value : `${before}, ${value}`);
  }
  return fields;
}
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

// proxy/messages/json-spans.ts
function toByteText(characters) {
  return Buffer.from(characters, "utf8").toString("latin1");
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
var REQUEST_MEMBERS = /* @__PURE__ */ new Set(["jsonrpc", "id", "method", "params"]);
var RESPONSE_MEMBERS = /* @__PURE__ */ new Set(["jsonrpc", "id", "result", "error"]);
var METHOD = /^[\x21-\x7e]{1,128}$/;
var NAME = /^[^\u0000-\u001f\u007f]{1,512}$/u;
var MAX_ID_LENGTH = 256;
function parseClientMessage(value) {
  if (!isObject2(value) || value["jsonrpc"] !== "2.0") {
    return refuse("not_a_message");
  }
  const { id, method, params } = value;
  if (id !== void 0 && !isRequestId(id)) {
    return refuse("bad_id");
  }
  if (method === void 0) {
    return parseResponse(value, id);
  }
  if (!Object.keys(value).every((name) => REQUEST_MEMBERS.has(name))) {
    return refuse("unknown_member");
  }
  if (typeof method !== "string" || !METHOD.test(method)) {
    return refuse("bad_method");
  }
  if (params !== void 0 && !isObject2(params)) {
    return refuse("bad_params");
  }
  const fault = params === void 0 ? void 0 : findFault(params);
  if (fault !== void 0) {
    return refuse(fault);
  }
  const message2 = id === void 0 ? { kind: "notification", method, params } : { kind: "request", id, method, params };
  return { ok: true, message: message2 };
}
function parseResponse(value, id) {
  if (!Object.keys(value).every((name) => RESPONSE_MEMBERS.has(name))) {
    return refuse("unknown_member");
  }
  if (id === void 0 || "result" in value === "error" in value) {
    return refuse("not_a_message");
  }
  const { jsonrpc: _, id: __, ...outcome } = value;
  return { ok: true, message: { kind: "response", id, outcome } };
}
function findFault(params) {
  const { name, uri, arguments: args, ref, argument, context, _meta: meta2 } = params;
  if ([name, uri].some((text) => typeof text === "string" && !isName(text))) {
    return "bad_name";
  }
  if (meta2 !== void 0 && !isObject2(meta2)) {
    return "bad_params";
  }
  const decides = hasVariant(params) || meta2 !== void 0 && hasVariant(meta2);
  const isTwinned = [args, ref, argument, context].some((value) => value !== void 0 && hasTwins(value));
  return decides || isTwinned ? "case_variant" : void 0;
}
function hasVariant(members2) {
  return Object.keys(members2).some((name) => (DECIDING.get(foldCase(name)) ?? name) !== name);
}
function hasTwins(value) {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const names = Array.isArray(value) ? [] : Object.keys(value);
  const isTwinned = names.length > 1 && new Set(names.map(foldCase)).size !== names.length;
  return isTwinned || Object.values(value).some(hasTwins);
}
function foldCase(name) {
  return name.toUpperCase().toLowerCase();
}
function isName(text) {
  return typeof text === "string" && NAME.test(text);
}
function isRequestId(id) {
  return typeof id === "string" ? id.length <= MAX_ID_LENGTH : Number.isSafeInteger(id);
}
function isObject2(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function refuse(fault) {
  return { ok: false, fault };
}

// proxy/messages/revision.ts
var FIRST_STATELESS_REVISION = "2026-07-28";
var PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion";
var CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
var PARSE_ERROR = -32700;
var INVALID_REQUEST = -32600;
var INVALID_PARAMS = -32602;
var INTERNAL_ERROR = -32603;
var HEADER_MISMATCH = -32020;
var REVISION = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
function isRevision(text) {
  return REVISION.test(text);
}
function isStatelessRevision(revision) {
  return isRevision(revision) && revision >= FIRST_STATELESS_REVISION;
}
function metaOf(message2) {
  const meta2 = message2.kind === "response" ? void 0 : message2.params?.["_meta"];
  return isObject2(meta2) ? meta2 : void 0;
}
var CLAIM = /^[\x21-\x7e]{1,64}$/;
function findClaimedRevision(message2) {
  const claim2 = metaOf(message2)?.[PROTOCOL_VERSION];
  return typeof claim2 === "string" && CLAIM.test(claim2) ? claim2 : void 0;
}

// proxy/messages/refusals.ts
function answerError(status, id, error) {
  return { status, text: toByteText(JSON.stringify({ jsonrpc: "2.0", id, error })) };
}
function refuseUnreadable(reason) {
  return answerError(400, null, { code: PARSE_ERROR, message: `The message cannot be read: ${reason}` });
}
function refuseMessage(reason) {
  return answerError(400, null, { code: INVALID_REQUEST, message: `The message is refused: ${reason}` });
}
function refuseClaim(id, detail) {
  return answerError(400, id, { code: INVALID_PARAMS, message: `Invalid params: ${detail}` });
}
function refuseDisagreement(id, detail) {
  return answerError(400, id, {
    code: HEADER_MISMATCH,
    message: `The header does not agree with the body: ${detail}`
  });
}
function refuseBusy(id, what) {
  const message2 = `Too many ${what} at the same time; try again`;
  return { ...answerError(503, id, { code: INTERNAL_ERROR, message: message2 }), retryAfterSeconds: 1 };
}
function refuseHttp(status, message2) {
  return answerError(status, null, { code: INVALID_REQUEST, message: message2 });
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

// proxy/front/probe.ts
var PROBE_FIELD = "lanyard-probe";

// proxy/front/body.ts
function readBody(request, fields, maxBytes) {
  if (Number(fields.get("content-length") ?? 0) > maxBytes) {
    return Promise.resolve({ ok: false, reason: "too_large" });
  }
  return new Promise((resolve) => {
    const chunks = [];
    let length = 0;
    const hold = (chunk) => {
      length += chunk.length;
      if (length > maxBytes) {
        request.off("data", hold);
        resolve({ ok: false, reason: "too_large" });
        return;
      }
      chunks.push(chunk);
    };
    const gone = () => resolve({ ok: false, reason: "gone" });
    request.on("data", hold);
    request.on("end", () => {
      const [first] = chunks;
      resolve({
        ok: true,
        bytes: chunks.length === 1 && first !== void 0 ? first : Buffer.concat(chunks)
      });
    });
    request.on("close", gone);
    request.on("error", gone);
  });
}

// proxy/messages/json-reading.ts
var import_node_buffer = require("node:buffer");

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
function readJsonBytes(bytes, rules) {
  return (0, import_node_buffer.isUtf8)(bytes) ? readJson(bytes.toString("utf8"), rules) : { ok: false, fault: "not_utf8" };
}
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
var QUOTE = 34;
var BACKSLASH = 92;
var OBJECT_START = 123;
var OBJECT_END = 125;
var ARRAY_START = 91;
var ARRAY_END = 93;
var COMMA = 44;
var COLON = 58;
var NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
var NEEDS_CARE = /[\u0000-\u001f\\]/;
var Reader = class {
  #text;
  #rules;
  /** Looked for once in the whole text: mostly there is none, and then no string has to be looked at again. */
  #needsCare;
  #at = 0;
  constructor(text, rules) {
    this.#text = text;
    this.#rules = rules;
    this.#needsCare = NEEDS_CARE.test(text);
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
      case QUOTE:
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
    return this.#needsCare && NEEDS_CARE.test(raw) ? readEscapes(raw) : raw;
  }
  /** Whether the quote at `end` belongs to the string: an odd number of backslashes stands before it. */
  #isEscaped(end) {
    let before = end - 1;
    while (this.#text.charCodeAt(before) === BACKSLASH) before--;
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
    const members2 = {};
    this.#enter(depthLeft);
    if (this.#leaves(OBJECT_END)) {
      return members2;
    }
    for (; ; ) {
      const name = this.#readName();
      if (Object.hasOwn(members2, name)) {
        throw new Refused("duplicate_member");
      }
      members2[name] = this.#readValue(depthLeft - 1);
      if (this.#continues(OBJECT_END)) {
        return members2;
      }
    }
  }
  #readName() {
    if (this.#peek() !== QUOTE) {
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

// proxy/front/control.ts
var SealBody = strictObject({ reason: string2().check(_minLength(1), _maxLength(200)) });
var MAX_DEPTH = 4;
var MAX_CONTROL_BYTES = 4096;
async function answerControl(control, { method, path, body }) {
  if (path === "/control/report") {
    return method === "GET" ? answer(control.report()) : refuseHttp(405, "Method Not Allowed: GET");
  }
  if (path === "/control/seal") {
    if (method !== "POST") {
      return refuseHttp(405, "Method Not Allowed: POST");
    }
    const reading = readJsonBytes(body, { maxDepth: MAX_DEPTH, numbers: "exact" });
    const parsed = SealBody.safeParse(reading.ok ? reading.value : void 0);
    return parsed.success ? answer(await control.seal(parsed.data.reason)) : refuseHttp(400, 'The body has to be {"reason": "…"}');
  }
  return refuseHttp(404, "Not Found");
}
function answer(value) {
  return { status: 200, text: toByteText(JSON.stringify(value ?? null)) };
}

// proxy/front/door.ts
var import_node_crypto2 = require("node:crypto");
function findOwnHosts(port) {
  return [`127.0.0.1:${port}`, `localhost:${port}`];
}
function findDoorFault(fields, hosts) {
  const host = fields.get("host");
  const origin = fields.get("origin");
  if (host === void 0 || !hosts.includes(host)) {
    return "wrong_host";
  }
  return origin === void 0 || hosts.some((own2) => origin === `http://${own2}`) ? void 0 : "foreign_origin";
}
var BEARER = /^Bearer ([\x21-\x7e]{1,1024})$/i;
var Tokens = class {
  #holders;
  constructor(holders) {
    this.#holders = holders.map(({ token, holder }) => ({ bytes: Buffer.from(token), holder }));
  }
  /** By the `Authorization` field; a token anywhere else does not count. */
  findHolder(fields) {
    const [, token] = BEARER.exec(fields.get("authorization") ?? "") ?? [];
    if (token === void 0) {
      return void 0;
    }
    const bytes = Buffer.from(token);
    let found;
    for (const known of this.#holders) {
      if (known.bytes.length === bytes.length && (0, import_node_crypto2.timingSafeEqual)(known.bytes, bytes)) {
        found = known.holder;
      }
    }
    return found;
  }
};

// proxy/messages/field-agreement.ts
var NAME_SOURCES = /* @__PURE__ */ new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"]
]);
function findDisagreement(fields, message2) {
  const claimed = findClaimedRevision(message2);
  return findRevisionDisagreement(fields.get("mcp-protocol-version"), claimed) ?? (message2.kind === "response" ? void 0 : findMethodDisagreement(fields, message2.method)) ?? (message2.kind === "request" ? findNameDisagreement(fields, message2) : void 0) ?? (message2.kind === "request" && claimed !== void 0 ? findMissing(fields, message2) : void 0);
}
function findRevisionDisagreement(field, claimed) {
  if (field === void 0 || field === claimed) {
    return void 0;
  }
  if (claimed !== void 0) {
    return `MCP-Protocol-Version is not the body's ${claimed}`;
  }
  return isRevision(field) ? void 0 : "MCP-Protocol-Version is no revision";
}
function findMethodDisagreement(fields, method) {
  const field = fields.get("mcp-method");
  return field !== void 0 && field !== method ? "Mcp-Method is not the body's method" : void 0;
}
function findNameDisagreement(fields, request) {
  const field = fields.get("mcp-name");
  const name = findMirroredName(request);
  if (field === void 0 || !NAME_SOURCES.has(request.method)) {
    return void 0;
  }
  return decodeFieldValue(field) !== name ? "Mcp-Name is not what the body names" : void 0;
}
function findMissing(fields, request) {
  if (!fields.has("mcp-protocol-version")) {
    return "MCP-Protocol-Version is missing";
  }
  if (!fields.has("mcp-method")) {
    return "Mcp-Method is missing";
  }
  return findMirroredName(request) !== void 0 && !fields.has("mcp-name") ? "Mcp-Name is missing" : void 0;
}
function findMirroredName(request) {
  const source = NAME_SOURCES.get(request.method);
  const name = source === void 0 ? void 0 : request.params?.[source];
  return typeof name === "string" ? name : void 0;
}

// proxy/messages/revision-claim.ts
function findClaimFault(fields, message2) {
  const meta2 = metaOf(message2);
  if (message2.kind !== "request") {
    return void 0;
  }
  const claimed = findClaimedRevision(message2);
  if (claimed === void 0) {
    const isWanted = isStatelessRevision(fields.get("mcp-protocol-version") ?? "");
    return isWanted || meta2?.[PROTOCOL_VERSION] !== void 0 ? `_meta has to name a revision in ${PROTOCOL_VERSION}` : void 0;
  }
  return claimed === FIRST_STATELESS_REVISION && !isObject2(meta2?.[CLIENT_CAPABILITIES]) ? `_meta has to hold an object in ${CLIENT_CAPABILITIES}` : void 0;
}

// proxy/messages/incoming.ts
function readIncoming(body, fields, limits2) {
  const reading = readJsonBytes(body, { maxDepth: limits2.maxDepth, numbers: "exact" });
  if (!reading.ok) {
    return { ok: false, reason: reading.fault, answer: refuseUnreadable(reading.fault) };
  }
  const isBatch = Array.isArray(reading.value);
  const values = Array.isArray(reading.value) ? reading.value : [reading.value];
  if (values.length === 0 || values.length > limits2.maxBatchLength) {
    return refuse2("batch_length");
  }
  const messages = [];
  for (const value of values) {
    const parsed = parseClientMessage(value);
    if (!parsed.ok) {
      return refuse2(parsed.fault);
    }
    messages.push(parsed.message);
  }
  const [first] = messages;
  if (!isBatch && first?.kind === "request") {
    const fault = findClaimFault(fields, first);
    if (fault !== void 0) {
      return { ok: false, reason: "bad_claim", answer: refuseClaim(first.id, fault) };
    }
  }
  const detail = isBatch || first === void 0 ? findBatchFault(fields, messages) : findDisagreement(fields, first);
  if (detail !== void 0) {
    const id = !isBatch && first?.kind === "request" ? first.id : null;
    return { ok: false, reason: "header_mismatch", answer: refuseDisagreement(id, detail) };
  }
  return { ok: true, messages, isBatch };
}
function findBatchFault(fields, messages) {
  if (fields.has("mcp-method") || fields.has("mcp-name")) {
    return "Mcp-Method and Mcp-Name do not go with a batch";
  }
  const claims = messages.some((message2) => findClaimedRevision(message2) !== void 0);
  return claims ? "a revision without a handshake has no batches" : void 0;
}
function refuse2(reason) {
  return { ok: false, reason, answer: refuseMessage(reason) };
}

// proxy/messages/sse.ts
var COMMENT = ": keep-alive\n\n";
function writeEvent({ data, id, retry: retry2 }) {
  const lines = data === "" ? "data: \n" : `event: message
${data.split(/\r\n|\r|\n/).map(writeData).join("")}`;
  return `${id === void 0 ? "" : `id: ${id}
`}${retry2 === void 0 ? "" : `retry: ${retry2}
`}${lines}
`;
}
function writeData(line) {
  return `data: ${line}
`;
}

// proxy/front/reply.ts
var STREAM_FIELDS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no"
};
var HttpReply = class {
  #response;
  /** Unread bytes beyond which messages before the last are dropped. */
  #maxUnreadBytes;
  #reading;
  #gone = [];
  #isGone = false;
  constructor(response, maxUnreadBytes) {
    this.#response = response;
    this.#maxUnreadBytes = maxUnreadBytes;
    response.on("error", () => void 0);
    response.on("close", () => {
      this.#isGone = !response.writableEnded;
      if (this.#isGone) {
        this.#gone.forEach((listener) => listener());
      }
      this.#gone = [];
    });
  }
  get isOver() {
    return this.#response.writableEnded || this.#response.destroyed;
  }
  get isStreaming() {
    return this.#response.headersSent && !this.isOver;
  }
  setField(name, value) {
    if (!this.#response.headersSent) {
      this.#response.setHeader(name, value);
    }
  }
  openStream() {
    if (!this.#response.headersSent && !this.isOver) {
      this.#response.writeHead(200, STREAM_FIELDS);
      this.#response.flushHeaders();
    }
  }
  sendEvent(event) {
    if (this.isOver) {
      return void 0;
    }
    this.openStream();
    if (this.#response.writableLength > this.#maxUnreadBytes) {
      return this.#untilRead();
    }
    return this.#response.write(writeEvent(event), "latin1") ? void 0 : this.#untilRead();
  }
  /** Whoever has something left to read needs no sign of life. */
  sendComment() {
    if (this.isStreaming && !this.#response.writableNeedDrain) {
      this.#response.write(COMMENT);
    }
  }
  finish(status, message2, eventId) {
    if (this.isOver) {
      return;
    }
    if (this.#response.headersSent) {
      this.#response.end(writeEvent({ data: message2.toString("latin1"), id: eventId }), "latin1");
      return;
    }
    this.#response.writeHead(status, {
      "content-type": "application/json",
      "content-length": message2.length
    });
    this.#response.end(message2, "latin1");
  }
  finishEmpty(status) {
    if (this.isOver) {
      return;
    }
    if (!this.#response.headersSent) {
      this.#response.writeHead(status, { "content-length": 0 });
    }
    this.#response.end();
  }
  onGone(listener) {
    if (this.#isGone) {
      queueMicrotask(listener);
    } else {
      this.#gone.push(listener);
    }
  }
  #untilRead() {
    const response = this.#response;
    this.#reading ??= new Promise((resolve) => {
      const done = () => {
        response.off("drain", done);
        response.off("close", done);
        this.#reading = void 0;
        resolve();
      };
      response.on("drain", done);
      response.on("close", done);
    });
    return this.#reading;
  }
};

// proxy/front/visit.ts
var JSON_TYPE = /^application\/json\s*(?:;|$)/i;
async function receiveVisit(visited, { gate, recording }) {
  const { request, response, fields, agent, server } = visited;
  const { limits: limits2 } = gate;
  const reply = new HttpReply(response, limits2.maxUnreadBytes);
  const visit = { agent, fields, reply, callIds: visited.callIds };
  const refuse3 = (reason, { status, text }) => {
    recording.noteRepeated("message_refused", `${server} ${agent} ${reason}`, { server, agent, reason });
    reply.finish(status, text);
  };
  switch (request.method) {
    case "GET":
      gate.openStream(visit);
      return;
    case "DELETE":
      await gate.endSession(visit);
      return;
    case "POST":
      break;
    default:
      reply.setField("allow", "POST, GET, DELETE");
      refuse3("http_method", refuseHttp(405, "Method Not Allowed"));
      return;
  }
  if (!JSON_TYPE.test(fields.get("content-type") ?? "") || fields.has("content-encoding")) {
    refuse3("content_type", refuseHttp(415, "Unsupported Media Type: application/json is what there is"));
    return;
  }
  const body = await readBody(request, fields, limits2.maxRequestBytes);
  if (!body.ok) {
    if (body.reason === "too_large") {
      recording.noteLimit(server, "request_size");
      refuse3("too_large", refuseHttp(413, `Content Too Large: at most ${limits2.maxRequestBytes} bytes`));
    }
    return;
  }
  const incoming = readIncoming(body.bytes, fields, limits2);
  if (incoming.ok) {
    gate.post(visit, incoming);
  } else {
    refuse3(incoming.reason, incoming.answer);
  }
}

// proxy/front/front.ts
var CHECK_MS = 1e3;
var IDLE_CONNECTION_MS = 6e4;
var SERVER_PATH = /^\/mcp\/([A-Za-z0-9][A-Za-z0-9._-]{0,127})$/;
var LAST_ANSWER_MS = 500;
var Front = class {
  #options;
  #agents;
  #probe;
  #controllers;
  #places;
  #server;
  #connections = /* @__PURE__ */ new Set();
  /** Those on which the control endpoint owes an answer: the one to whoever asked for the end comes after the end. */
  #owed = /* @__PURE__ */ new Set();
  #hosts;
  #isClosing = false;
  constructor(options) {
    const { gates, agents, control, recording, limits: limits2 } = options;
    this.#options = options;
    const tokens = new Tokens(agents.map(({ name, token }) => ({ token, holder: name })));
    this.#agents = { gates, agents: tokens, recording };
    this.#controllers = new Tokens(control === void 0 ? [] : [{ token: control.token, holder: control }]);
    this.#places = new Places(limits2.maxConcurrentRequests);
    this.#hosts = findOwnHosts(0);
    this.#server = (0, import_node_http.createServer)(
      {
        maxHeaderSize: limits2.maxHeaderBytes,
        headersTimeout: limits2.headersTimeoutMs,
        requestTimeout: limits2.requestTimeoutMs,
        keepAliveTimeout: IDLE_CONNECTION_MS,
        connectionsCheckingInterval: Math.min(CHECK_MS, limits2.headersTimeoutMs),
        noDelay: true
      },
      (request, response) => this.#receive(request, response)
    );
    this.#server.maxConnections = limits2.maxConnections;
    this.#server.on("connection", (socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
    });
  }
  /** The URL it can be reached at, from this machine only. */
  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        this.#hosts = findOwnHosts(port);
        resolve(`http://127.0.0.1:${port}`);
      });
    });
  }
  /** Until the result is called. What else the door refuses, it refuses to a probe as well. */
  admitProbe({ mark, token, gates, recording }) {
    const agents = new Tokens([{ token, holder: "self-test" }]);
    this.#probe = { digest: (0, import_node_crypto3.hash)("sha256", mark, "buffer"), side: { gates, agents, recording } };
    return () => {
      this.#probe = void 0;
    };
  }
  /** From now on no agent is let in; the control endpoint still answers. */
  refuseAgents() {
    this.#isClosing = true;
  }
  /**
   * Stops listening. What agents are being answered has a moment to end, beyond which none of them keeps the process
   * alive; the control endpoint gives the answers that it owes, however long the log takes.
   */
  close() {
    this.#server.close();
    this.#server.closeIdleConnections();
    const endOthers = () => {
      for (const socket of this.#connections) if (!this.#owed.has(socket)) socket.destroy();
    };
    setTimeout(endOthers, LAST_ANSWER_MS).unref();
  }
  #receive(request, response) {
    response.on("error", () => void 0);
    this.#route(request, response).catch((error) => {
      const name = error instanceof Error ? error.name : "unknown";
      this.#options.recording.noteRepeated("internal_error", "front", { error: name });
      if (response.headersSent) {
        response.destroy();
      } else {
        this.#answer(response, refuseHttp(500, "Internal Server Error"));
      }
    });
  }
  async #route(request, response) {
    const fields = readFields(request.rawHeaders);
    if (fields === void 0) {
      const refusal = refuseHttp(400, "Bad Request: a header field stands twice");
      this.#turnAway({ response, side: this.#agents }, "repeated_field", refusal);
      return;
    }
    const side = this.#findSide(fields);
    const fault = findDoorFault(fields, this.#hosts);
    if (fault !== void 0) {
      this.#turnAway({ response, side }, fault, refuseHttp(403, "Forbidden"));
      return;
    }
    const knock = { side, request, response, fields, path: request.url ?? "" };
    if (knock.path.startsWith("/mcp/")) {
      await this.#routeAgent(knock);
    } else if (knock.path.startsWith("/control/")) {
      await this.#routeControl(knock);
    } else {
      this.#answer(response, refuseHttp(404, "Not Found"));
    }
  }
  async #routeAgent({ side, request, response, fields, path }) {
    const { gates, agents, recording } = side;
    const agent = agents.findHolder(fields);
    if (agent === void 0) {
      this.#turnAwayStranger({ response, side });
      return;
    }
    const server = SERVER_PATH.exec(path)?.[1] ?? "";
    const gate = gates.get(server);
    if (gate === void 0) {
      this.#turnAway({ response, side }, "unknown_server", refuseHttp(404, "Not Found"));
      return;
    }
    if (this.#isClosing) {
      this.#answer(response, refuseHttp(503, "Service Unavailable: the proxy is closing"));
      return;
    }
    if (!this.#places.take()) {
      recording.noteRepeated("limit_reached", "requests", { limit: "max_concurrent_requests" });
      response.setHeader("retry-after", "1");
      this.#answer(response, refuseBusy(null, "requests"));
      return;
    }
    response.on("close", () => this.#places.free());
    await receiveVisit({ request, response, fields, agent, server }, { gate, recording });
  }
  async #routeControl({ side, request, response, fields, path }) {
    const control = this.#controllers.findHolder(fields);
    if (control === void 0) {
      this.#turnAwayStranger({ response, side });
      return;
    }
    const { socket } = request;
    this.#owed.add(socket);
    response.once("close", () => this.#owed.delete(socket));
    const body = await readBody(request, fields, MAX_CONTROL_BYTES);
    const answer2 = body.ok ? await answerControl(control, { method: request.method ?? "", path, body: body.bytes }) : refuseHttp(413, "Content Too Large");
    this.#answer(response, answer2);
  }
  /** The same for no token, a wrong one, and one that is good elsewhere. */
  #turnAwayStranger(turnedAway) {
    turnedAway.response.setHeader("www-authenticate", 'Bearer realm="lanyard"');
    this.#turnAway(turnedAway, "unauthorized", refuseHttp(401, "Unauthorized"));
  }
  #findSide(fields) {
    const mark = fields.get(PROBE_FIELD);
    const isProbe = mark !== void 0 && this.#probe !== void 0 && (0, import_node_crypto3.timingSafeEqual)((0, import_node_crypto3.hash)("sha256", mark, "buffer"), this.#probe.digest);
    return isProbe ? this.#probe?.side ?? this.#agents : this.#agents;
  }
  #turnAway({ response, side }, reason, answer2) {
    side.recording.noteRepeated("request_refused", reason, { reason });
    this.#answer(response, answer2);
  }
  #answer(response, { status, text }) {
    if (this.#isClosing) {
      response.setHeader("connection", "close");
    }
    response.writeHead(status, { "content-type": "application/json", "content-length": text.length });
    response.end(text, "latin1");
  }
};

// proxy/gate/lists/visible-names.ts
var MAX_NAMES = 1e4;
var UNSEEN_OR_BETWEEN = /[\p{Cc}\p{Cf}\p{Mn}\p{Default_Ignorable_Code_Point}\p{Z}\p{Pd}\p{Pc}.:/]/gu;
var VisibleNames = class {
  #byLook = /* @__PURE__ */ new Map();
  #size = 0;
  /** Those of other servers that look the same; each pair is told once. */
  add(added) {
    const look = describeLook(added.tool);
    const alike = this.#byLook.get(look) ?? [];
    const isKnown = alike.some(({ server, tool }) => server === added.server && tool === added.tool);
    if (isKnown || this.#size >= MAX_NAMES) {
      return [];
    }
    this.#size++;
    this.#byLook.set(look, [...alike, added]);
    return alike.filter(({ server }) => server !== added.server);
  }
};
function describeLook(name) {
  return name.normalize("NFKC").toUpperCase().toLowerCase().replace(UNSEEN_OR_BETWEEN, "");
}

// proxy/limits.ts
var KIB = 1024;
var MIB = 1024 * KIB;
var GIB = 1024 * MIB;
var SECOND = 1e3;
var MINUTE = 60 * SECOND;
var DEFAULT_LIMITS = {
  maxRequestBytes: 4 * MIB,
  maxAnswerBytes: 96 * MIB,
  maxDepth: 128,
  maxHeaderBytes: 16 * KIB,
  maxBatchLength: 50,
  maxListed: 2e3,
  maxConcurrentRequests: 256,
  maxConcurrentCalls: 64,
  maxCallsPerMinute: 6e3,
  maxAsks: 16,
  maxStreams: 128,
  maxConnections: 1024,
  maxSessions: 64,
  maxUnreadBytes: 8 * MIB,
  callTimeoutMs: 10 * MINUTE,
  streamIdleMs: 30 * MINUTE,
  resumeGraceMs: MINUTE,
  lookTimeoutMs: 10 * SECOND,
  connectTimeoutMs: 10 * SECOND,
  probeTimeoutMs: 15 * SECOND,
  headersTimeoutMs: 10 * SECOND,
  requestTimeoutMs: 30 * SECOND,
  sessionIdleMs: 30 * MINUTE,
  keepAliveMs: 15 * SECOND,
  closeGraceMs: 2 * SECOND,
  stopGraceMs: 2 * SECOND,
  maxRestarts: 5,
  restartWindowMs: 10 * MINUTE,
  restartDelayMs: SECOND / 4,
  maxRestartDelayMs: 16 * SECOND,
  pingIntervalMs: 30 * SECOND,
  pingTimeoutMs: 30 * SECOND,
  maxMemoryBytes: 2 * GIB,
  memoryCheckMs: 2 * SECOND
};
function limitsOfServer(limits2, own2 = {}) {
  const inMs = (seconds) => seconds === void 0 ? void 0 : seconds * SECOND;
  return {
    ...limits2,
    maxRequestBytes: own2.request_bytes ?? limits2.maxRequestBytes,
    maxAnswerBytes: own2.answer_bytes ?? limits2.maxAnswerBytes,
    maxConcurrentCalls: own2.concurrent_calls ?? limits2.maxConcurrentCalls,
    maxCallsPerMinute: own2.calls_per_minute ?? limits2.maxCallsPerMinute,
    callTimeoutMs: inMs(own2.call_seconds) ?? limits2.callTimeoutMs,
    streamIdleMs: inMs(own2.stream_idle_seconds) ?? limits2.streamIdleMs,
    maxSessions: own2.sessions ?? limits2.maxSessions,
    maxRestarts: own2.restarts ?? limits2.maxRestarts,
    maxMemoryBytes: own2.memory_bytes ?? limits2.maxMemoryBytes
  };
}

// proxy/recording.ts
var import_node_crypto4 = require("node:crypto");

// audit/canonical.ts
var MAX_DEPTH2 = 256;
var CanonicalError = class extends Error {
  code = "not_canonical";
};
function canonicalize2(value) {
  return writeValue(value, MAX_DEPTH2);
}
function canonicalizeWithout(value, name) {
  requirePlain(value);
  let text = "{";
  let place = 1;
  for (const other of sortNames(Object.keys(value))) {
    const member = value[other];
    if (member !== void 0 && other !== name) {
      text += (text.length === 1 ? "" : ",") + writeName(other) + writeValue(member, MAX_DEPTH2 - 1);
      if (other < name) {
        place = text.length;
      }
    }
  }
  return { text: text + "}", place };
}
function fillGap({ text, place }, member) {
  const before = text.slice(0, place);
  const after = text.slice(place);
  if (place > 1) {
    return before + "," + member + after;
  }
  return before + member + (after === "}" ? "" : ",") + after;
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
        throw new CanonicalError(`nested deeper than ${MAX_DEPTH2} levels`);
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
var NEEDS_CARE2 = /["\\\u0000-\u001f\ud800-\udfff]/;
function writeString(text) {
  if (!NEEDS_CARE2.test(text)) {
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

// proxy/recorder.ts
var CODE = "recording_failed";
var RecordingFailed = class extends Error {
  code = CODE;
};

// proxy/recording.ts
var MAX_KINDS = 500;
var MAX_TEXT_LENGTH = 1e3;
var WITHHELD = "[withheld]";
var Recording = class {
  #options;
  #counts = /* @__PURE__ */ new Map();
  #allowed = 0;
  #denied = 0;
  #failed = 0;
  constructor(options) {
    this.#options = options;
  }
  /** `failed`: allowed calls that ended otherwise than `ok`. */
  totals() {
    return {
      calls: this.#allowed + this.#denied,
      allowed: this.#allowed,
      denied: this.#denied,
      failed: this.#failed
    };
  }
  /** Returns the id of the call. Throws `RecordingFailed`. */
  recordCall(facts, decided) {
    const { redactor } = this.#options;
    const { id = (0, import_node_crypto4.randomUUID)(), client, named, credential: credential2 } = facts;
    const { labels = [] } = decided;
    this.#record({
      kind: "call",
      id,
      agent: facts.agent,
      client: client === void 0 ? null : this.#redactClient(client),
      server: facts.server,
      method: this.#redact(facts.method),
      ...named !== void 0 && { [named.kind]: redactor.redactText(named.name).text },
      ...this.#describeArguments(facts),
      decision: decided.decision,
      reason: decided.reason,
      ...decided.rule !== void 0 && { rule: decided.rule },
      ...decided.observed !== void 0 && { observed: decided.observed },
      ...labels.length > 0 && { labels: [...labels] },
      ...credential2 !== void 0 && { credential: credential2 },
      ...facts.traceparent !== void 0 && { traceparent: facts.traceparent }
    });
    if (decided.decision === "allow") {
      this.#allowed++;
    } else {
      this.#denied++;
    }
    return id;
  }
  /** `digest` and `bytes` are those of the answer as the server sent it. Throws `RecordingFailed`. */
  recordResult(result) {
    if (result.outcome !== "ok") {
      this.#failed++;
    }
    this.#record({ kind: "result", ...result });
  }
  /** Throws `RecordingFailed`. */
  recordCatalog(catalog) {
    const { server, ...lists } = catalog;
    const redacted = Object.fromEntries(
      Object.entries(lists).map(([list2, entries]) => [
        list2,
        (entries ?? []).map((entry) => ({ ...entry, name: this.#redact(entry.name) }))
      ])
    );
    this.#record({ ...redacted, kind: "catalog", server });
  }
  /** Throws `RecordingFailed`. */
  recordEvent(event, severity, detail) {
    const redacted = {};
    for (const [name, value] of Object.entries(detail)) {
      redacted[name] = typeof value === "string" ? this.#redact(value) : this.#options.redactor.redactJson(value).value;
    }
    this.#record({ kind: "event", event, severity, detail: redacted });
  }
  /** An event that forwards nothing and therefore holds nothing up when it cannot be written. */
  noteEvent(event, severity, detail) {
    try {
      this.recordEvent(event, severity, detail);
    } catch (error) {
      if (!(error instanceof RecordingFailed)) {
        throw error;
      }
    }
  }
  /**
   * An event that an attacker can repeat at will: the 1st, 10th, 100th … of a kind is noted, with their number.
   * `kind` must not hold what an attacker chooses freely.
   */
  noteRepeated(event, kind, detail) {
    const wanted = `${event} ${kind}`;
    const key = this.#counts.has(wanted) || this.#counts.size < MAX_KINDS ? wanted : event;
    const count3 = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count3);
    if (/^10*$/.test(String(count3))) {
      this.noteEvent(event, "warning", { ...detail, count: count3 });
    }
  }
  /** A limit of one server: by its name in the registry, where it can be set there. */
  noteLimit(server, limit) {
    this.noteRepeated("limit_reached", `${server} ${limit}`, { server, limit });
  }
  /** All of it, before any of it is cut away. */
  redact(text) {
    return this.#options.redactor.redactText(text).text;
  }
  #record(entry) {
    try {
      this.#options.recorder.record(entry);
    } catch (cause) {
      throw cause instanceof RecordingFailed ? cause : new RecordingFailed("a record was not written", { cause });
    }
  }
  #describeArguments({ args, argumentsInLog = "full" }) {
    if (args === void 0) {
      return {};
    }
    const arguments_digest = this.#digestArguments(args);
    const shown = argumentsInLog === "redacted" ? withholdValues(args) : args;
    return argumentsInLog === "digest" ? { arguments_digest } : { arguments: this.#options.redactor.redactJson(shown).value, arguments_digest };
  }
  #redactClient({ name, version: version2 }) {
    return { name: this.#redact(name), version: this.#redact(version2) };
  }
  #redact(text) {
    return this.#options.redactor.redactText(text).text.slice(0, MAX_TEXT_LENGTH).toWellFormed();
  }
  #digestArguments(args) {
    const { salt } = this.#options;
    const text = canonicalize2(args);
    const salted = Buffer.allocUnsafe(salt.length + Buffer.byteLength(text));
    salted.set(salt);
    salted.write(text, salt.length, "utf8");
    return (0, import_node_crypto4.hash)("sha256", salted, "hex");
  }
};
function withholdValues(args) {
  return typeof args === "object" && args !== null && !Array.isArray(args) ? Object.fromEntries(Object.keys(args).map((name) => [name, WITHHELD])) : WITHHELD;
}

// proxy/replaceable-policy.ts
var ReplaceablePolicy = class {
  #current;
  constructor(first) {
    this.#current = first;
  }
  replace(next) {
    this.#current = next;
  }
  get digest() {
    return this.#current.digest;
  }
  get mode() {
    return this.#current.mode;
  }
  reaches = (server, kind) => this.#current.reaches(server, kind);
  canLoseTools = (server) => this.#current.canLoseTools(server);
  show = (target, labels) => this.#current.show(target, labels);
  decide = (call, usage) => this.#current.decide(call, usage);
  labelsOf = (target) => this.#current.labelsOf(target);
  argumentsInLog = (rule) => this.#current.argumentsInLog(rule);
  inspectionOf = (rule) => this.#current.inspectionOf(rule);
  lockOf = (server) => this.#current.lockOf(server);
};

// proxy/upstream/connecting.ts
async function prepareConnection(how) {
  if (how.transport === "http") {
    const { HttpUpstream } = await import("./http-upstream.cjs");
    const { url, authority, httpProxies } = how;
    return ({ limits: limits2, events }) => new HttpUpstream({ url: new URL(url), limits: limits2, events, authority, httpProxies });
  }
  const { StdioUpstream } = await import("./stdio-upstream.cjs");
  const { command, env, ownEnvironment, cwd, start } = how;
  return ({ limits: limits2, events, environment: environment2, stderr }) => new StdioUpstream({
    ...{ command, cwd, start, limits: limits2, events, stderr },
    environment: { inherited: environment2, listed: env, own: ownEnvironment }
  });
}

// proxy/proxy.ts
async function startProxy(options) {
  const { recorder, redactor, salt, agents, control, servers } = options;
  const limits2 = { ...DEFAULT_LIMITS, ...options.limits };
  const recording = new Recording({ recorder, redactor, salt });
  const streams = new Places(limits2.maxStreams);
  const policy = new ReplaceablePolicy(options.policy);
  const usage = new SessionUsage(policy);
  const names = new VisibleNames();
  const labelsGained = (before) => gates.forEach((gate) => gate.tellLess(before));
  const shared = { policy, recording, streams, usage, names, labelsGained };
  const reached = Object.entries(servers).filter(([name]) => options.policy.reaches(name));
  const connections = await Promise.all(
    reached.map(async ([server, settings]) => ({
      server,
      connect: await prepareConnection(settings),
      limits: limitsOfServer(limits2, settings.limits),
      credential: settings.credential,
      isRelayed: settings.transport === "http" && settings.isRelayed === true
    }))
  );
  const { openServerGate } = await import("./server-gate.cjs");
  const { createInspector } = await import("./inspector.cjs");
  const inspector = createInspector(redactor);
  const findReflections = ({ known }) => ({
    redactor: known,
    inspector: createInspector(known, { everywhere: true })
  });
  const gates = new Map(
    connections.map(({ server, connect, limits: own2, credential: credential2, isRelayed }) => [
      server,
      openServerGate({
        ...{ ...shared, inspector, server, connect, limits: own2, isRelayed },
        credential: credential2 && {
          provenance: credential2.provenance,
          reflections: findReflections(credential2)
        },
        environment: options.environment ?? {},
        stderr: options.stderrOf(server),
        sessionState: () => options.sessionState()
      })
    ])
  );
  const front = new Front({ gates, agents, control, recording, limits: limits2 });
  const close = async () => {
    front.refuseAgents();
    await Promise.all([...gates.values()].map((gate) => gate.close(limits2.closeGraceMs)));
    front.close();
  };
  const changePolicy = (next) => {
    const visible = [...gates.values()].map((gate) => [gate, gate.listVisible()]);
    policy.replace(next);
    visible.forEach(([gate, before]) => gate.tellChanged(before));
  };
  const openProbe = ({ mark, token, connect }) => {
    const recording2 = new Recording({ recorder: { record: () => void 0 }, redactor, salt });
    const own2 = { recording: recording2, usage: new SessionUsage(policy), names: new VisibleNames() };
    const probed = new Map(
      [...gates.keys()].map((server) => [
        server,
        openServerGate({
          ...{ ...shared, ...own2, inspector, limits: limits2, server },
          connect: () => connect(server),
          environment: {},
          stderr: () => void 0,
          sessionState: () => ({ active: true }),
          labelsGained: () => void 0
        })
      ])
    );
    const end = front.admitProbe({ mark, token, recording: recording2, gates: probed });
    return async () => {
      end();
      await Promise.all([...probed.values()].map((gate) => gate.close(0)));
    };
  };
  let closing;
  try {
    const url = await front.listen();
    return {
      url,
      totals: () => recording.totals(),
      changePolicy,
      openProbe,
      close: () => closing ??= close()
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

// action/guard/genesis.ts
var import_node_crypto5 = require("node:crypto");

// action/version.ts
var VERSION = "0.1.0";

// action/guard/genesis.ts
function describeGenesis(facts) {
  const { document } = facts;
  const relayed = facts.servers.filter((name) => document.servers[name]?.transport === "relay");
  return {
    kind: "genesis",
    session: document.session,
    broker: facts.broker,
    robot: document.robot,
    roles: document.roles,
    mode: document.policy.source.mode,
    workload: document.workload,
    claims: document.claims,
    policy: document.policy.digest,
    proxy: { version: VERSION, bundle: (0, import_node_crypto5.hash)("sha256", facts.bundle, "hex") },
    agents: [...facts.agents],
    servers: [...facts.servers],
    ...relayed.length > 0 && { relayed },
    isolation: "none",
    posture: {
      platform: process.platform,
      arch: process.arch,
      node: process.version,
      user_id: process.getuid?.() ?? null,
      runner_environment: facts.runnerEnvironment
    }
  };
}

// action/wire/http-request.ts
var import_node_http2 = __toESM(require("node:http"), 1);

// proxy/upstream/http/http-proxies.ts
var NONE = {};
function selectProxies(url, proxies) {
  return isLoopback(url) ? NONE : proxies;
}
function isLoopback({ hostname }) {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])\.?$/.test(hostname);
}

// action/wire/http-request.ts
var HttpFailed = class extends Error {
  code = "http_failed";
  /** Without the host, for addresses that are not shown. */
  reason;
  constructor(host, reason, options) {
    super(`${host}: ${reason}`, options);
    this.reason = reason;
  }
};
var MAX_ANSWER_BYTES = 4 * 1024 * 1024;
function createHttp(httpProxies) {
  const openers = /* @__PURE__ */ new Map();
  const openerFor = (url) => {
    const proxies = selectProxies(url, httpProxies);
    const key = `${url.protocol} ${proxies === httpProxies ? "proxied" : "direct"}`;
    const opener = openers.get(key) ?? createOpener(url.protocol, proxies);
    openers.set(key, opener);
    return opener;
  };
  return async (request) => {
    const url = new URL(request.url);
    const open = openerFor(url);
    const signal = AbortSignal.timeout(request.timeoutMs);
    try {
      return await new Promise((resolve, reject) => {
        const outgoing = open({
          protocol: url.protocol,
          hostname: url.hostname.replace(/^\[|\]$/g, ""),
          port: url.port,
          path: `${url.pathname}${url.search}`,
          method: request.method,
          headers: request.body === void 0 ? request.headers : withLength(request.headers, request.body),
          signal
        });
        outgoing.once("error", reject);
        outgoing.once("response", (incoming) => {
          readAnswer(incoming).then(resolve, reject);
        });
        outgoing.end(request.body);
      });
    } catch (cause) {
      const reason = signal.aborted ? `no answer within ${request.timeoutMs / 1e3} s` : describe3(cause);
      throw new HttpFailed(url.host, reason, { cause });
    }
  };
}
function createOpener(protocol, proxyEnv) {
  const client = protocol === "https:" ? process.getBuiltinModule("node:https") : import_node_http2.default;
  const agent = new client.Agent({ keepAlive: true, proxyEnv: { ...proxyEnv } });
  return (options) => client.request({ ...options, agent });
}
async function readAnswer(incoming) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) {
      incoming.destroy();
      throw new Error(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString("utf8")
  };
}
function withLength(headers, body) {
  return { ...headers, "Content-Length": String(Buffer.byteLength(body)) };
}
function describe3(cause) {
  if (!(cause instanceof Error)) return "the request failed";
  return "code" in cause && typeof cause.code === "string" ? `${cause.code}` : cause.message;
}

// action/wire/retry.ts
var import_promises = require("node:timers/promises");
var PatienceExhausted = class extends Error {
  code = "patience_exhausted";
};
async function retry(attempt, patience) {
  for (let pauseMs = patience.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, patience.maxPauseMs)) {
    const outcome = await attempt();
    if (outcome.settled) return outcome.value;
    const jittered = pauseMs * (0.5 + Math.random());
    if (patience.signal?.aborted === true || performance.now() + jittered > patience.untilMs) {
      throw new PatienceExhausted(outcome.reason);
    }
    patience.onRetry?.(outcome.reason);
    try {
      await (0, import_promises.setTimeout)(jittered, void 0, patience.signal === void 0 ? {} : { signal: patience.signal });
    } catch {
      throw new PatienceExhausted(outcome.reason);
    }
  }
}

// action/wire/github-oidc.ts
var SubjectTokenUnavailable = class extends Error {
  code = "subject_token_unavailable";
};
var DEFAULT_ATTEMPT_TIMEOUT_MS = 5e3;
var DEFAULT_PATIENCE_MS = 2e4;
var FIRST_PAUSE_MS = 200;
var MAX_PAUSE_MS = 3e3;
var PASSING_STATUS = /* @__PURE__ */ new Set([403, 408, 425, 429]);
var MAX_TOKEN_LENGTH = 16 * 1024;
var Answer = object({ value: string2().check(_minLength(1), _maxLength(MAX_TOKEN_LENGTH)) });
async function fetchSubjectToken(options) {
  const url = addressOf(options);
  const attemptTimeoutMs = options.attemptTimeoutMs ?? DEFAULT_ATTEMPT_TIMEOUT_MS;
  const untilMs = performance.now() + (options.patienceMs ?? DEFAULT_PATIENCE_MS);
  let reason;
  const attempt = async () => {
    const leftMs = Math.max(1, Math.ceil(untilMs - performance.now()));
    try {
      const answer2 = await options.http({
        method: "GET",
        url,
        headers: { Authorization: `bearer ${options.oidc.token}`, Accept: "application/json" },
        timeoutMs: Math.min(attemptTimeoutMs, leftMs)
      });
      const read = readAnswer2(answer2);
      if (!read.settled) reason = read.reason;
      return read;
    } catch (cause) {
      if (!(cause instanceof HttpFailed)) throw cause;
      if (reason === void 0 || leftMs >= attemptTimeoutMs) reason = cause.reason;
      return { settled: false, reason };
    }
  };
  try {
    return await retry(attempt, { untilMs, firstPauseMs: FIRST_PAUSE_MS, maxPauseMs: MAX_PAUSE_MS });
  } catch (cause) {
    throw cause instanceof PatienceExhausted ? unavailable(cause.message) : cause;
  }
}
function addressOf({ oidc, audience }) {
  const url = URL.parse(oidc.url);
  if (url === null) throw unavailable("the runner named no address for it");
  url.searchParams.set("audience", audience);
  return url.href;
}
function readAnswer2({ status, body }) {
  if (status === 200) return { settled: true, value: parseToken(body) };
  const reason = `it answered with status ${status}`;
  if (PASSING_STATUS.has(status) || status >= 500) return { settled: false, reason };
  throw unavailable(reason);
}
function parseToken(body) {
  try {
    return Answer.parse(JSON.parse(body)).value;
  } catch {
    throw unavailable("its answer holds no token");
  }
}
function unavailable(reason) {
  return new SubjectTokenUnavailable(
    `GitHub's OIDC endpoint gave no token for this job: ${reason}. Run the job again; githubstatus.com shows whether Actions has a problem.`
  );
}

// action/handover.ts
var ProxyConfiguration = strictObject({
  broker: string2(),
  oidc: strictObject({ url: string2(), token: string2() }),
  /** `owner/repo/name`; undefined: the broker finds the one robot that is bound to this job. */
  robot: optional(string2()),
  roles: array(string2()),
  /** Names of servers; empty: all that the session reaches. */
  servers: array(string2()),
  agents: array(string2()),
  /** Private to this user; the spool and the proxy's other files lie in it. */
  directory: string2(),
  runnerTemp: string2(),
  workspace: string2(),
  runnerEnvironment: string2(),
  httpProxies: record(string2(), string2())
});
var Readiness = discriminatedUnion("status", [
  strictObject({
    status: literal("ready"),
    url: string2(),
    controlToken: string2(),
    agents: array(strictObject({ name: string2(), token: string2() })),
    session: string2(),
    robot: string2(),
    roles: array(string2()),
    servers: array(string2()),
    maxExpiresAt: string2(),
    reviewUrl: string2()
  }),
  /** One sentence that says what to change. */
  strictObject({ status: literal("failed"), message: string2() })
]);
var SPOOL_FILE = "spool.jsonl";
var STDERR_DIRECTORY = "stderr";

// action/wire/proof-key.ts
var import_node_crypto6 = require("node:crypto");

// node_modules/jose/dist/webapi/lib/buffer_utils.js
var encoder = new TextEncoder();
var decoder = new TextDecoder();
var strictDecoder = new TextDecoder("utf-8", { fatal: true });
var UINT32_RANGE = 2 ** 32;
function concat(...buffers) {
  const size = buffers.reduce((acc, { length }) => acc + length, 0), buf = new Uint8Array(size);
  let i = 0;
  for (const buffer of buffers)
    buf.set(buffer, i), i += buffer.length;
  return buf;
}
var NON_ASCII = /[^\x00-\x7f]/;
function encode2(string3) {
  if (typeof string3 == "string" && string3.length >= 128) {
    if (NON_ASCII.test(string3))
      throw new TypeError("non-ASCII string encountered in encode()");
    return encoder.encode(string3);
  }
  const bytes = new Uint8Array(string3.length);
  for (let i = 0; i < string3.length; i++) {
    const code = string3.charCodeAt(i);
    if (code > 127)
      throw new TypeError("non-ASCII string encountered in encode()");
    bytes[i] = code;
  }
  return bytes;
}
function encodeBase64(input, url = false) {
  if (Uint8Array.prototype.toBase64)
    return input.toBase64({ alphabet: url ? "base64url" : "base64", omitPadding: url });
  const CHUNK_SIZE = 32768, arr = [];
  for (let i = 0; i < input.length; i += CHUNK_SIZE)
    arr.push(String.fromCharCode.apply(null, input.subarray(i, i + CHUNK_SIZE)));
  const encoded = btoa(arr.join(""));
  return url ? encoded.replace(/=/g, "").replace(/\+/g, "-").replace(/\//g, "_") : encoded;
}
function decodeBase64(encoded, url = false) {
  if (Uint8Array.fromBase64)
    return Uint8Array.fromBase64(encoded, { alphabet: url ? "base64url" : "base64" });
  if (url) {
    if (encoded.includes("+") || encoded.includes("/"))
      throw new TypeError("Invalid base64url");
    encoded = encoded.replace(/-/g, "+").replace(/_/g, "/");
  }
  const binary = atob(encoded), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++)
    bytes[i] = binary.charCodeAt(i);
  return bytes;
}

// node_modules/jose/dist/webapi/util/errors.js
var JOSEError = class extends Error {
  static code = "ERR_JOSE_GENERIC";
  code = "ERR_JOSE_GENERIC";
  constructor(message2, options) {
    super(message2, options), this.name = this.constructor.name, Error.captureStackTrace?.(this, this.constructor);
  }
};
var JOSENotSupported = class extends JOSEError {
  static code = "ERR_JOSE_NOT_SUPPORTED";
  code = "ERR_JOSE_NOT_SUPPORTED";
};
var JWSInvalid = class extends JOSEError {
  static code = "ERR_JWS_INVALID";
  code = "ERR_JWS_INVALID";
};

// node_modules/jose/dist/webapi/util/base64url.js
var invalid = "The input to be decoded is not correctly encoded.";
function decode2(input) {
  try {
    return decodeBase64(typeof input == "string" ? input : decoder.decode(input), true);
  } catch (cause) {
    throw new TypeError(invalid, { cause });
  }
}
function encode3(input) {
  return encodeBase64(typeof input == "string" ? encoder.encode(input) : input, true);
}

// node_modules/jose/dist/webapi/lib/validate.js
function assertUint8Array(input, label) {
  if (!(input instanceof Uint8Array))
    throw new TypeError(`${label} must be an instance of Uint8Array`);
}
function isObject3(input) {
  if (typeof input != "object" || input === null || Object.prototype.toString.call(input) !== "[object Object]")
    return false;
  const prototype = Object.getPrototypeOf(input);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
function isDisjoint(...headers) {
  const parameters = /* @__PURE__ */ new Set();
  for (const header of headers)
    if (header)
      for (const parameter of Object.keys(header)) {
        if (parameters.has(parameter))
          return false;
        parameters.add(parameter);
      }
  return true;
}
function assertNotSet(value, name) {
  if (value !== void 0)
    throw new TypeError(`${name} can only be called once`);
}
var JWS_RECOGNIZED = { __proto__: null, b64: true };
function validateCritDuplicates(Err, protectedHeader) {
  const { crit } = protectedHeader ?? {};
  if (Array.isArray(crit) && new Set(crit).size !== crit.length)
    throw new Err('"crit" (Critical) Header Parameter MUST NOT contain duplicate values');
}
function validateCrit(Err, recognizedDefault, recognizedOption, protectedHeader, joseHeader) {
  if (joseHeader.crit !== void 0 && protectedHeader?.crit === void 0)
    throw new Err('"crit" (Critical) Header Parameter MUST be integrity protected');
  if (!protectedHeader || protectedHeader.crit === void 0)
    return [];
  if (!Array.isArray(protectedHeader.crit) || protectedHeader.crit.length === 0 || protectedHeader.crit.some((input) => typeof input != "string" || input.length === 0))
    throw new Err('"crit" (Critical) Header Parameter MUST be an array of non-empty strings when present');
  const recognized = recognizedOption === void 0 ? recognizedDefault : { __proto__: null, ...recognizedOption, ...recognizedDefault };
  for (const parameter of protectedHeader.crit) {
    if (!(parameter in recognized))
      throw new JOSENotSupported(`Extension Header Parameter "${parameter}" is not recognized`);
    if (!Object.hasOwn(joseHeader, parameter) || joseHeader[parameter] === void 0)
      throw new Err(`Extension Header Parameter "${parameter}" is missing`);
    if (recognized[parameter] && (!Object.hasOwn(protectedHeader, parameter) || protectedHeader[parameter] === void 0))
      throw new Err(`Extension Header Parameter "${parameter}" MUST be integrity protected`);
  }
  return protectedHeader.crit;
}
function validateB64(protectedHeader, extensions) {
  if (extensions.includes("b64")) {
    const b64 = protectedHeader.b64;
    if (typeof b64 != "boolean")
      throw new JWSInvalid('The "b64" (base64url-encode payload) Header Parameter must be a boolean');
    return b64;
  }
  return true;
}
function serializeJoseHeader(Err, header) {
  let serialized, parsed;
  try {
    serialized = JSON.stringify(header), parsed = JSON.parse(serialized);
  } catch (cause) {
    throw new Err("JOSE Header is not valid JSON", { cause });
  }
  if (!isObject3(parsed))
    throw new Err("JOSE Header is not a JSON object");
  return [parsed, serialized];
}

// node_modules/jose/dist/webapi/lib/key.js
var tag = (key) => key[Symbol.toStringTag];
var jwkMatchesOp = (entry, key, usage) => {
  const { alg } = entry;
  if (key.use !== void 0) {
    const expected = usage === "sign" || usage === "verify" ? "sig" : "enc";
    if (key.use !== expected)
      throw new TypeError(`Invalid key for this operation, its "use" must be "${expected}" when present`);
  }
  if (key.alg !== void 0 && key.alg !== alg)
    throw new TypeError(`Invalid key for this operation, its "alg" must be "${alg}" when present`);
  if (Array.isArray(key.key_ops)) {
    const expectedKeyOp = usage === "encrypt" || usage === "decrypt" ? entry.ops?.[usage === "encrypt" ? 0 : 1] : usage;
    if (expectedKeyOp && !key.key_ops.includes(expectedKeyOp))
      throw new TypeError(`Invalid key for this operation, its "key_ops" must include "${expectedKeyOp}" when present`);
  }
};
async function prepareKey(entry, key, usage) {
  const { alg, secret } = entry, requiresPrivateKey = usage === "decrypt" || usage === "sign";
  if (secret && key instanceof Uint8Array)
    return key;
  let normalized, keyObject;
  if (isObject3(key)) {
    if (normalized = normalizeJwk(key), typeof normalized.kty != "string")
      throw invalidKeyType(alg, key, secret);
    if (!(secret ? normalized.kty === "oct" && typeof normalized.k == "string" : normalized.kty !== "oct" && (requiresPrivateKey ? normalized.kty === "AKP" && typeof normalized.priv == "string" || typeof normalized.d == "string" : normalized.d === void 0 && normalized.priv === void 0)))
      throw new TypeError(secret ? 'JSON Web Key for symmetric algorithms must have JWK "kty" (Key Type) equal to "oct" and the JWK "k" (Key Value) present' : `JSON Web Key for this operation must be a ${requiresPrivateKey ? "private" : "public"} JWK`);
    if (jwkMatchesOp(entry, normalized, usage), normalized.kty === "oct")
      return decode2(normalized.k);
    if (!Object.isFrozen(key)) {
      const { key_ops } = key;
      Array.isArray(key_ops) && Object.freeze(key_ops), Object.freeze(key);
    }
  } else {
    if (!isKeyLike(key))
      throw invalidKeyType(alg, key, secret);
    const expectedType = secret ? "secret" : requiresPrivateKey ? "private" : "public";
    if (key.type !== expectedType && (secret || ["secret", "public", "private"].includes(key.type)))
      throw new TypeError(`${tag(key)} instances must be of type "${expectedType}" for the ${alg} algorithm`);
    if (isCryptoKey(key))
      return key;
    if (keyObject = key, keyObject.type === "secret")
      return keyObject.export();
  }
  cache ||= /* @__PURE__ */ new WeakMap();
  const cacheKey = key;
  let cached2 = cache.get(cacheKey);
  if (cached2?.[alg])
    return cached2[alg];
  if (cached2 || cache.set(cacheKey, cached2 = {}), keyObject && typeof keyObject.toCryptoKey == "function") {
    const isPublic = keyObject.type === "public", crv = nist[keyObject.asymmetricKeyDetails?.namedCurve], params = entry.resolve?.({ crv, asymmetricKeyType: keyObject.asymmetricKeyType }) ?? entry.subtle;
    return cached2[alg] = keyObject.toCryptoKey(params, isPublic, entry.usages[isPublic ? 0 : 1]);
  }
  return normalized ??= keyObject.export({ format: "jwk" }), normalized.alg = alg, cached2[alg] = await jwkToKey(entry, normalized);
}
var cache;
var nist = {
  __proto__: null,
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521"
};
var isCryptoKey = (key) => {
  if (key?.[Symbol.toStringTag] === "CryptoKey")
    return true;
  try {
    return key instanceof CryptoKey;
  } catch {
    return false;
  }
};
var isKeyObject = (key) => key?.[Symbol.toStringTag] === "KeyObject";
var isKeyLike = (key) => isCryptoKey(key) || isKeyObject(key);
function message(msg, actual, ...types) {
  if (types.length > 2) {
    const last = types.pop();
    msg += `one of type ${types.join(", ")}, or ${last}.`;
  } else types.length === 2 ? msg += `one of type ${types[0]} or ${types[1]}.` : msg += `of type ${types[0]}.`;
  return actual == null ? msg += ` Received ${actual}` : typeof actual == "function" && actual.name ? msg += ` Received function ${actual.name}` : typeof actual == "object" && actual != null && actual.constructor?.name && (msg += ` Received an instance of ${actual.constructor.name}`), msg;
}
var invalidKeyInput = (actual, ...types) => message("Key must be ", actual, ...types);
function invalidKeyType(alg, actual, secret) {
  const types = ["CryptoKey", "KeyObject", "JSON Web Key"];
  return secret && types.push("Uint8Array"), new TypeError(message(`Key for the ${alg} algorithm must be `, actual, ...types));
}
var unusable = (name, prop = "algorithm.name") => new TypeError(`CryptoKey does not support this operation, its ${prop} must be ${name}`);
function checkUsage(key, usage) {
  if (usage && !key.usages.includes(usage))
    throw new TypeError(`CryptoKey does not support this operation, its usages must include ${usage}.`);
}
function checkModulusLength(alg, key) {
  const { modulusLength } = key.algorithm;
  if (typeof modulusLength != "number" || modulusLength < 2048)
    throw new TypeError(`${alg} requires key modulusLength to be 2048 bits or larger`);
}
function checkCryptoKey(key, expected, usage) {
  const algorithm = key.algorithm;
  if (algorithm.name !== expected.name)
    throw unusable(expected.name);
  if (expected.hash && algorithm.hash?.name !== expected.hash)
    throw unusable(expected.hash, "algorithm.hash");
  if (expected.namedCurve && algorithm.namedCurve !== expected.namedCurve)
    throw unusable(expected.namedCurve, "algorithm.namedCurve");
  if (expected.length !== void 0 && algorithm.length !== expected.length)
    throw unusable(expected.length, "algorithm.length");
  checkUsage(key, usage);
}
function snapshotJwk(jwk) {
  return { __proto__: null, ...jwk };
}
function normalizeJwk(jwk) {
  const normalized = snapshotJwk(jwk);
  if (normalized.ext !== void 0 && typeof normalized.ext != "boolean")
    throw new TypeError('"ext" (Extractable) Parameter must be a boolean');
  if (normalized.key_ops !== void 0) {
    const value = normalized.key_ops, keyOps = Array.isArray(value) ? [...value] : void 0;
    if (!keyOps || keyOps.some((operation) => typeof operation != "string") || new Set(keyOps).size !== keyOps.length)
      throw new TypeError('"key_ops" (Key Operations) Parameter must be an array of unique strings');
    normalized.key_ops = keyOps;
  }
  return normalized;
}
function validateExtractableOption(extractable) {
  if (extractable !== void 0 && typeof extractable != "boolean")
    throw new TypeError('"extractable" option must be a boolean');
  return extractable;
}
async function jwkToKey(entry, jwk, extractable) {
  if (!entry.kty.includes(jwk.kty))
    throw new JOSENotSupported('Invalid or unsupported JWK "alg" (Algorithm) Parameter value');
  const algorithm = entry.resolve?.({ kty: jwk.kty, crv: jwk.crv }) ?? entry.subtle, isPrivate = !!(jwk.d || jwk.priv), keyData = { ...jwk, ext: extractable ?? jwk.ext };
  return keyData.kty !== "AKP" && delete keyData.alg, delete keyData.use, crypto.subtle.importKey("jwk", keyData, algorithm, keyData.ext ?? !isPrivate, jwk.key_ops ?? entry.usages[isPrivate ? 1 : 0]);
}
async function rawKey(key, expected, usage, extractable = false) {
  return key instanceof Uint8Array && (key = await crypto.subtle.importKey("raw", key, expected, extractable, [usage])), checkCryptoKey(key, expected, usage), key;
}

// node_modules/jose/dist/webapi/lib/key_descriptor.js
function table(entries) {
  const out = { __proto__: null };
  for (const alg in entries)
    out[alg] = { ...entries[alg], alg };
  return out;
}

// node_modules/jose/dist/webapi/lib/jwe_algorithms.js
var wrap = [
  ["encrypt", "wrapKey"],
  ["decrypt", "unwrapKey"]
];
var derive = [[], ["deriveBits"]];
var none = [[], []];
function rsaes(bits) {
  return {
    kty: ["RSA"],
    mode: "key-encryption",
    subtle: { name: "RSA-OAEP", hash: `SHA-${bits}` },
    usages: wrap,
    ops: ["wrapKey", "unwrapKey"]
  };
}
function ecdh(mode) {
  return {
    kty: ["EC", "OKP"],
    mode,
    subtle: { name: "ECDH" },
    resolve: ({ kty, crv, asymmetricKeyType }) => {
      if (crv === "X25519" || asymmetricKeyType === "x25519")
        return { name: "X25519" };
      if (kty === "OKP")
        throw new JOSENotSupported('Invalid or unsupported JWK "alg" (Algorithm) Parameter value');
      return { name: "ECDH", namedCurve: crv };
    },
    usages: derive,
    ops: [void 0, "deriveBits"]
  };
}
function aeskw(bits, gcm = false) {
  return {
    kty: ["oct"],
    mode: "key-wrapping",
    secret: true,
    subtle: { name: gcm ? "AES-GCM" : "AES-KW", length: bits },
    usages: none,
    ops: gcm ? ["encrypt", "decrypt"] : ["wrapKey", "unwrapKey"]
  };
}
function pbes2() {
  return {
    kty: ["oct"],
    mode: "key-wrapping",
    secret: true,
    subtle: { name: "PBKDF2" },
    usages: none,
    ops: ["deriveBits", "deriveBits"]
  };
}
var JWE = table({
  dir: {
    kty: ["oct"],
    mode: "direct-encryption",
    secret: true,
    subtle: { name: "AES-GCM" },
    usages: none,
    ops: ["encrypt", "decrypt"]
  },
  "RSA-OAEP": rsaes(1),
  "RSA-OAEP-256": rsaes(256),
  "RSA-OAEP-384": rsaes(384),
  "RSA-OAEP-512": rsaes(512),
  "ECDH-ES": ecdh("direct-key-agreement"),
  "ECDH-ES+A128KW": ecdh("key-agreement-with-key-wrapping"),
  "ECDH-ES+A192KW": ecdh("key-agreement-with-key-wrapping"),
  "ECDH-ES+A256KW": ecdh("key-agreement-with-key-wrapping"),
  A128KW: aeskw(128),
  A192KW: aeskw(192),
  A256KW: aeskw(256),
  A128GCMKW: aeskw(128, true),
  A192GCMKW: aeskw(192, true),
  A256GCMKW: aeskw(256, true),
  "PBES2-HS256+A128KW": pbes2(),
  "PBES2-HS384+A192KW": pbes2(),
  "PBES2-HS512+A256KW": pbes2()
});
var contentOps = ["encrypt", "decrypt"];
function contentEncryption(bits, cbc = false) {
  return {
    kty: ["oct"],
    secret: true,
    subtle: { name: cbc ? "AES-CBC" : "AES-GCM", length: bits },
    usages: none,
    ops: contentOps,
    cekBits: bits,
    ivBits: cbc ? 128 : 96,
    cbc
  };
}
var ENC = table({
  A128GCM: contentEncryption(128),
  A192GCM: contentEncryption(192),
  A256GCM: contentEncryption(256),
  "A128CBC-HS256": contentEncryption(256, true),
  "A192CBC-HS384": contentEncryption(384, true),
  "A256CBC-HS512": contentEncryption(512, true)
});

// node_modules/jose/dist/webapi/lib/jws_algorithms.js
var sig = [["verify"], ["sign"]];
function hmac(bits) {
  const subtle = { name: "HMAC", hash: `SHA-${bits}` };
  return { kty: ["oct"], secret: true, subtle, signing: subtle, usages: sig };
}
function rsa(bits, saltLength) {
  const subtle = { name: saltLength ? "RSA-PSS" : "RSASSA-PKCS1-v1_5", hash: `SHA-${bits}` };
  return {
    kty: ["RSA"],
    subtle,
    signing: saltLength ? { ...subtle, saltLength } : subtle,
    usages: sig,
    minRsaBits: 2048
  };
}
function ecdsa(crv, bits) {
  return {
    kty: ["EC"],
    crv,
    subtle: { name: "ECDSA", namedCurve: crv },
    signing: { name: "ECDSA", hash: `SHA-${bits}` },
    usages: sig
  };
}
function eddsa() {
  const subtle = { name: "Ed25519" };
  return {
    kty: ["OKP"],
    crv: "Ed25519",
    subtle,
    signing: subtle,
    usages: sig
  };
}
function mldsa(parameterSet) {
  const subtle = { name: `ML-DSA-${parameterSet}` };
  return {
    kty: ["AKP"],
    subtle,
    signing: subtle,
    usages: sig
  };
}
var JWS = table({
  HS256: hmac(256),
  HS384: hmac(384),
  HS512: hmac(512),
  RS256: rsa(256),
  RS384: rsa(384),
  RS512: rsa(512),
  PS256: rsa(256, 32),
  PS384: rsa(384, 48),
  PS512: rsa(512, 64),
  ES256: ecdsa("P-256", 256),
  ES384: ecdsa("P-384", 384),
  ES512: ecdsa("P-521", 512),
  EdDSA: eddsa(),
  Ed25519: eddsa(),
  "ML-DSA-44": mldsa(44),
  "ML-DSA-65": mldsa(65),
  "ML-DSA-87": mldsa(87)
});
function jwsAlgorithm(alg) {
  const entry = typeof alg == "string" ? JWS[alg] : void 0;
  if (!entry)
    throw new JOSENotSupported(`alg ${alg} is not supported either by JOSE or your javascript runtime`);
  return entry;
}

// node_modules/jose/dist/webapi/lib/jws_sign.js
async function createSignature(input, key, rejectUnencoded) {
  let [payload, protectedHeader, unprotectedHeader, crit] = input, encodedProtectedHeader = "";
  if (protectedHeader !== void 0) {
    const normalized = serializeJoseHeader(JWSInvalid, protectedHeader);
    protectedHeader = normalized[0], encodedProtectedHeader = encode3(normalized[1]);
  }
  if (unprotectedHeader !== void 0 && (unprotectedHeader = serializeJoseHeader(JWSInvalid, unprotectedHeader)[0]), !protectedHeader && !unprotectedHeader)
    throw new JWSInvalid("either setProtectedHeader or setUnprotectedHeader must be called before #sign()");
  if (!isDisjoint(protectedHeader, unprotectedHeader))
    throw new JWSInvalid("JWS Protected and JWS Unprotected Header Parameter names must be disjoint");
  const joseHeader = { ...protectedHeader, ...unprotectedHeader };
  validateCritDuplicates(JWSInvalid, protectedHeader);
  const b64 = validateB64(protectedHeader, validateCrit(JWSInvalid, JWS_RECOGNIZED, crit, protectedHeader, joseHeader));
  b64 || rejectUnencoded?.();
  const { alg } = joseHeader;
  if (typeof alg != "string" || !alg)
    throw new JWSInvalid('JWS "alg" (Algorithm) Header Parameter missing or invalid');
  const entry = jwsAlgorithm(alg);
  let encodedPayload = "", signingPayload = payload, signingInput;
  if (b64) {
    const encodedPayloadCache = input[4];
    encodedPayloadCache ? (encodedPayload = encodedPayloadCache[0] ??= encode3(payload), signingPayload = encodedPayloadCache[1] ??= encode2(encodedPayload)) : (encodedPayload = encode3(payload), signingInput = encoder.encode(`${encodedProtectedHeader}.${encodedPayload}`));
  }
  signingInput ??= concat(encode2(encodedProtectedHeader), encode2("."), signingPayload);
  const signingKey = await rawKey(await prepareKey(entry, key, "sign"), entry.subtle, "sign");
  entry.minRsaBits && checkModulusLength(entry.alg, signingKey);
  const jws = {
    signature: encode3(new Uint8Array(await crypto.subtle.sign(entry.signing, signingKey, signingInput))),
    payload: encodedPayload
  };
  return protectedHeader && (jws.protected = encodedProtectedHeader), unprotectedHeader && (jws.header = unprotectedHeader), [jws, b64];
}
async function createCompactSignature(payload, protectedHeader, crit, key, rejectUnencoded) {
  const [jws] = await createSignature([payload, protectedHeader, void 0, crit], key, rejectUnencoded);
  return `${jws.protected}.${jws.payload}.${jws.signature}`;
}

// node_modules/jose/dist/webapi/jws/compact/sign.js
var CompactSign = class {
  #payload;
  #protectedHeader;
  constructor(payload) {
    assertUint8Array(payload, "payload"), this.#payload = payload;
  }
  setProtectedHeader(protectedHeader) {
    return assertNotSet(this.#protectedHeader, "setProtectedHeader"), this.#protectedHeader = protectedHeader, this;
  }
  async sign(key, options) {
    return createCompactSignature(this.#payload, this.#protectedHeader, options?.crit, key, () => {
      throw new TypeError("use the flattened module for creating JWS with b64: false");
    });
  }
};

// node_modules/jose/dist/webapi/lib/key_algorithm.js
var algArgument = '"alg" (Algorithm)';
function unsupportedAlg(source = 'JWK "alg" (Algorithm) Parameter') {
  throw new JOSENotSupported(`Invalid or unsupported ${source} value`);
}
function keyAlgorithm(alg, source) {
  return (typeof alg == "string" ? JWS[alg] ?? JWE[alg] : void 0) ?? unsupportedAlg(source);
}

// node_modules/jose/dist/webapi/key/export.js
async function exportJWK(key) {
  if (isKeyObject(key))
    if (key.type === "secret")
      key = key.export();
    else
      return key.export({ format: "jwk" });
  if (key instanceof Uint8Array)
    return {
      kty: "oct",
      k: encode3(key)
    };
  if (!isCryptoKey(key))
    throw new TypeError(invalidKeyInput(key, "CryptoKey", "KeyObject", "Uint8Array"));
  if (!key.extractable)
    throw new TypeError("non-extractable CryptoKey cannot be exported as a JWK");
  const jwk = await crypto.subtle.exportKey("jwk", key);
  delete jwk.ext, delete jwk.key_ops, delete jwk.use, jwk.kty !== "AKP" && delete jwk.alg;
  for (const parameter of Object.keys(jwk))
    jwk[parameter] === void 0 && delete jwk[parameter];
  return jwk;
}

// node_modules/jose/dist/webapi/key/generate_key_pair.js
function getModulusLengthOption(options) {
  const modulusLength = options?.modulusLength ?? 2048;
  if (typeof modulusLength != "number" || !Number.isInteger(modulusLength) || modulusLength < 2048)
    throw new JOSENotSupported("Invalid or unsupported modulusLength option provided, 2048 bits or larger keys must be used");
  return modulusLength;
}
async function generateKeyPair(alg, options) {
  const extractable = validateExtractableOption(options?.extractable), entry = keyAlgorithm(alg, algArgument);
  entry.secret && unsupportedAlg(algArgument);
  let algorithm;
  if (entry.resolve) {
    const crv = options?.crv ?? "P-256";
    if (!["P-256", "P-384", "P-521", "X25519"].includes(crv))
      throw new JOSENotSupported("Invalid or unsupported crv option provided, supported values are P-256, P-384, P-521, and X25519");
    algorithm = entry.resolve({ crv });
  } else {
    if (entry.crv !== void 0 && options?.crv !== void 0 && options.crv !== entry.crv)
      throw new JOSENotSupported(`Invalid or unsupported crv option provided, the only supported value for ${alg} is ${entry.crv}`);
    algorithm = entry.kty[0] === "RSA" ? {
      ...entry.subtle,
      publicExponent: Uint8Array.of(1, 0, 1),
      modulusLength: getModulusLengthOption(options)
    } : entry.subtle;
  }
  return crypto.subtle.generateKey(algorithm, extractable ?? false, [
    ...entry.usages[1],
    ...entry.usages[0]
  ]);
}

// action/wire/proof-key.ts
async function createProofKey() {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: false });
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: await exportJWK(publicKey) };
  return {
    prove: ({ method, url, accessToken }) => {
      const { origin, pathname } = new URL(url);
      const ath = accessToken === void 0 ? {} : { ath: (0, import_node_crypto6.hash)("sha256", accessToken, "base64url") };
      const claims = { htm: method, htu: `${origin}${pathname}`, ...ath, jti: (0, import_node_crypto6.randomUUID)() };
      const iat = Math.floor(Date.now() / 1e3);
      return new CompactSign(Buffer.from(JSON.stringify({ ...claims, iat }))).setProtectedHeader(header).sign(privateKey);
    }
  };
}

// action/guard/kept-credentials.ts
var import_promises2 = require("node:timers/promises");

// proxy/upstream/authority.ts
var CODE2 = "not_authorized";
var NotAuthorized = class extends Error {
  code = CODE2;
};

// action/guard/kept-credentials.ts
var RENEWAL_SHARE = 0.1;
var MOST_REST_MS = 4 * 6e4;
var LEAST_REST_MS = 4e3;
var PAUSE_MS = 2e3;
var MAX_PAUSE_MS2 = 3e4;
var READ_PATIENCE_MS = 1e4;
var FIRST_RETRY_MS = 250;
var MAX_RETRY_MS = 4e3;
function keepCredentials(options) {
  const { client, redactor, note, isActive, signal } = options;
  const current = /* @__PURE__ */ new Map();
  const listeners = /* @__PURE__ */ new Map();
  const known = createRedactor([], { formats: false });
  const take = (servers, isFirst, rejected) => {
    for (const [server, how] of Object.entries(servers)) {
      const next = how.transport === "relay" ? void 0 : how.credential;
      const before = current.get(server);
      if (next === void 0 || !isFirst && before === void 0) continue;
      if (next.status === "minted") {
        for (const value of next.secrets) {
          const secret = { id: next.id, kind: "credential", value };
          redactor.add(secret);
          known.add(secret);
        }
      }
      const isGood = isUsable(before, Date.now()) && digestOf(before) !== rejected;
      if (next.status === "failed" && isGood) continue;
      current.set(server, next);
      if (before === void 0 || digestOf(before) === digestOf(next)) continue;
      const detail = { server, credential: next.id, from: digestOf(before), to: digestOf(next) };
      note({ kind: "event", event: "credential_renewed", severity: "info", detail });
      listeners.get(server)?.();
    }
  };
  take(options.servers, true);
  let reading;
  const read = async (rejected) => {
    const untilMs = performance.now() + READ_PATIENCE_MS;
    const patience = { untilMs, firstPauseMs: FIRST_RETRY_MS, maxPauseMs: MAX_RETRY_MS, signal };
    const reply = await client.read(patience, rejected);
    if (reply.ok) take(reply.value.servers, false, rejected);
  };
  const renew = (rejected) => reading ??= read(rejected).catch(() => void 0).finally(() => {
    reading = void 0;
  });
  const keep = async () => {
    let pauseMs = PAUSE_MS;
    let before = "";
    while (!signal.aborted && isActive()) {
      const waitMs = Math.max(findRest(current.values(), Date.now()), pauseMs);
      if (waitMs === Number.POSITIVE_INFINITY) return;
      await (0, import_promises2.setTimeout)(Math.min(Math.ceil(waitMs), 2 ** 31 - 1), void 0, { signal, ref: false }).catch(
        () => void 0
      );
      if (signal.aborted || !isActive()) return;
      await renew();
      const now = JSON.stringify([...current.values()].map(digestOf));
      pauseMs = now === before ? Math.min(pauseMs * 2, MAX_PAUSE_MS2) : PAUSE_MS;
      before = now;
    }
  };
  if (current.size > 0) void keep();
  return {
    known,
    authorityOf(server) {
      if (!current.has(server)) return void 0;
      return {
        authorize: async () => {
          if (!isUsable(current.get(server), Date.now())) await renew();
          const credential2 = current.get(server);
          if (credential2?.status !== "minted") {
            throw new NotAuthorized(credential2?.sentence ?? "There is no credential for this server.");
          }
          return { ...credential2.headers };
        },
        replace: async (refused) => {
          const credential2 = current.get(server);
          if (credential2?.status !== "minted") return false;
          const isCurrent = Object.entries(credential2.headers).every(
            ([name, value]) => refused[name] === value
          );
          if (!isCurrent) return true;
          await reading;
          await renew(credential2.digest);
          if (digestOf(current.get(server)) !== credential2.digest) return true;
          throw new NotAuthorized(
            `The server answered 401 to the credential ${credential2.id}, and the broker has no other one.`
          );
        }
      };
    },
    environmentOf(server) {
      if (!current.has(server)) return void 0;
      return {
        read: () => {
          const credential2 = current.get(server);
          return credential2?.status === "minted" ? credential2.env : {};
        },
        onChange: (listener) => {
          listeners.set(server, listener);
        },
        findLack: () => {
          const credential2 = current.get(server);
          return credential2?.status === "failed" ? credential2.sentence : void 0;
        }
      };
    },
    provenanceOf(server) {
      const credential2 = current.get(server);
      if (credential2?.status !== "minted") return void 0;
      const { id, digest, expires_at } = credential2;
      return { id, digest, ...expires_at !== void 0 && { expires_at } };
    }
  };
}
function digestOf(credential2) {
  return credential2?.status === "minted" ? credential2.digest : "";
}
function isUsable(credential2, now) {
  if (credential2?.status !== "minted") return false;
  return credential2.expires_at === void 0 || Date.parse(credential2.expires_at) > now;
}
function findRest(credentials, now) {
  let rest = Number.POSITIVE_INFINITY;
  for (const credential2 of credentials) {
    if (credential2.status === "failed") return 0;
    if (credential2.expires_at === void 0) continue;
    const left = Date.parse(credential2.expires_at) - now;
    rest = Math.min(rest, left - Math.max(Math.min(left * RENEWAL_SHARE, MOST_REST_MS), LEAST_REST_MS));
  }
  return rest;
}

// action/guard/policy-refresh.ts
var import_promises3 = require("node:timers/promises");

// policies/change/loss.ts
var MAX_LOSSES = 100;
function describeLoss(before, after) {
  const kept = new Map(after.grants.map((grant) => [grant.rule, grant]));
  const known = new Set(before.flow.map(({ rule }) => rule));
  const losses = [
    ...before.grants.flatMap((grant) => {
      const left = kept.get(grant.rule);
      return left === void 0 ? [grant.rule] : listLostNames(grant, left);
    }),
    ...after.flow.filter(({ rule }) => !known.has(rule)).map(({ rule }) => `${rule} (new)`),
    ...before.mode === "observe" && after.mode === "enforce" ? ["observe"] : [],
    ...JSON.stringify(before.servers) === JSON.stringify(after.servers) ? [] : ["facts about servers"]
  ];
  const more = losses.length - MAX_LOSSES;
  return more > 0 ? [...losses.slice(0, MAX_LOSSES), `and ${more} more`] : losses;
}
function listLostNames(before, after) {
  const left = new Set(namesOf(after));
  return namesOf(before).filter((name) => !left.has(name)).map((name) => `${before.rule} ${name}`);
}
function namesOf({ tools = [], resources = [], prompts = [], asks = [] }) {
  return [...tools, ...resources, ...prompts, ...asks];
}

// action/guard/policy-refresh.ts
var POLL_MS = 3e4;
var READ_PATIENCE_MS2 = 1e4;
var FIRST_PAUSE_MS2 = 250;
var MAX_PAUSE_MS3 = 4e3;
function startPolicyRefresh(options) {
  const { client, compile, apply, note, isActive, end, signal, pollMs = POLL_MS } = options;
  let { policy: held } = options.document;
  let heardAtMs = performance.now();
  let refreshing;
  const takeOver = async (document) => {
    const { policy } = document;
    if (policy.digest === held.digest) return;
    const compiled = await compile(document);
    if (signal.aborted) return;
    const lost = describeLoss(held.source, policy.source);
    const detail = { from: held.digest, to: policy.digest, lost };
    note({ kind: "event", event: "policy_changed", severity: "warning", detail });
    apply(compiled);
    held = policy;
  };
  const read = async () => {
    try {
      const reply = await client.read({
        untilMs: performance.now() + READ_PATIENCE_MS2,
        firstPauseMs: FIRST_PAUSE_MS2,
        maxPauseMs: MAX_PAUSE_MS3,
        signal
      });
      heardAtMs = performance.now();
      if (reply.ok) await takeOver(reply.value);
      else if (reply.error === "session_over") end(`the broker ended the session: ${reply.sentence}`);
    } catch (cause) {
      if (cause instanceof PatienceExhausted || signal.aborted) return;
      end(
        `its policy changed and could not be taken over: ${cause instanceof Error ? cause.message : "unknown"}`
      );
    }
  };
  const refresh = async () => {
    refreshing ??= read().finally(() => {
      refreshing = void 0;
    });
    return refreshing;
  };
  const poll = async () => {
    while (!signal.aborted && isActive()) {
      const waitMs = heardAtMs + pollMs - performance.now();
      if (waitMs > 0)
        await (0, import_promises3.setTimeout)(Math.ceil(waitMs), void 0, { signal, ref: false }).catch(() => void 0);
      else {
        heardAtMs = performance.now();
        await refresh();
      }
    }
  };
  void poll();
  return {
    hear: (digest) => {
      heardAtMs = performance.now();
      if (digest !== held.digest && !signal.aborted) void refresh();
    }
  };
}

// action/guard/sealing.ts
var DEFAULT_TIMEOUT_MS = 6e4;
var MAX_ROUNDS = 3;
async function sealLog(options, reason) {
  const { client, log } = options;
  const { shipping } = log;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  await options.closeProxy();
  const timedOut = `the log could not be stored within ${timeoutMs / 1e3} s`;
  const untilMs = performance.now() + timeoutMs;
  const timer = setTimeout(() => shipping.halt(timedOut), timeoutMs);
  try {
    await shipping.drain();
    if (shipping.haltedBy !== void 0) return unsealed(shipping.haltedBy);
    const last = log.record({ kind: "seal", reason, totals: log.tally.report().totals });
    await shipping.drain();
    for (let round = 1; round <= MAX_ROUNDS && shipping.haltedBy === void 0; round += 1) {
      const request = { segments: shipping.segments, last_seq: last.seq, head: last.hash };
      const reply = await client.seal(request, { untilMs, firstPauseMs: 250, maxPauseMs: 4e3 });
      if (!reply.ok) return unsealed(`the broker did not seal it: ${reply.sentence}`);
      if (reply.value.status === "sealed") return { status: "sealed" };
      for (const segment of reply.value.segments) {
        if (!await shipping.storeAgain(segment)) {
          return unsealed(`segment ${segment} is not in the bucket and could not be stored again`);
        }
      }
    }
    return unsealed(shipping.haltedBy ?? "the bucket does not keep what is stored in it");
  } catch (cause) {
    if (cause instanceof PatienceExhausted) return unsealed(`the broker did not answer: ${cause.message}`);
    return unsealed(cause instanceof Error ? cause.message : "it failed");
  } finally {
    clearTimeout(timer);
  }
}
function unsealed(reason) {
  return { status: "unsealed", reason };
}

// action/guard/session-log.ts
var import_node_path = require("node:path");

// audit/chain.ts
var import_node_crypto7 = require("node:crypto");

// audit/entry-glance.ts
var DIGEST = /^[0-9a-f]{64}$/;
var OUTCOMES = /* @__PURE__ */ new Set(["ok", "tool_error", "error", "timeout", "cancelled", "blocked"]);
var isText = (value) => typeof value === "string";
var isCount = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
var isDigest = (value) => typeof value === "string" && DIGEST.test(value);
var CLIENT = describe4({ name: isText, version: isText }, {});
var SHAPES = /* @__PURE__ */ new Map([
  [
    "call",
    describe4(
      {
        kind: isText,
        ...{ id: isText, agent: isText, server: isText, method: isText, reason: isText },
        client: (value) => value === null || fits(value, CLIENT),
        decision: (value) => value === "allow" || value === "deny"
      },
      {
        ...{ tool: isText, resource: isText, prompt: isText, rule: isText, traceparent: isText },
        arguments: (value) => value !== void 0,
        arguments_digest: isDigest
      }
    )
  ],
  [
    "result",
    describe4(
      {
        ...{ kind: isText, call: isText, duration_ms: isCount, bytes: isCount },
        outcome: (value) => OUTCOMES.has(value)
      },
      { digest: isDigest }
    )
  ]
]);
function surelyFits(entry) {
  const shape = SHAPES.get(entry.kind);
  return shape !== void 0 && fits(entry, shape);
}
function describe4(required2, optional2) {
  return {
    required: new Set(Object.keys(required2)),
    checks: new Map(Object.entries({ ...required2, ...optional2 }))
  };
}
function fits(value, { checks, required: required2 }) {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return false;
  }
  let missing = required2.size;
  for (const [name, member] of Object.entries(value)) {
    if (checks.get(name)?.(member) !== true) {
      return false;
    }
    missing -= required2.has(name) ? 1 : 0;
  }
  return missing === 0;
}

// audit/record.ts
var Digest = string2().check(_regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits"));
var GENESIS_PREV = "0".repeat(64);
var Timestamp = string2().check(_regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/, "expected a UTC time with milliseconds"));
var AnyJson = custom((value) => value !== void 0, "expected a JSON value");
var count = int().check(_nonnegative());
var Workload = strictObject({
  iss: string2(),
  repository_id: string2(),
  run_id: string2(),
  run_attempt: string2(),
  /** Null where the issuer does not send it (older GitHub Enterprise Servers). */
  check_run_id: nullable(string2())
});
var Genesis = strictObject({
  kind: literal("genesis"),
  session: string2(),
  broker: string2(),
  robot: string2(),
  roles: array(string2()),
  /** `observe`: calls to what is marked read-only were let through and only judged; `enforce` where it is absent. */
  mode: optional(_enum(["enforce", "observe"])),
  workload: Workload,
  /** The verified claims of the subject token, under their wire names. */
  claims: record(string2(), AnyJson),
  policy: Digest,
  proxy: strictObject({ version: string2(), bundle: Digest }),
  agents: array(string2()),
  servers: array(string2()),
  /** Those of them that are reached through the broker, which keeps a log of its own of these calls. */
  relayed: optional(array(string2())),
  /** What stands between the agent and the proxy: with `none` they share a user. */
  isolation: literal("none"),
  posture: strictObject({
    platform: string2(),
    arch: string2(),
    node: string2(),
    user_id: nullable(count),
    runner_environment: string2()
  })
});
var RelayGenesis = strictObject({
  kind: literal("relay_genesis"),
  session: string2(),
  broker: string2(),
  version: string2(),
  robot: string2(),
  roles: array(string2()),
  workload: Workload,
  policy: Digest,
  /** All that are reached through the broker. */
  servers: array(string2())
});
var Listed = array(
  strictObject({
    /** Of a resource its URI, of a template the URI template. */
    name: string2(),
    digest: Digest,
    visible: boolean2(),
    /**
     * The rule that shows it or `observed`; what hides it: `no_grant`, `flow` (what the session has read), `drifted`
     * or `unreviewed` (its definition is not the reviewed one).
     */
    why: string2()
  })
);
var Catalog = strictObject({
  kind: literal("catalog"),
  server: string2(),
  tools: optional(Listed),
  resources: optional(Listed),
  resource_templates: optional(Listed),
  prompts: optional(Listed)
});
var Call = strictObject({
  kind: literal("call"),
  id: string2(),
  agent: string2(),
  client: nullable(strictObject({ name: string2(), version: string2() })),
  server: string2(),
  method: string2(),
  /** What it names: one of these, or none where it names nothing. */
  tool: optional(string2()),
  /** A URI, or a URI template whose variables are to be completed. */
  resource: optional(string2()),
  prompt: optional(string2()),
  /** With secrets replaced; as much of them as the grant's `audit` says. */
  arguments: optional(AnyJson),
  /** Salted per session: equal arguments can be recognised, short ones not guessed. */
  arguments_digest: optional(Digest),
  decision: _enum(["allow", "deny"]),
  reason: string2(),
  rule: optional(string2()),
  /** Of a call that was let through to be observed: what the roles say of it. */
  observed: optional(strictObject({ reason: string2(), rule: optional(string2()) })),
  /** Labels that the session has from here on and had not before. */
  labels: optional(array(string2()).check(_minLength(1))),
  /** What the server gets to see with it: its name, its digest and, where it has one, its end. Never its secret. */
  credential: optional(
    strictObject({ id: string2(), digest: Digest, expires_at: optional(Timestamp) })
  ),
  traceparent: optional(string2())
});
var Result = strictObject({
  kind: literal("result"),
  /** `id` of the call it ends. */
  call: string2(),
  outcome: _enum(["ok", "tool_error", "error", "timeout", "cancelled", "blocked"]),
  duration_ms: count,
  /** Size and digest of the answer as the server sent it. */
  bytes: count,
  digest: optional(Digest),
  /** What the inspection replaced and took out before the agent had it, by kind. Absent where it was nothing. */
  redactions: optional(record(string2(), count)),
  removals: optional(record(string2(), count)),
  /** Names of the markers of prompt injection that are in it. */
  markers: optional(array(string2()).check(_minLength(1)))
});
var Checkpoint = strictObject({
  kind: literal("checkpoint"),
  segment: int().check(_positive()),
  last_seq: count,
  head: Digest,
  /** Compact JWS over `CheckpointClaims`. */
  signature: string2()
});
var Event = strictObject({
  kind: literal("event"),
  event: string2(),
  severity: _enum(["info", "warning", "finding"]),
  detail: record(string2(), AnyJson)
});
var Totals = strictObject({ calls: count, allowed: count, denied: count, failed: count });
var Seal = strictObject({
  kind: literal("seal"),
  reason: string2(),
  totals: Totals
});
var Entry = discriminatedUnion("kind", [
  Genesis,
  RelayGenesis,
  Catalog,
  Call,
  Result,
  Checkpoint,
  Event,
  Seal
]);
var link = { v: literal(1), seq: count, prev: Digest, time: Timestamp, hash: Digest };
var AuditRecord = discriminatedUnion("kind", [
  extend2(Genesis, link),
  extend2(RelayGenesis, link),
  extend2(Catalog, link),
  extend2(Call, link),
  extend2(Result, link),
  extend2(Checkpoint, link),
  extend2(Event, link),
  extend2(Seal, link)
]);

// audit/chain.ts
var MAX_LINE_LENGTH = 8 * 1024 * 1024;
var CHAIN_START = { nextSeq: 0, head: GENESIS_PREV };
var EntryRefused = class extends Error {
  code = "entry_refused";
};
function readEntry(entry) {
  const checked = Entry.safeParse(entry);
  if (!checked.success) {
    throw new EntryRefused("the entry does not fit the schema of records", { cause: checked.error });
  }
  return checked.data;
}
var Chain = class {
  #nextSeq;
  #head;
  #latestMs;
  constructor(from = CHAIN_START) {
    this.#nextSeq = from.nextSeq;
    this.#head = from.head;
    this.#latestMs = from.time === void 0 ? 0 : Date.parse(from.time);
  }
  get nextSeq() {
    return this.#nextSeq;
  }
  /** `hash` of the last record. */
  get head() {
    return this.#head;
  }
  /**
   * The next record and its line, newline included. `time` is the writer's clock; when it was set back, the record
   * repeats the time before it: within a log, time never runs backwards. Throws `EntryRefused` or `CanonicalError`.
   */
  append(entry, time2) {
    const checked = surelyFits(entry) ? { ...entry } : readEntry(entry);
    const latestMs = Math.max(this.#latestMs, time2.getTime());
    const link2 = {
      v: 1,
      seq: this.#nextSeq,
      prev: this.#head,
      time: new Date(latestMs).toISOString()
    };
    const linked = Object.assign(checked, link2);
    const unhashed = canonicalizeWithout(linked, "hash");
    if (unhashed.text.length > MAX_LINE_LENGTH) {
      throw new EntryRefused(`the entry is longer than ${MAX_LINE_LENGTH} characters`);
    }
    const digest = (0, import_node_crypto7.hash)("sha256", unhashed.text, "hex");
    this.#nextSeq += 1;
    this.#head = digest;
    this.#latestMs = latestMs;
    const line = fillGap(unhashed, `"hash":"${digest}"`) + "\n";
    return { record: Object.assign(linked, { hash: digest }), line };
  }
};

// audit/manifest.ts
var StreamName = _enum(["runner", "recovered", "relay"]);
var SegmentEntry = strictObject({
  /** Relative to the manifest of a session: `runner/000001.jsonl.zst`. */
  object: string2(),
  bytes: int().check(_positive()),
  sha256: Digest,
  first_seq: int().check(_nonnegative()),
  last_seq: int().check(_nonnegative()),
  /** `prev` of its first record and `hash` of its last. */
  prev: Digest,
  head: Digest
});
var Finding = strictObject({
  kind: _enum(["takeover_attempt", "recovery_refused", "recovered_while_alive"]),
  time: Timestamp,
  detail: string2()
});
var Manifest = strictObject({
  v: literal(1),
  session: string2(),
  workload: Workload,
  robot: string2(),
  /**
   * `sealed`: the log is complete. `recovered`: it ends where the recovered stream ends, and nobody witnessed that stream.
   * `relay`: the manifest of the broker's own stream alone, which says nothing of the others.
   */
  status: _enum(["sealed", "recovered", "relay"]),
  /** Segments of `runner` that were stored. */
  runner: array(SegmentEntry),
  /** The tail of a spool that was handed in after the proxy was gone. */
  recovered: array(SegmentEntry),
  /** What the broker wrote of the calls that it relayed: all of it. Absent where it relayed none. */
  relay: optional(array(SegmentEntry)),
  findings: array(Finding),
  written_at: Timestamp,
  /** Compact JWS with detached payload (RFC 7515, appendix F) over the canonical manifest without this member. */
  signature: string2()
});
var CheckpointClaims = strictObject({
  session: string2(),
  segment: int().check(_positive()),
  sha256: Digest,
  seq: int().check(_nonnegative()),
  head: Digest,
  /** Seconds since the epoch, by the broker's clock. */
  iat: int()
});

// policies/server-limits.ts
var KIB2 = 1024;
var MIB2 = 1024 * KIB2;
var GIB2 = 1024 * MIB2;
var HOUR_SECONDS = 3600;
var LIMIT_BOUNDS = {
  request_bytes: { min: 4 * KIB2, max: 16 * MIB2 },
  /** Held as one text: half of what the engine can hold at all. */
  answer_bytes: { min: 64 * KIB2, max: 256 * MIB2 },
  /** As many as the proxy takes for all servers together. */
  concurrent_calls: { min: 1, max: 256 },
  calls_per_minute: { min: 1, max: 6e4 },
  /** The longest job on a hosted runner. */
  call_seconds: { min: 1, max: 6 * HOUR_SECONDS },
  stream_idle_seconds: { min: 10, max: 6 * HOUR_SECONDS },
  sessions: { min: 1, max: 256 },
  restarts: { min: 0, max: 20 },
  memory_bytes: { min: 64 * MIB2, max: 64 * GIB2 }
};
var within = ({ min, max }) => optional(int().check(_gte(min), _lte(max)));
var ServerLimits = strictObject({
  request_bytes: within(LIMIT_BOUNDS.request_bytes),
  answer_bytes: within(LIMIT_BOUNDS.answer_bytes),
  concurrent_calls: within(LIMIT_BOUNDS.concurrent_calls),
  calls_per_minute: within(LIMIT_BOUNDS.calls_per_minute),
  call_seconds: within(LIMIT_BOUNDS.call_seconds),
  stream_idle_seconds: within(LIMIT_BOUNDS.stream_idle_seconds),
  sessions: within(LIMIT_BOUNDS.sessions),
  restarts: within(LIMIT_BOUNDS.restarts),
  memory_bytes: within(LIMIT_BOUNDS.memory_bytes)
});

// broker/contract.ts
var TOKEN_EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
var JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
var ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token";
var JWT_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt";
var ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";
var MAX_UNSENT_BYTES = 32 * 1024 * 1024;
var Requested = {
  /** RFC 8707: the broker. */
  resource: string2(),
  /** Space-separated: at most one `robot:owner/repo/name`, any number of `role:name`. */
  scope: optional(string2())
};
var TokenRequest = discriminatedUnion("grant_type", [
  object({
    grant_type: literal(TOKEN_EXCHANGE_GRANT),
    subject_token: string2(),
    subject_token_type: _enum([ID_TOKEN_TYPE, JWT_TOKEN_TYPE]),
    requested_token_type: optional(literal(ACCESS_TOKEN_TYPE)),
    ...Requested
  }),
  object({ grant_type: literal(JWT_BEARER_GRANT), assertion: string2(), ...Requested })
]);
var TokenResponse = strictObject({
  access_token: string2(),
  issued_token_type: literal(ACCESS_TOKEN_TYPE),
  token_type: literal("DPoP"),
  /** Seconds. */
  expires_in: int(),
  scope: string2()
});
var Refusal = strictObject({
  error: string2(),
  error_description: string2(),
  reference: optional(string2())
});
var limits = optional(ServerLimits);
var SessionCredential = discriminatedUnion("status", [
  strictObject({
    status: literal("minted"),
    /** Its name in the documents. */
    id: string2(),
    digest: Digest,
    expires_at: optional(Timestamp),
    /** Of requests to a server behind HTTP. */
    headers: record(string2(), string2()),
    /** Of a server that the proxy starts: complete, and to be written over what the server has. */
    env: record(string2(), string2()),
    /** What must never be seen of it. */
    secrets: array(string2())
  }),
  strictObject({ status: literal("failed"), id: string2(), sentence: string2() })
]);
var credential = optional(SessionCredential);
var REJECTED_FIELD = "lanyard-rejected";
var SERVERS_FIELD = "lanyard-servers";
var HttpServer = strictObject({ transport: literal("http"), url: string2(), credential, limits });
var RELAY_AGENT_FIELD = "lanyard-agent";
var RELAY_CALL_FIELD = "lanyard-call";
var RelayServer = strictObject({ transport: literal("relay"), limits });
var StdioServer = strictObject({
  transport: literal("stdio"),
  command: array(string2()).check(_minLength(1)),
  /** `{runner_temp}` and `{workspace}` are filled in by the proxy, in `command` and `env` alike. */
  env: record(string2(), string2()),
  start: _enum(["eager", "lazy"]),
  credential,
  limits
});
var SessionServer = discriminatedUnion("transport", [HttpServer, RelayServer, StdioServer]);
var SessionDocument = strictObject({
  session: string2(),
  robot: string2(),
  roles: array(string2()),
  workload: Workload,
  claims: record(string2(), json()),
  expires_at: Timestamp,
  /** No renewal reaches beyond it. */
  max_expires_at: Timestamp,
  policy: strictObject({ digest: Digest, source: SessionPolicy }),
  servers: record(string2(), SessionServer),
  audit: strictObject({
    /** A segment is closed at this size, before compression, or after this time, whichever is first. */
    segment_bytes: int().check(_positive()),
    segment_interval_ms: int().check(_positive()),
    /** The session's salt of argument digests, base64url; never in a log. */
    salt: string2()
  }),
  review_url: string2()
});
var PolicyNow = Digest;
var RenewRequest = strictObject({ subject_token: string2() });
var RenewResponse = strictObject({
  access_token: string2(),
  /** Seconds. */
  expires_in: int(),
  policy: PolicyNow
});
var SegmentRequest = strictObject({
  /** Counted from 1 without a gap. */
  segment: int().check(_positive()),
  bytes: int().check(_positive()),
  sha256: Digest,
  /** Base64, as `Content-MD5` wants it: the one body checksum that every S3 verifies. */
  md5: string2().check(_regex(/^[A-Za-z0-9+/]{22}==$/)),
  first_seq: SegmentEntry.shape.first_seq,
  last_seq: SegmentEntry.shape.last_seq,
  prev: Digest,
  head: Digest
});
var SegmentResponse = strictObject({
  /** Compact JWS over `CheckpointClaims`. */
  checkpoint: string2(),
  /** A `PUT` with exactly these headers; good once, for a few minutes. */
  upload: strictObject({ url: string2(), headers: record(string2(), string2()) }),
  policy: PolicyNow
});
var SealRequest = strictObject({
  segments: int().check(_positive()),
  last_seq: SegmentEntry.shape.last_seq,
  head: Digest
});
var SealResponse = discriminatedUnion("status", [
  strictObject({ status: literal("sealed"), review_url: string2() }),
  strictObject({ status: literal("segments_missing"), segments: array(int()) })
]);
var RecoverRequest = strictObject({
  session: string2(),
  subject_token: string2(),
  /** The records after the last checkpoint in the spool, in order: JSON lines, zstd, base64. Empty when there are none. */
  tail: string2()
});
var RecoverResponse = discriminatedUnion("status", [
  strictObject({
    status: literal("recovered"),
    /** Records that were stored apart, and whether they continue the chain that the broker had witnessed. */
    records: int(),
    continues_chain: boolean2(),
    review_url: string2()
  }),
  strictObject({ status: literal("sealed"), review_url: string2() })
]);

// audit/segment.ts
var import_node_crypto8 = require("node:crypto");
var import_node_util = require("node:util");
var import_node_zlib = require("node:zlib");
var MAX_SEGMENT_BYTES = 32 * 1024 * 1024;
var MAX_PACKED_BYTES = MAX_SEGMENT_BYTES + 1024 * 1024;
var compress = (0, import_node_util.promisify)(import_node_zlib.zstdCompress);
var PACKING = {
  params: { [import_node_zlib.constants.ZSTD_c_compressionLevel]: 1, [import_node_zlib.constants.ZSTD_c_checksumFlag]: 1 }
};
async function packSegment(text) {
  const content = typeof text === "string" ? Buffer.from(text, "utf8") : text;
  const body = await compress(content, { ...PACKING, pledgedSrcSize: content.length });
  return { body, sha256: (0, import_node_crypto8.hash)("sha256", body, "hex"), md5: (0, import_node_crypto8.createHash)("md5").update(body).digest("base64") };
}

// action/wire/segment-upload.ts
var UPLOAD_TIMEOUT_MS = 6e4;
var PRECONDITION_FAILED = 412;
async function uploadSegment(http2, segment) {
  try {
    const { status } = await http2({
      method: "PUT",
      url: segment.upload.url,
      headers: segment.upload.headers,
      body: segment.body,
      timeoutMs: UPLOAD_TIMEOUT_MS
    });
    if (status >= 200 && status < 300 || status === PRECONDITION_FAILED) {
      return { settled: true, value: segment.checkpoint };
    }
    return { settled: false, reason: `the bucket answered with status ${status}` };
  } catch (cause) {
    if (cause instanceof HttpFailed) {
      return { settled: false, reason: `the bucket could not be reached (${cause.message})` };
    }
    throw cause;
  }
}

// action/guard/shipping.ts
var FIRST_PAUSE_MS3 = 500;
var MAX_PAUSE_MS4 = 5e3;
var Shipping = class {
  #options;
  #stored = [];
  #stopped = new AbortController();
  #pending = [];
  #pendingBytes = 0;
  #inFlightBytes = 0;
  #draining = false;
  #overdue = false;
  #timer;
  #pumping;
  #haltedBy;
  constructor(options) {
    this.#options = options;
  }
  /** What would be lost with this machine. */
  get unsentBytes() {
    return this.#pendingBytes + this.#inFlightBytes;
  }
  get segments() {
    return this.#stored.length;
  }
  /** Why nothing is shipped any more; undefined while there is hope. */
  get haltedBy() {
    return this.#haltedBy;
  }
  add({ record: record2, line, offset }) {
    const { kind, seq, prev, hash: hash7 } = record2;
    this.#pending.push({ kind, seq, prev, hash: hash7, offset, length: line.length });
    this.#pendingBytes += line.length;
    if (kind !== "checkpoint" && !this.#overdue) {
      this.#timer ??= setTimeout(() => {
        this.#overdue = true;
        void this.#pump();
      }, this.#options.segmentIntervalMs);
    }
    if (this.#pendingBytes >= this.#options.segmentBytes) void this.#pump();
  }
  /** Ships everything that was recorded, until nothing but checkpoints is left or shipping has halted. */
  async drain() {
    this.#draining = true;
    while (this.#isDue()) await this.#pump();
    this.#draining = false;
  }
  /** Stores a segment again that the broker does not find. False: the spool no longer holds its bytes, or it was refused. */
  async storeAgain(segment) {
    const stored = this.#stored[segment - 1];
    if (stored === void 0 || this.#haltedBy !== void 0) return false;
    const packed = await packSegment(this.#options.readSpool(stored.offset, stored.length));
    if (packed.sha256 !== stored.request.sha256) return false;
    return await this.#store(stored.request, packed.body) !== void 0;
  }
  /** Gives up, for good: an attempt under way is ended. */
  halt(reason) {
    if (this.#haltedBy !== void 0) return;
    this.#haltedBy = reason;
    clearTimeout(this.#timer);
    this.#stopped.abort();
    this.#options.onHalt(reason);
  }
  #isDue() {
    if (this.#haltedBy !== void 0 || this.#pending.length === 0) return false;
    if (this.#pendingBytes >= this.#options.segmentBytes) return true;
    const waiting = this.#overdue || this.#draining;
    return waiting && this.#pending.some(({ kind }) => kind !== "checkpoint");
  }
  #pump() {
    const pump = async () => {
      while (this.#isDue()) await this.#shipNext();
      this.#pumping = void 0;
    };
    this.#pumping ??= pump();
    return this.#pumping;
  }
  async #shipNext() {
    const records = this.#takeSegment();
    const [first, last] = [records[0], records.at(-1)];
    if (first === void 0 || last === void 0) return;
    const length = last.offset + last.length - first.offset;
    this.#inFlightBytes = length;
    const packed = await packSegment(this.#options.readSpool(first.offset, length));
    const request = {
      segment: this.#stored.length + 1,
      bytes: packed.body.length,
      sha256: packed.sha256,
      md5: packed.md5,
      first_seq: first.seq,
      last_seq: last.seq,
      prev: first.prev,
      head: last.hash
    };
    const signature = await this.#store(request, packed.body);
    if (signature === void 0) return;
    this.#inFlightBytes = 0;
    this.#stored.push({ request, offset: first.offset, length });
    if (last.kind !== "seal") {
      const { segment, last_seq, head } = request;
      this.#tell({ kind: "checkpoint", segment, last_seq, head, signature });
    }
  }
  /** The records of the next segment: as many as fit, at least one. */
  #takeSegment() {
    let bytes = 0;
    const fits2 = this.#pending.findIndex(({ length }) => (bytes += length) > this.#options.segmentBytes);
    const taken = this.#pending.splice(0, fits2 === -1 ? this.#pending.length : Math.max(1, fits2));
    this.#pendingBytes -= taken.reduce((sum, { length }) => sum + length, 0);
    clearTimeout(this.#timer);
    this.#timer = void 0;
    this.#overdue = this.#pending.length > 0;
    return taken;
  }
  /** The checkpoint's signature, or undefined once shipping has halted. */
  async #store(request, body) {
    let delayed = false;
    const patience = {
      untilMs: Number.POSITIVE_INFINITY,
      firstPauseMs: FIRST_PAUSE_MS3,
      maxPauseMs: MAX_PAUSE_MS4,
      signal: this.#stopped.signal,
      onRetry: (reason) => {
        if (!delayed) this.#note("shipping_delayed", { segment: request.segment, reason });
        delayed = true;
      }
    };
    try {
      const signature = await retry(async () => {
        const announced = await this.#options.client.announceSegment(request, patience);
        if (!announced.ok) {
          const { error, sentence } = announced;
          const refusal = error === "session_over" ? "ended the session" : `refused segment ${request.segment} of the log`;
          this.halt(`the broker ${refusal}: ${sentence}`);
          return { settled: true, value: void 0 };
        }
        const { checkpoint, upload } = announced.value;
        return uploadSegment(this.#options.http, { upload, body, checkpoint });
      }, patience);
      if (delayed && signature !== void 0) this.#note("shipping_resumed", { segment: request.segment });
      return signature;
    } catch (cause) {
      if (!(cause instanceof PatienceExhausted)) {
        this.halt(cause instanceof Error ? cause.message : "the log cannot be shipped");
      }
      return void 0;
    }
  }
  #note(event, detail) {
    const severity = event === "shipping_delayed" ? "warning" : "info";
    this.#tell({ kind: "event", event, severity, detail });
  }
  /** A log that cannot be written is noticed at the next call; shipping what is there goes on. */
  #tell(entry) {
    try {
      this.#options.record(entry);
    } catch {
    }
  }
};

// action/guard/spool.ts
var import_node_fs2 = require("node:fs");

// action/runner/private-files.ts
var import_node_fs = require("node:fs");
var PRIVATE_FILE_MODE = 384;
var CREATE_NEW = import_node_fs.constants.O_WRONLY | import_node_fs.constants.O_CREAT | import_node_fs.constants.O_EXCL | import_node_fs.constants.O_NOFOLLOW | import_node_fs.constants.O_APPEND;

// action/guard/spool.ts
function openSpool(options) {
  const descriptor = (0, import_node_fs2.openSync)(
    options.path,
    CREATE_NEW & ~import_node_fs2.constants.O_WRONLY | import_node_fs2.constants.O_RDWR,
    PRIVATE_FILE_MODE
  );
  let offset = 0;
  let failed;
  const record2 = (entry) => {
    if (failed !== void 0) throw new RecordingFailed("the log cannot be written", { cause: failed });
    const refusal = options.refuse(entry.kind);
    if (refusal !== void 0) throw new RecordingFailed(refusal);
    const { record: record3, line } = options.chain.append(entry, options.now());
    const bytes = Buffer.from(line);
    try {
      writeWhole(descriptor, bytes);
    } catch (cause) {
      failed = cause;
      throw new RecordingFailed("the log cannot be written", { cause });
    }
    options.onRecord({ record: record3, line: bytes, offset });
    offset += bytes.length;
    return record3;
  };
  return {
    record: record2,
    read: (from, length) => {
      const buffer = Buffer.alloc(length);
      for (let done = 0; done < length; ) {
        const read = (0, import_node_fs2.readSync)(descriptor, buffer, done, length - done, from + done);
        if (read === 0) throw new Error("the spool is shorter than what was written to it");
        done += read;
      }
      return buffer;
    }
  };
}
function writeWhole(descriptor, bytes) {
  for (let done = 0; done < bytes.length; ) {
    const written = (0, import_node_fs2.writeSync)(descriptor, bytes, done);
    if (written === 0) throw new Error("the file takes no more bytes");
    done += written;
  }
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
function describeAsk({ method, decision }) {
  if (method === SET_LEVEL) {
    return "the agent asked the server: logging";
  }
  const ask = decision === "allow" ? ASK_METHODS.get(method) : void 0;
  return ask && `the server ${method === LOGGED ? "told" : "asked"} the agent: ${ask}`;
}

// action/guard/tally.ts
var count2 = int().check(_nonnegative());
var TallyRow = strictObject({
  agent: string2(),
  server: string2(),
  /**
   * A tool or prompt that the server has or a rule names, a resource that the server lists, or a method; null: a name
   * that nobody but the agent knows.
   */
  tool: nullable(string2()),
  /** Who asked whom for what, in words, where it is no call of an agent's. */
  ask: optional(string2()),
  decision: _enum(["allow", "deny"]),
  /** The rule, or the reason where no rule names it. */
  why: string2(),
  calls: count2,
  /** Allowed calls that ended in an error. */
  failed: count2
});
var TallyReport = strictObject({
  rows: array(TallyRow),
  /** Calls of rows that found no place any more. */
  more_calls: count2,
  totals: Totals,
  /** Events that a reader should see, with how often they happened. */
  events: array(
    strictObject({ event: string2(), severity: _enum(["warning", "finding"]), times: count2 })
  )
});
var MAX_ROWS = 500;
function kindOf({ tool, prompt }) {
  return tool !== void 0 ? "tools" : prompt !== void 0 ? "prompts" : "resources";
}
function nameKey(server, kind, name) {
  return JSON.stringify([server, kind, name]);
}
function listNames({ server, tools, prompts, resources, resource_templates }) {
  const lists = { tools, prompts, resources: [...resources ?? [], ...resource_templates ?? []] };
  return Object.entries(lists).flatMap(
    ([kind, entries = []]) => entries.map(({ name }) => nameKey(server, kind, name))
  );
}
function createTally() {
  const rows = /* @__PURE__ */ new Map();
  const open = /* @__PURE__ */ new Map();
  const known = /* @__PURE__ */ new Set();
  const events = /* @__PURE__ */ new Map();
  const totals = { calls: 0, allowed: 0, denied: 0, failed: 0 };
  let moreCalls = 0;
  const addCall = (call) => {
    totals.calls += 1;
    totals[call.decision === "allow" ? "allowed" : "denied"] += 1;
    const row = findRow(call);
    if (row === void 0) moreCalls += 1;
    else row.calls += 1;
    if (call.decision === "allow") open.set(call.id, row);
  };
  const findRow = (call) => {
    const { agent, server, decision } = call;
    const tool = nameOf(call);
    const why = call.rule ?? call.reason;
    const ask = describeAsk(call);
    const key = JSON.stringify([agent, server, tool, ask ?? null, decision, why]);
    const present = rows.get(key);
    if (present !== void 0 || rows.size >= MAX_ROWS) return present;
    const row = { agent, server, tool, ...ask && { ask }, decision, why, calls: 0, failed: 0 };
    rows.set(key, row);
    return row;
  };
  const nameOf = (call) => {
    const { server, method, tool, resource, prompt } = call;
    const name = tool ?? resource ?? prompt;
    const isRuled = call.rule !== void 0 && resource === void 0;
    if (name !== void 0 && (isRuled || known.has(nameKey(server, kindOf(call), name)))) return name;
    return call.decision === "allow" || name !== void 0 && call.rule !== void 0 ? method : null;
  };
  const addResult = (result) => {
    const failed = result.outcome !== "ok";
    const row = open.get(result.call);
    if (failed && open.has(result.call)) totals.failed += 1;
    if (failed && row !== void 0) row.failed += 1;
    open.delete(result.call);
  };
  const addEvent = ({ event, severity }) => {
    if (severity === "info") return;
    const seen = events.get(event);
    if (seen !== void 0) seen.times += 1;
    else if (events.size < MAX_ROWS) events.set(event, { event, severity, times: 1 });
  };
  return {
    add: (record2) => {
      if (record2.kind === "call") addCall(record2);
      else if (record2.kind === "result") addResult(record2);
      else if (record2.kind === "event") addEvent(record2);
      else if (record2.kind === "catalog") {
        for (const key of listNames(record2)) known.add(key);
      }
    },
    report: () => ({
      rows: [...rows.values()].map((row) => ({ ...row })),
      more_calls: moreCalls,
      totals: { ...totals },
      events: [...events.values()].map((event) => ({ ...event }))
    })
  };
}

// action/guard/session-log.ts
var HEADROOM_BYTES = 8 * 1024 * 1024;
function openSessionLog(options) {
  const tally = createTally();
  let isSealed = false;
  const spool = openSpool({
    path: (0, import_node_path.join)(options.directory, SPOOL_FILE),
    chain: new Chain(),
    now: () => /* @__PURE__ */ new Date(),
    refuse: (kind) => isSealed ? "the log is sealed" : refuseByBacklog(kind, shipping.unsentBytes),
    onRecord: (spooled) => {
      isSealed = spooled.record.kind === "seal";
      tally.add(spooled.record);
      shipping.add(spooled);
    }
  });
  const shipping = new Shipping({
    client: options.client,
    http: options.http,
    segmentBytes: options.plan.segment_bytes,
    segmentIntervalMs: options.plan.segment_interval_ms,
    record: spool.record,
    readSpool: spool.read,
    onHalt: options.onHalt
  });
  const note = (entry) => {
    try {
      spool.record(entry);
    } catch {
    }
  };
  return { record: spool.record, note, shipping, tally };
}
function refuseByBacklog(kind, unsentBytes) {
  const ending = kind === "result" || kind === "checkpoint" || kind === "seal";
  const limit = ending ? MAX_UNSENT_BYTES : MAX_UNSENT_BYTES - HEADROOM_BYTES;
  return unsentBytes < limit ? void 0 : "too much of the log waits to be stored";
}

// action/guard/session-servers.ts
var import_node_fs3 = require("node:fs");
var import_node_path2 = require("node:path");
function selectServers(offered, wanted) {
  const unknown = wanted.filter((name) => !Object.hasOwn(offered, name));
  if (unknown.length > 0) {
    const available = Object.keys(offered).sort().join(", ") || "none";
    const message2 = `The input \`servers\` names ${unknown.join(", ")}, which this session does not reach. Available: ${available}.`;
    return { ok: false, message: message2 };
  }
  const names = wanted.length === 0 ? Object.keys(offered) : wanted;
  return {
    ok: true,
    servers: Object.fromEntries(Object.entries(offered).filter(([name]) => names.includes(name)))
  };
}
function placeServers(servers, places) {
  const { httpProxies } = places;
  const fill = (text) => fillVariables(text, places);
  return Object.fromEntries(
    Object.entries(servers).map(([name, server]) => {
      const limits2 = server.limits === void 0 ? {} : { limits: server.limits };
      if (server.transport === "relay") {
        return [
          name,
          { transport: "http", isRelayed: true, httpProxies, ...places.relayTo(name), ...limits2 }
        ];
      }
      const { credentials } = places;
      const facts = server.credential === void 0 ? limits2 : {
        ...limits2,
        credential: { provenance: () => credentials.provenanceOf(name), known: credentials.known }
      };
      if (server.transport === "http") {
        const authority = credentials.authorityOf(name);
        const how = { url: server.url, httpProxies, ...authority && { authority } };
        return [name, { transport: "http", ...how, ...facts }];
      }
      const cwd = (0, import_node_path2.join)(places.directory, "servers", name);
      (0, import_node_fs3.mkdirSync)(cwd, { recursive: true, mode: 448 });
      const command = server.command.map(fill);
      const env = Object.fromEntries(Object.entries(server.env).map(([key, value]) => [key, fill(value)]));
      const ownEnvironment = credentials.environmentOf(name);
      return [
        name,
        {
          ...{ transport: "stdio", command, env, cwd, start: server.start },
          ...ownEnvironment && { ownEnvironment },
          ...facts
        }
      ];
    })
  );
}
function fillVariables(text, places) {
  return text.replaceAll(
    /\{(runner_temp|workspace)\}/g,
    (_, name) => name === "runner_temp" ? places.runnerTemp : places.workspace
  );
}

// action/guard/session.ts
var import_promises4 = require("node:timers/promises");

// action/wire/broker-client.ts
var ATTEMPT_TIMEOUT_MS = 1e4;
var SEAL_TIMEOUT_MS = 3e4;
var MAX_SENTENCE_LENGTH = 1e3;
var AnswerUnknown = class extends Error {
  code = "answer_unknown";
};
function exchangeToken(options, exchange, patience) {
  const url = `${options.broker}/token`;
  const scope = [
    ...exchange.robot === void 0 ? [] : [`robot:${exchange.robot}`],
    ...exchange.roles.map((role) => `role:${role}`)
  ].join(" ");
  return persist(
    options,
    async () => {
      const form = new URLSearchParams({
        grant_type: TOKEN_EXCHANGE_GRANT,
        subject_token: await options.subjectToken(),
        subject_token_type: ID_TOKEN_TYPE,
        resource: options.broker,
        ...scope === "" ? {} : { scope }
      });
      return {
        method: "POST",
        url,
        headers: {
          "Content-Type": "application/x-www-form-urlencoded",
          DPoP: await exchange.key.prove({ method: "POST", url })
        },
        body: form.toString(),
        timeoutMs: ATTEMPT_TIMEOUT_MS
      };
    },
    { answer: TokenResponse, patience }
  );
}
function createSessionClient(options, holder) {
  const authorize = async (method, path) => {
    const url = `${options.broker}${path}`;
    const accessToken = holder.accessToken();
    const headers = {
      Authorization: `DPoP ${accessToken}`,
      DPoP: await holder.key.prove({ method, url, accessToken })
    };
    return { method, url, headers, timeoutMs: ATTEMPT_TIMEOUT_MS };
  };
  const post = async (path, content) => {
    const request = await authorize("POST", path);
    const headers = { ...request.headers, "Content-Type": "application/json" };
    return { ...request, headers, body: JSON.stringify(content) };
  };
  const ask = (prepare, expected) => persist(options, prepare, {
    ...expected,
    onTokenRefused: () => holder.replaceToken(expected.patience)
  });
  const hear = async (asked) => {
    const reply = await asked;
    if (reply.ok) holder.onPolicy(reply.value.policy);
    return reply;
  };
  return {
    read: (patience, rejected) => ask(
      async () => {
        const request = await authorize("GET", "/session");
        const { servers = [] } = holder;
        const headers = {
          ...request.headers,
          ...servers.length > 0 && { [SERVERS_FIELD]: servers.join(",") },
          ...rejected !== void 0 && { [REJECTED_FIELD]: rejected }
        };
        return { ...request, headers };
      },
      { answer: SessionDocument, patience }
    ),
    renew: (patience) => hear(
      ask(async () => post("/session/renew", { subject_token: await options.subjectToken() }), {
        answer: RenewResponse,
        patience
      })
    ),
    announceSegment: (segment, patience) => hear(ask(() => post("/session/segments", segment), { answer: SegmentResponse, patience })),
    seal: (seal, patience) => ask(async () => ({ ...await post("/session/seal", seal), timeoutMs: SEAL_TIMEOUT_MS }), {
      answer: SealResponse,
      patience
    })
  };
}
function persist(options, prepare, expected) {
  const attempt = async (isRepeated = false) => {
    const request = await prepare();
    let answer2;
    try {
      answer2 = await options.http(request);
    } catch (cause) {
      if (cause instanceof HttpFailed) {
        return { settled: false, reason: `it could not be reached (${cause.message})` };
      }
      throw cause;
    }
    if (answer2.status === 429 || answer2.status >= 500) {
      return { settled: false, reason: `it answered: ${describeRefusal(answer2).sentence}` };
    }
    const reply = readReply(answer2, expected.answer);
    if (!reply.ok && reply.error === "invalid_dpop_proof" && !isRepeated) return attempt(true);
    if (!reply.ok && reply.error === "invalid_token" && await expected.onTokenRefused?.() === true) {
      return isRepeated ? { settled: false, reason: `it answered: ${reply.sentence}` } : attempt(true);
    }
    return { settled: true, value: reply };
  };
  return retry(() => attempt(), expected.patience);
}
function readReply(answer2, schema) {
  const parsed = schema.safeParse(parseJson(answer2.body));
  if (parsed.success && (answer2.status < 300 || answer2.status === 409))
    return { ok: true, value: parsed.data };
  if (answer2.status < 400) {
    throw new AnswerUnknown(
      "The broker's answer is not one that this version of the Action knows. Check that `broker` is a Lanyard broker, and that the Action and the broker are of the same version.",
      { cause: parsed.error }
    );
  }
  return { ok: false, status: answer2.status, ...describeRefusal(answer2) };
}
function describeRefusal(answer2) {
  const refusal = Refusal.safeParse(parseJson(answer2.body));
  if (!refusal.success) return { error: "unknown", sentence: `It answered with status ${answer2.status}.` };
  const { error, error_description, reference } = refusal.data;
  const sentence = error_description.slice(0, MAX_SENTENCE_LENGTH);
  return { error, sentence: reference === void 0 ? sentence : `${sentence} Reference: ${reference}` };
}
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return void 0;
  }
}

// action/wire/relay-authority.ts
function relayTo(server, broker, { key, accessToken, replaceToken }) {
  const url = `${broker}/mcp/${server}`;
  const writeScheme = (token) => `DPoP ${token}`;
  return {
    url,
    authority: {
      authorize: async ({ method, agent, calls }) => {
        const token = accessToken();
        return {
          authorization: writeScheme(token),
          dpop: await key.prove({ method, url, accessToken: token }),
          ...agent !== void 0 && { [RELAY_AGENT_FIELD]: agent },
          ...calls.length > 0 && { [RELAY_CALL_FIELD]: calls.join(",") }
        };
      },
      replace: async ({ authorization }) => authorization !== writeScheme(accessToken()) || replaceToken()
    }
  };
}

// action/guard/session.ts
var SessionRefused = class extends Error {
  code = "session_refused";
};
var OPENING_PATIENCE_MS = 1e4;
var FIRST_PAUSE_MS4 = 250;
var MAX_PAUSE_MS5 = 4e3;
var RENEWAL_PAUSE_MS = 1e3;
var MAX_RENEWAL_PAUSE_MS = 15e3;
var RENEWAL_SHARE2 = 2 / 3;
var REPLACED_MS = 1e4;
var LEAST_GAIN_MS = 2e3;
async function openSession(options, exchange) {
  const patience = {
    untilMs: performance.now() + OPENING_PATIENCE_MS,
    firstPauseMs: FIRST_PAUSE_MS4,
    maxPauseMs: MAX_PAUSE_MS5
  };
  const refused = (sentence, cause) => new SessionRefused(sentence, { cause });
  const accept = (reply) => {
    if (reply.ok) return reply.value;
    throw refused(`The broker did not accept this job: ${reply.sentence}`);
  };
  try {
    const requestedAt = performance.now();
    const token = accept(await exchangeToken(options, exchange, patience));
    const holder = {
      accessToken: token.access_token,
      expiresAtMs: requestedAt + token.expires_in * 1e3,
      hearPolicy: () => void 0
    };
    const { key } = exchange;
    const accessToken = () => holder.accessToken;
    const replaceToken = createTokenReplacement(holder, (again) => exchangeToken(options, exchange, again));
    const client = createSessionClient(options, {
      ...{ key, accessToken, replaceToken, servers: exchange.servers },
      onPolicy: (digest) => holder.hearPolicy(digest)
    });
    const document = accept(await client.read(patience));
    const replaceSoon = () => replaceToken({ ...patience, untilMs: performance.now() + OPENING_PATIENCE_MS });
    const relay = (server) => relayTo(server, options.broker, { key, accessToken, replaceToken: replaceSoon });
    return createSession({ document, client, holder, relayTo: relay });
  } catch (cause) {
    if (!(cause instanceof PatienceExhausted)) throw cause;
    const advice = "Check the input `broker`, and that the broker runs and can be reached from this runner.";
    throw refused(`The broker at ${options.broker} gave no session: ${cause.message}. ${advice}`, cause);
  }
}
function createTokenReplacement(holder, exchange) {
  let replaced;
  const replace = async (patience) => {
    const requestedAt = performance.now();
    const untilMs = Math.min(patience.untilMs, requestedAt + OPENING_PATIENCE_MS);
    try {
      const reply = await exchange({ ...patience, untilMs });
      if (!reply.ok) return false;
      holder.accessToken = reply.value.access_token;
      if (holder.expiresAtMs > performance.now()) {
        holder.expiresAtMs = requestedAt + reply.value.expires_in * 1e3;
      }
      setTimeout(() => replaced = void 0, REPLACED_MS).unref();
    } catch {
      replaced = void 0;
    }
    return true;
  };
  return (patience) => replaced ??= replace(patience);
}
function createSession({ document, client, relayTo: relayTo2, holder }) {
  let endedBy;
  let renewalFailure = "";
  const end = (reason) => {
    endedBy ??= reason;
  };
  const leftMs = () => Math.max(0, holder.expiresAtMs - performance.now());
  const state = () => {
    if (endedBy !== void 0) return { active: false, reason: endedBy };
    if (leftMs() > 0) return { active: true };
    return { active: false, reason: `the session has expired${renewalFailure}` };
  };
  const renew = async (signal) => {
    let requestedAt = performance.now();
    const before = holder.expiresAtMs;
    const reply = await client.renew({
      untilMs: performance.now() + leftMs(),
      firstPauseMs: RENEWAL_PAUSE_MS,
      maxPauseMs: MAX_RENEWAL_PAUSE_MS,
      signal,
      onRetry: () => {
        requestedAt = performance.now();
      }
    });
    if (!reply.ok) {
      end(`the broker ended the session: ${reply.sentence}`);
      return 0;
    }
    holder.accessToken = reply.value.access_token;
    holder.expiresAtMs = requestedAt + reply.value.expires_in * 1e3;
    return holder.expiresAtMs - before;
  };
  const keepAlive = async (tell, signal) => {
    const waitUntil = (shareOfRest2) => {
      const waitMs = Math.min(
        Math.ceil(leftMs()) + 1,
        Math.max(Math.ceil(leftMs() * shareOfRest2) + 1, RENEWAL_PAUSE_MS)
      );
      return (0, import_promises4.setTimeout)(waitMs, void 0, { signal }).catch(() => void 0);
    };
    let shareOfRest = RENEWAL_SHARE2;
    while (state().active && !signal.aborted) {
      await waitUntil(shareOfRest);
      if (signal.aborted || !state().active) break;
      try {
        const gainMs = await renew(signal);
        renewalFailure = "";
        shareOfRest = gainMs < LEAST_GAIN_MS ? 1 : RENEWAL_SHARE2;
        if (gainMs >= LEAST_GAIN_MS) {
          const expiresAt = new Date(Date.now() + leftMs()).toISOString();
          tell({ event: "session_renewed", severity: "info", detail: { expires_at: expiresAt } });
        }
      } catch (cause) {
        renewalFailure = ` and could not be renewed: ${cause instanceof Error ? cause.message : "unknown"}`;
      }
    }
    const last = state();
    if (!last.active && !signal.aborted) {
      tell({ event: "session_over", severity: "warning", detail: { reason: last.reason } });
    }
  };
  const onPolicy = (listener) => {
    holder.hearPolicy = listener;
  };
  return { document, client, relayTo: relayTo2, onPolicy, state, keepAlive, end };
}

// action/guard/stderr-file.ts
var import_node_fs4 = require("node:fs");
var import_node_path3 = require("node:path");
var import_node_string_decoder = require("node:string_decoder");
var MAX_FILE_BYTES = 1024 * 1024;
var MAX_LINE_LENGTH2 = 16 * 1024;
var CUT_MARGIN = 4 * 1024;
var PEM_BEGIN = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/;
var PEM_END = /-----END [A-Z0-9 ]*-----/;
function createStderrFile(path, redactor, maxBytes = MAX_FILE_BYTES) {
  const descriptor = (0, import_node_fs4.openSync)(path, CREATE_NEW, PRIVATE_FILE_MODE);
  const decoder2 = new import_node_string_decoder.StringDecoder("utf8");
  let written = 0;
  let partial2 = "";
  let overlong = false;
  let inPrivateKey = false;
  let full = false;
  const writeLine = (line) => {
    if (full) return;
    const bytes = Buffer.from(`${hideKeyLine(line)}
`);
    full = written + bytes.length > maxBytes;
    const kept = full ? Buffer.from(`[more than ${maxBytes} bytes: the rest is not kept]
`) : bytes;
    try {
      written += (0, import_node_fs4.writeSync)(descriptor, kept);
    } catch {
      full = true;
    }
  };
  const hideKeyLine = (line) => {
    if (inPrivateKey) {
      inPrivateKey = !PEM_END.test(line);
      return "[redacted:private-key]";
    }
    inPrivateKey = PEM_BEGIN.test(line) && !PEM_END.test(line);
    return inPrivateKey ? "[redacted:private-key]" : redactor.redactText(line).text;
  };
  const cutLine = (line) => {
    const { text } = redactor.redactText(line.slice(0, MAX_LINE_LENGTH2));
    return `${text.slice(0, Math.max(0, text.length - CUT_MARGIN))} [line cut]`;
  };
  return {
    write: (chunk) => {
      if (full) return;
      const lines = decoder2.write(chunk).split("\n");
      const rest = lines.pop() ?? "";
      for (const line of lines) {
        if (!overlong) writeLine(fit(partial2 + line, cutLine));
        partial2 = "";
        overlong = false;
      }
      if (overlong) return;
      partial2 += rest;
      if (partial2.length > MAX_LINE_LENGTH2) {
        writeLine(cutLine(partial2));
        partial2 = "";
        overlong = true;
      }
    },
    close: () => {
      if (partial2 !== "" && !overlong) writeLine(fit(partial2, cutLine));
      (0, import_node_fs4.closeSync)(descriptor);
    }
  };
}
function fit(line, cut) {
  return line.length > MAX_LINE_LENGTH2 ? cut(line) : line;
}
function openStderrFiles(directory, redactor) {
  (0, import_node_fs4.mkdirSync)(directory, { mode: 448 });
  const files = /* @__PURE__ */ new Map();
  let closed = false;
  const openFile = (server) => {
    if (closed || files.has(server)) return files.get(server);
    let file;
    try {
      file = createStderrFile((0, import_node_path3.join)(directory, `${server}.log`), redactor);
    } catch {
    }
    files.set(server, file);
    return file;
  };
  return {
    sinkOf: (server) => (chunk) => openFile(server)?.write(chunk),
    close: () => {
      closed = true;
      for (const file of files.values()) file?.close();
      files.clear();
    }
  };
}

// action/guard/guard.ts
var GuardRefused = class extends Error {
  code = "guard_refused";
};
var FAILED_START_SEAL_TIMEOUT_MS = 1e4;
async function startGuard(configuration, { bundle, environment: environment2 }) {
  const { broker, oidc, robot, roles, directory } = configuration;
  const http2 = createHttp(configuration.httpProxies);
  const subjectToken = () => fetchSubjectToken({ http: http2, oidc, audience: broker });
  const key = await createProofKey();
  const exchange = { key, robot, roles, servers: configuration.servers };
  const session = await openSession({ http: http2, broker, subjectToken }, exchange);
  const { document, client } = session;
  const log = openSessionLog({
    directory,
    plan: document.audit,
    client,
    http: http2,
    onHalt: (reason) => session.end(reason)
  });
  const { agents, runnerEnvironment } = configuration;
  const selected = selectServers(document.servers, configuration.servers);
  const servers = selected.ok ? Object.keys(selected.servers) : [];
  log.record(describeGenesis({ document, broker, agents, servers, runnerEnvironment, bundle }));
  try {
    if (!selected.ok) throw new GuardRefused(selected.message);
    const policy = await compileAgreed(document);
    return await startGate({ configuration, environment: environment2, session, log, policy, servers: selected.servers });
  } catch (cause) {
    log.note({ kind: "event", event: "start_failed", severity: "warning", detail: {} });
    const closing = { closeProxy: async () => void 0, timeoutMs: FAILED_START_SEAL_TIMEOUT_MS };
    await sealLog({ client, log, ...closing }, "the proxy could not start");
    throw cause;
  }
}
async function startGate({
  configuration,
  environment: environment2,
  session,
  log,
  policy,
  servers
}) {
  const { document, client } = session;
  const { session: id, robot, roles, review_url: reviewUrl, max_expires_at: maxExpiresAt } = document;
  const agents = configuration.agents.map((name) => ({ name, token: createToken("agent") }));
  const controlToken = createToken("control");
  const redactor = createRedactor([
    { id: "oidc-request", kind: "token", value: configuration.oidc.token },
    { id: "control", kind: "token", value: controlToken },
    ...agents.map(({ name, token }) => ({ id: `agent-${name}`, kind: "token", value: token }))
  ]);
  const stderr = openStderrFiles((0, import_node_path4.join)(configuration.directory, STDERR_DIRECTORY), redactor);
  let outcome = { status: "open" };
  const facts = { session: id, robot, roles, servers: Object.keys(servers), agents: configuration.agents };
  const report = () => ({ facts, tally: log.tally.report(), reviewUrl, log: outcome });
  const ended = new AbortController();
  const keepAlive = session.keepAlive((event) => log.note({ kind: "event", ...event }), ended.signal);
  const close = async (running2, reason) => {
    const closeProxy = async () => {
      await running2.close();
      ended.abort();
      await keepAlive;
      stderr.close();
    };
    outcome = await sealLog({ client, log, closeProxy }, reason);
    return report();
  };
  const credentials = keepCredentials({
    ...{ client, servers, redactor, note: log.note, signal: ended.signal },
    isActive: () => session.state().active
  });
  const over = Promise.withResolvers();
  let sealing;
  const seal = (reason) => sealing ??= close(running, reason).finally(() => over.resolve());
  const running = await startProxy({
    policy,
    servers: placeServers(servers, { ...configuration, relayTo: session.relayTo, credentials }),
    environment: environment2,
    agents,
    recorder: log,
    redactor,
    salt: Buffer.from(document.audit.salt, "base64url"),
    sessionState: session.state,
    stderrOf: stderr.sinkOf,
    control: { token: controlToken, report, seal }
  }).catch((cause) => {
    ended.abort();
    throw cause;
  });
  await proveWalls({ running, log, policy: document.policy.source, agents }).catch(async (cause) => {
    ended.abort();
    await running.close();
    throw cause;
  });
  const refresh = startPolicyRefresh({
    client,
    document,
    compile: compileAgreed,
    apply: (changed) => running.changePolicy(changed),
    note: log.note,
    isActive: () => session.state().active,
    end: (reason) => session.end(reason),
    signal: ended.signal
  });
  session.onPolicy((digest) => refresh.hear(digest));
  const ready = {
    status: "ready",
    url: running.url,
    controlToken,
    agents,
    session: id,
    robot,
    roles,
    servers: facts.servers,
    maxExpiresAt,
    reviewUrl
  };
  return { ready, report, seal, over: over.promise };
}
async function proveWalls({ running, log, policy, agents }) {
  const { describeFailure: describeFailure2, testWalls } = await import("./self-test.cjs");
  const tokens = agents.map(({ token }) => token);
  const checks = await testWalls({ proxy: running, grants: policy.grants, tokens });
  const failure2 = describeFailure2(checks);
  const severity = failure2 === void 0 ? "info" : "finding";
  log.record({ kind: "event", event: "self_test", severity, detail: { checks } });
  if (failure2 !== void 0) throw new GuardRefused(failure2);
}
async function compileAgreed({
  policy: { source, digest },
  claims
}) {
  if (digestPolicy(source) !== digest) {
    throw new GuardRefused(
      "The policy that arrived is not the one the broker decided on: its digest differs. The Action and the broker must be of the same version."
    );
  }
  return compilePolicy(source, { claims });
}
function createToken(kind) {
  return `lanyard_${kind}_${(0, import_node_crypto9.randomBytes)(32).toString("base64url")}`;
}

// action/inputs.ts
var environment = process.env;
var MAX_AGENTS = 16;
var nameList = (text) => [...new Set(text.split(/[\s,]+/).filter((name) => name !== ""))];
var list = pipe(string2(), transform(nameList));
var Broker = pipe(string2(), transform(parseOrigin)).check(
  refine((origin) => origin !== void 0, {
    error: "The input `broker` must be the broker's public URL, an https origin without a path, as in `broker: https://lanyard.example.com`."
  })
);
var Robot = string2().check(
  _regex(/^$|^([\w.-]+\/[\w.-]+\/)?[a-z0-9][a-z0-9_-]{0,62}$/, {
    error: "The input `robot` must be a robot's name, as in `robot: triager`, or `owner/repo/name` in full."
  })
);
var Roles = list.check(
  refine((roles) => roles.every(isName2), {
    error: "The input `roles` must be names of roles, separated by commas, as in `roles: reader, labeller`."
  })
);
var Servers = list.check(
  refine((servers) => servers.every(isName2), {
    error: "The input `servers` must be names of servers, separated by commas, as in `servers: github, memory`."
  })
);
var Agents = list.check(
  refine((agents) => agents.length > 0 && agents.length <= MAX_AGENTS && agents.every(isAgentName), {
    error: `The input \`agents\` must be one to ${MAX_AGENTS} names of lower-case letters, digits and hyphens, separated by commas, as in \`agents: planner, coder\`.`
  })
);
var FailOn = _enum(["never", "denied", "incomplete"], {
  error: "The input `fail-on` must be `never`, `denied` or `incomplete`."
});
var fromRunner = (name) => {
  const error = `The runner did not set ${name}: this Action runs as a step of a GitHub Actions job.`;
  return string2({ error }).check(_minLength(1, { error }));
};
var maybe = optional(string2());
var Main = object({
  broker: Broker,
  robot: Robot,
  roles: Roles,
  servers: Servers,
  agents: Agents,
  failOn: FailOn,
  runnerTemp: fromRunner("RUNNER_TEMP"),
  workspace: fromRunner("GITHUB_WORKSPACE"),
  repository: fromRunner("GITHUB_REPOSITORY"),
  runId: fromRunner("GITHUB_RUN_ID"),
  runAttempt: fromRunner("GITHUB_RUN_ATTEMPT"),
  job: fromRunner("GITHUB_JOB")
});
var State = object({
  marker: maybe,
  directory: maybe,
  pid: optional(pipe(string2().check(_regex(/^\d+$/)), transform(Number))),
  started: maybe,
  session: maybe,
  reviewUrl: maybe,
  control: maybe,
  controlToken: maybe
});
function parseOrigin(text) {
  const url = URL.canParse(text) ? new URL(text) : void 0;
  if (url === void 0 || text.replace(/\/$/, "") !== url.origin) return void 0;
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || url.protocol === "http:" && loopback ? url.origin : void 0;
}
function isName2(name) {
  return /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name);
}
function isAgentName(name) {
  return /^[a-z0-9][a-z0-9-]{0,31}$/.test(name);
}

// action/proxy.ts
var STANDARD_INPUT = 0;
var READINESS_PIPE = 3;
var LAST_ANSWER_MS2 = 100;
void run();
async function run() {
  try {
    const guard = await startGuard(readConfiguration(), {
      // The digest of this program is that of its files one after the other.
      bundle: Buffer.concat(PROXY_BUNDLES.map((name) => (0, import_node_fs5.readFileSync)((0, import_node_path5.join)(__dirname, name)))),
      environment
    });
    for (const signal of ["SIGTERM", "SIGINT"]) {
      process.on(signal, () => void guard.seal(`the proxy received ${signal}`));
    }
    if (!tellMain(guard.ready)) await guard.seal("main ended before the proxy was ready");
    await guard.over;
    setTimeout(() => process.exit(), LAST_ANSWER_MS2).unref();
  } catch (cause) {
    tellMain({ status: "failed", message: describeFailure(cause) });
    process.exit(1);
  }
}
function readConfiguration() {
  try {
    return ProxyConfiguration.parse(JSON.parse((0, import_node_fs5.readFileSync)(STANDARD_INPUT, "utf8")));
  } catch {
    throw new GuardRefused("The proxy was started without a configuration: only the Action starts it.");
  }
}
function tellMain(readiness) {
  try {
    (0, import_node_fs5.writeSync)(READINESS_PIPE, `${JSON.stringify(readiness)}
`);
    (0, import_node_fs5.closeSync)(READINESS_PIPE);
    return true;
  } catch {
    return false;
  }
}
function describeFailure(cause) {
  const explained = [SessionRefused, SubjectTokenUnavailable, AnswerUnknown, GuardRefused];
  if (cause instanceof Error && explained.some((kind) => cause instanceof kind)) return cause.message;
  console.error(cause);
  return `The proxy could not start: ${cause instanceof Error ? cause.message : "unknown"}`;
}
