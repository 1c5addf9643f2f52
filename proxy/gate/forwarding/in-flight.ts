/**
 * Requests that were let through and are not over, in no order. It holds nothing of one that is over: the outgrown
 * tables of a map would, and with thousands of calls in a second what they hold grows old before it is freed.
 */
import type { RequestId } from "../../messages/envelope.ts";
import type { Exchange } from "./exchange.ts";

export class InFlight {
  /** As few as `maxConcurrentRequests` allows: looking through them costs less than keeping them sorted. */
  readonly #exchanges: Exchange[] = [];

  get size(): number {
    return this.#exchanges.length;
  }

  add(exchange: Exchange): void {
    this.#exchanges.push(exchange);
  }

  remove(exchange: Exchange): void {
    const place = this.#exchanges.indexOf(exchange);
    if (place === -1) {
      return;
    }
    const last = this.#exchanges.pop();
    if (last !== undefined && last !== exchange) {
      this.#exchanges[place] = last;
    }
  }

  /** By the id that the client chose. */
  find(id: RequestId): Exchange | undefined {
    return this.#exchanges.find((exchange) => exchange.id === id);
  }

  /** As they are now: what ends while they are gone through changes nothing of it. */
  list(): Exchange[] {
    return [...this.#exchanges];
  }
}
