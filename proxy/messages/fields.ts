/**
 * The header fields of a request, once each: a field that decides anything and stands twice is a request that two
 * readers could take differently, and is refused.
 */

/** Names in lower case. */
export type Fields = ReadonlyMap<string, string>;

/** Fields that may stand several times and mean one list (RFC 9110, section 5.3). */
const LISTS = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cookie",
  "via",
  "forwarded",
  "x-forwarded-for",
]);

/** From Node's alternating names and values. `undefined` when a field stands twice that may not. */
export function readFields(raw: readonly string[]): Fields | undefined {
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = raw[index + 1] ?? "";
    const before = fields.get(name);
    if (before !== undefined && !LISTS.has(name)) {
      return undefined;
    }
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

const TEXT_START = "=?base64?";
const TEXT_END = "?=";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/;

/** The value of an `Mcp-Name` or `Mcp-Param-*` field (2026-07-28, Streamable HTTP, "Value Encoding"). */
export function decodeFieldValue(value: string): string | undefined {
  if (!(value.startsWith(TEXT_START) && value.endsWith(TEXT_END))) {
    return PLAIN.test(value) ? value : undefined;
  }
  const packed = value.slice(TEXT_START.length, -TEXT_END.length);
  if (!BASE64.test(packed)) {
    return undefined;
  }
  const bytes = Buffer.from(packed, "base64");
  const text = bytes.toString("utf8");
  return bytes.equals(Buffer.from(text, "utf8")) ? text : undefined;
}

export function encodeFieldValue(text: string): string {
  const isPlain = PLAIN.test(text) && !(text.startsWith(TEXT_START) && text.endsWith(TEXT_END));
  return isPlain ? text : `${TEXT_START}${Buffer.from(text, "utf8").toString("base64")}${TEXT_END}`;
}
