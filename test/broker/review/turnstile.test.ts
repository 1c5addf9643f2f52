import { expect, test } from "vitest";
import { Turnstile } from "../../../broker/review/turnstile.ts";

test("no more tasks run at a time than there are places, and all of them run in their order", async () => {
  const turnstile = new Turnstile(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const tasks = [0, 1, 2, 3].map((n) =>
    turnstile.run(async () => {
      started.push(n);
      await new Promise<void>((end) => ends.push(end));
      return n;
    }),
  );
  expect(started).toEqual([0, 1]);
  ends[1]?.();
  await tasks[1];
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  ends[0]?.();
  await tasks[0];
  ends[2]?.();
  await tasks[2];
  await Promise.resolve();
  ends[3]?.();
  expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3]);
});

test("a task that fails leaves its place", async () => {
  const turnstile = new Turnstile(1);
  await expect(turnstile.run(async () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
  expect(await turnstile.run(async () => "next")).toBe("next");
});
