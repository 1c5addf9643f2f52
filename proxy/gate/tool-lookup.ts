/**
 * The gate's own look at the tools of a locked server, on the session of whoever calls: before a reviewed tool is
 * called whose present definition nobody has seen. Once at a time, and bounded in time, pages and bytes.
 */
import type { ClientRequest } from "../messages/envelope.ts";
import {
  CLIENT_CAPABILITIES,
  CLIENT_INFO,
  findClaimedRevision,
  metaOf,
  PROTOCOL_VERSION,
} from "../messages/revision.ts";
import { isRecordingFailure } from "../recorder.ts";
import { type Asked, type GateContext, sightingOf } from "./gate-context.ts";
import type { Question } from "./inquiry.ts";
import type { Sender } from "./sender.ts";
import { openPage, takeList } from "./listing.ts";
import { TOOLS } from "./named-things.ts";

/** A list that changes while it is read is read again so many times. */
const MAX_LOOKS = 3;
const MAX_PAGES = 100;

/** Whether this call waits for it: a name that nothing shows, or nobody reviewed, is answered without asking the server. */
export function needsLook(context: GateContext, sender: Sender, { params }: ClientRequest): boolean {
  const { visibility } = context;
  const name = params?.["name"];
  if (!visibility.isLocked || typeof name !== "string" || visibility.lockedDigestOf(name) === undefined) {
    return false;
  }
  const sighting = sightingOf(context, sender);
  return (
    sighting.digestOf(name) === undefined &&
    !sighting.isWhole &&
    context.sessionState().active &&
    visibility.shows("tool", name)
  );
}

/** Resolves when everything was seen, or could not be. */
export function lookAtTools(context: GateContext, asked: Asked): Promise<void> {
  const sighting = sightingOf(context, asked.sender);
  sighting.lookup ??= lookUntilSettled(context, asked)
    .catch((error: unknown) => {
      // What cannot be recorded was not seen; nor was what cannot be understood.
      if (!isRecordingFailure(error)) {
        const { recording, server } = context;
        const name = error instanceof Error ? error.name : "unknown";
        recording.noteRepeated("internal_error", server, { server, error: name });
      }
    })
    .finally(() => {
      sighting.lookup = undefined;
    });
  return sighting.lookup;
}

async function lookUntilSettled(context: GateContext, asked: Asked): Promise<void> {
  const sighting = sightingOf(context, asked.sender);
  const deadline = performance.now() + context.limits.lookTimeoutMs;
  for (let look = 0; look < MAX_LOOKS && !sighting.isWhole; look++) {
    const { generation } = sighting;
    if (!(await readWholeList(context, asked, deadline))) {
      return;
    }
    sighting.conclude(generation);
  }
}

/** False where the list could not be read to its end. */
async function readWholeList(
  context: GateContext,
  { sender, request }: Asked,
  deadline: number,
): Promise<boolean> {
  const { forwarding, limits } = context;
  let maxBytes = limits.maxAnswerBytes;
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
    const opened = openPage(sightingOf(context, sender), { listing: TOOLS, cursor });
    const answer = await forwarding.ask(sender, askForPage(request, cursor), { timeoutMs, maxBytes });
    if (answer?.kind !== "result") {
      return false;
    }
    maxBytes -= answer.text.length;
    const list = takeList(context, answer, opened);
    if (list?.nextCursor === undefined) {
      return list !== undefined;
    }
    cursor = list.nextCursor;
  }
  return false;
}

/** In a stateless revision a request says who asks: the same as in the call that it is asked for. */
function askForPage(request: ClientRequest, cursor: string | undefined): Question {
  const meta = findClaimedRevision(request) === undefined ? undefined : metaOf(request);
  const said = [PROTOCOL_VERSION, CLIENT_INFO].flatMap((name) => {
    const member = meta?.[name];
    return member === undefined ? [] : [[name, member] as const];
  });
  const params = {
    ...(cursor !== undefined && { cursor }),
    ...(meta !== undefined && { _meta: { ...Object.fromEntries(said), [CLIENT_CAPABILITIES]: {} } }),
  };
  return { method: TOOLS.method, params: Object.keys(params).length === 0 ? undefined : params };
}
