/**
 * `tools/list`: the agent sees what a grant names and a person reviewed, without what it hides; the log learns what
 * the server has.
 */
import { RecordingFailed } from "../recorder.ts";
import { cleanDefinition } from "../inspection/definition-cleaning.ts";
import { answerFailure } from "../messages/refusals.ts";
import type { ServerAnswer } from "../messages/server-message.ts";
import { type Amendment, passUnchanged } from "./amendment.ts";
import { withoutClientCapabilities } from "./capabilities.ts";
import { type Asked, type GateContext, sightingOf } from "./gate-context.ts";
import type { Sighting } from "./sighting.ts";
import { filterToolList, type ToolDefinition, type ToolList } from "./tool-list.ts";

export function passToolListing(context: GateContext, { sender, request, reply }: Asked): void {
  const page = openPage(sightingOf(context, sender), request.params?.["cursor"]);
  const amend = (answer: ServerAnswer): Amendment => {
    if (answer.kind === "error") {
      return passUnchanged(answer);
    }
    const list = takeToolList(context, answer, page);
    if (list === undefined) {
      const message = `The server "${context.server}" sent a list of tools that cannot be read`;
      return { outcome: "blocked", refusal: answerFailure(request.id, message) };
    }
    return { outcome: "ok", message: list.message };
  };
  context.forwarding.request(sender, withoutClientCapabilities(request), { reply, amend });
}

/** One page, from the moment that it is asked for. */
export interface Page {
  readonly sighting: Sighting;
  readonly generation: number;
  readonly cursor: string | undefined;
}

export function openPage(sighting: Sighting, cursor: unknown): Page {
  const { generation } = sighting;
  return { sighting, generation, cursor: typeof cursor === "string" ? cursor : undefined };
}

/** Takes notice of what a server lists. Throws `RecordingFailed`: a list that the log does not know is not shown. */
export function takeToolList(
  context: GateContext,
  answer: ServerAnswer,
  { sighting, generation, cursor }: Page,
): ToolList | undefined {
  const { catalog, findings, limits, visibility } = context;
  const shown: (() => void)[] = [];
  const list = filterToolList(answer, limits, (tool, text) => {
    if (!visibility.show(tool.name, tool.digest).visible) {
      return undefined;
    }
    const cleaned = cleanDefinition(text);
    shown.push(() => findings.noteShown(tool, cleaned.removed));
    return cleaned.text;
  });
  if (list === undefined || !catalog.learn({ ...list, cursor })) {
    return undefined;
  }
  if (visibility.isLocked) {
    sighting.learn(generation, lockedOnes(list.definitions, visibility));
  }
  list.definitions.forEach((tool) => findings.noteDefinition(tool));
  shown.forEach((note) => note());
  catalog.recordNews(() => recordCatalog(context));
  return list;
}

/** Where a name stands twice, the one that is not the reviewed one counts. */
function lockedOnes(
  tools: readonly ToolDefinition[],
  visibility: GateContext["visibility"],
): ToolDefinition[] {
  const locked = tools.filter(({ name }) => visibility.lockedDigestOf(name) !== undefined);
  const isReviewed = ({ name, digest }: ToolDefinition): boolean =>
    visibility.judgeDefinition(name, digest) === "reviewed";
  return [...locked.filter(isReviewed), ...locked.filter((tool) => !isReviewed(tool))];
}

/** Other tools are visible than before: on the log now, or with the next list at the latest. */
export function noteCatalog(context: GateContext): void {
  context.catalog.markUnrecorded();
  try {
    context.catalog.recordNews(() => recordCatalog(context));
  } catch (error) {
    if (!(error instanceof RecordingFailed)) {
      throw error;
    }
  }
}

function recordCatalog({ catalog, visibility, recording, server }: GateContext): void {
  const tools = [...catalog.tools].map(([name, { digest }]) => ({
    ...{ name, digest },
    ...visibility.show(name, digest),
  }));
  recording.recordCatalog({ server, tools });
}
