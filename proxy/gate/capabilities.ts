/**
 * Capabilities, on their way to either side: what nothing can grant is not offered, so that neither side counts on it.
 * Of a server that is everything but its tools; of a client everything, since a server may then not ask for it. A
 * server that gets no `roots` also keeps to the directories that the registry names.
 */
import { type ClientRequest, isObject } from "../messages/envelope.ts";
import { findMembers } from "../messages/json-spans.ts";
import { CLIENT_CAPABILITIES } from "../messages/revision.ts";
import { findMembersOf, replaceInMessage, type ServerAnswer } from "../messages/server-message.ts";
import { type Amendment, passUnchanged } from "./amendment.ts";

const GRANTED_TO_CLIENTS = ["tools"];

/** `initialize` carries them in its parameters, a stateless request in `_meta`. */
export function withoutClientCapabilities(request: ClientRequest): ClientRequest {
  const { params } = request;
  const meta = params?.["_meta"];
  if (params === undefined) {
    return request;
  }
  return {
    ...request,
    params: {
      ...params,
      ...(request.method === "initialize" && isObject(params["capabilities"]) && { capabilities: {} }),
      ...(isObject(meta) &&
        isObject(meta[CLIENT_CAPABILITIES]) && { _meta: { ...meta, [CLIENT_CAPABILITIES]: {} } }),
    },
  };
}

/** The answer to `initialize` or `server/discover`. */
export function reduceServerCapabilities(answer: ServerAnswer): Amendment {
  const span = findMembersOf(answer, "result")?.get("capabilities");
  const found = span === undefined ? undefined : findMembers(answer.text, span.start);
  if (span === undefined || found === undefined) {
    return passUnchanged(answer);
  }
  const kept = GRANTED_TO_CLIENTS.flatMap((name) => {
    const own = found.spans.get(name);
    return own === undefined ? [] : [`"${name}":${answer.text.slice(own.start, own.end)}`];
  });
  return { outcome: "ok", message: makePrivate(replaceInMessage(answer, span, `{${kept.join(",")}}`)) };
}

/** An answer that is not the same for everybody must not be kept for everybody (2026-07-28, "Caching"). */
export function makePrivate(answer: ServerAnswer): ServerAnswer {
  const span = findMembersOf(answer, "result")?.get("cacheScope");
  return span === undefined ? answer : replaceInMessage(answer, span, '"private"');
}
