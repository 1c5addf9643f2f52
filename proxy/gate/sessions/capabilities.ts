/**
 * Capabilities, on their way to either side: what is not granted is not offered, so that neither side counts on it. Of
 * a server that is everything but its log, where that is granted, and the kinds of which the agents may name something;
 * of a client everything but what a grant lets the server ask for. A server that gets no `roots` keeps to the
 * directories that the registry names.
 */
import type { Json } from "../../../audit/canonical.ts";
import type { Ask } from "../../../policies/asks.ts";
import { type ClientRequest, isObject, type JsonObject } from "../../messages/envelope.ts";
import { findMembers, readSpan, replaceSpan } from "../../messages/json-spans.ts";
import { CLIENT_CAPABILITIES, LOG_LEVEL } from "../../messages/revision.ts";
import { findMembersOf, replaceInMessage, type ServerAnswer } from "../../messages/server-message.ts";
import { type Amendment, passUnchanged } from "../forwarding/amendment.ts";
import { isAskGranted } from "../asks/ask-decision.ts";
import type { GateContext } from "../gate-context.ts";
import type { Kind } from "../named-things.ts";

/** Which capabilities of a server say something of this kind; a completion belongs to what it completes. */
const CAPABILITIES: Readonly<Record<string, readonly Kind[]>> = {
  tools: ["tool"],
  resources: ["resource"],
  prompts: ["prompt"],
  completions: ["resource", "prompt"],
};

/** `initialize` carries them in its parameters, a stateless request in `_meta`. */
export function withGrantedCapabilities(context: Reach, request: ClientRequest): ClientRequest {
  const { params } = request;
  const meta = params?.["_meta"];
  if (params === undefined) {
    return request;
  }
  const own = params["capabilities"];
  return {
    ...request,
    params: {
      ...params,
      ...(request.method === "initialize" && isObject(own) && { capabilities: keepGranted(context, own) }),
      ...(isObject(meta) && { _meta: reduceMeta(context, meta) }),
    },
  };
}

function reduceMeta(context: Reach, { [LOG_LEVEL]: level, ...meta }: JsonObject): JsonObject {
  const offered = meta[CLIENT_CAPABILITIES];
  return {
    ...meta,
    ...(isObject(offered) && { [CLIENT_CAPABILITIES]: keepGranted(context, offered) }),
    ...(level !== undefined && isAskGranted(context, "logging") && { [LOG_LEVEL]: level }),
  };
}

/** What a client can be asked for. */
const OFFERED: readonly Ask[] = ["sampling", "elicitation", "roots"];

function keepGranted(context: Reach, offered: JsonObject): JsonObject {
  const kept = OFFERED.flatMap((ask): [string, Json][] => {
    const own = offered[ask];
    return own !== undefined && isAskGranted(context, ask) ? [[ask, own]] : [];
  });
  return Object.fromEntries(kept);
}

export type Reach = Pick<GateContext, "policy" | "server" | "usage">;

/** The answer to `initialize` or `server/discover`. */
export function reduceServerCapabilities(context: Reach, answer: ServerAnswer): Amendment {
  const { policy, server } = context;
  const span = findMembersOf(answer, "result")?.get("capabilities");
  const found = span === undefined ? undefined : findMembers(answer.text, span.start);
  if (span === undefined || found === undefined) {
    return passUnchanged(answer);
  }
  const kept = Object.entries(CAPABILITIES).flatMap(([name, kinds]) => {
    const own = found.spans.get(name);
    if (own === undefined || !kinds.some((kind) => policy.reaches(server, kind))) {
      return [];
    }
    const text = answer.text.slice(own.start, own.end);
    // What the gate takes away in the middle of a session, it announces itself.
    const isAnnounced = name === "tools" && policy.canLoseTools(server);
    return [`"${name}":${isAnnounced ? withListChanged(text) : text}`];
  });
  const log = found.spans.get("logging");
  if (log !== undefined && isAskGranted(context, "logging")) {
    kept.push(`"logging":${answer.text.slice(log.start, log.end)}`);
  }
  return { outcome: "ok", message: makePrivate(replaceInMessage(answer, span, `{${kept.join(",")}}`)) };
}

function withListChanged(capability: string): string {
  const found = findMembers(capability, 0);
  if (found === undefined) {
    return capability;
  }
  const { spans, whole } = found;
  const said = spans.get("listChanged");
  if (said !== undefined) {
    return readSpan(capability, said) === true ? capability : replaceSpan(capability, said, "true");
  }
  const rest = capability.slice(whole.start + 1);
  return `{"listChanged":true${spans.size === 0 ? "" : ","}${rest}`;
}

/** An answer that is not the same for everybody must not be kept for everybody (2026-07-28, "Caching"). */
export function makePrivate(answer: ServerAnswer): ServerAnswer {
  const span = findMembersOf(answer, "result")?.get("cacheScope");
  return span === undefined ? answer : replaceInMessage(answer, span, '"private"');
}
