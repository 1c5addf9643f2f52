/**
 * What a reader of the log should know of a server's definitions: those that are not the reviewed ones, those that
 * hid something, and names that could be taken for another server's. Each is said once.
 */
import { canonicalize, type Json } from "../../../audit/canonical.ts";
import { DEFINING } from "../../../policies/lock/definition.ts";
import { cleanText, type Removal } from "../../inspection/invisible-text.ts";
import type { JsonObject } from "../../messages/envelope.ts";
import type { EventName, Recording, Severity } from "../../recording.ts";
import type { Definition } from "./list-filter.ts";
import type { Kind } from "../named-things.ts";
import type { Visibility } from "./visibility.ts";
import type { VisibleNames } from "./visible-names.ts";

export interface DefinitionFindingsOptions {
  readonly server: string;
  readonly recording: Recording;
  readonly visibility: Visibility;
  /** Of all servers of the session. */
  readonly names: VisibleNames;
}

/** Findings of one server that are remembered; those beyond are counted, and noted ever more rarely. */
const MAX_FINDINGS = 4_000;
/** What is looked at of a description or of instructions; the log takes less of it, and redacts before it cuts. */
const MAX_EXCERPT_LENGTH = 20_000;

export class DefinitionFindings {
  readonly #options: DefinitionFindingsOptions;
  readonly #noted = new Set<string>();
  /** The reviewed definitions that were seen: what a later one can be compared with. */
  readonly #reviewed = new Map<string, JsonObject>();

  constructor(options: DefinitionFindingsOptions) {
    this.#options = options;
  }

  noteDefinition(tool: Definition): void {
    const { visibility } = this.#options;
    const { name, definition, digest } = tool;
    if (!visibility.isLocked) {
      return;
    }
    const verdict = visibility.judgeDefinition(name, digest);
    if (verdict === "reviewed") {
      this.#reviewed.set(name, definition);
    } else if (visibility.concernsAgents(name)) {
      const event = verdict === "drifted" ? "tool_drifted" : "tool_unreviewed";
      this.#note({ event, severity: "finding", key: `${name} ${digest}` }, () => this.#describe(tool));
    }
  }

  /** An agent is shown this one, without what was removed from its texts. */
  noteShown(kind: Kind, { name, digest, cleaned: { removed } }: Definition): void {
    const { names, server } = this.#options;
    if (removed.size > 0) {
      const key = kind === "tool" ? `${name} ${digest}` : `${kind} ${name} ${digest}`;
      this.#note({ event: "text_cleaned", severity: "warning", key }, () => ({
        [kind]: name,
        removed: Object.fromEntries(removed),
      }));
    }
    if (kind !== "tool") {
      return;
    }
    for (const other of names.add({ server, tool: name })) {
      const key = JSON.stringify([name, other.server, other.tool]);
      this.#note({ event: "tool_shadowed", severity: "warning", key }, () => ({
        ...{ tool: name, other_server: other.server, other_tool: other.tool },
      }));
    }
  }

  noteInstructions(digest: string, instructions: string): void {
    const { visibility } = this.#options;
    this.#note({ event: "instructions_drifted", severity: "finding", key: digest }, () => ({
      old_digest: visibility.lockedInstructions ?? null,
      new_digest: digest,
      instructions: excerpt(instructions),
    }));
  }

  /** What the server says of itself: its instructions, and how it is called. */
  noteCleaned(
    what: "instructions" | "server_info",
    digest: string,
    removed: ReadonlyMap<Removal, number>,
  ): void {
    if (removed.size > 0) {
      this.#note({ event: "text_cleaned", severity: "warning", key: `${what} ${digest}` }, () => ({
        ...{ tool: null, in: what, removed: Object.fromEntries(removed) },
      }));
    }
  }

  #describe({ name, definition, digest }: Definition): { [name: string]: Json } {
    const reviewed = this.#reviewed.get(name);
    const locked = this.#options.visibility.lockedDigestOf(name);
    const description = definition["description"];
    return {
      tool: name,
      ...(locked !== undefined && { old_digest: locked }),
      new_digest: digest,
      ...(reviewed !== undefined && { changed: listChanged(reviewed, definition) }),
      ...(typeof description === "string" && { description: excerpt(description) }),
    };
  }

  #note(
    { event, severity, key }: { event: EventName; severity: Severity; key: string },
    describe: () => { [name: string]: Json },
  ): void {
    const { recording, server } = this.#options;
    const noted = `${event} ${key}`;
    if (this.#noted.has(noted)) {
      return;
    }
    if (this.#noted.size >= MAX_FINDINGS) {
      recording.noteRepeated(event, server, { server });
      return;
    }
    this.#noted.add(noted);
    recording.noteEvent(event, severity, { server, ...describe() });
  }
}

/** Of the members that a person reviewed. */
function listChanged(before: JsonObject, now: JsonObject): string[] {
  const write = (definition: JsonObject, name: string): string | undefined => {
    const member = definition[name];
    return member === undefined ? undefined : canonicalize(member);
  };
  return DEFINING.filter((name) => write(before, name) !== write(now, name));
}

function excerpt(text: string): string {
  return cleanText(text.slice(0, MAX_EXCERPT_LENGTH)).text;
}
