/**
 * What was asked of agents, where several processes have a gate of the same session: an answer can come to another one
 * than the question went through. All that an answer needs is sealed into what it comes back with, and whoever ends an
 * ask first is the only one to end it.
 */
import { hash } from "node:crypto";
import type { Inspection } from "../../../policies/session-policy.ts";
import type { AskContext } from "./ask-decision.ts";
import { Inspecting } from "../forwarding/inspecting.ts";
import type { Sender } from "../sender.ts";
import type { WaitingAsk } from "./waiting-asks.ts";

/** Whose answer it can be. */
interface Addressee {
  readonly agent: string;
  /** The server's own. */
  readonly session: string | undefined;
}

export interface SealedAsks {
  /** Milliseconds since the epoch. */
  readonly askedAt: number;
  readonly asks: readonly {
    readonly callId: string;
    /** What it answers: an id that the server chose, or an input of a request. */
    readonly place: string;
    readonly inspection: Inspection;
  }[];
  /** What the server wants to have back beside the answers: JSON. */
  readonly state?: string | undefined;
}

export interface SharedAsks {
  seal(to: Addressee, asked: SealedAsks): string;
  /** Undefined for what nobody sealed, what was sealed for somebody else, and what is too old. */
  open(to: Addressee, sealed: string): SealedAsks | undefined;
  /** By call: whether nobody has ended it before, in whatever process. Of what cannot be known `then` gets nothing. */
  claim(calls: readonly string[], then: (own: readonly boolean[]) => void): void;
  /** Milliseconds since the epoch. */
  now(): number;
}

export interface ReopenedAsks {
  readonly asks: readonly WaitingAsk[];
  readonly state: string | undefined;
}

/** As they wait here, or else as they were asked elsewhere. */
export function reopenAsks(context: AskContext, sender: Sender, sealed: string): ReopenedAsks | undefined {
  const { shared, waiting, server, recording, inspector } = context;
  const opened = shared?.open(addresseeOf(sender), sealed);
  if (shared === undefined || opened === undefined) {
    return undefined;
  }
  const asks = opened.asks.map(({ callId, place, inspection }): WaitingAsk => {
    const here = waiting.find((ask) => ask.callId === callId);
    return (
      here ?? {
        ...{ callId, inspection, agent: sender.agent, session: sender.session, key: place },
        inspecting: new Inspecting({ server, recording, inspector, inspection, callId }),
        startedAt: performance.now() - Math.max(0, shared.now() - opened.askedAt),
      }
    );
  });
  return { asks, state: opened.state };
}

export function addresseeOf({ agent, session }: Sender): Addressee {
  return { agent, session: session?.id };
}

/** The same at every gate that the call passes: of what is asked within the answer to it, by a name in that. */
export function deriveCallId(call: string, name: string): string {
  const digest = hash("sha256", JSON.stringify([call, name]), "hex");
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

const NAMED_CALL = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\./;

/** The id of the call, as another gate has named it in front of what it sealed. */
export function findNamedCall(id: unknown): string | undefined {
  return typeof id === "string" ? NAMED_CALL.exec(id)?.[1] : undefined;
}
