/**
 * What is known of a server's tools: the digest of each definition, and the header fields that it asks for.
 * Filled by the lists that pass; tells when something became known or changed.
 */
import type { Digest } from "../../audit/record.ts";
import { findParamFields, type ParamField } from "../messages/param-fields.ts";
import type { ToolDefinition } from "./tool-list.ts";

/** Lists that are being paged through at the same time. */
const MAX_OPEN_LISTS = 16;

interface KnownTool {
  readonly digest: Digest;
  readonly paramFields: readonly ParamField[];
}

export interface ListPage {
  readonly cursor: string | undefined;
  readonly nextCursor: string | undefined;
  readonly definitions: readonly ToolDefinition[];
}

export class Catalog {
  readonly #maxTools: number;
  #tools = new Map<string, KnownTool>();
  #isRecorded = true;
  /** By the cursor of the next page: the names on the pages before it. */
  readonly #openLists = new Map<string, readonly string[]>();

  constructor(maxTools: number) {
    this.#maxTools = maxTools;
  }

  get tools(): ReadonlyMap<string, { readonly digest: Digest }> {
    return this.#tools;
  }

  /** False for a page with more tools than can be known; nothing of it is then. */
  learn(page: ListPage): boolean {
    const added = page.definitions.filter(({ name }) => !this.#tools.has(name)).length;
    if (this.#tools.size + added > this.#maxTools) {
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
    const added = page.definitions.filter((tool) => this.#learnTool(tool)).length;
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
    return this.#tools.get(tool)?.paramFields ?? [];
  }

  #learnTool({ name, definition, digest }: ToolDefinition): boolean {
    if (this.#tools.get(name)?.digest === digest) {
      return false;
    }
    this.#tools.set(name, { digest, paramFields: findParamFields(definition["inputSchema"]) });
    return true;
  }

  #forgetAllBut(names: ReadonlySet<string>): boolean {
    const gone = [...this.#tools.keys()].filter((name) => !names.has(name));
    gone.forEach((name) => this.#tools.delete(name));
    return gone.length > 0;
  }
}
