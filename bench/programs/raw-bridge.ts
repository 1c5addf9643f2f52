/**
 * A bridge from HTTP to a stdio server that reads nothing: a body becomes a line, and the next line is its answer. The
 * bare server answers in order. What has no `id` anywhere in it has no answer.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StdioUpstream } from "../program-contract.ts";
import { readOptions, serveParent } from "./parent.ts";

const { program } = readOptions(StdioUpstream);
const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
const waiting: ServerResponse[] = [];
const NEWLINE = 0x0a;

let unfinished: Buffer[] = [];
child.stdout.on("data", (chunk: Buffer) => {
  let from = 0;
  for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
    const line = Buffer.concat([...unfinished, chunk.subarray(from, end)]);
    waiting
      .shift()
      ?.writeHead(200, { "content-type": "application/json", "content-length": line.length })
      .end(line);
    unfinished = [];
    from = end + 1;
  }
  if (from < chunk.length) unfinished.push(chunk.subarray(from));
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    child.stdin.write(body);
    child.stdin.write("\n");
    if (body.includes('"id"')) waiting.push(response);
    else response.writeHead(202).end();
  });
});

void listen();

async function listen(): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  await serveParent({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, headers: {} });
}
