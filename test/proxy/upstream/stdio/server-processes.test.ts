/** The processes of a stdio server: when the next one may be started. */
import { expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../../proxy/limits.ts";
import { ServerProcesses } from "../../../../proxy/upstream/stdio/server-processes.ts";

const ignored = (): void => undefined;

it("variables that change do not shorten the wait after a crash", async () => {
  const pauses: boolean[] = [];
  const ended = Promise.withResolvers<void>();
  const processes: ServerProcesses = new ServerProcesses({
    command: () => ({
      command: [process.execPath, "-e", "process.stdin.once('data', () => process.exit(1))"],
      cwd: undefined,
      environment: {},
    }),
    limits: { ...DEFAULT_LIMITS, restartDelayMs: 2_000 },
    events: {
      ...{ stderr: ignored, noteOutputDropped: ignored, noteMessageDropped: ignored },
      ...{ noteRestarted: ignored, noteDown: ignored, noteEnded: () => ended.resolve() },
    },
    restartable: () => pauses.push(processes.pause !== undefined),
  });
  const child = processes.start();
  const failed = Promise.withResolvers<void>();
  child.request({ kind: "request", id: 1, method: "tools/call", params: undefined }, "handshake", {
    ...{ opened: ignored, filler: ignored, status: ignored, ended: ignored, message: () => undefined },
    failed: () => failed.resolve(),
  });
  // It is at work, and so it is to be replaced later; it crashes over that work.
  processes.replaceIdle();
  await Promise.all([ended.promise, failed.promise]);
  await expect.poll(() => pauses.length).toBeGreaterThan(0);
  expect(pauses).not.toContain(true);
  await processes.close();
});
