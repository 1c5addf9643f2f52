/**
 * The decision on what a server asks of the agent's side: by the same rules as a call, on the arguments that the agent
 * will get. One that is let through is recorded and counted in one step with it, before anybody hears of it.
 */
import type { Ask } from "../../../policies/asks.ts";
import type { Call } from "../../../policies/decision.ts";
import type { Inspector } from "../../inspection/inspection.ts";
import type { Limits } from "../../limits.ts";
import { ASKING_METHODS } from "../../messages/asks.ts";
import type { JsonObject } from "../../messages/envelope.ts";
import type { ClientInfo, Recording } from "../../recording.ts";
import type { Inspection } from "../../../policies/session-policy.ts";
import type { Admission } from "../admission.ts";
import type { GateContext } from "../gate-context.ts";
import { Inspecting } from "../forwarding/inspecting.ts";
import { recordUse } from "../calls/recorded-call.ts";
import type { Sender } from "../sender.ts";
import type { SharedAsks } from "./shared-asks.ts";
import type { WaitingAsks } from "./waiting-asks.ts";

export interface AskContext
  extends Pick<GateContext, "server" | "policy" | "usage" | "sessions" | "sessionState" | "labelsGained"> {
  readonly recording: Recording;
  readonly inspector: Inspector;
  readonly limits: Limits;
  readonly waiting: WaitingAsks;
  readonly admission: Admission;
  /** Where other processes have gates of the same session. */
  readonly shared: SharedAsks | undefined;
  /** The server is another gate, which has decided and recorded the same before. */
  readonly isRelayed: boolean;
  /** To the server, one line of JSON, in the session of this sender. */
  answer(sender: Sender, text: string): void;
}

export interface ServerAsk {
  readonly method: string;
  readonly params: JsonObject;
  /** Where it has one already. */
  readonly callId?: string | undefined;
}

export interface AdmittedAsk {
  readonly callId: string;
  readonly inspection: Inspection;
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

/** All of them, or not; those that were let through before another was refused are on the log. */
export interface AskVerdict {
  readonly isAdmitted: boolean;
  readonly asks: readonly AdmittedAsk[];
}

/** Together, and at once or in a turn. Nobody hears of what could not be recorded. */
export function admitAsks(
  context: AskContext,
  { sender, asks }: { readonly sender: Sender; readonly asks: readonly ServerAsk[] },
  then: (verdict: AskVerdict | "unrecorded") => void,
): void {
  const decide = (): AskVerdict => {
    const admitted: AdmittedAsk[] = [];
    const isAdmitted = asks.every((ask) => {
      const own = admitAsk(context, { sender, ask, waiting: admitted.length });
      if (own !== undefined) admitted.push(own);
      return own !== undefined;
    });
    return { isAdmitted, asks: admitted };
  };
  context.admission.admit(decide, { admitted: then, failed: () => then("unrecorded") });
}

interface OneOfSeveral {
  readonly sender: Sender;
  readonly ask: ServerAsk;
  /** Those that will wait beside it. */
  readonly waiting: number;
}

/** Undefined where it is refused, and noted by its kind: a server repeats it at will. Throws `RecordingFailed`. */
function admitAsk(
  context: AskContext,
  { sender, ask: { method, params, callId: id }, waiting: others }: OneOfSeveral,
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
  if (!waiting.hasRoom(sender.agent, limits.maxAsks - others)) {
    recording.noteRepeated("limit_reached", `asks ${server}`, { limit: "max_asks", server });
    return undefined;
  }
  const rule = decision.reason === "granted" ? decision.rule : "";
  const argumentsInLog = policy.argumentsInLog(rule);
  const callId = recordUse(
    context,
    {
      ...{ id, agent: sender.agent, server, method, args: params, argumentsInLog },
      client: findAskClient(context, sender),
    },
    { call, decision },
  );
  const inspection = policy.inspectionOf(rule);
  const inspecting = new Inspecting({ server, recording, inspector, inspection, callId });
  return { callId, inspection, inspecting };
}

export function refuseAsk({ recording, server }: AskContext, method: string, reason = "no_grant"): void {
  const detail = { server, method, reason };
  recording.noteRepeated("server_request_refused", `${server} ${method} ${reason}`, detail);
}
