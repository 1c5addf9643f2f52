/**
 * The sample MCP server that is reached over HTTP: `server-everything` from npm, as a child process on loopback.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Said by what is preloaded into it. */
const READY_LINE = "the port is open";
const START_TIMEOUT_MS = 10_000;

export interface SampleServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Resolves once it listens; throws with its last words when it does not within ten seconds. */
export async function startSampleServer(port: number): Promise<SampleServer> {
  const entry = createRequire(import.meta.url).resolve(
    "@modelcontextprotocol/server-everything/dist/index.js",
  );
  const child = spawn(
    process.execPath,
    ["--import", join(import.meta.dirname, "sample-server-preload.ts"), entry, "streamableHttp"],
    { env: { PATH: process.env["PATH"], PORT: String(port) }, stdio: ["pipe", "ignore", "pipe"] },
  );
  const said: string[] = [];
  const lines = createInterface({ input: child.stderr });
  const ready = new Promise<void>((resolve, reject) => {
    const failed = (): void =>
      reject(
        new Error(
          `server-everything did not start on port ${port}${said.length === 0 ? "" : `: ${said.join(" ")}`}`,
        ),
      );
    const timer = setTimeout(failed, START_TIMEOUT_MS);
    child.once("exit", failed);
    lines.on("line", (line) => {
      said.splice(0, Math.max(0, said.length - 4));
      said.push(line);
      if (line === READY_LINE) {
        clearTimeout(timer);
        child.off("exit", failed);
        resolve();
      }
    });
  });
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  try {
    await ready;
  } catch (cause) {
    await close();
    throw cause;
  }
  return { url: `http://127.0.0.1:${port}/mcp`, close };
}
