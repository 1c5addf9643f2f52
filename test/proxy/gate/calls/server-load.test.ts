import { expect, test } from "vitest";
import { ServerLoad } from "../../../../proxy/gate/calls/server-load.ts";
import fc from "../../../support/properties.ts";

test("calls within any 60 seconds are never more than allowed, and one is let through as soon as there is room", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), gaps, (max, waits) => {
      const load = new ServerLoad({ maxConcurrentCalls: 1, maxCallsPerMinute: max });
      const passed: number[] = [];
      let now = 0;
      for (const wait of waits) {
        now += wait;
        const recent = passed.filter((time) => now - time < 60_000);
        const overload = load.findOverload(now);
        expect(overload === undefined).toBe(recent.length < max);
        if (overload === undefined) {
          load.noteCall(now);
          passed.push(now);
        } else if (overload.limit === "calls_per_minute") {
          const again = now + overload.retryAfterSeconds * 1000;
          expect(load.findOverload(again)).toBeUndefined();
          expect(load.findOverload(again - 1_000)).toBeDefined();
        }
      }
    }),
  );
});

test("requests in work are counted until they end, whatever they ask", () => {
  const load = new ServerLoad({ maxConcurrentCalls: 2, maxCallsPerMinute: Number.POSITIVE_INFINITY });
  expect([load.take(), load.take(), load.take()]).toEqual([true, true, false]);
  expect(load.findOverload(0)).toEqual({ limit: "concurrent_calls", max: 2 });
  load.free();
  expect(load.findOverload(0)).toBeUndefined();
});
