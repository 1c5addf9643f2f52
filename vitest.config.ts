import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // What is waited for comes late on a busy machine, and is not wrong for that.
    expect: { poll: { timeout: 10_000 } },
    reporters: ["default"],
  },
});
