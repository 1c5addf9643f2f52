/**
 * What a server says to an agent without being asked, where the policy lets it ask or tell something: its log, that it
 * wants no answer any more, that what it sent a person to do is done.
 */
import type { Call } from "../../../policies/decision.ts";
import { LOGGED } from "../../messages/asks.ts";
import type { ServerNotification } from "../../messages/server-message.ts";
import { type AskContext, findAskClient, isAskGranted } from "./ask-decision.ts";
import { CANCELLED, ELICITED } from "../passing.ts";
import { recordUse } from "../calls/recorded-call.ts";
import type { Sender } from "../sender.ts";
import { passCancelledAsk } from "./server-request.ts";

/** As the agent hears it, if it does. */
export function hearUnasked(
  context: AskContext,
  sender: Sender,
  notification: ServerNotification,
): ServerNotification | undefined {
  switch (notification.method) {
    case CANCELLED:
      return passCancelledAsk(context, sender, notification);
    case ELICITED:
      return isAskGranted(context, "elicitation") ? notification : undefined;
    case LOGGED:
      return isAskGranted(context, "logging") && isRead(context, callOf(context, sender))
        ? notification
        : undefined;
    default:
      return undefined;
  }
}

/** The first that brings content of a kind which the session has not read is on the log; those that follow are as many as a server likes. */
export function admitWords(
  context: AskContext,
  { sender, notification: { method, text } }: { sender: Sender; notification: ServerNotification },
  then: () => void,
): void {
  const { server, policy, usage, recording } = context;
  const call = callOf(context, sender);
  if (method !== LOGGED || !isAskGranted(context, "logging") || isRead(context, call)) {
    then();
    return;
  }
  const decide = (): void => {
    const decision = policy.decide(call, usage);
    if (decision.effect === "allow") {
      const facts = { agent: sender.agent, client: findAskClient(context, sender), server, method };
      const id = recordUse(context, facts, { call, decision });
      recording.recordResult({ call: id, outcome: "ok", duration_ms: 0, bytes: text.length });
    }
  };
  context.admission.admit(decide, { admitted: then, failed: then });
}

function callOf({ server }: AskContext, { agent }: Sender): Call {
  return { server, kind: "ask", name: "logging", args: {}, agent };
}

/** What could not be admitted brings something that the session has not read. */
function isRead({ policy, usage }: AskContext, call: Call): boolean {
  return policy.labelsOf(call).every((label) => usage.labels.has(label));
}
