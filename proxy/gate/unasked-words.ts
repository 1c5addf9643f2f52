/**
 * What a server says to an agent without being asked, where the policy lets it ask or tell something: its log, that it
 * wants no answer any more, that what it sent a person to do is done.
 */
import type { Call } from "../../policies/decision.ts";
import { LOGGED } from "../messages/asks.ts";
import type { ServerNotification } from "../messages/server-message.ts";
import { isRecordingFailure } from "../recorder.ts";
import { type AskContext, findAskClient, isAskGranted } from "./ask-decision.ts";
import { CANCELLED, ELICITED } from "./passing.ts";
import { recordUse } from "./recorded-call.ts";
import type { Sender } from "./sender.ts";
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
      return isAskGranted(context, "logging") && isLogHeard(context, sender, notification)
        ? notification
        : undefined;
    default:
      return undefined;
  }
}

/** The first that brings content of a kind which the session has not read is on the log; those that follow are as many as a server likes. */
function isLogHeard(context: AskContext, sender: Sender, { text }: ServerNotification): boolean {
  const { server, policy, usage, recording } = context;
  const call: Call = { server, kind: "ask", name: "logging", args: {}, agent: sender.agent };
  if (policy.labelsOf(call).every((label) => usage.labels.has(label))) {
    return true;
  }
  const decision = policy.decide(call, usage);
  if (decision.effect === "deny") {
    return false;
  }
  const facts = { agent: sender.agent, client: findAskClient(context, sender), server, method: LOGGED };
  try {
    const id = recordUse(context, facts, { call, decision });
    recording.recordResult({ call: id, outcome: "ok", duration_ms: 0, bytes: text.length });
    return true;
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
    return false;
  }
}
