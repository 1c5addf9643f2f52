/** `lanyard serve` as a process of its own, on what a broker of a test left: to be killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestBroker } from "./broker.ts";

const COMMAND = join(import.meta.dirname, "..", "..", "bin", "lanyard.js");

export interface ServedBroker {
  /** SIGKILL: nothing is tidied up. */
  kill(): Promise<void>;
}

/** It listens somewhere else than at its public URL. */
export async function serveBroker(config: TestBroker["config"], publicUrl: string): Promise<ServedBroker> {
  const { policies, database, audit, issuers, keys } = config;
  if (audit.kind !== "folder") throw new Error("the bucket is no folder");
  const child = spawn(process.execPath, [COMMAND, "serve", "--log-level", "error"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      LANYARD_PUBLIC_URL: publicUrl,
      LANYARD_LISTEN: "127.0.0.1:0",
      LANYARD_POLICIES: policies,
      LANYARD_DATABASE: database.kind === "sqlite" ? `file:${database.path}` : database.url,
      LANYARD_AUDIT: `file:${audit.path}`,
      LANYARD_ISSUERS: issuers.join(" "),
      LANYARD_PRIVATE_ISSUERS: issuers.join(" "),
      LANYARD_KEYS: `file:${keys}`,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  while (!said.includes("listening on")) {
    if (child.exitCode !== null) throw new Error(`the broker did not start: ${said}`);
    await Promise.race([once(child.stderr, "data"), once(child, "exit")]);
  }
  return {
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
