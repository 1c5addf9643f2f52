/**
 * A server as the gate asks it for lists: whole. What a server gives out in pages is read to its end and joined before
 * anybody looks at it, so neither a page without an entry, nor the number of pages, nor a cursor can tell an agent of
 * entries that it is not shown. A list that could not be read to its end still says so, by its `nextCursor`.
 */
import type { Limits } from "../../limits.ts";
import type { ClientRequest, JsonObject } from "../../messages/envelope.ts";
import { metaOf } from "../../messages/revision.ts";
import type { ServerAnswer } from "../../messages/server-message.ts";
import type { Carriage, Forward, Sending, Sink, Upstream } from "../../upstream/upstream.ts";
import { joinPages, type ListPage, readPage } from "./list-pages.ts";
import { type Listing, LISTINGS } from "../named-things.ts";

type Bounds = Pick<Limits, "maxListed" | "maxAnswerBytes">;

const BY_METHOD: ReadonlyMap<string, Listing> = new Map(LISTINGS.map((listing) => [listing.method, listing]));

export function readListsWhole(upstream: Upstream, bounds: Bounds): Upstream {
  return {
    send: (forward, sink, opensSession) => {
      const { message } = forward;
      const listing = message.kind === "request" ? BY_METHOD.get(message.method) : undefined;
      if (message.kind !== "request" || listing === undefined) {
        return upstream.send(forward, sink, opensSession);
      }
      return new ListReading({ upstream, bounds, listing, sink, forward, request: message }).start();
    },
    openStream: (request, sink) => upstream.openStream(request, sink),
    answer: (from, text) => upstream.answer?.(from, text),
    endSession: (session, revision, agent) => upstream.endSession(session, revision, agent),
    close: () => upstream.close(),
  };
}

interface ListReadingOptions {
  readonly upstream: Upstream;
  readonly bounds: Bounds;
  readonly listing: Listing;
  readonly sink: Sink;
  readonly forward: Forward;
  /** The message of `forward`. */
  readonly request: ClientRequest;
}

class ListReading {
  readonly #options: ListReadingOptions;
  #sending: Sending | undefined;
  /** The first page was answered, and others follow: whatever else comes to it says nothing. */
  #readsOn = false;
  #isOver = false;

  constructor(options: ListReadingOptions) {
    this.#options = options;
  }

  start(): Sending {
    const { upstream, sink, forward, request, listing } = this.#options;
    let isStream = false;
    this.#sending = upstream.send(
      forward,
      {
        opened: () => {
          isStream = true;
          sink.opened();
        },
        filler: (carriage) => sink.filler(carriage),
        message: (message, carriage) => {
          if (message.kind === "notification") {
            return sink.message(message, carriage);
          }
          if (this.#readsOn) {
            return undefined;
          }
          const isFirst = message.kind === "result" && message.id === request.id;
          const page = isFirst ? readPage(message, listing) : undefined;
          if (page?.cursor === undefined) {
            return sink.message(message, carriage);
          }
          this.#readsOn = true;
          if (isStream) {
            this.#sending?.leave();
          }
          void this.#readOn(page, carriage);
          return undefined;
        },
        status: (status) => (this.#readsOn ? undefined : sink.status(status)),
        ended: () => (this.#readsOn ? undefined : sink.ended()),
        failed: (loss) => (this.#readsOn ? undefined : sink.failed(loss)),
      },
      () => undefined,
    );
    const stop = (end: (sending: Sending) => void): void => {
      this.#isOver = true;
      if (this.#sending !== undefined) {
        end(this.#sending);
      }
    };
    return {
      cancel: (reason) => stop((sending) => sending.cancel(reason)),
      leave: () => stop((sending) => sending.leave()),
    };
  }

  async #readOn(first: ListPage, carriage: Carriage): Promise<void> {
    const { listing, bounds, sink } = this.#options;
    const pages: [ListPage, ...ListPage[]] = [first];
    let entries = first.entries.length;
    let bytes = first.answer.text.length;
    let isWhole = false;
    for (let last = first; !isWhole && pages.length < bounds.maxListed; ) {
      const answer = await this.#ask(last.cursor, pages.length);
      if (this.#isOver) {
        return;
      }
      const page = answer === undefined ? undefined : readPage(answer, listing);
      entries += page?.entries.length ?? 0;
      bytes += page?.answer.text.length ?? 0;
      if (page === undefined || entries > bounds.maxListed || bytes > bounds.maxAnswerBytes) {
        break;
      }
      // A server that gives the same page again has no more; clients take it so.
      const isAgain = page.cursor === last.cursor && page.written === last.written;
      isWhole = isAgain || page.cursor === undefined;
      if (!isAgain) {
        pages.push(page);
      }
      last = page;
    }
    void sink.message(isWhole ? joinPages(pages) : first.answer, carriage);
    sink.ended();
  }

  /** Nothing where there is no such page. What else the server says on the way is heard. */
  async #ask(cursor: string | undefined, place: number): Promise<ServerAnswer | undefined> {
    const { upstream, sink, forward, request } = this.#options;
    const { promise, resolve } = Promise.withResolvers<ServerAnswer | undefined>();
    const message = askForPage(request, { cursor, id: `${request.id}/${place + 1}` });
    const give = (): void => resolve(undefined);
    let isStream = false;
    const sending = upstream.send(
      { ...forward, message },
      {
        opened: () => {
          isStream = true;
        },
        filler: () => sink.filler({}),
        message: (said) => {
          if (said.kind === "notification") {
            return sink.message(said, {});
          }
          if (said.id === message.id) {
            resolve(said.kind === "result" ? said : undefined);
          }
          return undefined;
        },
        status: give,
        ended: give,
        failed: give,
      },
      () => undefined,
    );
    this.#sending = sending;
    const answer = await promise;
    if (isStream) {
      sending.leave();
    }
    return answer;
  }
}

/** As the first was asked for; its progress is told by the first alone. */
function askForPage(
  request: ClientRequest,
  { cursor, id }: { readonly cursor: string | undefined; readonly id: string },
): ClientRequest {
  const said = metaOf(request);
  const { progressToken: _, ...meta } = said ?? {};
  const params: JsonObject = {
    ...request.params,
    ...(cursor !== undefined && { cursor }),
    ...(said !== undefined && { _meta: meta }),
  };
  return { ...request, id, params };
}
