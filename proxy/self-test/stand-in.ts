/**
 * In the place of a server while the proxy tests its walls: it has the one tool that nobody may see, lists it, and
 * would run it. It keeps what it was asked for.
 */
import { readServerMessages } from "../messages/server-message.ts";
import { toByteText } from "../messages/json-spans.ts";
import type { Forward, Sending, Sink, Upstream } from "../upstream/upstream.ts";

export class StandIn implements Upstream {
  readonly asked: string[] = [];
  readonly tool: string | undefined;

  constructor(tool: string | undefined) {
    this.tool = tool;
  }

  send({ message }: Forward, sink: Sink): Sending {
    this.asked.push(message.method);
    const result =
      message.method === "tools/list"
        ? { tools: [{ name: this.tool ?? "", inputSchema: { type: "object" } }] }
        : { content: [{ type: "text", text: "it ran" }] };
    const id = message.kind === "request" ? message.id : 0;
    const [answer] = readServerMessages(toByteText(JSON.stringify({ jsonrpc: "2.0", id, result }))) ?? [];
    queueMicrotask(() => {
      if (answer !== undefined && answer.kind !== "request") {
        void sink.message(answer, { status: 200 });
      }
      sink.ended();
    });
    return { cancel: () => undefined, leave: () => undefined };
  }

  openStream(_: unknown, sink: Sink): Sending {
    this.asked.push("GET");
    queueMicrotask(() => sink.ended());
    return { cancel: () => undefined, leave: () => undefined };
  }

  endSession(): Promise<number> {
    return Promise.resolve(200);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
