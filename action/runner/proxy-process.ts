/**
 * Starting the proxy's process and waiting until it is ready: an event on a pipe, not a poll.
 * It holds nothing of main's: its output goes to a file of its own, so that the step ends when main does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { PROXY_OUTPUT_FILE, type ProxyConfiguration, Readiness } from "../handover.ts";
import { CREATE_NEW, PRIVATE_FILE_MODE, readEndOfFile } from "./private-files.ts";
import { type ProcessIdentity, identifyProcess } from "./process-identity.ts";

export interface ProxyStart {
  /** The bundle. */
  readonly file: string;
  readonly configuration: ProxyConfiguration;
  readonly environment: Readonly<Record<string, string>>;
  /** Told before anything else can fail: whoever comes later can end the process. */
  readonly onSpawn: (identity: ProcessIdentity) => void;
}

/** Longer than the proxy's own patience with GitHub and the broker together. */
const READINESS_TIMEOUT_MS = 90_000;
const MAX_READINESS_LENGTH = 64 * 1024;
const READINESS_PIPE = 3;
const LAST_WORDS_BYTES = 8 * 1024;

/** Never throws for what the proxy did: it always gets to know why there is none. */
export async function startProxyProcess(start: ProxyStart): Promise<Readiness> {
  const { directory } = start.configuration;
  const outputFile = join(directory, PROXY_OUTPUT_FILE);
  const output = openSync(outputFile, CREATE_NEW, PRIVATE_FILE_MODE);
  const child = spawn(process.execPath, [start.file], {
    detached: true,
    cwd: directory,
    env: { ...start.environment },
    stdio: ["pipe", output, output, "pipe"],
  });
  closeSync(output);
  const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
  if (identity !== undefined) start.onSpawn(identity);
  const readiness = waitForReadiness(child, outputFile);
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(`${JSON.stringify(start.configuration)}\n`);
  try {
    return await readiness;
  } finally {
    for (const pipe of child.stdio) pipe?.destroy();
    child.unref();
  }
}

function waitForReadiness(child: ChildProcess, outputFile: string): Promise<Readiness> {
  return new Promise((resolve) => {
    const fail = (message: string): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      resolve({ status: "failed", message });
    };
    const timer = setTimeout(
      () => fail(`The proxy was not ready within ${READINESS_TIMEOUT_MS / 1000} s: run the job again.`),
      READINESS_TIMEOUT_MS,
    );
    child.once("error", (cause) => fail(`The proxy could not be started: ${cause.message}`));
    let text = "";
    const pipe = child.stdio[READINESS_PIPE] as Readable;
    pipe.setEncoding("utf8");
    pipe.on("error", () => undefined);
    pipe.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > MAX_READINESS_LENGTH) fail("The proxy could not be started: its answer is too long.");
    });
    pipe.once("close", () => {
      const readiness = Readiness.safeParse(parseLine(text));
      if (!readiness.success) return fail(describeCrash(outputFile));
      clearTimeout(timer);
      resolve(readiness.data);
    });
  });
}

function describeCrash(outputFile: string): string {
  const lines = (readEndOfFile(outputFile, LAST_WORDS_BYTES) ?? "").split("\n");
  const complaint = lines.find((line) => /^\w*Error\b/.test(line));
  return complaint === undefined
    ? "The proxy ended before it was ready: run the job again."
    : `The proxy ended before it was ready: ${complaint}`;
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
