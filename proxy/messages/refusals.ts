/**
 * Everything the proxy itself says to an agent, in one place: each refusal is made of the request alone, so that it
 * cannot tell what a server has.
 */
import type { Json } from "../../audit/canonical.ts";
import type { Decision } from "../../policies/decision.ts";
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
} from "./revision.ts";

/** A JSON-RPC message, and the HTTP status it goes out with when nothing was sent before it. */
export interface Answer {
  readonly status: number;
  /** One character per byte. */
  readonly text: string;
}

function answerError(status: number, id: RequestId | null, error: { code: number; message: string }): Answer {
  return { status, text: toByteText(JSON.stringify({ jsonrpc: "2.0", id, error })) };
}

function answerResult(id: RequestId, result: { [name: string]: Json }): Answer {
  return { status: 200, text: toByteText(JSON.stringify({ jsonrpc: "2.0", id, result })) };
}

/** A tool result that an agent's model reads and can act on. */
function answerToolRefusal(id: RequestId, era: Era, text: string): Answer {
  const refused = { content: [{ type: "text", text }], isError: true };
  return answerResult(id, era === "stateless" ? { ...refused, resultType: "complete" } : refused);
}

/** No grant names it: the same for a tool that the server has and for one that it has not. */
export function refuseUnknownTool(id: RequestId, tool: string): Answer {
  return answerError(200, id, { code: INVALID_PARAMS, message: `Unknown tool: ${tool}` });
}

export function refuseInvalidCall(id: RequestId): Answer {
  return answerError(200, id, {
    code: INVALID_PARAMS,
    message: "Invalid params: tools/call takes a name and an object of arguments",
  });
}

/** In a stateless revision an unknown method is also a 404 (2026-07-28, Streamable HTTP); with sessions a 404 ends them. */
export function refuseMethod(id: RequestId, era: Era): Answer {
  return answerError(era === "stateless" ? 404 : 200, id, {
    code: METHOD_NOT_FOUND,
    message: "Method not found",
  });
}

export function refuseByCondition(
  id: RequestId,
  era: Era,
  decision: Extract<Decision, { condition: string }>,
): Answer {
  const why =
    decision.reason === "condition_false"
      ? "its condition does not hold for these arguments"
      : "its condition cannot be evaluated for these arguments";
  return answerToolRefusal(id, era, `Refused by rule ${decision.rule}: ${why}: ${decision.condition}`);
}

export function refuseByLimit(
  id: RequestId,
  era: Era,
  { rule, limit }: Extract<Decision, { limit: number }>,
): Answer {
  const calls = limit === 1 ? "the one call" : `all ${limit} calls`;
  return answerToolRefusal(
    id,
    era,
    `Refused by rule ${rule}: this session has used up ${calls} that its limit allows.`,
  );
}

/** The server did not show its tools, so nobody can tell whether this one is still the reviewed one. */
export function refuseUnverified(id: RequestId, era: Era, tool: string): Answer {
  return answerToolRefusal(
    id,
    era,
    `Refused: the definition of ${tool} could not be compared with the reviewed one; try again.`,
  );
}

export function refuseUnrecorded(id: RequestId, era: Era): Answer {
  return answerToolRefusal(
    id,
    era,
    "Refused: the audit log cannot be written, and nothing is forwarded without it.",
  );
}

export function refuseUnrecordedRequest(id: RequestId): Answer {
  return answerFailure(id, "The audit log cannot be written, and nothing is forwarded without it.");
}

export function refuseEndedSession(id: RequestId, era: Era, reason: string): Answer {
  return answerToolRefusal(id, era, `Refused: this Lanyard session is over (${reason}).`);
}

export function refuseEndedSessionRequest(id: RequestId, reason: string): Answer {
  return answerFailure(id, `This Lanyard session is over (${reason}).`);
}

/** The server wants an input from the agent's side that nothing grants (multi round-trip requests). */
export function refuseInputRequests(id: RequestId, era: Era): Answer {
  return answerToolRefusal(
    id,
    era,
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
  return answerError(503, id, {
    code: INTERNAL_ERROR,
    message: `Too many ${what} at the same time; try again`,
  });
}

/** Refusals of HTTP itself: there is no message yet that they could answer. */
export function refuseHttp(status: number, message: string): Answer {
  return answerError(status, null, { code: INVALID_REQUEST, message });
}
