/**
 * `server-everything` from npm over Streamable HTTP, as a child process: the first SDK generation, sessions, events
 * with ids.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { createInterface } from "node:readline";

export interface EverythingServer {
  readonly url: string;
  readonly pid: number;
  close(): Promise<void>;
}

export async function startEverythingServer(): Promise<EverythingServer> {
  const entry = createRequire(import.meta.url).resolve(
    "@modelcontextprotocol/server-everything/dist/index.js",
  );
  const port = await findFreePort();
  const child = spawn(process.execPath, [entry, "streamableHttp"], {
    env: { PATH: process.env["PATH"], PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes("listening on port")) {
      break;
    }
  }
  child.stderr.resume();
  if (child.pid === undefined || child.exitCode !== null) {
    throw new Error("server-everything did not start");
  }
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    pid: child.pid,
    close: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
