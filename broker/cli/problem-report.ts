/**
 * Problems of policy documents as a person reads them: the place, what to change, and the line it is about.
 */
import { join } from "node:path";
import type { PolicyFile } from "../../policies/documents/document.ts";
import type { Problem } from "../../policies/documents/problem.ts";

export interface ReportedFiles {
  readonly directory: string;
  readonly files: readonly PolicyFile[];
}

const longestExcerpt = 120;
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** `FILE:LINE:COLUMN: KEY: MESSAGE`, then the line with a mark under the column. */
export function reportProblem(
  problem: Problem,
  from: ReportedFiles,
  severity: "error" | "warning" | "note",
): string {
  const { file, line, column, key, message } = problem;
  const place = `${join(from.directory, file)}:${line}:${column}`;
  const sentence = `${place}: ${severity}: ${key === "" ? "" : `${key}: `}${message}`;
  const source = from.files.find((each) => each.path === file)?.text.split(/\r?\n/)[line - 1];
  if (source === undefined || source.trim() === "" || problem.concealed === true) {
    return `${showControls(sentence)}\n`;
  }
  const start = Math.max(0, column - Math.floor(longestExcerpt / 2));
  const gutter = " ".repeat(String(line).length);
  const mark = " ".repeat(column - 1 - start);
  return [
    showControls(sentence),
    `  ${line} | ${showControls(source.slice(start, start + longestExcerpt))}`,
    `  ${gutter} | ${mark}^`,
    "",
  ].join("\n");
}

/** A document, a log or a server may hold what moves a cursor, turns text around or takes no room: a terminal gets it as visible dots. */
export function showControls(text: string): string {
  return text.replace(unseen, "·");
}
