import { describe, expect, it } from "vitest";
import { describePinning, parseCoreList, pinCommand } from "../../bench/pinning.ts";

describe("pinning", () => {
  it("reads the core lists that taskset prints", () => {
    expect(parseCoreList(" 0,1\n")).toEqual([0, 1]);
    expect(parseCoreList(" 0-2,5")).toEqual([0, 1, 2, 5]);
    expect(parseCoreList("")).toEqual([]);
    expect(parseCoreList("all of them")).toEqual([]);
  });

  it("puts each side on its core", () => {
    const pinning = { kind: "taskset", cores: { load: 0, contender: 3 } } as const;
    expect(pinCommand(pinning, "contender", ["node", "-e", "0"])).toEqual([
      "taskset",
      ["-c", "3", "node", "-e", "0"],
    ]);
    expect(pinCommand(pinning, "load", ["node"])).toEqual(["taskset", ["-c", "0", "node"]]);
  });

  it("leaves the command as it is where there is no pinning, and says why", () => {
    const pinning = { kind: "none", reason: "there is no taskset on this machine" } as const;
    expect(pinCommand(pinning, "load", ["node", "-e", "0"])).toEqual(["node", ["-e", "0"]]);
    expect(describePinning(pinning)).toBe("not pinned to cores: there is no taskset on this machine");
  });
});
