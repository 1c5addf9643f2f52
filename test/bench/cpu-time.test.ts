import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { readCpuTimeUs, readTreeCpuTimeUs } from "../../bench/cpu-time.ts";

describe("processor time", () => {
  it.runIf(process.platform === "linux")("grows by what the process works", async () => {
    const before = await readCpuTimeUs(process.pid);
    const used = process.cpuUsage();
    while (process.cpuUsage(used).user < 50_000);
    const after = await readCpuTimeUs(process.pid);
    expect((after ?? 0) - (before ?? 0)).toBeGreaterThan(40_000);
  });

  it.runIf(process.platform === "linux")("of a tree is that of its children, too", async () => {
    const script =
      "const used = process.cpuUsage(); while (process.cpuUsage(used).user < 50_000); console.log()";
    const child = spawn(process.execPath, ["-e", `${script}; setInterval(() => {}, 1000)`]);
    await once(child.stdout, "data");
    const [own = 0, tree = 0] = [await readCpuTimeUs(process.pid), await readTreeCpuTimeUs(process.pid)];
    child.kill();
    expect(tree - own).toBeGreaterThan(40_000);
  });

  it("is unknown of a process that is not there", async () => {
    expect(await readCpuTimeUs(2 ** 30)).toBeUndefined();
  });
});
