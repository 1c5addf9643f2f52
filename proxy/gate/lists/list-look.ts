/**
 * The gate's own look at a list of a server, as an agent would get it. No agent waits for it or hears of it.
 */
import type { ClientRequest } from "../../messages/envelope.ts";
import {
  CLIENT_CAPABILITIES,
  CLIENT_INFO,
  findClaimedRevision,
  metaOf,
  PROTOCOL_VERSION,
} from "../../messages/revision.ts";
import { isRecordingFailure } from "../../recorder.ts";
import type { GateContext } from "../gate-context.ts";
import type { Question } from "../forwarding/inquiry.ts";
import type { FilteredList } from "./list-filter.ts";
import { noteAsking, takeList } from "./list-intake.ts";
import type { Listing } from "../named-things.ts";
import type { Sender } from "../sender.ts";

export interface Look {
  readonly listing: Listing;
  /** Of the agent that it is for: in a stateless revision it says who asks. */
  readonly request: ClientRequest;
  readonly timeoutMs: number;
}

/** Nothing where there was no list in time, or none that can be read or recorded. */
export async function lookAtList(
  context: GateContext,
  sender: Sender,
  { listing, request, timeoutMs }: Look,
): Promise<FilteredList | undefined> {
  const { forwarding, limits, recording, server } = context;
  const asked = noteAsking(context, sender, listing);
  const bounds = { timeoutMs, maxBytes: limits.maxAnswerBytes };
  try {
    const answer = await forwarding.ask(sender, askForList(listing, request), bounds);
    return answer?.kind === "result" ? takeList(context, answer, asked) : undefined;
  } catch (error) {
    // What cannot be recorded was not seen; nor was what cannot be understood.
    if (!isRecordingFailure(error)) {
      const name = error instanceof Error ? error.name : "unknown";
      recording.noteRepeated("internal_error", server, { server, error: name });
    }
    return undefined;
  }
}

function askForList({ method }: Listing, request: ClientRequest): Question {
  const meta = findClaimedRevision(request) === undefined ? undefined : metaOf(request);
  const said = [PROTOCOL_VERSION, CLIENT_INFO].flatMap((name) => {
    const member = meta?.[name];
    return member === undefined ? [] : [[name, member] as const];
  });
  return {
    method,
    params:
      meta === undefined ? undefined : { _meta: { ...Object.fromEntries(said), [CLIENT_CAPABILITIES]: {} } },
  };
}
