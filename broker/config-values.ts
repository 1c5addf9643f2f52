/** The values of the broker's variables: text in, a value or what to write out. Pure. */
import { isIP } from "node:net";
import { resolve } from "node:path";

export type AuditStore =
  | { readonly kind: "folder"; readonly path: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      /** Empty, or without a slash at either end. */
      readonly prefix: string;
      readonly endpoint: string | undefined;
      readonly region: string | undefined;
      readonly pathStyle: boolean;
    };

export type DatabaseConfig =
  | {
      readonly kind: "sqlite";
      readonly path: string;
      /** Added to every commit, as a slow disk would: for measurements. Absent: nothing. */
      readonly commitDelayMs?: number;
    }
  /** `url` may hold a password. */
  | { readonly kind: "postgres"; readonly url: string };

/** The path of a file, or a key of AWS KMS. */
export type KeyPlace = string | { readonly kms: string };
/** Where there are several, keys are made in the first one. */
export type KeysConfig = KeyPlace | readonly [KeyPlace, ...KeyPlace[]];

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A value of a variable, or the sentence that says what to write. */
export type ParsedValue<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly write: string };

const wrong = (write: string): { readonly ok: false; readonly write: string } => ({ ok: false, write });

export function parsePublicUrl(text: string): ParsedValue<string> {
  const write =
    "an https origin without a path: https://HOST or https://HOST:PORT; http only for 127.0.0.1 and localhost";
  const url = URL.parse(text);
  if (url === null || !isSecure(url) || (text !== url.origin && text !== `${url.origin}/`))
    return wrong(write);
  return { ok: true, value: url.origin };
}

export function parseListen(text: string): ParsedValue<ListenAddress> {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535 || (match?.[1] !== undefined && isIP(host) !== 6)) {
    return wrong("ADDRESS:PORT or [IPV6]:PORT");
  }
  return { ok: true, value: { host, port } };
}

/** `off`: nowhere. */
export function parseOptionalListen(text: string): ParsedValue<ListenAddress | undefined> {
  if (text === "off") return { ok: true, value: undefined };
  const listen = parseListen(text);
  return listen.ok ? listen : wrong(`${listen.write}, or off`);
}

/** Whole numbers; `off` is a limit that nobody reaches. */
export function parseRate(text: string): ParsedValue<number> {
  if (text === "off") return { ok: true, value: Number.POSITIVE_INFINITY };
  return /^[1-9][0-9]{0,8}$/.test(text)
    ? { ok: true, value: Number(text) }
    : wrong("how many in a minute, or off");
}

/**
 * A run of GitHub's can take 35 days with all of its waiting; until then a job of it can ask for a session, and what it
 * has had must be known.
 */
const MIN_RETENTION_DAYS = 40;

/** Whole numbers; `off` is for ever. */
export function parseRetention(text: string): ParsedValue<number> {
  if (text === "off") return { ok: true, value: Number.POSITIVE_INFINITY };
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) >= MIN_RETENTION_DAYS
    ? { ok: true, value: Number(text) }
    : wrong(`a number of days, at least ${MIN_RETENTION_DAYS}, or off`);
}

/** IP addresses and networks in CIDR notation; `none` is an empty list. */
export function parseAddresses(text: string): ParsedValue<readonly string[]> {
  if (text === "none") return { ok: true, value: [] };
  const parts = text.split(",").map((part) => part.trim());
  return parts.every(isAddressOrNetwork)
    ? { ok: true, value: parts }
    : wrong("IP addresses or networks (10.0.0.0/8) separated by commas, or none");
}

function isAddressOrNetwork(text: string): boolean {
  const [, address = "", bits] = /^([0-9a-fA-F.:]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  // A network of everybody would let every caller say where it comes from.
  return (
    version !== 0 && (bits === undefined || (Number(bits) > 0 && Number(bits) <= (version === 4 ? 32 : 128)))
  );
}

function parseFileUrl(text: string): ParsedValue<string> {
  const path = text.startsWith("file:") ? text.slice("file:".length).replace(/^\/\/(?=\/)/, "") : "";
  return path === "" || path.startsWith("//") ? wrong("file:PATH") : { ok: true, value: resolve(path) };
}

const KMS_KEY =
  /^kms:(arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:(?:key|alias)\/[\w/-]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}|alias\/[\w/-]+)$/;

export function parseKeys(text: string): ParsedValue<KeysConfig> {
  // The name of a file may have spaces in it.
  const [first = "", ...others] = text.trim().split(/\s+(?=(?:file|kms):)/);
  const places: [KeyPlace, ...KeyPlace[]] = [parsePlace(first), ...others.map(parsePlace)];
  if (places.includes("")) {
    return wrong(
      "file:PATH, or kms: and the ARN, the id or the alias of a KMS key; two of them with a space between",
    );
  }
  return { ok: true, value: others.length === 0 ? places[0] : places };
}

/** Empty: it is none. */
function parsePlace(text: string): KeyPlace {
  const [, kms] = KMS_KEY.exec(text) ?? [];
  if (kms !== undefined) return { kms };
  const file = parseFileUrl(text);
  return file.ok ? file.value : "";
}

export function parseDatabase(text: string): ParsedValue<DatabaseConfig> {
  const write = "file:PATH or postgres://USER@HOST/DATABASE";
  if (text.startsWith("file:")) {
    const path = parseFileUrl(text);
    return path.ok ? { ok: true, value: { kind: "sqlite", path: path.value } } : wrong(write);
  }
  const url = URL.parse(text);
  return url !== null &&
    /^postgres(?:ql)?:$/.test(url.protocol) &&
    url.hostname !== "" &&
    /^\/[^/]+$/.test(url.pathname) &&
    url.hash === ""
    ? { ok: true, value: { kind: "postgres", url: text } }
    : wrong(write);
}

export function parseAuditStore(text: string): ParsedValue<AuditStore> {
  const write =
    "file:PATH or s3://BUCKET/PREFIX, with ?endpoint=URL&region=REGION&path_style=true where they are needed";
  if (text.startsWith("file:")) {
    const path = parseFileUrl(text);
    return path.ok ? { ok: true, value: { kind: "folder", path: path.value } } : wrong(write);
  }
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(text);
  const [, bucket, path = "", search = ""] = match ?? [];
  const query = new URLSearchParams(search);
  const names = [...query.keys()];
  const known = names.every((name) => ["endpoint", "region", "path_style"].includes(name));
  const endpoint = query.get("endpoint") ?? undefined;
  const pathStyle = query.get("path_style") ?? "false";
  const prefix = path.replace(/^\/+|\/+$/g, "");
  if (
    bucket === undefined ||
    !known ||
    new Set(names).size !== names.length ||
    !["true", "false"].includes(pathStyle) ||
    !/^[A-Za-z0-9!_.*'()/-]*$/.test(prefix) ||
    (endpoint !== undefined && !isHttp(endpoint))
  ) {
    return wrong(write);
  }
  const region = query.get("region") ?? undefined;
  return {
    ok: true,
    value: { kind: "s3", bucket, prefix, endpoint, region, pathStyle: pathStyle === "true" },
  };
}

export function parseIssuers(text: string): ParsedValue<string[]> {
  const issuers = text.split(",").map((issuer) => issuer.trim());
  const write =
    "issuer URLs separated by commas, https and without a slash at the end; http only for 127.0.0.1 and localhost";
  return issuers.every(isIssuer) ? { ok: true, value: [...new Set(issuers)] } : wrong(write);
}

/** `none` is an empty list. */
export function parsePrivateIssuers(text: string): ParsedValue<string[]> {
  if (text === "none") return { ok: true, value: [] };
  const issuers = parseIssuers(text);
  return issuers.ok ? issuers : wrong(`${issuers.write}; or none`);
}

/** Compared as text later, so only the one spelling that a URL parser would give back. */
function isIssuer(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !isSecure(url) || url.search !== "" || url.hash !== "") return false;
  if (url.username !== "" || url.password !== "") return false;
  return !text.endsWith("/") && (url.href === text || url.href === `${text}/`);
}

function isSecure({ protocol, hostname }: URL): boolean {
  const loopback =
    hostname === "localhost" || hostname === "[::1]" || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && loopback);
}

function isHttp(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === "" &&
    url.pathname === "/" &&
    url.search === ""
  );
}
