/** A stream of events that a client keeps open, and what has come on it so far. */
import { request as requestHttp } from "node:http";
import type { Said, Sent } from "./rig.ts";
import { TOKEN } from "./rig.ts";

export interface OpenStream {
  readonly messages: readonly Said[];
  close(): void;
}

/** Resolves once the stream is open. */
export function openStream(url: string, { method = "GET", headers = {}, body }: Sent): Promise<OpenStream> {
  const messages: Said[] = [];
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = requestHttp(
      url,
      {
        method,
        headers: {
          authorization: `Bearer ${TOKEN}`,
          accept: text === undefined ? "text/event-stream" : "application/json, text/event-stream",
          ...(text !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
      },
      (response) => {
        let rest = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          messages.push(
            ...lines.filter((line) => line.startsWith("data: {")).map((line) => JSON.parse(line.slice(6))),
          );
        });
        response.on("error", () => undefined);
        resolve({ messages, close: () => request.destroy() });
      },
    );
    request.on("error", reject);
    request.end(text);
  });
}
