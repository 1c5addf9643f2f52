/**
 * `lanyard audit verify` as a security engineer runs it: the command of this repository, on a folder of objects.
 */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compileCache } from "./compile-cache.ts";

const LANYARD = join(import.meta.dirname, "..", "..", "bin", "lanyard.js");

export interface Verification {
  readonly exitCode: number;
  readonly output: string;
}

/** The public keys, as anybody can fetch them while the broker runs. */
export async function fetchCheckpointKeys(brokerUrl: string, file: string): Promise<string> {
  await writeFile(file, await (await fetch(`${brokerUrl}/.well-known/checkpoint-keys.json`)).text());
  return file;
}

export function verifyOffline(folder: string, keys: string): Promise<Verification> {
  return runLanyard(["audit", "verify", folder, "--keys", keys]);
}

export function runLanyard(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Verification> {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...compileCache, ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [LANYARD, ...args], { env }, (error, stdout, stderr) => {
      const exitCode = typeof error?.code === "number" ? error.code : error === null ? 0 : -1;
      resolve({ exitCode, output: stdout + stderr });
    });
  });
}
