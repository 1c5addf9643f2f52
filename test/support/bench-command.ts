/** The bench command as a person runs it, and what its JSON must look like: figures have a shape here, never a size. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { z } from "zod";

const main = join(import.meta.dirname, "..", "..", "bench", "main.ts");

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const bench = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });

const positive = z.number().positive();
const met = z.boolean();
const Figure = z.strictObject({
  table: z.string(),
  case: z.string(),
  measure: z.string(),
  unit: z.enum(["ms", "µs", "1/s", "%", "KiB", "ratio", ""]),
  subject: z.string(),
  median: positive,
  spread: z.null(),
  rounds: z.tuple([positive]),
  goal: z
    .union([z.strictObject({ at_most: positive, met }), z.strictObject({ at_least: positive, met })])
    .optional(),
});
const Report = z.strictObject({
  bench: z.string(),
  summary: z.string(),
  machine: z.strictObject({
    cpu: z.string(),
    cores: positive,
    system: z.string(),
    node: z.literal(process.version),
    load_average: z.number(),
  }),
  pinning: z.looseObject({ kind: z.enum(["taskset", "none"]) }),
  rounds: z.literal(1),
  spread: z.string(),
  figures: z.array(Figure),
  notes: z.array(z.string()),
});

/** Of one round. */
export const readReport = ({ code, stdout, stderr }: Ended): z.infer<typeof Report> => {
  expect(code, stderr).toBe(0);
  return Report.parse(JSON.parse(stdout));
};
