/**
 * What the way to one server is made of, and what is said of each request that takes it.
 */
import type { Reply } from "../../front/reply.ts";
import type { Inspection } from "../../../policies/session-policy.ts";
import type { Inspector } from "../../inspection/inspection.ts";
import type { Limits } from "../../limits.ts";
import type { Places } from "../../places.ts";
import type { Recording } from "../../recording.ts";
import type { ServerAnswer } from "../../messages/server-message.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import type { AskContext } from "../asks/ask-decision.ts";
import type { Amend } from "./amendment.ts";
import type { Hearing } from "../sessions/hearing.ts";
import type { Kind } from "../named-things.ts";
import type { Sender } from "../sender.ts";
import type { ServerLoad } from "../calls/server-load.ts";
import type { SessionTable } from "../sessions/session.ts";
import type { Subscriptions } from "../sessions/subscriptions.ts";

export interface ForwardingOptions {
  readonly server: string;
  readonly recording: Recording;
  readonly limits: Limits;
  readonly sessions: SessionTable;
  readonly load: ServerLoad;
  /** For what stays open. */
  readonly streams: Places;
  readonly upstream: Upstream;
  readonly inspector: Inspector;
  /** The server said so to this agent. */
  readonly listChanged: (sender: Sender, kind: Kind) => void;
  readonly hearingOf: (subscriptions: Subscriptions) => Hearing;
  readonly asks: AskContext;
}

export interface RequestOptions {
  readonly reply: Reply;
  readonly amend: Amend;
  /** What the answer asks of the agent's side, before it is amended: `then` at once, or when it is decided. */
  readonly admitAnswer?: (answer: ServerAnswer, then: () => void) => void;
  readonly callId?: string;
  /** Of what is recorded as several calls, and not by their result here. */
  readonly calls?: readonly string[];
  /** Everything, unless a grant says less. */
  readonly inspection?: Inspection;
  readonly paramFields?: ReadonlyMap<string, string>;
  /** A subscription: it stays open until either side ends it. */
  readonly isStanding?: boolean;
  /** Of a subscription: the kinds of whose changes it wants to hear. */
  readonly hearsOf?: ReadonlySet<Kind>;
  /** Of a subscription: what else of the server it hears. */
  readonly hearing?: Hearing;
  readonly opensSession?: (session: string) => void;
  /** Once, when the request is no longer in flight. */
  readonly over?: () => void;
}
