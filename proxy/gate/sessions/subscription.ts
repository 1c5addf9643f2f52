/**
 * `subscriptions/listen`: of what an agent wants to hear of, the server is asked for what is granted; each resource is
 * decided and recorded by itself. The server says which of it it honours, and that is what the agent hears of, with what
 * the gate announces itself.
 */
import { canonicalize } from "../../../audit/canonical.ts";
import { send } from "../../front/reply.ts";
import { type ClientRequest, isName, isObject, type JsonObject } from "../../messages/envelope.ts";
import { readJson } from "../../messages/json-reading.ts";
import { toByteText, toCharacters } from "../../messages/json-spans.ts";
import { refuseInvalidCall, refuseUnrecordedRequest } from "../../messages/refusals.ts";
import { findMembersOf, replaceInMessage, type ServerNotification } from "../../messages/server-message.ts";
import { isRecordingFailure } from "../../recorder.ts";
import { passUnchanged } from "../forwarding/amendment.ts";
import { withGrantedCapabilities } from "./capabilities.ts";
import type { Asked, GateContext } from "../gate-context.ts";
import { openHearing, type Hearing } from "./hearing.ts";
import { type Kind, KINDS, SUBSCRIBE } from "../named-things.ts";
import { SUBSCRIBED } from "../passing.ts";
import { decideCall, recordVerdict } from "../calls/recorded-call.ts";
import { Subscriptions } from "./subscriptions.ts";

const WISHES = {
  tool: "toolsListChanged",
  resource: "resourcesListChanged",
  prompt: "promptsListChanged",
} as const satisfies Record<Kind, string>;
/** Of one request: each is a record on the log. */
const MAX_RESOURCES = 200;

export function passSubscription(context: GateContext, asked: Asked): void {
  const { request, reply } = asked;
  const wishes = request.params?.["notifications"];
  const wanted = isObject(wishes) ? listResources(wishes) : [];
  if (wanted === undefined) {
    const form = `resourceSubscriptions holds at most ${MAX_RESOURCES} URIs`;
    send(reply, refuseInvalidCall(request.id, form));
    return;
  }
  context.admission.admit(() => wanted.flatMap((uri) => decideResource(context, asked, uri)), {
    admitted: (opened) => listen(context, asked, opened),
    failed: () => send(reply, refuseUnrecordedRequest(request.id)),
  });
}

function listen(context: GateContext, asked: Asked, opened: readonly OpenedResource[]): void {
  const { sender, request, reply } = asked;
  const wishes = request.params?.["notifications"];
  const hearsOf = new Set(
    KINDS.filter((kind) => isObject(wishes) && wishes[WISHES[kind]] === true && isOffered(context, kind)),
  );
  const granted = isObject(wishes) ? reduceWishes(wishes, hearsOf, opened) : undefined;
  const hearing = openOwnHearing(context, granted ?? {}, hearsOf);
  const startedAt = performance.now();
  context.forwarding.request(sender, withGrantedCapabilities(context, withWishes(request, granted)), {
    ...{ reply, hearsOf, hearing, amend: passUnchanged, isStanding: true },
    calls: opened.map(({ callId }) => callId),
    over: () => {
      const duration_ms = Math.round(performance.now() - startedAt);
      const outcome = hearing.isAcknowledged ? "ok" : "error";
      opened.forEach(({ callId }) => recordEnd(context, { call: callId, outcome, duration_ms, bytes: 0 }));
    },
  });
}

interface OpenedResource {
  readonly uri: string;
  readonly callId: string;
}

/** Nothing for one that is not granted: it is left out, as a server leaves out what it does not have. */
function decideResource(context: GateContext, { sender, request }: Asked, uri: string): OpenedResource[] {
  const meta = request.params?.["_meta"];
  const params = { uri, ...(meta !== undefined && { _meta: meta }) };
  const verdict = decideCall(context, { sender, request: { ...request, method: SUBSCRIBE, params } });
  const callId = recordVerdict(context, { sender, request: { ...request, params } }, verdict);
  return verdict.effect === "allow" ? [{ uri, callId }] : [];
}

/** The agent has gone or the proxy is closing: whoever could be told that it is not on the log is told elsewhere. */
function recordEnd(
  { recording }: GateContext,
  result: Parameters<GateContext["recording"]["recordResult"]>[0],
): void {
  try {
    recording.recordResult(result);
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
  }
}

/** `undefined` for what is no list of URIs. */
function listResources({ resourceSubscriptions: uris = [] }: JsonObject): string[] | undefined {
  return Array.isArray(uris) && uris.length <= MAX_RESOURCES && uris.every(isName)
    ? [...new Set(uris)]
    : undefined;
}

function isOffered({ policy, server }: GateContext, kind: Kind): boolean {
  return policy.reaches(server, kind);
}

function reduceWishes(
  wishes: JsonObject,
  hearsOf: ReadonlySet<Kind>,
  opened: readonly OpenedResource[],
): JsonObject {
  return {
    ...Object.fromEntries([...hearsOf].map((kind) => [WISHES[kind], true])),
    ...(wishes["resourceSubscriptions"] !== undefined &&
      opened.length > 0 && { resourceSubscriptions: opened.map(({ uri }) => uri) }),
  };
}

function withWishes(request: ClientRequest, notifications: JsonObject | undefined): ClientRequest {
  return notifications === undefined ? request : { ...request, params: { ...request.params, notifications } };
}

interface OwnHearing extends Hearing {
  readonly isAcknowledged: boolean;
}

/** That of this stream alone. The acknowledgment says what was asked for and is honoured, by the server or by the gate. */
function openOwnHearing(context: GateContext, granted: JsonObject, hearsOf: ReadonlySet<Kind>): OwnHearing {
  const { resourceSubscriptions: uris = [] } = granted;
  const subscriptions = new Subscriptions(Array.isArray(uris) ? uris.map(String) : []);
  const hearing = openHearing(context.visibility, subscriptions);
  const announcesTools = hearsOf.has("tool") && context.policy.canLoseTools(context.server);
  const own = {
    isAcknowledged: false,
    hear: (notification: ServerNotification): ServerNotification | undefined => {
      if (notification.method !== SUBSCRIBED) {
        return hearing.hear(notification);
      }
      own.isAcknowledged = true;
      return announcesTools ? withTools(notification, context.limits.maxDepth) : notification;
    },
  };
  return own;
}

function withTools(acknowledgment: ServerNotification, maxDepth: number): ServerNotification {
  const span = findMembersOf(acknowledgment, "params")?.get("notifications");
  const written = span === undefined ? undefined : acknowledgment.text.slice(span.start, span.end);
  const reading =
    written === undefined ? undefined : readJson(toCharacters(written), { maxDepth, numbers: "any" });
  if (span === undefined || reading?.ok !== true || !isObject(reading.value)) {
    return acknowledgment;
  }
  const honoured = { ...reading.value, [WISHES.tool]: true };
  return canonicalize(honoured) === canonicalize(reading.value)
    ? acknowledgment
    : replaceInMessage(acknowledgment, span, toByteText(JSON.stringify(honoured)));
}
