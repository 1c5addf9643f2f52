/** A program's side of the conversation with the bench that started it: options in, JSON lines in both directions. */
import { createInterface } from "node:readline";
import type * as z from "zod/mini";

export function readOptions<Schema extends z.ZodMiniType>(schema: Schema): z.infer<Schema> {
  return schema.parse(JSON.parse(process.argv[2] ?? "{}"));
}

/** Says that it is ready, then answers one question after the other; ends the process when its parent is gone. */
export async function serveParent(
  ready: unknown,
  answer?: (question: unknown) => Promise<unknown>,
): Promise<never> {
  say({ ok: true, value: ready });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say({ ok: true, value: (await answer?.(JSON.parse(line))) ?? null });
    } catch (error) {
      say({ ok: false, message: error instanceof Error ? error.message : String(error) });
    }
  }
  process.exit(0);
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
