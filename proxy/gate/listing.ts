/**
 * The lists of a server: the agent sees what a grant names (of a locked server's tools, what a person reviewed), without
 * what it hides; the log learns what the server has.
 */
import { isRecordingFailure } from "../recorder.ts";
import { send } from "../front/reply.ts";
import { cleanDefinition } from "../inspection/definition-cleaning.ts";
import type { ClientRequest } from "../messages/envelope.ts";
import { toByteText } from "../messages/json-spans.ts";
import { answerFailure, refuseCursor } from "../messages/refusals.ts";
import { findMembersOf, replaceInMessage, type ServerAnswer } from "../messages/server-message.ts";
import { type Amendment, passUnchanged } from "./amendment.ts";
import { withoutClientCapabilities } from "./capabilities.ts";
import { type Asked, type GateContext, sightingOf } from "./gate-context.ts";
import { type Definition, type FilteredList, filterList } from "./list-filter.ts";
import { type Listing, LISTINGS } from "./named-things.ts";
import type { Sighting } from "./sighting.ts";
import type { Visibility } from "./visibility.ts";

export function passListing(context: GateContext, { sender, request, reply }: Asked, listing: Listing): void {
  const given = request.params?.["cursor"];
  const cursor = typeof given === "string" ? context.cursors.open(listing.method, given) : undefined;
  if (given !== undefined && cursor === undefined) {
    send(reply, refuseCursor(request.id));
    return;
  }
  const page = openPage(sightingOf(context, sender), { listing, cursor });
  const amend = (answer: ServerAnswer): Amendment => {
    if (answer.kind === "error") {
      return passUnchanged(answer);
    }
    const list = takeList(context, answer, page);
    if (list === undefined) {
      const message = `The server "${context.server}" sent a list of ${listing.list.replace("_", " ")} that cannot be read`;
      return { outcome: "blocked", refusal: answerFailure(request.id, message) };
    }
    return { outcome: "ok", message: sealCursor(context, listing, list) };
  };
  context.forwarding.request(sender, withCursor(withoutClientCapabilities(request), cursor), {
    reply,
    amend,
  });
}

/** One page, from the moment that it is asked for. */
export interface Page {
  readonly listing: Listing;
  readonly sighting: Sighting;
  readonly generation: number;
  /** The server's own. */
  readonly cursor: string | undefined;
}

export function openPage(sighting: Sighting, wanted: Pick<Page, "listing" | "cursor">): Page {
  return { ...wanted, sighting, generation: sighting.generation };
}

/** Takes notice of what a server lists. Throws `RecordingFailed`: a list that the log does not know is not shown. */
export function takeList(
  context: GateContext,
  answer: ServerAnswer,
  { listing, sighting, generation, cursor }: Page,
): FilteredList | undefined {
  const { findings, limits, visibility } = context;
  const { kind } = listing;
  const catalog = context.catalogs[listing.list];
  const shown: (() => void)[] = [];
  const list = filterList(answer, {
    listing,
    limits,
    show: (definition, text) => {
      if (!visibility.show({ ...definition, kind }).visible) {
        return undefined;
      }
      const cleaned = cleanDefinition(text);
      shown.push(() => findings.noteShown(kind, definition, cleaned.removed));
      return cleaned.text;
    },
  });
  if (list === undefined || !catalog.learn({ ...list, cursor })) {
    return undefined;
  }
  if (kind === "tool") {
    if (visibility.isLocked) {
      sighting.learn(generation, lockedOnes(list.definitions, visibility));
    }
    list.definitions.forEach((tool) => findings.noteDefinition(tool));
  }
  shown.forEach((note) => note());
  catalog.recordNews(() => recordCatalog(context, listing));
  return list;
}

/** Where a name stands twice, the one that is not the reviewed one counts. */
function lockedOnes(tools: readonly Definition[], visibility: Visibility): Definition[] {
  const locked = tools.filter(({ name }) => visibility.lockedDigestOf(name) !== undefined);
  const isReviewed = ({ name, digest }: Definition): boolean =>
    visibility.judgeDefinition(name, digest) === "reviewed";
  return [...locked.filter(isReviewed), ...locked.filter((tool) => !isReviewed(tool))];
}

/** Others are visible than before: on the log now, or with the next list at the latest. */
export function noteCatalogs(context: GateContext, isConcerned: (listing: Listing) => boolean): void {
  const known = LISTINGS.filter(({ list }) => context.catalogs[list].known.size > 0);
  for (const listing of known.filter(isConcerned)) {
    const catalog = context.catalogs[listing.list];
    catalog.markUnrecorded();
    try {
      catalog.recordNews(() => recordCatalog(context, listing));
    } catch (error) {
      if (!isRecordingFailure(error)) {
        throw error;
      }
    }
  }
}

function recordCatalog({ catalogs, visibility, recording, server }: GateContext, listing: Listing): void {
  const { kind, list } = listing;
  const entries = [...catalogs[list].known].map(([name, { digest }]) => ({
    ...{ name, digest },
    ...visibility.show({ kind, name, digest }),
  }));
  recording.recordCatalog({ server, [list]: entries });
}

function withCursor(request: ClientRequest, cursor: string | undefined): ClientRequest {
  return cursor === undefined ? request : { ...request, params: { ...request.params, cursor } };
}

function sealCursor({ cursors }: GateContext, { method }: Listing, list: FilteredList): ServerAnswer {
  const { message, nextCursor } = list;
  const span = findMembersOf(message, "result")?.get("nextCursor");
  return span === undefined || nextCursor === undefined
    ? message
    : replaceInMessage(message, span, toByteText(JSON.stringify(cursors.seal(method, nextCursor))));
}
