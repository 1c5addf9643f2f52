/**
 * How a grant names tools: exactly, or by a prefix with one `*` at its end.
 * Names are compared code point by code point: what looks alike is not alike.
 */
import * as z from "zod/mini";

/** No space, control character or `*` is part of a tool's name. */
const nameCharacter = "[^\\s*\\u0000-\\u001f\\u007f]";

export const ToolName = z
  .string()
  .check(
    z.regex(
      new RegExp(`^${nameCharacter}{1,128}$`, "u"),
      "expected the name of one tool, without spaces and without *",
    ),
    z.describe("The exact name of a tool of this server."),
  );

export const ToolPattern = z
  .string()
  .check(
    z.regex(
      new RegExp(`^(?:${nameCharacter}{1,128}\\*?|\\*)$`, "u"),
      "expected the exact name of a tool, or a prefix with one * at its end",
    ),
    z.describe("The exact name of a tool, or a prefix with one * at its end: get_issue, get_*."),
  );

/** The prefix that a pattern asks for; undefined for an exact name. */
export function prefixOf(pattern: string): string | undefined {
  return pattern.endsWith("*") ? pattern.slice(0, -1) : undefined;
}
