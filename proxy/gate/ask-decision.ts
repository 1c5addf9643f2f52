/**
 * The decision on what a server asks of the agent's side: by the same rules as a call, on the arguments that the agent
 * will get. One that is let through is recorded and counted in one step with it, before anybody hears of it.
 */
import type { Ask } from "../../policies/asks.ts";
import type { Call } from "../../policies/decision.ts";
import type { Inspector } from "../inspection/inspection.ts";
import type { Limits } from "../limits.ts";
import { ASKING_METHODS } from "../messages/asks.ts";
import type { JsonObject } from "../messages/envelope.ts";
import type { ClientInfo, Recording } from "../recording.ts";
import type { GateContext } from "./gate-context.ts";
import { Inspecting } from "./inspecting.ts";
import { recordUse } from "./recorded-call.ts";
import type { Sender } from "./sender.ts";
import type { WaitingAsks } from "./waiting-asks.ts";

export interface AskContext
  extends Pick<GateContext, "server" | "policy" | "usage" | "sessions" | "sessionState" | "labelsGained"> {
  readonly recording: Recording;
  readonly inspector: Inspector;
  readonly limits: Limits;
  readonly waiting: WaitingAsks;
}

export interface ServerAsk {
  readonly method: string;
  readonly params: JsonObject;
}

export interface AdmittedAsk {
  readonly callId: string;
  /** Of what is asked, and of what is answered. */
  readonly inspecting: Inspecting;
}

/** Whether any grant names it, whatever its condition says of one of them. */
export function isAskGranted(
  { policy, server, usage }: Pick<GateContext, "policy" | "server" | "usage">,
  ask: Ask,
): boolean {
  return policy.show({ server, kind: "ask", name: ask }, usage.labels).visible;
}

/** With a handshake, what it said then. */
export function findAskClient(
  { sessions }: Pick<GateContext, "sessions">,
  { agent, session }: Sender,
): ClientInfo | undefined {
  return session?.client ?? sessions.lastAttachment(agent)?.client;
}

/** Undefined where it is refused, and noted by its kind: a server repeats it at will. Throws `RecordingFailed`. */
export function admitAsk(
  context: AskContext,
  sender: Sender,
  { method, params }: ServerAsk,
): AdmittedAsk | undefined {
  const { server, policy, usage, recording, limits, waiting, inspector } = context;
  const ask = ASKING_METHODS.get(method);
  // A task would have its answer fetched later, by whoever has its id.
  if (ask === undefined || params["task"] !== undefined || !context.sessionState().active) {
    refuseAsk(context, ask === undefined ? "other" : method);
    return undefined;
  }
  const call: Call = { server, kind: "ask", name: ask, args: params, agent: sender.agent };
  const decision = policy.decide(call, usage);
  if (decision.effect === "deny") {
    refuseAsk(context, method, decision.reason);
    return undefined;
  }
  if (!waiting.hasRoom(sender.agent, limits.maxAsks)) {
    recording.noteRepeated("limit_reached", `asks ${server}`, { limit: "max_asks", server });
    return undefined;
  }
  const rule = decision.reason === "granted" ? decision.rule : "";
  const argumentsInLog = policy.argumentsInLog(rule);
  const callId = recordUse(
    context,
    {
      ...{ agent: sender.agent, server, method, args: params, argumentsInLog },
      client: findAskClient(context, sender),
    },
    { call, decision },
  );
  const inspection = policy.inspectionOf(rule);
  return { callId, inspecting: new Inspecting({ server, recording, inspector, inspection, callId }) };
}

export function refuseAsk({ recording, server }: AskContext, method: string, reason = "no_grant"): void {
  const detail = { server, method, reason };
  recording.noteRepeated("server_request_refused", `${server} ${method} ${reason}`, detail);
}
