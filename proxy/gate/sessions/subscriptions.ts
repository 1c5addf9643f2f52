/** The resources that an agent asked to hear of when they change, each granted when it asked. */

export class Subscriptions {
  readonly #uris: Set<string>;

  constructor(uris: Iterable<string> = []) {
    this.#uris = new Set(uris);
  }

  add(uri: string): void {
    this.#uris.add(uri);
  }

  delete(uri: string): void {
    this.#uris.delete(uri);
  }

  /** A server may also name a part of what was subscribed to (2025-11-25 and 2026-07-28, Resources, "Subscriptions"). */
  covers(uri: string): boolean {
    return this.#uris.has(uri) || listBeginnings(uri).some((beginning) => this.#uris.has(beginning));
  }
}

/** What a URI is a part of by its form, with and without the separator. */
function listBeginnings(uri: string): string[] {
  return [...uri.matchAll(/[/?#]/g)].flatMap(({ index }) => [uri.slice(0, index), uri.slice(0, index + 1)]);
}
