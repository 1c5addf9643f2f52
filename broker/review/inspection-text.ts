/**
 * What the inspection did with the answer to a call, in sentences: secrets replaced, characters taken out, markers of
 * an injection found. A log can hold any kind: it is shown in its own words, and not more of them than a line takes.
 */
import type { RecordOf } from "../../audit/record.ts";
import { clipName } from "./bounded-text.ts";

const MAX_KINDS = 10;

export function describeInspection({ redactions, removals, markers }: RecordOf<"result">): string[] {
  return [
    ...(redactions === undefined
      ? []
      : [`Replaced before the agent got the answer: secrets (${listCounts(redactions)}).`]),
    ...(removals === undefined
      ? []
      : [
          `Taken out before the agent got the answer: characters that nobody sees (${listCounts(removals)}).`,
        ]),
    ...(markers === undefined
      ? []
      : [
          `The answer holds what is typical of an injection: ${joinKinds(markers.map(nameKind))}. The agent has read it; nothing was blocked.`,
        ]),
  ];
}

function listCounts(counts: Readonly<Record<string, number>>): string {
  return joinKinds(Object.entries(counts).map(([kind, times]) => `${nameKind(kind)}: ${times}`));
}

function joinKinds(kinds: readonly string[]): string {
  const more = kinds.length > MAX_KINDS ? ` and ${kinds.length - MAX_KINDS} more` : "";
  return `${kinds.slice(0, MAX_KINDS).join(", ")}${more}`;
}

function nameKind(kind: string): string {
  return clipName(kind).replaceAll("_", " ");
}
