// Everything that has to hold before a change is merged. What reads the sources runs two at a time, and each says what
// it found when it has ended; the tests begin when nothing was found, and have the machine for themselves.
//
//   node check.ts

import { type ChildProcess, spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** Scripts of package.json, the longest first. */
const steps = ["lint", "types", "unused", "format:check", "dist:check", "generate:check"];
const atATime = 2;

const isGood = async (child: ChildProcess): Promise<boolean> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0));
  });

async function holds(step: string): Promise<boolean> {
  const child = spawn(`npm run ${step} 2>&1`, { shell: true, stdio: ["ignore", "pipe", "inherit"] });
  const [said, good] = await Promise.all([text(child.stdout), isGood(child)]);
  process.stdout.write(said);
  return good;
}

async function runInTurn(waiting: Iterable<string>): Promise<string[]> {
  const failed: string[] = [];
  for (const step of waiting) {
    if (!(await holds(step))) failed.push(step);
  }
  return failed;
}

const waiting = steps.values();
const failed = (await Promise.all(Array.from({ length: atATime }, async () => runInTurn(waiting)))).flat();
if (failed.length > 0) {
  process.stdout.write(`\nFailed: ${failed.join(", ")}. The tests did not run.\n`);
  process.exitCode = 1;
} else if (!(await isGood(spawn("npm test", { shell: true, stdio: "inherit" })))) {
  process.exitCode = 1;
}
