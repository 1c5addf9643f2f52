/**
 * One HTTP request of an agent that was let in: its body is read and handed to the gate of the server it names.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Gate } from "../gate/gate.ts";
import type { CallIds } from "../gate/sender.ts";
import type { Fields } from "../messages/fields.ts";
import { readIncoming } from "../messages/incoming.ts";
import { type Answer, refuseHttp } from "../messages/refusals.ts";
import type { Recording } from "../recording.ts";
import { readBody } from "./body.ts";
import { HttpReply } from "./reply.ts";

export interface Visited {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fields: Fields;
  readonly agent: string;
  readonly server: string;
  /** Of calls that another gate let through before. */
  readonly callIds?: CallIds;
}

export interface Host {
  readonly gate: Gate;
  readonly recording: Recording;
}

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

export async function receiveVisit(visited: Visited, { gate, recording }: Host): Promise<void> {
  const { request, response, fields, agent, server } = visited;
  const { limits } = gate;
  const reply = new HttpReply(response, limits.maxUnreadBytes);
  const visit = { agent, fields, reply, callIds: visited.callIds };
  const refuse = (reason: string, { status, text }: Answer): void => {
    recording.noteRepeated("message_refused", `${server} ${agent} ${reason}`, { server, agent, reason });
    reply.finish(status, text);
  };
  switch (request.method) {
    case "GET":
      gate.openStream(visit);
      return;
    case "DELETE":
      await gate.endSession(visit);
      return;
    case "POST":
      break;
    default:
      reply.setField("allow", "POST, GET, DELETE");
      refuse("http_method", refuseHttp(405, "Method Not Allowed"));
      return;
  }
  if (!JSON_TYPE.test(fields.get("content-type") ?? "") || fields.has("content-encoding")) {
    refuse("content_type", refuseHttp(415, "Unsupported Media Type: application/json is what there is"));
    return;
  }
  const body = await readBody(request, fields, limits.maxRequestBytes);
  if (!body.ok) {
    if (body.reason === "too_large") {
      recording.noteLimit(server, "request_size");
      refuse("too_large", refuseHttp(413, `Content Too Large: at most ${limits.maxRequestBytes} bytes`));
    }
    return;
  }
  const incoming = readIncoming(body.bytes, fields, limits);
  if (incoming.ok) {
    gate.post(visit, incoming);
  } else {
    refuse(incoming.reason, incoming.answer);
  }
}
