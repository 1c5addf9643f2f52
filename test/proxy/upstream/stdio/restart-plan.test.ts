import { describe, expect, it } from "vitest";
import { type Restart, RestartPlan } from "../../../../proxy/upstream/stdio/restart-plan.ts";

const BOUNDS = { maxRestarts: 4, restartWindowMs: 600_000, restartDelayMs: 250, maxRestartDelayMs: 10_000 };
const MIDDLE = (): number => 0.5;

const delayOf = (restart: Restart): number => {
  if (!restart.ok) {
    throw new Error("no restart");
  }
  return restart.afterMs;
};

describe("a server that ends again and again", () => {
  it("is started again after four times as long each time, up to the longest, and then no more", () => {
    const plan = new RestartPlan(BOUNDS, MIDDLE);
    expect([0, 1_000, 5_000, 20_000].map((now) => delayOf(plan.noteEnd(now)))).toEqual([
      250, 1_000, 4_000, 10_000,
    ]);
    expect(plan.count).toBe(4);
    expect(plan.noteEnd(60_000)).toEqual({ ok: false });
  });

  it("is as new once what happened is out of the window", () => {
    const plan = new RestartPlan({ ...BOUNDS, maxRestarts: 1 }, MIDDLE);
    expect(delayOf(plan.noteEnd(0))).toBe(250);
    expect(plan.noteEnd(599_999)).toEqual({ ok: false });
    expect(delayOf(plan.noteEnd(600_000))).toBe(250);
  });

  it("does not start with those that ended at the same time: a quarter earlier or later", () => {
    expect(delayOf(new RestartPlan(BOUNDS, () => 0).noteEnd(0))).toBe(187.5);
    expect(delayOf(new RestartPlan(BOUNDS, () => 1).noteEnd(0))).toBe(312.5);
  });

  it("with many processes counts once while a restart is due", () => {
    const plan = new RestartPlan(BOUNDS, MIDDLE);
    expect([0, 10, 100, 249].map((now) => delayOf(plan.noteEnd(now)))).toEqual([250, 240, 150, 1]);
    expect(plan.count).toBe(1);
  });

  it("that may not be restarted is down at its first end", () => {
    expect(new RestartPlan({ ...BOUNDS, maxRestarts: 0 }, MIDDLE).noteEnd(0)).toEqual({ ok: false });
  });
});
