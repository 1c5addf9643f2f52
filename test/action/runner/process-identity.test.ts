import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import {
  endProcess,
  identifyProcess,
  isRunning,
  waitForEnd,
} from "../../../action/runner/process-identity.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
async function start(script: string) {
  const child = spawn(process.execPath, ["-e", `${script};console.log("up");setInterval(() => {}, 1000)`]);
  children.push(child);
  await once(child.stdout, "data");
  const identity = identifyProcess(child.pid ?? 0);
  if (identity === undefined) throw new Error("it does not run");
  return { child, identity };
}

it("a process is known by its id and its start", async () => {
  const { child, identity } = await start("");
  expect(isRunning(identity)).toBe(true);
  expect(isRunning({ ...identity, started: "1" })).toBe(false);
  child.kill("SIGKILL");
  expect(await waitForEnd(identity, 5_000)).toBe(true);
  expect(identifyProcess(identity.pid)).toBeUndefined();
});

it("another process under the same id is left alone", async () => {
  const { identity } = await start("");
  await endProcess({ ...identity, started: "1" }, 100);
  expect(isRunning(identity)).toBe(true);
});

it("a process that ignores SIGTERM is ended all the same", async () => {
  const { identity } = await start('process.on("SIGTERM", () => {})');
  await endProcess(identity, 200);
  expect(isRunning(identity)).toBe(false);
});

it("waiting has an end", async () => {
  const { identity } = await start("");
  expect(await waitForEnd(identity, 50)).toBe(false);
});
