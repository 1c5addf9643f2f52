/**
 * What the gate learns from a server's list, whoever asked for it: what there is goes on the log, what of a locked
 * server is not the reviewed one is found, and what an agent would see of it is cut out of it.
 */
import { isRecordingFailure } from "../../recorder.ts";
import type { ServerAnswer } from "../../messages/server-message.ts";
import { type GateContext, sightingOf } from "../gate-context.ts";
import { type Definition, type FilteredList, filterList } from "./list-filter.ts";
import { type Listing, LISTINGS } from "../named-things.ts";
import type { Sender } from "../sender.ts";
import type { Sighting } from "./sighting.ts";
import type { Visibility } from "./visibility.ts";

/** A list, from the moment that it is asked for. */
export interface AskedList {
  readonly listing: Listing;
  readonly sighting: Sighting;
  readonly generation: number;
}

export function noteAsking(context: GateContext, sender: Sender, listing: Listing): AskedList {
  const sighting = sightingOf(context, sender);
  return { listing, sighting, generation: sighting.generation };
}

/** Throws `RecordingFailed`: a list that the log does not know is not shown. */
export function takeList(
  context: GateContext,
  answer: ServerAnswer,
  { listing, sighting, generation }: AskedList,
): FilteredList | undefined {
  const { findings, limits, visibility } = context;
  const { kind } = listing;
  const catalog = context.catalogs[listing.list];
  const list = filterList(answer, {
    ...{ listing, limits },
    isVisible: ({ name, digest }) => visibility.show({ kind, name, digest }).visible,
  });
  if (list === undefined) {
    return undefined;
  }
  catalog.learn(list.definitions);
  if (kind === "tool") {
    if (visibility.isLocked) {
      sighting.learn(generation, lockedOnes(list.definitions, visibility));
    }
    list.definitions.forEach((tool) => findings.noteDefinition(tool));
  }
  list.shown.forEach((definition) => findings.noteShown(kind, definition));
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
