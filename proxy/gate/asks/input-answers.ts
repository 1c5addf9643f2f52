/**
 * What an agent answers to the inputs that a server asked for within a result: an answer goes on only from the agent
 * that was asked, for the request it was asked in, and once. What nobody was asked for would be taken for the word of a
 * person.
 */
import { type ClientRequest, isObject, type JsonObject } from "../../messages/envelope.ts";
import { toByteText } from "../../messages/json-spans.ts";
import { readServerMessages } from "../../messages/server-message.ts";
import { readMembers } from "../../messages/server-params.ts";
import { wasRecorded } from "../../recorder.ts";
import type { AskContext } from "./ask-decision.ts";
import { collectEvidence } from "../forwarding/evidence.ts";
import { type Called, placeOf } from "./input-requests.ts";
import type { Sender } from "../sender.ts";
import { reopenAsks } from "./shared-asks.ts";
import type { WaitingAsk } from "./waiting-asks.ts";

/** `then` gets the request with those answers that its agent was asked for, or nothing where they are not on the log. */
export function takeAskedInputs(
  context: AskContext,
  { sender, request }: Omit<Called, "callId">,
  then: (request: ClientRequest | undefined) => void,
): void {
  const { inputResponses: given, ...params } = request.params ?? {};
  const { state, find } = openPlaces(context, sender, params);
  const restored = state === undefined ? params : withServerState(params, state);
  if (given === undefined) {
    then(state === undefined ? request : { ...request, params: restored });
    return;
  }
  const { waiting, recording, server, limits } = context;
  const drop = (): void =>
    recording.noteRepeated("agent_answer_dropped", server, { server, agent: sender.agent });
  const answers = (isObject(given) ? Object.entries(given) : []).flatMap(([name, answer]) => {
    const ask = find(placeOf(request, name));
    const written = JSON.stringify({ jsonrpc: "2.0", id: 0, result: answer });
    const [message] = readServerMessages(toByteText(written)) ?? [];
    const shown = message?.kind === "result" ? ask?.inspecting.pass(message) : undefined;
    if (ask === undefined || shown === undefined) {
      drop();
      return [];
    }
    return [{ name, answer, ask, shown }];
  });
  const asks = answers.map(({ ask }) => ask);
  waiting.claim(asks, (own) => {
    const kept: JsonObject = {};
    const isRecorded = wasRecorded(() => {
      for (const { name, answer, ask, shown } of answers) {
        if (own.includes(ask)) {
          waiting.end(ask, "ok", collectEvidence(shown));
          const result = readMembers(shown.text, limits.maxDepth)?.["result"];
          kept[name] = result === undefined ? answer : result;
        } else {
          drop();
        }
      }
    });
    const isAnswered = Object.keys(kept).length > 0;
    const taken = { ...request, params: { ...restored, ...(isAnswered && { inputResponses: kept }) } };
    then(isRecorded ? taken : undefined);
  });
}

interface Places {
  /** Of the server, in the place of what was sealed: JSON, or "" where it had none. */
  readonly state: string | undefined;
  readonly find: (place: string) => WaitingAsk | undefined;
}

/** What can be answered: by what is remembered here, or by what was sealed. */
function openPlaces(context: AskContext, sender: Sender, params: JsonObject): Places {
  if (context.shared === undefined) {
    const find = (place: string): WaitingAsk | undefined =>
      context.waiting.find(({ key, agent }) => key === place && agent === sender.agent);
    return { state: undefined, find };
  }
  const sealed = params["requestState"];
  const opened = typeof sealed === "string" ? reopenAsks(context, sender, sealed) : undefined;
  return {
    state: opened && (opened.state ?? ""),
    find: (place) => opened?.asks.find(({ key }) => key === place),
  };
}

function withServerState({ requestState: _, ...params }: JsonObject, state: string): JsonObject {
  const own = state === "" ? undefined : readMembers(`{"own":${state}}`, 2)?.["own"];
  return own === undefined ? params : { ...params, requestState: own };
}
