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

// action/post.ts
var import_node_fs8 = require("node:fs");
var import_node_path4 = require("node:path");

// action/conclusion/conclusion.ts
var import_node_path3 = require("node:path");

// action/wire/http-request.ts
var import_node_http = __toESM(require("node:http"), 1);

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
    const signal2 = AbortSignal.timeout(request.timeoutMs);
    try {
      return await new Promise((resolve, reject) => {
        const outgoing = open({
          protocol: url.protocol,
          hostname: url.hostname.replace(/^\[|\]$/g, ""),
          port: url.port,
          path: `${url.pathname}${url.search}`,
          method: request.method,
          headers: request.body === void 0 ? request.headers : withLength(request.headers, request.body),
          signal: signal2
        });
        outgoing.once("error", reject);
        outgoing.once("response", (incoming) => {
          readAnswer(incoming).then(resolve, reject);
        });
        outgoing.end(request.body);
      });
    } catch (cause) {
      const reason = signal2.aborted ? `no answer within ${request.timeoutMs / 1e3} s` : describe(cause);
      throw new HttpFailed(url.host, reason, { cause });
    }
  };
}
function createOpener(protocol, proxyEnv) {
  const client = protocol === "https:" ? process.getBuiltinModule("node:https") : import_node_http.default;
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
function describe(cause) {
  if (!(cause instanceof Error)) return "the request failed";
  return "code" in cause && typeof cause.code === "string" ? `${cause.code}` : cause.message;
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
function mirrorShape(target, source, keys, wrap) {
  const raw = sourceShape(source);
  for (const key of keys) {
    const desc = Object.getOwnPropertyDescriptor(raw, key);
    if (!desc.enumerable)
      continue;
    if (desc.get) {
      deferProp(target, key, () => {
        const value = source._zod.def.shape[key];
        return wrap ? wrap(value, key) : value;
      });
    } else
      putProp(target, key, wrap ? wrap(desc.value, key) : desc.value);
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
function unwrapMessage(message) {
  return typeof message === "string" ? message : message?.message;
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
  const message = iss.message ? iss.message : unwrapMessage(iss.inst?._zod.def?.error?.(iss)) ?? unwrapMessage(schemaError?.(iss)) ?? unwrapMessage(ctx?.error?.(iss)) ?? unwrapMessage(config2.customError?.(iss)) ?? unwrapMessage(config2.localeError?.(iss)) ?? "Invalid input";
  const full = {};
  for (const k of Object.keys(iss)) {
    if (k === "inst" || k === "schema" || k === "continue" || k === "input" || k === "__proto__")
      continue;
    full[k] = iss[k];
  }
  full.path ?? (full.path = []);
  full.message = message;
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
function members(proto, table) {
  for (const key in table) {
    const desc = Object.getOwnPropertyDescriptor(table, key);
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
  const isObject2 = isObject;
  const catchall = def.catchall;
  let value;
  const memo = globalConfig.memoizer;
  memo?.attach(inst);
  inst._zod.parse = (payload, ctx) => {
    value ?? (value = _normalized.value);
    const input = payload.value;
    if (!isObject2(input)) {
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
function describe2(description) {
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
var describe3 = describe2;
// @__NO_SIDE_EFFECTS__
function json() {
  const jsonSchema = /* @__PURE__ */ _lazy(() => {
    return /* @__PURE__ */ union([/* @__PURE__ */ string2(), /* @__PURE__ */ number2(), /* @__PURE__ */ boolean2(), /* @__PURE__ */ _null3(), /* @__PURE__ */ array(jsonSchema), /* @__PURE__ */ record(/* @__PURE__ */ string2(), jsonSchema)]);
  });
  return jsonSchema;
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
    const failed2 = result.outcome !== "ok";
    const row = open.get(result.call);
    if (failed2 && open.has(result.call)) totals.failed += 1;
    if (failed2 && row !== void 0) row.failed += 1;
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

// action/guard/session-report.ts
var SessionFacts = strictObject({
  session: string2(),
  robot: string2(),
  roles: array(string2()),
  servers: array(string2()),
  agents: array(string2())
});
var SessionReport = strictObject({
  facts: SessionFacts,
  tally: TallyReport,
  reviewUrl: string2(),
  log: discriminatedUnion("status", [
    strictObject({ status: literal("open") }),
    strictObject({ status: literal("sealed") }),
    /** One clause: why the broker could not seal it. */
    strictObject({ status: literal("unsealed"), reason: string2() })
  ])
});

// action/conclusion/control-client.ts
var REPORT_TIMEOUT_MS = 5e3;
var SEAL_TIMEOUT_MS = 9e4;
async function requestSeal(http2, control) {
  const headers = { Authorization: `Bearer ${control.token}` };
  const body = JSON.stringify({ reason: "the job ended" });
  try {
    const alive = await http2({
      method: "GET",
      url: `${control.url}/control/report`,
      headers,
      timeoutMs: REPORT_TIMEOUT_MS
    });
    if (alive.status !== 200) return { ok: false, reason: `the proxy answered with status ${alive.status}` };
    const answer = await http2({
      method: "POST",
      url: `${control.url}/control/seal`,
      headers: { ...headers, "Content-Type": "application/json" },
      body,
      timeoutMs: SEAL_TIMEOUT_MS
    });
    const report = SessionReport.safeParse(answer.status === 200 ? JSON.parse(answer.body) : void 0);
    if (report.success) return { ok: true, report: report.data };
    return { ok: false, reason: `the proxy answered with status ${answer.status}` };
  } catch (cause) {
    if (cause instanceof HttpFailed) return { ok: false, reason: "the proxy did not answer" };
    if (cause instanceof SyntaxError) return { ok: false, reason: "the proxy's answer cannot be read" };
    throw cause;
  }
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
var PROXY_OUTPUT_FILE = "proxy.log";
var STDERR_DIRECTORY = "stderr";

// action/runner/leftovers.ts
var import_node_fs = require("node:fs");
var import_node_path = require("node:path");
function endProcessesBelow(directory) {
  if (process.platform !== "linux") return 0;
  const below = (0, import_node_fs.readdirSync)("/proc").filter((pid) => /^\d+$/.test(pid) && worksBelow(pid, directory));
  for (const pid of below) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
    }
  }
  return below.length;
}
function worksBelow(pid, directory) {
  if (Number(pid) === process.pid) return false;
  try {
    const cwd = (0, import_node_fs.readlinkSync)(`/proc/${pid}/cwd`);
    return cwd === directory || cwd.startsWith(directory + import_node_path.sep);
  } catch {
    return false;
  }
}

// action/runner/process-identity.ts
var import_node_child_process = require("node:child_process");
var import_node_fs2 = require("node:fs");
var import_promises = require("node:timers/promises");
function identifyProcess(pid) {
  const started = process.platform === "linux" ? readLinuxStart(pid) : readStartByPs(pid);
  return started === void 0 ? void 0 : { pid, started };
}
function isRunning(identity) {
  return identifyProcess(identity.pid)?.started === identity.started;
}
async function waitForEnd(identity, timeoutMs) {
  const pollMs = 20;
  for (const deadline = performance.now() + timeoutMs; isRunning(identity); ) {
    if (performance.now() >= deadline) return false;
    await (0, import_promises.setTimeout)(pollMs);
  }
  return true;
}
async function endProcess(identity, graceMs) {
  signal(identity, "SIGTERM");
  if (await waitForEnd(identity, graceMs)) return;
  signal(identity, "SIGKILL");
  await waitForEnd(identity, graceMs);
}
function signal(identity, name) {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch {
  }
}
function readLinuxStart(pid) {
  let stat;
  try {
    stat = (0, import_node_fs2.readFileSync)(`/proc/${pid}/stat`, "utf8");
  } catch {
    return void 0;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ended = fields[0] === "Z" || fields[0] === "X";
  return ended ? void 0 : fields[19];
}
function readStartByPs(pid) {
  try {
    const answer = (0, import_node_child_process.execFileSync)("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8"
    }).trim();
    return answer === "" || answer.startsWith("Z") ? void 0 : answer.replace(/^\S+\s+/, "");
  } catch {
    return void 0;
  }
}

// audit/segment.ts
var import_node_crypto = require("node:crypto");
var import_node_util = require("node:util");
var import_node_zlib = require("node:zlib");
var MAX_SEGMENT_BYTES = 32 * 1024 * 1024;
var MAX_PACKED_BYTES = MAX_SEGMENT_BYTES + 1024 * 1024;
var compress = (0, import_node_util.promisify)(import_node_zlib.zstdCompress);
var PACKING = {
  params: { [import_node_zlib.constants.ZSTD_c_compressionLevel]: 1, [import_node_zlib.constants.ZSTD_c_checksumFlag]: 1 }
};
async function packSegment(text2) {
  const content = typeof text2 === "string" ? Buffer.from(text2, "utf8") : text2;
  const body = await compress(content, { ...PACKING, pledgedSrcSize: content.length });
  return { body, sha256: (0, import_node_crypto.hash)("sha256", body, "hex"), md5: (0, import_node_crypto.createHash)("md5").update(body).digest("base64") };
}

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
var KIB = 1024;
var MIB = 1024 * KIB;
var GIB = 1024 * MIB;
var HOUR_SECONDS = 3600;
var LIMIT_BOUNDS = {
  request_bytes: { min: 4 * KIB, max: 16 * MIB },
  /** Held as one text: half of what the engine can hold at all. */
  answer_bytes: { min: 64 * KIB, max: 256 * MIB },
  /** As many as the proxy takes for all servers together. */
  concurrent_calls: { min: 1, max: 256 },
  calls_per_minute: { min: 1, max: 6e4 },
  /** The longest job on a hosted runner. */
  call_seconds: { min: 1, max: 6 * HOUR_SECONDS },
  stream_idle_seconds: { min: 10, max: 6 * HOUR_SECONDS },
  sessions: { min: 1, max: 256 },
  restarts: { min: 0, max: 20 },
  memory_bytes: { min: 64 * MIB, max: 64 * GIB }
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

// policies/asks.ts
var Ask = _enum(["sampling", "elicitation", "roots", "logging"]).check(describe3("What the server may ask the agent for, or tell it without being asked."));

// policies/labels.ts
var ReadLabel = _enum(["untrusted", "private"]);
var WriteLabel = _enum(["public"]);

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
  describe3('A URI, or the beginning of one with one * at its end: "repo://{run.repository}/*".')
);

// policies/tool-pattern.ts
var nameCharacter = "[^\\s*\\u0000-\\u001f\\u007f]";
var ToolName = string2().check(
  _regex(
    new RegExp(`^${nameCharacter}{1,128}$`, "u"),
    "expected the name of one tool, without spaces and without *"
  ),
  describe3("The exact name of a tool of this server.")
);
var ToolPattern = string2().check(
  _regex(
    new RegExp(`^(?:${nameCharacter}{1,128}\\*?|\\*)$`, "u"),
    "expected the exact name of a tool, or a prefix with one * at its end"
  ),
  describe3("The exact name of a tool, or a prefix with one * at its end: get_issue, get_*.")
);

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
var HttpServer = strictObject({ transport: literal("http"), url: string2(), credential, limits });
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

// action/wire/retry.ts
var import_promises2 = require("node:timers/promises");
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
      await (0, import_promises2.setTimeout)(jittered, void 0, patience.signal === void 0 ? {} : { signal: patience.signal });
    } catch {
      throw new PatienceExhausted(outcome.reason);
    }
  }
}

// action/wire/broker-client.ts
var SEAL_TIMEOUT_MS2 = 3e4;
var MAX_SENTENCE_LENGTH = 1e3;
var AnswerUnknown = class extends Error {
  code = "answer_unknown";
};
function recoverSession(options, recovery, patience) {
  return persist(
    options,
    async () => ({
      method: "POST",
      url: `${options.broker}/session/recover`,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...recovery, subject_token: await options.subjectToken() }),
      timeoutMs: SEAL_TIMEOUT_MS2
    }),
    { answer: RecoverResponse, patience }
  );
}
function persist(options, prepare, expected) {
  const attempt = async (isRepeated = false) => {
    const request = await prepare();
    let answer;
    try {
      answer = await options.http(request);
    } catch (cause) {
      if (cause instanceof HttpFailed) {
        return { settled: false, reason: `it could not be reached (${cause.message})` };
      }
      throw cause;
    }
    if (answer.status === 429 || answer.status >= 500) {
      return { settled: false, reason: `it answered: ${describeRefusal(answer).sentence}` };
    }
    const reply = readReply(answer, expected.answer);
    if (!reply.ok && reply.error === "invalid_dpop_proof" && !isRepeated) return attempt(true);
    if (!reply.ok && reply.error === "invalid_token" && await expected.onTokenRefused?.() === true) {
      return isRepeated ? { settled: false, reason: `it answered: ${reply.sentence}` } : attempt(true);
    }
    return { settled: true, value: reply };
  };
  return retry(() => attempt(), expected.patience);
}
function readReply(answer, schema) {
  const parsed = schema.safeParse(parseJson(answer.body));
  if (parsed.success && (answer.status < 300 || answer.status === 409))
    return { ok: true, value: parsed.data };
  if (answer.status < 400) {
    throw new AnswerUnknown(
      "The broker's answer is not one that this version of the Action knows. Check that `broker` is a Lanyard broker, and that the Action and the broker are of the same version.",
      { cause: parsed.error }
    );
  }
  return { ok: false, status: answer.status, ...describeRefusal(answer) };
}
function describeRefusal(answer) {
  const refusal = Refusal.safeParse(parseJson(answer.body));
  if (!refusal.success) return { error: "unknown", sentence: `It answered with status ${answer.status}.` };
  const { error, error_description, reference } = refusal.data;
  const sentence = error_description.slice(0, MAX_SENTENCE_LENGTH);
  return { error, sentence: reference === void 0 ? sentence : `${sentence} Reference: ${reference}` };
}
function parseJson(text2) {
  try {
    return JSON.parse(text2);
  } catch {
    return void 0;
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
      const answer = await options.http({
        method: "GET",
        url,
        headers: { Authorization: `bearer ${options.oidc.token}`, Accept: "application/json" },
        timeoutMs: Math.min(attemptTimeoutMs, leftMs)
      });
      const read = readAnswer2(answer);
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

// action/conclusion/recovery.ts
var PATIENCE_MS = 3e4;
async function recoverLog(options) {
  const { http: http2, broker, oidc, spool } = options;
  const session = options.session ?? spool?.genesis?.session;
  if (session === void 0) return failed("no session is known");
  if (broker === void 0 || oidc === void 0)
    return failed("the job can no longer prove which job it is");
  const tail = spool?.tail ?? "";
  const packed = tail === "" ? "" : (await packSegment(tail)).body.toString("base64");
  const untilMs = performance.now() + PATIENCE_MS;
  try {
    const subjectToken = () => fetchSubjectToken({ http: http2, oidc, audience: broker });
    const reply = await recoverSession(
      { http: http2, broker, subjectToken },
      { session, tail: packed },
      { untilMs, firstPauseMs: 500, maxPauseMs: 5e3 }
    );
    if (!reply.ok) return failed(`the broker did not take it: ${reply.sentence}`);
    if (reply.value.status === "sealed") return { status: "sealed" };
    return { status: "recovered", records: reply.value.records, continuesChain: reply.value.continues_chain };
  } catch (cause) {
    if (cause instanceof PatienceExhausted) return failed(`the broker did not take it: ${cause.message}`);
    if (cause instanceof SubjectTokenUnavailable) return failed(cause.message);
    throw cause;
  }
}
function failed(reason) {
  return { status: "failed", reason };
}

// action/conclusion/spool-reading.ts
var import_node_fs5 = require("node:fs");

// action/runner/private-files.ts
var import_node_fs3 = require("node:fs");
var import_node_fs4 = require("node:fs");
var import_node_path2 = require("node:path");
var CREATE_NEW = import_node_fs3.constants.O_WRONLY | import_node_fs3.constants.O_CREAT | import_node_fs3.constants.O_EXCL | import_node_fs3.constants.O_NOFOLLOW | import_node_fs3.constants.O_APPEND;
function readEndOfFile(path, maxBytes) {
  const descriptor = openForeignFile(path);
  if (descriptor === void 0) return void 0;
  try {
    const { size } = (0, import_node_fs3.fstatSync)(descriptor);
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    const length = (0, import_node_fs4.readSync)(descriptor, buffer, 0, buffer.length, Math.max(0, size - maxBytes));
    return buffer.toString("utf8", 0, length);
  } finally {
    (0, import_node_fs3.closeSync)(descriptor);
  }
}
function openForeignFile(path) {
  let descriptor;
  try {
    descriptor = (0, import_node_fs3.openSync)(path, import_node_fs3.constants.O_RDONLY | import_node_fs3.constants.O_NOFOLLOW | import_node_fs3.constants.O_NONBLOCK);
  } catch {
    return void 0;
  }
  if ((0, import_node_fs3.fstatSync)(descriptor).isFile()) return descriptor;
  (0, import_node_fs3.closeSync)(descriptor);
  return void 0;
}
function removePrivateDirectory(directory) {
  (0, import_node_fs4.rmSync)(directory, { recursive: true, force: true });
}
function removeExcept(directory, kept) {
  if (!(0, import_node_fs3.lstatSync)(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const name of (0, import_node_fs4.readdirSync)(directory)) {
    if (name !== kept) (0, import_node_fs4.rmSync)((0, import_node_path2.join)(directory, name), { recursive: true, force: true });
  }
}

// action/conclusion/spool-reading.ts
var CHUNK_BYTES = 1024 * 1024;
var MAX_SPOOL_BYTES = 1024 * 1024 * 1024;
var MAX_LINE_BYTES = 16 * 1024 * 1024;
var LINE_FEED = 10;
function readSpool(path) {
  const descriptor = openForeignFile(path);
  if (descriptor === void 0) return void 0;
  try {
    return collect(readLines(descriptor));
  } finally {
    (0, import_node_fs5.closeSync)(descriptor);
  }
}
function collect(lines) {
  const tally = createTally();
  let tail = [];
  let genesis;
  let [records, bytesRead, tailBytes, endsWithSeal, isCutShort] = [0, 0, 0, false, false];
  for (const { text: text3, isWhole, bytes } of lines) {
    const isReadable = isWhole && tailBytes + bytes <= MAX_UNSENT_BYTES && bytesRead <= MAX_SPOOL_BYTES;
    const record2 = isReadable ? parseRecord(text3) : void 0;
    if (record2 === void 0) {
      isCutShort = true;
      break;
    }
    bytesRead += bytes;
    records += 1;
    tally.add(record2);
    if (record2.kind === "genesis") genesis ??= record2;
    if (record2.kind === "checkpoint") {
      tail = tail.filter(({ seq }) => seq > record2.last_seq);
      tailBytes = tail.reduce((sum, line) => sum + line.bytes, 0);
    }
    tail.push({ seq: record2.seq, text: text3, bytes });
    tailBytes += bytes;
    endsWithSeal = record2.kind === "seal";
  }
  const text2 = tail.map((line) => `${line.text}
`).join("");
  return {
    genesis,
    tally: tally.report(),
    records,
    tail: text2,
    endsWithSeal,
    isCutShort
  };
}
function* readLines(descriptor) {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest = Buffer.alloc(0);
  for (let read = (0, import_node_fs5.readSync)(descriptor, chunk); read > 0; read = (0, import_node_fs5.readSync)(descriptor, chunk)) {
    rest = Buffer.concat([rest, chunk.subarray(0, read)]);
    for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED)) {
      yield { text: rest.toString("utf8", 0, end), isWhole: true, bytes: end + 1 };
      rest = rest.subarray(end + 1);
    }
    if (rest.length > MAX_LINE_BYTES) {
      yield { text: "", isWhole: false, bytes: rest.length };
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0) yield { text: rest.toString("utf8"), isWhole: false, bytes: rest.length };
}
function parseRecord(text2) {
  try {
    const parsed = AuditRecord.safeParse(JSON.parse(text2));
    return parsed.success ? parsed.data : void 0;
  } catch {
    return void 0;
  }
}

// action/conclusion/conclusion.ts
var EXIT_GRACE_MS = 2e3;
var SEAL_GRACE_MS = 1e4;
async function concludeJob(inputs2, http2) {
  const { directory, control, controlToken, pid, started } = inputs2.state;
  if (directory === void 0) return void 0;
  const proxy = pid === void 0 || started === void 0 ? void 0 : { pid, started };
  const badge = control === void 0 || controlToken === void 0 ? void 0 : { url: control, token: controlToken };
  if (badge === void 0) {
    if (proxy !== void 0) await endProcess(proxy, SEAL_GRACE_MS);
    endProcessesBelow(directory);
    const spool2 = readSpool((0, import_node_path3.join)(directory, SPOOL_FILE));
    if (spool2?.genesis === void 0 || spool2.endsWithSeal) return void 0;
    return recover(inputs2, {
      http: http2,
      spool: spool2,
      reason: "the proxy ended while it started",
      report: void 0
    });
  }
  const lives = proxy !== void 0 && isRunning(proxy);
  const answer = lives ? await requestSeal(http2, badge) : { ok: false, reason: ENDED_EARLY };
  const isSealed = answer.ok && answer.report.log.status === "sealed";
  if (proxy !== void 0 && !await waitForEnd(proxy, answer.ok ? EXIT_GRACE_MS : 0)) {
    await endProcess(proxy, SEAL_GRACE_MS);
  }
  endProcessesBelow(directory);
  const report = answer.ok ? withoutLog(answer.report) : void 0;
  if (isSealed) return { outcome: { status: "sealed", early: false }, report };
  const reason = answer.ok ? describeOpenLog(answer.report.log) : answer.reason;
  const spool = readSpool((0, import_node_path3.join)(directory, SPOOL_FILE));
  return recover(inputs2, { http: http2, spool, reason, report });
}
var ENDED_EARLY = "the proxy ended before the job did";
async function recover(inputs2, loss) {
  const { broker, oidc, state } = inputs2;
  const { http: http2, spool } = loss;
  const recovery = await recoverLog({ http: http2, broker, oidc, session: state.session, spool });
  const report = loss.report ?? reportOf(spool, state.reviewUrl);
  if (recovery.status === "sealed") return { outcome: { status: "sealed", early: true }, report };
  if (recovery.status === "recovered") {
    const gap = recovery.continuesChain ? "" : ", and what was recovered does not continue what was stored";
    const outcome = { status: "recovered", records: recovery.records, reason: loss.reason + gap };
    return { outcome, report };
  }
  const reason = `${loss.reason}, and the rest of it could not be recovered: ${recovery.reason.replace(/\.$/, "")}`;
  const path = state.directory === void 0 ? void 0 : (0, import_node_path3.join)(state.directory, SPOOL_FILE);
  return { outcome: { status: "lost", reason, spool: spool === void 0 ? void 0 : path }, report };
}
function reportOf(spool, reviewUrl = "") {
  if (spool?.genesis === void 0) return void 0;
  const { session, robot, roles, servers, agents } = spool.genesis;
  return { facts: { session, robot, roles, servers, agents }, tally: spool.tally, reviewUrl };
}
function withoutLog({ facts, tally, reviewUrl }) {
  return { facts, tally, reviewUrl };
}
function describeOpenLog(log) {
  return log.status === "unsealed" ? log.reason : "the proxy left it open";
}

// action/runner/file-commands.ts
var import_node_crypto2 = require("node:crypto");
var import_node_fs6 = require("node:fs");
function createFileCommands(paths) {
  const append = (path, text2) => {
    if (path !== void 0) (0, import_node_fs6.appendFileSync)(path, text2);
  };
  return {
    setOutput: (name, value) => append(paths.output, renderPair(name, value)),
    saveState: (name, value) => append(paths.state, renderPair(name, value)),
    appendSummary: (markdown) => append(paths.summary, markdown.endsWith("\n") ? markdown : `${markdown}
`)
  };
}
function renderPair(name, value) {
  const delimiter = `lanyard_${(0, import_node_crypto2.randomUUID)()}`;
  return `${name}<<${delimiter}
${value}
${delimiter}
`;
}

// action/inputs.ts
var environment = process.env;
var MAX_AGENTS = 16;
var nameList = (text2) => [...new Set(text2.split(/[\s,]+/).filter((name) => name !== ""))];
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
  refine((roles) => roles.every(isName), {
    error: "The input `roles` must be names of roles, separated by commas, as in `roles: reader, labeller`."
  })
);
var Servers = list.check(
  refine((servers) => servers.every(isName), {
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
function readOidcEndpoint(env) {
  const url = env["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const token = env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  return url && token && URL.canParse(url) ? { url, token } : void 0;
}
function readFileCommandPaths(env) {
  return {
    output: env["GITHUB_OUTPUT"],
    state: env["GITHUB_STATE"],
    summary: env["GITHUB_STEP_SUMMARY"]
  };
}
function selectHttpProxies(env) {
  const wrong = new Set(HTTP_PROXIES.filter((name) => env[name] && !isProxyUrl(env[name])));
  return select(
    env,
    [...HTTP_PROXIES, "NO_PROXY", "no_proxy"].filter((name) => !wrong.has(name))
  );
}
var HTTP_PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
function isProxyUrl(text2) {
  return URL.canParse(text2) && /^https?:$/.test(new URL(text2).protocol);
}
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
function readPostInputs(env) {
  const state = State.safeParse({
    marker: env["STATE_marker"],
    directory: env["STATE_directory"],
    pid: env["STATE_pid"],
    started: env["STATE_started"],
    session: env["STATE_session"],
    reviewUrl: env["STATE_review_url"],
    control: env["STATE_control"],
    controlToken: env["STATE_control_token"]
  });
  const failOn = FailOn.safeParse(readInput(env, "fail-on"));
  return {
    state: state.success ? state.data : {},
    broker: parseOrigin(readInput(env, "broker")),
    failOn: failOn.success ? failOn.data : "incomplete",
    oidc: readOidcEndpoint(env)
  };
}
function readInput(env, name) {
  return (env[`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`] ?? "").trim();
}
function select(env, names) {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === void 0 || value === "" ? [] : [[name, value]];
    })
  );
}
function parseOrigin(text2) {
  const url = URL.canParse(text2) ? new URL(text2) : void 0;
  if (url === void 0 || text2.replace(/\/$/, "") !== url.origin) return void 0;
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || url.protocol === "http:" && loopback ? url.origin : void 0;
}
function isName(name) {
  return /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name);
}
function isAgentName(name) {
  return /^[a-z0-9][a-z0-9-]{0,31}$/.test(name);
}

// action/runner/job-marker.ts
var import_node_fs7 = require("node:fs");
function releaseJob(marker) {
  (0, import_node_fs7.rmSync)(marker, { force: true });
}

// audit/event-titles.ts
var TITLES = /* @__PURE__ */ new Map([
  // Of the broker, in a manifest.
  ["takeover_attempt", "Attempted takeover"],
  ["recovery_refused", "Refused recovery"],
  ["recovered_while_alive", "Recovered while its proxy was alive"],
  // Of the guard.
  ["self_test", "A wall of the proxy did not hold at its start"],
  ["start_failed", "The proxy could not start"],
  ["policy_changed", "The session lost something while it ran"],
  ["session_over", "The session was over before the job was"],
  ["session_renewed", "The session was renewed"],
  ["shipping_delayed", "The log could not be stored for a while"],
  ["shipping_resumed", "The log is stored again"],
  // Of what servers describe and send.
  ["tool_drifted", "A tool is not the reviewed one"],
  ["tool_unreviewed", "A tool was never reviewed"],
  ["instructions_drifted", "A server's instructions are not the reviewed ones"],
  ["tool_shadowed", "Two tools can be taken for each other"],
  ["text_cleaned", "A server's text had characters that nobody sees"],
  ["secret_redacted", "A secret was taken out of what a server sent"],
  ["injection_marker", "A server's answer looks like an injection"],
  ["server_request_refused", "A server asked the agent for what no grant allows"],
  ["server_message_dropped", "A message of a server was dropped"],
  ["server_output_dropped", "A server printed what is no message"],
  // Of what becomes of servers.
  ["upstream_lost", "A server could not be reached"],
  ["server_start_failed", "A server could not be started"],
  ["server_exited", "A server ended while it was needed"],
  ["server_restarted", "A server was started again"],
  ["server_down", "A server is down for the rest of the session"],
  ["credential_renewed", "A server's credential was renewed"],
  // Of agents, and of whoever knocks.
  ["client_attached", "An agent's client opened a session"],
  ["agent_answer_dropped", "An agent's answer to a server was dropped"],
  ["message_refused", "A message of an agent was refused"],
  ["request_refused", "Somebody was turned away at the door"],
  ["limit_reached", "A limit was reached"],
  ["internal_error", "The proxy met an error of its own"]
]);
function titleEvent(kind) {
  const words = kind.replaceAll("_", " ");
  return TITLES.get(kind) ?? words.charAt(0).toUpperCase() + words.slice(1);
}

// action/conclusion/job-summary.ts
var MAX_ROWS2 = 100;
var MAX_TEXT_LENGTH = 200;
function renderSummary({ report, outcome }) {
  const { facts, tally, reviewUrl } = report;
  const { totals } = tally;
  const counts = `${totals.calls} calls: ${totals.allowed} allowed, ${totals.denied} denied, ${totals.failed} failed`;
  const lines = [
    `### Lanyard: ${code(facts.robot)}`,
    "",
    `${describeOutcome(outcome)} ${counts}.${renderLink(reviewUrl)}`,
    "",
    `Roles: ${codes(facts.roles)}. Servers: ${codes(facts.servers)}. Agents: ${codes(facts.agents)}.`,
    ...renderCalls(tally, facts.agents.length > 1),
    ...renderEvents(tally)
  ];
  return `${lines.join("\n")}
`;
}
function renderBareSummary(outcome) {
  return `### Lanyard

${describeOutcome(outcome)}
`;
}
function describeOutcome(outcome) {
  switch (outcome.status) {
    case "sealed":
      return outcome.early ? "**The log is complete and sealed**, but the proxy was ended before the job was." : "**The log is complete and sealed.**";
    case "recovered":
      return `**The log is incomplete:** ${text(outcome.reason)}. ${outcome.records} records were recovered; nobody witnessed them.`;
    case "lost":
      return `**The log is incomplete:** ${text(outcome.reason)}.`;
  }
}
function renderCalls(tally, withAgents) {
  if (tally.rows.length === 0) return [];
  const columns = [
    ...withAgents ? ["Agent"] : [],
    "Server",
    "Tool",
    "Decision",
    "Rule or reason",
    "Calls",
    "Failed"
  ];
  const rows = tally.rows.toSorted((a, b) => Number(b.decision === "deny") - Number(a.decision === "deny"));
  const shown = rows.slice(0, MAX_ROWS2).map((row) => [
    ...withAgents ? [code(row.agent)] : [],
    code(row.server),
    renderNamed(row),
    row.decision === "deny" ? "<b>denied</b>" : "allowed",
    code(row.why),
    String(row.calls),
    row.failed === 0 ? "" : String(row.failed)
  ]);
  const hidden = rows.slice(MAX_ROWS2).reduce((sum, row) => sum + row.calls, tally.more_calls);
  return [
    "",
    renderRow(columns),
    renderRow(columns.map(() => "---")),
    ...shown.map(renderRow),
    ...hidden === 0 ? [] : ["", `${hidden} more calls are on the review page.`]
  ];
}
function renderNamed({ tool, ask }) {
  if (ask !== void 0) return `<i>${text(ask)}</i>`;
  return tool === null ? "<i>a name that is not known</i>" : code(tool);
}
function renderEvents(tally) {
  if (tally.events.length === 0) return [];
  const items = tally.events.slice(0, MAX_ROWS2).map(
    ({ event, severity, times }) => `- ${severity}: ${text(titleEvent(event))} (${code(event)}${times === 1 ? "" : `, ${times} times`})`
  );
  return ["", "Worth a look:", "", ...items];
}
function renderRow(cells) {
  return `| ${cells.join(" | ")} |`;
}
function renderLink(url) {
  const isLink = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  return isLink ? ` <a href="${escapeHtml(new URL(url).href)}">Review this run</a>` : "";
}
function codes(values) {
  return values.length === 0 ? "none" : values.slice(0, MAX_ROWS2).map(code).join(", ");
}
function code(value) {
  return `<code>${text(value)}</code>`;
}
function text(value) {
  const visible = value.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
  const cut = visible.length > MAX_TEXT_LENGTH ? `${visible.slice(0, MAX_TEXT_LENGTH)}…` : visible;
  return escapeHtml(cut.toWellFormed());
}
function escapeHtml(value) {
  return value.replaceAll(/[&<>"'`|*_[\]\\~#:@]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

// action/conclusion/verdict.ts
var EARLY_SEAL = "The log is complete and sealed, but the proxy was ended before the job was: look at what a step did to it.";
function decideVerdict({ outcome, denied, failOn, reviewUrl }) {
  const review = reviewUrl === void 0 ? "" : ` Review: ${reviewUrl}`;
  const failsByLog = outcome.status !== "sealed" && failOn !== "never";
  const failsByDenial = denied > 0 && failOn === "denied";
  const deniedText = denied === 1 ? "1 call was denied" : `${denied} calls were denied`;
  const messages = [
    outcome.status === "sealed" ? outcome.early ? { level: "warning", text: `${EARLY_SEAL}${review}` } : { level: "good", text: `The log is complete and sealed.${review}` } : { level: failsByLog ? "error" : "warning", text: `${describeLoss(outcome)}${review}` },
    ...denied === 0 ? [] : [{ level: failsByDenial ? "error" : "good", text: `${deniedText}.` }]
  ];
  return { messages, failsJob: failsByLog || failsByDenial };
}
function describeLoss(outcome) {
  const start = `The log of this job is incomplete: ${outcome.reason}.`;
  if (outcome.status === "recovered") {
    const records = outcome.records === 1 ? "1 record was" : `${outcome.records} records were`;
    return `${start} ${records} recovered from the runner; nobody witnessed them when they were made.`;
  }
  return outcome.spool === void 0 ? start : `${start} What was recorded lies on this runner in ${outcome.spool}.`;
}

// action/runner/workflow-commands.ts
var import_node_crypto3 = require("node:crypto");
function createWorkflowCommands(write) {
  const issue2 = (command, data) => write(`::${command}::${escapeData(data)}
`);
  return {
    addMask: (secret) => issue2("add-mask", secret),
    error: (message) => issue2("error", message),
    warning: (message) => issue2("warning", message),
    say: (line) => write(`${line.replaceAll(/[\r\n]+/g, " ").replaceAll("##[", "# #[")}
`),
    showForeignText: (title, text2) => {
      const resume = (0, import_node_crypto3.randomBytes)(24).toString("hex");
      issue2("group", title);
      issue2("stop-commands", resume);
      write(text2.endsWith("\n") ? text2 : `${text2}
`);
      write(`::${resume}::
`);
      write("::endgroup::\n");
    }
  };
}
function escapeData(data) {
  return data.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

// action/post.ts
var MAX_SHOWN_BYTES = 1024 * 1024;
var MAX_SHOWN_TOTAL_BYTES = 16 * MAX_SHOWN_BYTES;
var commands = createWorkflowCommands((text2) => process.stdout.write(text2));
var files = createFileCommands(readFileCommandPaths(environment));
var inputs = readPostInputs(environment);
process.exitCode = inputs.failOn === "never" ? 0 : 1;
void post();
async function post() {
  const { directory, marker } = inputs.state;
  let keepSpool = true;
  try {
    const conclusion = await concludeJob(inputs, createHttp(selectHttpProxies(environment)));
    if (directory !== void 0) showOutputs(directory);
    keepSpool = conclusion?.outcome.status === "lost";
    process.exitCode = conclusion === void 0 || !announce(conclusion) ? 0 : 1;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "unknown";
    const where = directory === void 0 ? "" : ` What was recorded lies on this runner in ${directory}.`;
    const tell = inputs.failOn === "never" ? commands.warning : commands.error;
    tell(`Lanyard could not finish, and the log of this job may be incomplete: ${reason}.${where}`);
  } finally {
    cleanUp({ directory, marker, keepSpool });
  }
}
function announce({ outcome, report }) {
  const verdict = decideVerdict({
    outcome,
    denied: report?.tally.totals.denied ?? 0,
    failOn: inputs.failOn,
    reviewUrl: report?.reviewUrl ?? inputs.state.reviewUrl
  });
  for (const { level, text: text2 } of verdict.messages) {
    if (level === "good") commands.say(text2);
    else commands[level](text2);
  }
  files.appendSummary(report === void 0 ? renderBareSummary(outcome) : renderSummary({ report, outcome }));
  return verdict.failsJob;
}
function showOutputs(directory) {
  const stderr = (0, import_node_path4.join)(directory, STDERR_DIRECTORY);
  const outputs = [
    { title: "Output of Lanyard's proxy", path: (0, import_node_path4.join)(directory, PROXY_OUTPUT_FILE) },
    ...listFiles(stderr).map((name) => ({
      title: `stderr of ${name.replace(/\.log$/, "")}`,
      path: (0, import_node_path4.join)(stderr, name)
    }))
  ];
  let shownBytes = 0;
  for (const { title, path } of outputs) {
    const text2 = shownBytes < MAX_SHOWN_TOTAL_BYTES ? readEndOfFile(path, MAX_SHOWN_BYTES) : void 0;
    if (text2) commands.showForeignText(title, text2);
    shownBytes += text2?.length ?? 0;
  }
}
function listFiles(directory) {
  try {
    return (0, import_node_fs8.readdirSync)(directory).sort();
  } catch {
    return [];
  }
}
function cleanUp({ directory, marker, keepSpool }) {
  try {
    if (directory !== void 0 && keepSpool) removeExcept(directory, SPOOL_FILE);
    if (directory !== void 0 && !keepSpool) removePrivateDirectory(directory);
    if (marker !== void 0) releaseJob(marker);
  } catch (cause) {
    commands.warning(
      `Lanyard could not remove its files: ${cause instanceof Error ? cause.message : "unknown"}.`
    );
  }
}
