/**
 * What the parts of one gate share.
 */
import type { CompiledPolicy, Usage } from "../../policies/decision.ts";
import type { SessionUsage } from "../../policies/usage.ts";
import { type Reply, send } from "../front/reply.ts";
import type { Limits } from "../limits.ts";
import type { ClientMessage, ClientRequest } from "../messages/envelope.ts";
import type { Answer } from "../messages/refusals.ts";
import { isRecordingFailure } from "../recorder.ts";
import type { CallFacts, ClientInfo, Recording } from "../recording.ts";
import type { Admission } from "./admission.ts";
import type { AskContext } from "./asks/ask-decision.ts";
import type { Catalogs } from "./lists/catalog.ts";
import type { DefinitionFindings } from "./lists/definition-findings.ts";
import type { Forwarding } from "./forwarding/forwarding.ts";
import { findClientInfo, type Sender } from "./sender.ts";
import type { ListViews } from "./lists/list-view.ts";
import type { ServerLoad } from "./calls/server-load.ts";
import type { SessionTable } from "./sessions/session.ts";
import type { Sighting } from "./lists/sighting.ts";
import type { Visibility } from "./lists/visibility.ts";

export type SessionState = { readonly active: true } | { readonly active: false; readonly reason: string };

export interface GateContext {
  readonly server: string;
  readonly policy: CompiledPolicy;
  /** One for all gates of the session. */
  readonly usage: SessionUsage;
  readonly visibility: Visibility;
  readonly findings: DefinitionFindings;
  readonly recording: Recording;
  /** Those of this server. */
  readonly limits: Limits;
  readonly load: ServerLoad;
  readonly sessions: SessionTable;
  readonly catalogs: Catalogs;
  readonly views: ListViews;
  readonly forwarding: Forwarding;
  /** What servers ask of agents. */
  readonly asks: AskContext;
  readonly admission: Admission;
  /** What the server gets to see with the next call. */
  credential(): CallFacts["credential"];
  sessionState(): SessionState;
  /** Tells every gate of the session that it has read more than `before`. */
  labelsGained(before: Usage["labels"]): void;
}

/** One request, and where its answer goes. */
export interface Asked {
  readonly sender: Sender;
  readonly request: ClientRequest;
  readonly reply: Reply;
}

/** Runs what writes to the log; when that fails, the agent gets what `refuse` gives and the result is undefined. */
export function recordOr<T>(reply: Reply, refuse: () => Answer, write: () => T): T | undefined {
  try {
    return write();
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
    send(reply, refuse());
    return undefined;
  }
}

/** In a stateless revision each request says it; with a handshake, the session or at least the agent's last one. */
export function findClient(
  { sessions }: GateContext,
  { agent, session }: Sender,
  message: ClientMessage,
): ClientInfo | undefined {
  return findClientInfo(message) ?? session?.client ?? sessions.lastAttachment(agent)?.client;
}

/** Without a session, what anybody saw of the server: it cannot tell its callers apart either. */
export function sightingOf({ sessions }: Pick<GateContext, "sessions">, { session }: Sender): Sighting {
  return session?.sighting ?? sessions.sighting;
}
