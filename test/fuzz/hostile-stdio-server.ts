/**
 * A server over stdio that deals its strokes in turn and writes down what it got before it does: one JSON line each.
 * `FUZZ_PLAN` holds its strokes and its era, `FUZZ_TRANSCRIPT` the file.
 */
import { appendFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { composeTexts, type Stroke, TOOLS } from "./answers.ts";

export interface StdioPlan {
  readonly strokes: readonly Stroke[];
  readonly isStateless: boolean;
}

/** A line of the transcript; the first of a process has no text. */
export interface StdioReception {
  readonly pid: number;
  readonly atMs: number;
  readonly text?: string;
}

export const STDIO_COMMAND = [process.execPath, import.meta.filename];

async function deal(stroke: Stroke, text: string): Promise<void> {
  const asked: ReturnType<typeof JSON.parse> = JSON.parse(text);
  if (asked.id === undefined || asked.method === undefined) {
    return;
  }
  await sleep(stroke.delayMs);
  for (const said of composeTexts(stroke, asked, TOOLS)) {
    writeSync(1, `${said}${stroke.form === "crlf events" ? "\r" : ""}\n`);
  }
  if (stroke.ending === "die") {
    process.exit(3);
  } else if (stroke.ending === "cut") {
    writeSync(1, '{"jsonrpc":"2.0","id":1,"res');
    process.exit(0);
  }
}

if (import.meta.main) {
  const plan: StdioPlan = JSON.parse(process.env["FUZZ_PLAN"] ?? "");
  const note = (text?: string): void => {
    const reception: StdioReception = {
      pid: process.pid,
      atMs: Date.now(),
      ...(text !== undefined && { text }),
    };
    appendFileSync(process.env["FUZZ_TRANSCRIPT"] ?? "", `${JSON.stringify(reception)}\n`);
  };
  note();
  process.stdout.on("error", () => undefined);
  let dealt = 0;
  createInterface({ input: process.stdin }).on("line", (line) => {
    note(line);
    const { id, method } = JSON.parse(line);
    if (method === "server/discover" && !plan.isStateless) {
      writeSync(1, `${JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32601, message: "no" } })}\n`);
      return;
    }
    const stroke = plan.strokes[dealt++ % plan.strokes.length];
    if (stroke !== undefined) {
      void deal(stroke, line);
    }
  });
}
