/** The short form of the long run: what must not be lost or left is looked for, the heap of so few calls says nothing. */
import { expect, it } from "vitest";
import { z } from "zod";
import { bench } from "../support/bench-command.ts";

const Figures = z.looseObject({
  figures: z.array(z.looseObject({ case: z.string(), measure: z.string(), median: z.number() })),
});

it("2,000 calls are all on the log, and leave no socket and no child", { timeout: 240_000 }, async () => {
  const { code, stdout, stderr } = await bench("soak", "--json", "--calls", "2000");
  expect(code, stderr).toBe(0);
  const { figures } = Figures.parse(JSON.parse(stdout));
  expect(figures.map((figure) => `${figure.case}, ${figure.measure}`)).toEqual([
    "2000 calls, heap growth per call",
    "2000 calls, heap after the warm-up",
    "2000 calls, heap at the end",
    "2000 calls, calls per second",
  ]);
});
