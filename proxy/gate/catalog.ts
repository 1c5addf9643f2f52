/**
 * What is known of one of a server's lists: the digest of each definition, and of a tool the header fields that it asks
 * for. Filled by the lists that pass; tells when something became known or changed.
 */
import type { Digest } from "../../audit/record.ts";
import { findParamFields, type ParamField } from "../messages/param-fields.ts";
import type { Definition } from "./list-filter.ts";
import type { Listing } from "./named-things.ts";

/** Lists that are being paged through at the same time. */
const MAX_OPEN_LISTS = 16;

interface KnownThing {
  readonly digest: Digest;
  readonly paramFields: readonly ParamField[];
}

interface ListPage {
  readonly cursor: string | undefined;
  readonly nextCursor: string | undefined;
  readonly definitions: readonly Definition[];
}

/** One for each list of a server. */
export type Catalogs = Readonly<Record<Listing["list"], Catalog>>;

export function openCatalogs(maxListed: number): Catalogs {
  return {
    tools: new Catalog(maxListed),
    resources: new Catalog(maxListed),
    resource_templates: new Catalog(maxListed),
    prompts: new Catalog(maxListed),
  };
}

class Catalog {
  readonly #maxListed: number;
  #known = new Map<string, KnownThing>();
  #isRecorded = true;
  /** By the cursor of the next page: the names on the pages before it. */
  readonly #openLists = new Map<string, readonly string[]>();

  constructor(maxListed: number) {
    this.#maxListed = maxListed;
  }

  get known(): ReadonlyMap<string, { readonly digest: Digest }> {
    return this.#known;
  }

  /** False for a page with more than can be known; nothing of it is then. */
  learn(page: ListPage): boolean {
    const added = page.definitions.filter(({ name }) => !this.#known.has(name)).length;
    if (this.#known.size + added > this.#maxListed) {
      return false;
    }
    if (this.#hasNews(page)) {
      this.#isRecorded = false;
    }
    return true;
  }

  /** What is visible of it has changed. */
  markUnrecorded(): void {
    this.#isRecorded = false;
  }

  /** `record` is called until it went well once for all that is known. */
  recordNews(record: () => void): void {
    if (!this.#isRecorded) {
      record();
      this.#isRecorded = true;
    }
  }

  /** Whether anything is known now that was not, or is gone. */
  #hasNews(page: ListPage): boolean {
    const added = page.definitions.filter((definition) => this.#learnOne(definition)).length;
    const before = page.cursor === undefined ? [] : this.#openLists.get(page.cursor);
    const names = before === undefined ? undefined : [...before, ...page.definitions.map(({ name }) => name)];
    if (page.cursor !== undefined) {
      this.#openLists.delete(page.cursor);
    }
    if (names === undefined) {
      return added > 0;
    }
    if (page.nextCursor !== undefined) {
      if (this.#openLists.size < MAX_OPEN_LISTS) {
        this.#openLists.set(page.nextCursor, names);
      }
      return added > 0;
    }
    return this.#forgetAllBut(new Set(names)) || added > 0;
  }

  paramFieldsOf(tool: string): readonly ParamField[] {
    return this.#known.get(tool)?.paramFields ?? [];
  }

  #learnOne({ name, definition, digest }: Definition): boolean {
    if (this.#known.get(name)?.digest === digest) {
      return false;
    }
    this.#known.set(name, { digest, paramFields: findParamFields(definition["inputSchema"]) });
    return true;
  }

  #forgetAllBut(names: ReadonlySet<string>): boolean {
    const gone = [...this.#known.keys()].filter((name) => !names.has(name));
    gone.forEach((name) => this.#known.delete(name));
    return gone.length > 0;
  }
}
