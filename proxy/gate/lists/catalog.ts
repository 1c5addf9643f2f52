/**
 * What is known of one of a server's lists: the digest of each definition, and of a tool the header fields that it asks
 * for. Filled by the lists that pass; tells when something became known or changed.
 */
import type { Digest } from "../../../audit/record.ts";
import { findParamFields, type ParamField } from "../../messages/param-fields.ts";
import type { Definition } from "./list-filter.ts";
import type { Listing } from "../named-things.ts";

interface KnownThing {
  readonly digest: Digest;
  readonly paramFields: readonly ParamField[];
}

/** One for each list of a server. */
export type Catalogs = Readonly<Record<Listing["list"], Catalog>>;

export function openCatalogs(): Catalogs {
  return {
    tools: new Catalog(),
    resources: new Catalog(),
    resource_templates: new Catalog(),
    prompts: new Catalog(),
  };
}

class Catalog {
  #known: ReadonlyMap<string, KnownThing> = new Map();
  #isRecorded = true;

  get known(): ReadonlyMap<string, { readonly digest: Digest }> {
    return this.#known;
  }

  /** The whole list. Where a name stands twice, the last counts. */
  learn(definitions: readonly Definition[]): void {
    const known = new Map<string, KnownThing>();
    for (const { name, definition, digest } of definitions) {
      const before = this.#known.get(name);
      const isKnown = before?.digest === digest;
      known.set(name, isKnown ? before : { digest, paramFields: findParamFields(definition["inputSchema"]) });
    }
    const isSame = [...known].every(([name, thing]) => this.#known.get(name) === thing);
    this.#isRecorded &&= isSame && known.size === this.#known.size;
    this.#known = known;
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

  paramFieldsOf(tool: string): readonly ParamField[] {
    return this.#known.get(tool)?.paramFields ?? [];
  }
}
