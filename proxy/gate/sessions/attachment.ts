/**
 * How a client and a server come together: the handshake (`initialize`), or without one `server/discover`. Each goes
 * on the log with what the client says it is; neither side is told of capabilities that nothing can grant.
 */
import { send } from "../../front/reply.ts";
import { readSpan } from "../../messages/json-spans.ts";
import { refuseBusy, refuseMessage, refuseUnrecordedRequest } from "../../messages/refusals.ts";
import { findClaimedRevision } from "../../messages/revision.ts";
import { findMembersOf, type ServerAnswer } from "../../messages/server-message.ts";
import type { ClientInfo } from "../../recording.ts";
import { type Amendment, passUnchanged } from "../forwarding/amendment.ts";
import { reduceServerCapabilities, withGrantedCapabilities } from "./capabilities.ts";
import { type Asked, findClient, type GateContext, recordOr } from "../gate-context.ts";
import { cleanIntroduction } from "./introduction.ts";
import { parseClientInfo } from "../sender.ts";
import { Session } from "./session.ts";

export function passHandshake(context: GateContext, asked: Asked): void {
  const { sessions, limits, recording } = context;
  const { sender, request, reply } = asked;
  const { agent } = sender;
  if (sender.session !== undefined) {
    send(reply, refuseMessage("the session is initialized already"));
    return;
  }
  if (sessions.size >= limits.maxSessions) {
    recording.noteLimit(context.server, "sessions");
    send(reply, refuseBusy(request.id, "sessions"));
    return;
  }
  const client = parseClientInfo(request.params?.["clientInfo"]);
  const wanted = request.params?.["protocolVersion"];
  if (!recordAttached(context, asked, { client, revision: typeof wanted === "string" ? wanted : null })) {
    return;
  }
  let session: Session | undefined;
  sessions.noteOpening();
  context.forwarding.request(sender, withGrantedCapabilities(context, request), {
    reply,
    opensSession: (id) => {
      session = new Session(id, agent, client);
      sessions.add(session);
      reply.setField("mcp-session-id", sessions.nameOf(session));
    },
    amend: (answer) => {
      const revision = readAgreedRevision(answer);
      if (revision !== undefined) {
        sessions.attach(agent, { client, revision });
      }
      if (session !== undefined) {
        session.revision = revision;
      }
      return passIntroduction(context, answer);
    },
    over: () => sessions.noteOpened(),
  });
}

export function passDiscovery(context: GateContext, asked: Asked): void {
  const { sender, request, reply } = asked;
  const client = findClient(context, sender, request);
  if (recordAttached(context, asked, { client, revision: findClaimedRevision(request) ?? null })) {
    context.forwarding.request(sender, withGrantedCapabilities(context, request), {
      reply,
      amend: (answer) => passIntroduction(context, answer),
    });
  }
}

/** What a server says of itself, as far as the agent hears it. */
function passIntroduction(context: GateContext, answer: ServerAnswer): Amendment {
  return answer.kind === "error"
    ? passUnchanged(answer)
    : reduceServerCapabilities(context, cleanIntroduction(context, answer));
}

/** False when the log cannot be written; the agent has its answer then. */
function recordAttached(
  { recording, server }: GateContext,
  { sender: { agent }, request, reply }: Asked,
  { client, revision }: { client: ClientInfo | undefined; revision: string | null },
): boolean {
  const detail = { agent, server, client: client === undefined ? null : { ...client }, revision };
  const recorded = recordOr(
    reply,
    () => refuseUnrecordedRequest(request.id),
    () => {
      recording.recordEvent("client_attached", "info", detail);
      return true;
    },
  );
  return recorded === true;
}

function readAgreedRevision(answer: ServerAnswer): string | undefined {
  const span = findMembersOf(answer, "result")?.get("protocolVersion");
  const revision = span === undefined ? undefined : readSpan(answer.text, span);
  return typeof revision === "string" ? revision : undefined;
}
