/** When a key is published and signs: what holds for every sequence of rotations at every moment. */
import fc from "../../support/properties.ts";
import { describe, expect, test } from "vitest";
import { PUBLISH_AHEAD_MS, TOKEN_KEY_KEPT_MS, scheduleKeys } from "../../../broker/keys/key-schedule.ts";

const START = 1_700_000_000_000;
const keysAt = (...ages: number[]) =>
  ages.map((at, index) => ({
    kid: `k${index + 1}`,
    serial: index + 1,
    created_at: START + at,
    distrusted_at: null,
  }));
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

describe("a key that is distrusted", () => {
  const MINUTE_MS = 60_000;
  /** Each key: when it was made and, where it is, when it was distrusted, in minutes; and the phases at a minute. */
  const phases = (keys: readonly (readonly [number, number?])[], minute: number): string[] =>
    scheduleKeys(
      "token",
      keysAt(...keys.map(([at]) => at * MINUTE_MS)).map((key, index) => {
        const at = keys[index]?.[1];
        return { ...key, distrusted_at: at === undefined ? null : START + at * MINUTE_MS };
      }),
      START + minute * MINUTE_MS,
    ).map(({ phase }) => phase);

  test.each([
    ["hands over at once to the one that is made then", [[0, 5], [5]], 5, ["distrusted", "signing"]],
    ["hands over at once to the one that waited", [[0, 5], [3]], 5, ["distrusted", "signing"]],
    ["and waited: the one before it goes on", [[0], [3, 5]], 60, ["signing", "distrusted"]],
    [
      "and waited: the next one waits as long as any",
      [[0], [3, 5], [6]],
      15,
      ["signing", "distrusted", "pending"],
    ],
    [
      "and waited: the next one signs in its time",
      [[0], [3, 5], [6]],
      16,
      ["verifying", "distrusted", "signing"],
    ],
    ["after the one that waited was", [[0, 6], [3, 5], [6]], 6, ["distrusted", "distrusted", "signing"]],
    ["and signed no more: nothing changes for the others", [[0, 30], [3]], 30, ["distrusted", "signing"]],
    ["is not followed by an older one", [[0], [3, 30], [30]], 30, ["verifying", "distrusted", "signing"]],
    [
      "by a clock that is ahead has a successor all the same",
      [[0], [3, 31], [31]],
      30,
      ["verifying", "distrusted", "signing"],
    ],
  ] as const)("%s", (_, keys, minute, expected) => {
    expect(phases(keys, minute)).toEqual(expected);
  });
});
