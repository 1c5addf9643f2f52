import { join } from "node:path";
import { env } from "node:process";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What Node compiled of the sources: each process and each thread that a test starts would do it again. */
env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules", ".cache", "node-compile");

/** Files that take long whatever their size: whoever of them began last would be waited for alone. */
const LONGEST = [
  "conformance/conformance",
  "proxy/upstream/stdio/restarts",
  "broker/policies/running-sessions",
  "broker/relay/relay",
  "fuzz/fuzz",
  "bench/relay",
  "bin/main",
  "broker/identity/issuer-attacks",
  "broker/policies/reloading",
  "docs/policies",
  "bench/main",
  "proxy/gate/lists/list-changes",
  "action/lost-proxy",
  "broker/sessions/session-credentials",
  "broker/replicas",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONGEST.some((name) => moduleId.endsWith(`/test/${name}.test.ts`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Twice the cores of the smallest machine that runs them: half of a test's time is spent waiting for processes.
    maxWorkers: 4,
    // What is waited for comes late on a busy machine, and is not wrong for that.
    testTimeout: 40_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    sequence: { sequencer: LongestFirst },
    reporters: ["default"],
  },
});
