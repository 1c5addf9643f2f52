#!/usr/bin/env node
// The `lanyard` command. Plain JavaScript, so that a Node too old to run the sources still says what to do.

const oldestNode = 24;
const nodeMajor = Number.parseInt(process.versions.node, 10);

if (nodeMajor >= oldestNode) {
  await import("./main.ts");
} else {
  process.stderr.write(
    `lanyard needs Node ${oldestNode} or newer, this is ${process.version}. ` +
      "In a clone, run `npm ci` once: then `npm exec lanyard -- …` uses the Node that it installs.\n",
  );
  process.exitCode = 2;
}
