/**
 * What a server wants to see beside the messages, made anew for each request: a token, a proof, a key. Where a server
 * does not take it, it is asked once for something better.
 */
import type { LookupFunction } from "node:net";
import type { ServerRequest } from "../messages/server-message.ts";
import type { OutgoingFields } from "./http/http-message.ts";
import type { Asking, Loss, Sink } from "./upstream.ts";

export interface AuthorizedRequest {
  readonly method: "POST" | "GET" | "DELETE";
  /** In whose name. */
  readonly agent: string | undefined;
  /** The calls that the message is, as they are recorded. */
  readonly calls: readonly string[];
}

export interface Authority {
  /** Header fields. Throws `NotAuthorized` where there are none to be had. */
  authorize(request: AuthorizedRequest): Promise<OutgoingFields>;
  /** The server answered them with 401. Whether other ones are to be had. */
  replace(refused: OutgoingFields): Promise<boolean>;
}

const CODE = "not_authorized";

/** The message is a sentence for the agent, and holds no secret. */
export class NotAuthorized extends Error {
  readonly code = CODE;
}

/** By the code: what is bundled apart has a class of its own. */
function isNotAuthorized(error: unknown): error is NotAuthorized {
  return error instanceof Error && "code" in error && error.code === CODE;
}

/** How connections are made, where not every address is to be connected to. */
export interface ConnectionTerms {
  readonly lookup: LookupFunction;
  readonly rejectUnauthorized: true;
}

interface Attempt {
  leave(): void;
}

/** Sends once it is authorized, and once more where that was not taken. What it returns stops it at any moment. */
export function sendAuthorized(
  authority: Authority,
  request: AuthorizedRequest,
  { sink, send }: { readonly sink: Sink; readonly send: (fields: OutgoingFields, sink: Sink) => Attempt },
): Attempt {
  let isOver = false;
  let current: Attempt | undefined;
  const fail = (error: unknown): void => {
    if (isOver) return;
    isOver = true;
    const detail = isNotAuthorized(error) ? error.message : "the broker gave none";
    sink.failed({ code: CODE, detail });
  };
  const attempt = async (isLast: boolean): Promise<void> => {
    const fields = await authority.authorize(request);
    if (isOver) return;
    current = send(fields, isLast ? sink : replacing(sink, (loss) => void replace(fields, loss)));
  };
  const replace = async (refused: OutgoingFields, loss: Loss): Promise<void> => {
    try {
      if (await authority.replace(refused)) await attempt(true);
      else if (!isOver) sink.failed(loss);
    } catch (error) {
      fail(error);
    }
  };
  attempt(false).catch(fail);
  return {
    leave: () => {
      isOver = true;
      current?.leave();
    },
  };
}

/** The same sink, but for a 401 that comes before anything else. */
function replacing(sink: Sink, refused: (loss: Loss) => void): Sink {
  return {
    opened: () => sink.opened(),
    message: (message, carriage) => sink.message(message, carriage),
    filler: (carriage) => sink.filler(carriage),
    status: (status) => sink.status(status),
    ended: () => sink.ended(),
    failed: (loss) =>
      loss.code === "credentials_refused" && loss.detail === "HTTP 401" ? refused(loss) : sink.failed(loss),
    ...(sink.asked !== undefined && {
      asked: (request: ServerRequest, asking: Asking) => sink.asked?.(request, asking),
    }),
  };
}
