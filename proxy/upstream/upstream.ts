/**
 * An MCP server as the gate sees it, whatever carries the messages: one message in, what the server says to it out.
 * An upstream moves messages and keeps their correlation; it decides nothing and records nothing.
 */
import type { ClientNotification, ClientRequest } from "../messages/envelope.ts";
import type { Era } from "../messages/revision.ts";
import type { ServerMessage, ServerRequest } from "../messages/server-message.ts";

/** What is sent, after the decision. Header fields are built from it. */
export interface Forward {
  readonly message: ClientRequest | ClientNotification;
  readonly era: Era;
  /** `MCP-Protocol-Version` of the message. */
  readonly revision: string | undefined;
  readonly session: string | undefined;
  /** Media types that the agent takes: the server chooses among them. */
  readonly accept: string;
  /** `Mcp-Param-*` fields. */
  readonly paramFields: ReadonlyMap<string, string>;
  /** In whose name, for a server that is another gate; and the calls that it is, by their ids. */
  readonly agent?: string | undefined;
  readonly calls?: readonly string[] | undefined;
}

/** A stream of a session that belongs to no request (GET). */
export interface StreamRequest {
  readonly revision: string | undefined;
  readonly session: string | undefined;
  readonly accept: string;
  readonly lastEventId: string | undefined;
  readonly agent?: string | undefined;
}

/** Where in a session. */
export type SessionPlace = Pick<StreamRequest, "revision" | "session" | "agent">;

type LossCode =
  | "unreachable"
  | "exited"
  | "closed"
  | "start_failed"
  | "unresponsive"
  | "out_of_memory"
  | "down"
  | "credentials_refused"
  | "not_authorized"
  | "redirected"
  | "unreadable"
  | "too_large"
  | "too_costly"
  | "unread"
  | "too_many_sessions";

/** Why there is no answer. `detail` holds codes and numbers only, nothing that a server wrote. */
export interface Loss {
  readonly code: LossCode;
  readonly detail: string;
}

/** How a message came: inside a stream with an id to resume from, or as a document with a status. */
export interface Carriage {
  readonly eventId?: string | undefined;
  readonly retry?: string | undefined;
  readonly status?: number | undefined;
}

/** A request of a server, on its way. */
export interface Asking {
  readonly carriage: Carriage;
  /** Takes the answer back to the server: one line of JSON. */
  readonly answer: (text: string) => void;
}

/** What a server says to one message or stream. Ends with one of `status`, `ended`, `failed`. */
export interface Sink {
  /** The server opened an event stream. */
  opened(): void;
  /** A promise means: wait with the next. */
  message(message: Exclude<ServerMessage, ServerRequest>, carriage: Carriage): Promise<void> | undefined;
  /** The server asks the agent's side for something; where it is absent, there is nobody to ask. */
  asked?(request: ServerRequest, asking: Asking): Promise<void> | undefined;
  /** An event without a message: a comment, or an id to resume from. */
  filler(carriage: Carriage): void;
  /** The server answered with an HTTP status and no message. */
  status(status: number): void;
  ended(): void;
  failed(loss: Loss): void;
}

/** After either, the sink hears nothing more. */
export interface Sending {
  /** Stops the work: the server is told. */
  cancel(reason?: string): void;
  /** Stops listening: the server goes on, and what it says can be asked for again. */
  leave(): void;
}

export interface Upstream {
  /** For the answer to a handshake, `opensSession` tells the id before the answer goes to the sink. */
  send(forward: Forward, sink: Sink, opensSession: (session: string) => void): Sending;
  openStream(request: StreamRequest, sink: Sink): Sending;
  /** To a request of the server that came through another process: one line of JSON. Absent where none can have. */
  answer?(from: SessionPlace, text: string): void;
  /** The HTTP status that the server gave it. */
  endSession(session: string, revision: string | undefined, agent?: string): Promise<number>;
  close(): Promise<void>;
}

export interface UpstreamEvents {
  /** A request of the server that came where no agent can be asked: the answer goes back to the server. */
  answer(request: ServerRequest): string;
  /** The server said that its tools changed, whether or not anybody listens: to one session, or to nobody. */
  toolsChanged(session: string | undefined): void;
  /** The session ended without the agent's doing. */
  sessionEnded(session: string): void;
  /** A process of the server did not start, or ended without being told to; `stderr` is the end of it, as written. */
  noteEnded(loss: Loss, stderr: string): void;
  /** A process was started in place of one that ended: the `count`th within the window. */
  noteRestarted(count: number): void;
  /** It ended too often: nothing is started any more. */
  noteDown(loss: Loss): void;
  /** A line of stdout that is no message, or too long for one. */
  noteOutputDropped(): void;
  /** An answer to nothing that was asked. */
  noteMessageDropped(): void;
}
