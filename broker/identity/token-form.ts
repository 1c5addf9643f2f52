/**
 * The outer form of a compact JWS: three canonical base64url parts, two of them JSON objects.
 * Nothing is verified here; what it returns is what the sender says, for choosing a key and nothing else.
 */
import { isUtf8 } from "node:buffer";
import { type Refused, refuse } from "../refusals.ts";
import { parseStrictObject } from "./strict-json.ts";

/** GitHub's tokens have about 2 KiB. */
const MAX_TOKEN_BYTES = 16 * 1024;
/** Where a sender would bring its own key, change the meaning of the signature, or nest another token. */
const FORBIDDEN_MEMBERS = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "cty", "enc"];

export interface TokenForm {
  readonly ok: true;
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

export function parseTokenForm(token: string): TokenForm | Refused {
  if (token.length > MAX_TOKEN_BYTES) {
    return refuse(
      "subject_token_malformed",
      `it has ${token.length} characters, ${MAX_TOKEN_BYTES} are allowed`,
    );
  }
  const [header, payload, signature, ...more] = token.split(".").map(decodeCanonical);
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    return refuse("subject_token_malformed", "it is not three parts of canonical base64url");
  }
  const headerObject = parseObject(header);
  const payloadObject = parseObject(payload);
  if (headerObject === undefined || payloadObject === undefined || signature.length === 0) {
    return refuse(
      "subject_token_malformed",
      "its header or payload is not a JSON object, repeats a name, is nested too deep, or has no signature",
    );
  }
  const forbidden = FORBIDDEN_MEMBERS.filter((member) => Object.hasOwn(headerObject, member));
  if (forbidden.length > 0) {
    return refuse("subject_token_malformed", `its header has ${forbidden.join(", ")}`);
  }
  return { ok: true, header: headerObject, payload: payloadObject };
}

/** Undefined unless encoding the bytes again gives the same text: one text for one token. */
function decodeCanonical(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, "base64url");
  return bytes.toString("base64url") === part ? bytes : undefined;
}

/** Bytes that are not UTF-8 would be replaced by others, that the signature is not over. A byte order mark is no JSON. */
function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  return isUtf8(bytes) ? parseStrictObject(bytes.toString("utf8")) : undefined;
}
