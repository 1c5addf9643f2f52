/** When a key is published and signs: what holds for every sequence of rotations at every moment. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PUBLISH_AHEAD_MS, TOKEN_KEY_KEPT_MS, scheduleKeys } from "../../../broker/keys/key-schedule.ts";

const START = 1_700_000_000_000;
const keysAt = (...ages: number[]) =>
  ages.map((at, index) => ({ kid: `k${index + 1}`, serial: index + 1, created_at: START + at }));
const phasesOf = (purpose: "token" | "checkpoint", ages: number[], at: number): string[] =>
  scheduleKeys(purpose, keysAt(...ages), START + at).map(({ phase }) => phase);

describe("a token key", () => {
  const rotated = 1_000_000;
  const switched = rotated + PUBLISH_AHEAD_MS;
  test.each([
    ["the first signs from the moment it is made", [0], 0, ["signing"]],
    ["a new one is published before it signs", [0, rotated], rotated, ["signing", "pending"]],
    ["until a millisecond before its time", [0, rotated], switched - 1, ["signing", "pending"]],
    ["then it signs, and the old one still verifies", [0, rotated], switched, ["verifying", "signing"]],
    ["as long as its tokens live", [0, rotated], switched + TOKEN_KEY_KEPT_MS - 1, ["verifying", "signing"]],
    ["then it retires", [0, rotated], switched + TOKEN_KEY_KEPT_MS, ["retired", "signing"]],
  ])("%s", (_, ages, at, phases) => {
    expect(phasesOf("token", ages, at)).toEqual(phases);
  });
});

test("a checkpoint key never retires", () => {
  const tenYears = 10 * 365 * 24 * 3_600_000;
  expect(phasesOf("checkpoint", [0, 1_000_000, 9_000_000], tenYears)).toEqual([
    "verifying",
    "verifying",
    "signing",
  ]);
});

test("the first key signs although the clock that made it is ahead", () => {
  expect(phasesOf("token", [5_000], 0)).toEqual(["signing"]);
});

test("always exactly one signs; whatever signed in the last 26 hours is published, and so is what signs in ten minutes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5 * 86_400_000 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 8 * 86_400_000 }),
      fc.integer({ min: 0, max: TOKEN_KEY_KEPT_MS - 1 }),
      (gaps, at, age) => {
        const ages = gaps.map((gap, index) => (index === 0 ? 0 : gap)).sort((one, other) => one - other);
        const now = scheduleKeys("token", keysAt(...ages), START + at);
        expect(now.filter(({ phase }) => phase === "signing")).toHaveLength(1);
        const signerAt = (time: number): string | undefined =>
          scheduleKeys(
            "token",
            keysAt(...ages.filter((created) => created <= Math.max(0, time))),
            START + time,
          ).find(({ phase }) => phase === "signing")?.kid;
        const published = now.filter(({ phase }) => phase !== "retired").map(({ kid }) => kid);
        expect(published).toContain(signerAt(at));
        if (at >= age) expect(published).toContain(signerAt(at - age));
        // Ten minutes before it signs, every key was published already.
        const signer = signerAt(at) ?? "";
        const created = START + (ages[Number(signer.slice(1)) - 1] ?? 0);
        if (signer !== "k1") expect(START + at - created).toBeGreaterThanOrEqual(PUBLISH_AHEAD_MS);
      },
    ),
  );
});
