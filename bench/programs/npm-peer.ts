/**
 * A peer's command from npm in front of the bare stdio server, run in this process as `node FILE ARGUMENTS` would. What
 * it says goes to stderr. It is ready when its port takes a connection.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { NpmPeer } from "../program-contract.ts";
import { readOptions, serveParent } from "./parent.ts";

const { file, args } = readOptions(NpmPeer);
const program = join(import.meta.dirname, "bare-stdio-server.ts");
const port = await findFreePort();
const known = new Map([
  ["{port}", String(port)],
  ["{node}", process.execPath],
  ["{program}", program],
  ["{command}", `${process.execPath} ${program}`],
]);
process.argv = [process.execPath, file, ...args.map((arg) => known.get(arg) ?? arg)];
console.log = console.error;
console.info = console.error;
await import(pathToFileURL(file).href);
while (!(await takesConnections(port))) await sleep(2);
await serveParent({ url: `http://127.0.0.1:${port}/mcp`, headers: {} });

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function takesConnections(to: number): Promise<boolean> {
  const socket = connect(to, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
