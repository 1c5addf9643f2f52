/** A server over HTTP that deals its strokes in turn, one for each request, and keeps everything it got. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "./oracle.ts";
import { composeTexts, type Stroke, TOOLS } from "./answers.ts";

export interface HostileServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface Reception {
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export async function startHostileServer(
  strokes: readonly Stroke[],
  received: (reception: Reception) => void,
): Promise<HostileServer> {
  let dealt = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    response.on("error", () => undefined);
    request.on("error", () => undefined);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const stroke = strokes[dealt++ % strokes.length];
      if (request.method === "POST") {
        received({ text, headers: request.headers });
      }
      if (stroke !== undefined) {
        void deal(stroke, parse(text), response);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function deal(stroke: Stroke, asked: unknown, response: ServerResponse): Promise<void> {
  const { delayMs, ending, form, session, status } = stroke;
  await sleep(delayMs);
  if (ending === "die") {
    response.destroy();
    return;
  }
  // Of a GET, and of what needs no answer, the texts are said to a request that nobody sent.
  const message = typeof asked === "object" && asked !== null ? asked : { id: 1, method: "" };
  const isNotice = !("id" in message);
  if (isNotice && form === "document") {
    response.writeHead(status === 200 ? 202 : status).end();
    return;
  }
  const texts = composeTexts(stroke, message, TOOLS);
  const isEvents = form.endsWith("events");
  response.writeHead(status, {
    "content-type": form === "html" ? "text/html" : isEvents ? "text/event-stream" : "application/json",
    ...(session !== null &&
      "method" in message &&
      message.method === "initialize" && { "mcp-session-id": session }),
  });
  response.flushHeaders();
  for (const piece of isEvents ? texts.flatMap((text) => frame(text, form)) : [texts[0] ?? ""]) {
    response.write(form === "half document" ? piece.slice(0, piece.length / 2) : piece);
    // The next piece is a packet of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (ending === "end") {
    response.end();
  } else if (ending === "cut") {
    response.destroy();
  }
}

function frame(text: string, form: Stroke["form"]): string[] {
  switch (form) {
    case "split events": {
      const whole = `id: e1\ndata: ${text}\n\n`;
      const at = Math.floor(whole.length / 2);
      return [whole.slice(0, at), whole.slice(at, -1), whole.slice(-1)];
    }
    case "crlf events":
      return [`event: message\r\ndata: ${text}\r\n\r`, "\n"];
    case "odd events":
      return [
        "\ufeff: comment\n",
        ...["retry: 10\n", "id\n", "unknown: x\n", "event: other\n", "data\n\n"],
        `data:${text.slice(0, 1)}\ndata:${text.slice(1)}\nid: \u0000\n\n`,
        `data: ${text}\nid: odd-1\n\n: bye`,
      ];
    default:
      return [`id: e-1\nevent: message\ndata: ${text}\n\n`];
  }
}
