/**
 * Everything the proxy itself says to an agent, in one place: each refusal is made of the request alone, so that it
 * cannot tell what a server has.
 */
import type { Json } from "../../audit/canonical.ts";
import type { Decision, Target } from "../../policies/decision.ts";
import type { RequestId } from "./envelope.ts";
import { toByteText } from "./json-spans.ts";
import {
  type Era,
  HEADER_MISMATCH,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  RESOURCE_NOT_FOUND,
  UNSUPPORTED_PROTOCOL_VERSION,
} from "./revision.ts";

/** A JSON-RPC message, and the HTTP status it goes out with when nothing was sent before it. */
export interface Answer {
  readonly status: number;
  /** One character per byte. */
  readonly text: string;
  /** When it is worth asking again. */
  readonly retryAfterSeconds?: number;
}

/** A request that names something, and by which revisions' rules it is answered. */
export interface Asking {
  readonly id: RequestId;
  readonly era: Era;
  readonly kind: Target["kind"];
}

interface RpcError {
  code: number;
  message: string;
  data?: { [name: string]: Json };
}

function answerError(status: number, id: RequestId | null, error: RpcError): Answer {
  return { status, text: toByteText(JSON.stringify({ jsonrpc: "2.0", id, error })) };
}

function answerResult(id: RequestId, result: { [name: string]: Json }): Answer {
  return { status: 200, text: toByteText(JSON.stringify({ jsonrpc: "2.0", id, result })) };
}

/** Of a tool a result that an agent's model reads and can act on; the other kinds know errors alone. */
function answerRefusal({ id, era, kind }: Asking, text: string, code = INTERNAL_ERROR): Answer {
  if (kind !== "tool") {
    return answerError(200, id, { code, message: text });
  }
  const refused = { content: [{ type: "text", text }], isError: true };
  return answerResult(id, era === "stateless" ? { ...refused, resultType: "complete" } : refused);
}

/** No grant names it: the same for one that the server has and for one that it has not. */
export function refuseUnknown({ id, era, kind }: Asking, name: string): Answer {
  if (kind !== "resource") {
    return answerError(200, id, { code: INVALID_PARAMS, message: `Unknown ${kind}: ${name}` });
  }
  const code = era === "stateless" ? INVALID_PARAMS : RESOURCE_NOT_FOUND;
  return answerError(200, id, { code, message: "Resource not found", data: { uri: name } });
}

/** `form` says how a well-formed one looks. */
export function refuseInvalidCall(id: RequestId, form: string): Answer {
  return answerError(200, id, { code: INVALID_PARAMS, message: `Invalid params: ${form}` });
}

/** None is ever given out. */
export function refuseCursor(id: RequestId): Answer {
  return answerError(200, id, { code: INVALID_PARAMS, message: "Invalid cursor" });
}

/** In a stateless revision an unknown method is also a 404 (2026-07-28, Streamable HTTP); with sessions a 404 ends them. */
export function refuseMethod(id: RequestId, era: Era): Answer {
  return answerError(era === "stateless" ? 404 : 200, id, {
    code: METHOD_NOT_FOUND,
    message: "Method not found",
  });
}

export function refuseByCondition(
  asking: Asking,
  decision: Extract<Decision, { condition: string }>,
): Answer {
  const why =
    decision.reason === "condition_false"
      ? "its condition does not hold for these arguments"
      : "its condition cannot be evaluated for these arguments";
  const text = `Refused by rule ${decision.rule}: ${why}: ${decision.condition}`;
  return answerRefusal(asking, text, INVALID_PARAMS);
}

export function refuseByLimit(asking: Asking, { rule, limit }: Extract<Decision, { limit: number }>): Answer {
  const calls = limit === 1 ? "the one call" : `all ${limit} calls`;
  return answerRefusal(
    asking,
    `Refused by rule ${rule}: this session has used up ${calls} that its limit allows.`,
  );
}

/** More than the registry lets the session ask of the server: HTTP's own status for what is not a tool (RFC 6585). */
export function refuseByRate(
  asking: Asking,
  { server, max, retryAfterSeconds }: { server: string; max: number; retryAfterSeconds: number },
): Answer {
  const calls = max === 1 ? "one call" : `${max} calls`;
  const text = `Refused: this session may make ${calls} a minute to the server "${server}"; try again in ${retryAfterSeconds} s.`;
  return refuseForNow(asking, { text, status: 429, retryAfterSeconds });
}

export function refuseByConcurrency(asking: Asking, server: string, max: number): Answer {
  const calls = max === 1 ? "one request" : `${max} requests`;
  const text = `Refused: the server "${server}" is at work on ${calls}, as many as it may be; try again when one is answered.`;
  return refuseForNow(asking, { text, status: 503, retryAfterSeconds: 1 });
}

function refuseForNow(
  asking: Asking,
  { text, status, retryAfterSeconds }: { text: string; status: number; retryAfterSeconds: number },
): Answer {
  const refusal = answerRefusal(asking, text);
  return asking.kind === "tool" ? refusal : { ...refusal, status, retryAfterSeconds };
}

/** Where a person has to act before it is worth calling again; undefined: it may work the next time. */
export function refuseLost(
  asking: Asking,
  server: string,
  { code, detail }: { readonly code: string; readonly detail: string },
): Answer | undefined {
  switch (code) {
    // It ended too often to be started again.
    case "down":
      return answerRefusal(
        asking,
        `The server "${server}" is down for the rest of this session (${detail}): calling it again is of no use.`,
      );
    case "credentials_refused":
      return answerRefusal(
        asking,
        `The server "${server}" does not let this session in (${code}: ${detail}). ${OPERATOR}`,
      );
    case "not_authorized":
      return answerRefusal(
        asking,
        `The server "${server}" cannot be called. ${endSentence(detail)} ${OPERATOR}`,
      );
    default:
      return undefined;
  }
}

const OPERATOR = "Whoever operates Lanyard has to look at it: the page of credentials has more.";

const endSentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`);

/** The server did not show its tools, so nobody can tell whether this one is still the reviewed one. */
export function refuseUnverified(asking: Asking, tool: string): Answer {
  return answerRefusal(
    asking,
    `Refused: the definition of ${tool} could not be compared with the reviewed one; try again.`,
  );
}

export function refuseUnrecordedCall(asking: Asking): Answer {
  return answerRefusal(
    asking,
    "Refused: the audit log cannot be written, and nothing is forwarded without it.",
  );
}

export function refuseUnrecordedRequest(id: RequestId): Answer {
  return answerFailure(id, "The audit log cannot be written, and nothing is forwarded without it.");
}

export function refuseEndedSession(asking: Asking, reason: string): Answer {
  return answerRefusal(asking, `Refused: this Lanyard session is over (${reason}).`);
}

export function refuseEndedSessionRequest(id: RequestId, reason: string): Answer {
  return answerFailure(id, `This Lanyard session is over (${reason}).`);
}

/** The server wants an input from the agent's side that nothing grants (multi round-trip requests). */
export function refuseInputRequests(asking: Asking): Answer {
  return answerRefusal(
    asking,
    "Refused: the server asked for input (sampling, elicitation or roots) that this session does not grant.",
  );
}

/** A request that was allowed and came to nothing. */
export function answerFailure(id: RequestId, message: string): Answer {
  return answerError(200, id, { code: INTERNAL_ERROR, message });
}

export function refuseUnreadable(reason: string): Answer {
  return answerError(400, null, { code: PARSE_ERROR, message: `The message cannot be read: ${reason}` });
}

export function refuseMessage(reason: string): Answer {
  return answerError(400, null, { code: INVALID_REQUEST, message: `The message is refused: ${reason}` });
}

/** A request of a stateless revision that is malformed is also a 400 (2026-07-28, Streamable HTTP). */
export function refuseClaim(id: RequestId, detail: string): Answer {
  return answerError(400, id, { code: INVALID_PARAMS, message: `Invalid params: ${detail}` });
}

/** As a server says it that does not speak what a request claims. */
export function refuseRevision(id: RequestId, data: { requested: string; supported: string[] }): Answer {
  const message = `Unsupported protocol version: ${data.requested}`;
  return answerError(400, id, { code: UNSUPPORTED_PROTOCOL_VERSION, message, data });
}

export function refuseDisagreement(id: RequestId | null, detail: string): Answer {
  return answerError(400, id, {
    code: HEADER_MISMATCH,
    message: `The header does not agree with the body: ${detail}`,
  });
}

/** The codes are those of the SDKs' servers: they have no other meaning to a client than the status. */
export function refuseUnknownSession(id: RequestId | null): Answer {
  return answerError(404, id, { code: -32001, message: "Session not found" });
}

export function refuseMissingSession(id: RequestId | null): Answer {
  return answerError(400, id, { code: -32000, message: "Bad Request: Mcp-Session-Id header is required" });
}

export function refuseBusy(id: RequestId | null, what: string): Answer {
  const message = `Too many ${what} at the same time; try again`;
  return { ...answerError(503, id, { code: INTERNAL_ERROR, message }), retryAfterSeconds: 1 };
}

/** Refusals of HTTP itself: there is no message yet that they could answer. */
export function refuseHttp(status: number, message: string): Answer {
  return answerError(status, null, { code: INVALID_REQUEST, message });
}
