/**
 * The names that the agents of one session see, over all servers: which of them could be taken for one another.
 */

export interface NamedTool {
  readonly server: string;
  readonly tool: string;
}

/** Beyond it nothing is remembered any more: a server that makes up names without end fills no memory. */
const MAX_NAMES = 10_000;
/** What nobody sees, and what stands between words. */
const UNSEEN_OR_BETWEEN = /[\p{Cc}\p{Cf}\p{Mn}\p{Default_Ignorable_Code_Point}\p{Z}\p{Pd}\p{Pc}.:/]/gu;

export class VisibleNames {
  readonly #byLook = new Map<string, NamedTool[]>();
  #size = 0;

  /** Those of other servers that look the same; each pair is told once. */
  add(added: NamedTool): readonly NamedTool[] {
    const look = describeLook(added.tool);
    const alike = this.#byLook.get(look) ?? [];
    const isKnown = alike.some(({ server, tool }) => server === added.server && tool === added.tool);
    if (isKnown || this.#size >= MAX_NAMES) {
      return [];
    }
    this.#size++;
    this.#byLook.set(look, [...alike, added]);
    return alike.filter(({ server }) => server !== added.server);
  }
}

/** Compatibility forms, letter case and separators make no difference to somebody who looks. */
function describeLook(name: string): string {
  return name.normalize("NFKC").toUpperCase().toLowerCase().replace(UNSEEN_OR_BETWEEN, "");
}
