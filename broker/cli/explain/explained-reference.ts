/**
 * What the broker's log has under a reference that a caller was given: the code, what exactly did not fit, and what the
 * caller was told. The log is read line by line, so its size does not matter.
 */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { z } from "zod";
import { REFUSALS, type RefusalCode } from "../../refusals.ts";

const isCode = (code: string): code is RefusalCode => Object.hasOwn(REFUSALS, code);
const Entry = z.object({
  reference: z.string(),
  code: z.string().refine(isCode),
  detail: z.string(),
  time: z.number().optional(),
  mismatches: z.array(z.object({ field: z.string(), expected: z.string(), got: z.string() })).optional(),
});

export interface ExplainedReference {
  readonly reference: string;
  readonly code: RefusalCode;
  readonly status: number;
  /** What the caller saw. */
  readonly sentence: string;
  readonly detail: string;
  /** ISO 8601. */
  readonly time: string | undefined;
  readonly mismatches: readonly { field: string; expected: string; got: string }[];
}

/** Undefined: no line has it. Rejects when the log cannot be read. */
export async function findReference(
  reference: string,
  input: Readable,
): Promise<ExplainedReference | undefined> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const { promise: failed, reject } = Promise.withResolvers<never>();
  input.once("error", reject);
  try {
    return await Promise.race([search(reference, lines), failed]);
  } finally {
    lines.close();
    input.destroy();
  }
}

async function search(
  reference: string,
  lines: AsyncIterable<string>,
): Promise<ExplainedReference | undefined> {
  for await (const line of lines) {
    // Of a long log most lines are about something else: only those that could be it are parsed.
    if (!line.includes(reference)) continue;
    const entry = Entry.safeParse(parseLine(line)).data;
    if (entry?.reference !== reference) continue;
    const { code, detail, time, mismatches = [] } = entry;
    const { status, sentence } = REFUSALS[code];
    return {
      reference,
      code,
      status,
      sentence,
      detail,
      time: time === undefined ? undefined : new Date(time).toISOString(),
      mismatches,
    };
  }
  return undefined;
}

/** Some collectors put a prefix before the line that the broker wrote. */
function parseLine(line: string): unknown {
  try {
    return JSON.parse(line.slice(line.indexOf("{")));
  } catch {
    return undefined;
  }
}
