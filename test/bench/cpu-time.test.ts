import { describe, expect, it } from "vitest";
import { readCpuTimeUs } from "../../bench/cpu-time.ts";

describe("processor time", () => {
  it.runIf(process.platform === "linux")("grows by what the process works", async () => {
    const before = await readCpuTimeUs(process.pid);
    const used = process.cpuUsage();
    while (process.cpuUsage(used).user < 50_000);
    const after = await readCpuTimeUs(process.pid);
    expect((after ?? 0) - (before ?? 0)).toBeGreaterThan(40_000);
  });

  it("is unknown of a process that is not there", async () => {
    expect(await readCpuTimeUs(2 ** 30)).toBeUndefined();
  });
});
