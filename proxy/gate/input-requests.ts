/**
 * What a server asks for in the era without sessions: within a result, answered by the same request once more
 * (2026-07-28, multi round-trip requests). Each input is decided and recorded like a request of the server would be, all
 * of them before the agent sees any; an answer goes on only from the agent that was asked, for the request it was asked
 * in, and once: what nobody was asked for would be taken for the word of a person.
 */
import { type ClientRequest, isObject, type JsonObject } from "../messages/envelope.ts";
import { toByteText } from "../messages/json-spans.ts";
import { readMembers } from "../messages/server-params.ts";
import { readServerMessages } from "../messages/server-message.ts";
import { type AdmittedAsk, admitAsk, type AskContext, type ServerAsk } from "./ask-decision.ts";
import { collectEvidence } from "./evidence.ts";
import { NAMED_METHODS } from "./named-things.ts";
import type { Sender } from "./sender.ts";

interface Called {
  readonly sender: Sender;
  readonly request: ClientRequest;
}

/** `written` is the object of inputs as it stands in the result. False: the agent must not see it. Throws `RecordingFailed`. */
export function admitInputs(context: AskContext, { sender, request }: Called, written: string): boolean {
  const { waiting, limits } = context;
  const asked = written.length <= limits.maxRequestBytes ? readMembers(written, limits.maxDepth) : undefined;
  const inputs = asked === undefined ? undefined : Object.entries(asked);
  if (inputs === undefined || inputs.length > limits.maxAsks) {
    return false;
  }
  const admitted: AdmittedAsk[] = [];
  const isAdmitted = inputs.every(([name, input]) => {
    const ask = readAsk(input);
    const own = ask && admitAsk(context, sender, ask);
    if (own !== undefined) {
      admitted.push(own);
      waiting.add(placeOf(request, name), { ...own, agent: sender.agent, session: undefined });
    }
    return own !== undefined;
  });
  if (!isAdmitted) {
    waiting.abandon((ask) => admitted.some(({ callId }) => callId === ask.callId), "blocked");
  }
  return isAdmitted;
}

/** Pages that an error sends a person to: asked for, and answered by the next call at the most. Throws `RecordingFailed`. */
export function admitPages(context: AskContext, { sender }: Called, written: string): boolean {
  const params = readMembers(written, context.limits.maxDepth);
  const own = params && admitAsk(context, sender, { method: "elicitation/create", params });
  if (own !== undefined) {
    context.recording.recordResult({ call: own.callId, outcome: "ok", duration_ms: 0, bytes: 0 });
  }
  return own !== undefined;
}

function readAsk(input: unknown): ServerAsk | undefined {
  if (!isObject(input)) {
    return undefined;
  }
  const { method, params = {} } = input;
  return typeof method === "string" && isObject(params) ? { method, params } : undefined;
}

/** The request with those answers that its agent was asked for. Throws `RecordingFailed`. */
export function withAskedInputs(context: AskContext, { sender, request }: Called): ClientRequest {
  const { inputResponses: given, ...params } = request.params ?? {};
  if (given === undefined) {
    return request;
  }
  const { waiting, recording, server } = context;
  const kept: JsonObject = {};
  for (const [name, answer] of isObject(given) ? Object.entries(given) : []) {
    const place = placeOf(request, name);
    const ask = waiting.find(({ key, agent }) => key === place && agent === sender.agent);
    const written = JSON.stringify({ jsonrpc: "2.0", id: 0, result: answer });
    const [message] = readServerMessages(toByteText(written)) ?? [];
    const shown = message?.kind === "result" ? ask?.inspecting.pass(message) : undefined;
    if (ask === undefined || shown === undefined) {
      recording.noteRepeated("agent_answer_dropped", server, { server, agent: sender.agent });
      continue;
    }
    waiting.end(ask, "ok", collectEvidence(shown));
    const result = readMembers(shown.text, context.limits.maxDepth)?.["result"];
    kept[name] = result === undefined ? answer : result;
  }
  const isAnswered = Object.keys(kept).length > 0;
  return { ...request, params: { ...params, ...(isAnswered && { inputResponses: kept }) } };
}

/** What is asked in one request is answered in the next that names the same. */
function placeOf({ method, params }: ClientRequest, input: string): string {
  const { kind, name } = NAMED_METHODS.get(method)?.read(params ?? {}) ?? {};
  return JSON.stringify([method, kind ?? null, name ?? null, input]);
}
