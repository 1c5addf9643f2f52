import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { findNearestName, suggestNames } from "../../../policies/documents/nearest-name.ts";

describe("did you mean", () => {
  const known = ["workflow", "events", "ref", "runner", "roles"];
  it.each([
    ["worfklow", "workflow"],
    ["event", "events"],
    ["Events", "events"],
    ["rnner", "runner"],
    ["role", "roles"],
    ["work", "workflow"],
  ])("%s: %s", (name, nearest) => {
    expect(findNearestName(name, known)).toBe(nearest);
  });

  it.each(["credential", "x", "", "r".repeat(100)])("nothing near %j", (name) => {
    expect(findNearestName(name, known)).toBeUndefined();
  });

  it("lists what exists where nothing is near", () => {
    expect(suggestNames("credential", known)).toBe("there is workflow, events, ref, runner, roles");
    expect(suggestNames("credential", [])).toBe("there is none yet");
  });

  it("finds a name again when one letter of it is changed, removed or added", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c", "_"), minLength: 4, maxLength: 12 });
    fc.assert(
      fc.property(letters, fc.nat(), fc.constantFrom(0, 1, 2), (name, position, change) => {
        const at = position % name.length;
        const changed = [
          `${name.slice(0, at)}x${name.slice(at + 1)}`,
          name.slice(0, at) + name.slice(at + 1),
          `${name.slice(0, at)}x${name.slice(at)}`,
        ][change];
        expect(findNearestName(changed ?? "", [name])).toBe(name);
      }),
    );
  });
});
