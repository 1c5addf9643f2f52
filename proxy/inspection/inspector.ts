/**
 * Inspects one message of a server. A message in which nothing is to be found costs one search of its bytes; of any
 * other, the texts alone are decoded in which something may be, and only those that change are written anew: numbers,
 * binary data and every other byte stay as they came.
 */
import type { Redactor } from "../../audit/redaction/redaction.ts";
import { readSpan, type Span, toByteText, toCharacters } from "../messages/json-spans.ts";
import { replaceInMessage, type ServerMessage } from "../messages/server-message.ts";
import type { ByteSearch, Kind } from "./byte-search.ts";
import { COST, Effort, TooMuchToInspect } from "./effort.ts";
import type { Inspected, Inspection, Inspector } from "./inspection.ts";
import { cleanText, type Removal } from "./invisible-text.ts";
import { findStrings, findUnread } from "./message-strings.ts";
import { buildFormSearch, buildSearch, ESCAPED, HIDDEN, listHinted, SECRET } from "./suspicion.ts";

/** Beyond it, what is no text is told from what is before anything is searched. */
const SMALL_BYTES = 256 * 1024;
/** Of one message, in which markers are looked for. */
const MAX_MARKED_LENGTH = 1024 * 1024;
const NOTHING: ReadonlyMap<Removal, number> = new Map();

/**
 * `everywhere`: what the redactor knows and nothing else, also in what nobody reads as text; a message is none that has
 * a secret where no text can stand.
 */
export function createInspector(redactor: Redactor, { everywhere = false } = {}): Inspector {
  let built: { readonly search: ByteSearch; readonly forms: number } | undefined;
  return {
    inspect: (message, inspection) => {
      if (redactor.forms.size !== built?.forms) {
        const build = everywhere ? buildFormSearch : buildSearch;
        built = { search: build(redactor.forms.keys()), forms: redactor.forms.size };
      }
      const { search } = built;
      return isSuspicious({ message, search, everywhere })
        ? lookWithin(new Look({ message, inspection, redactor, search, everywhere }))
        : undefined;
    },
  };
}

function lookWithin<M extends ServerMessage>(look: Look<M>): Inspected<M> {
  try {
    return look.inspect();
  } catch (error) {
    if (error instanceof TooMuchToInspect) {
      return { ok: false, fault: "too_much" };
    }
    throw error;
  }
}

interface Looking<M> {
  readonly message: M;
  readonly search: ByteSearch;
  readonly everywhere: boolean;
}

function isSuspicious({ message, search, everywhere }: Looking<ServerMessage>): boolean {
  const { text } = message;
  if (everywhere || text.length <= SMALL_BYTES) {
    return search.search(text) !== 0;
  }
  let from = 0;
  return [...findUnread(message), { start: text.length, end: text.length }].some(({ start, end }) => {
    const piece = text.slice(from, start);
    from = end;
    return search.search(piece) !== 0;
  });
}

interface LookOptions<M> extends Looking<M> {
  readonly inspection: Inspection;
  readonly redactor: Redactor;
}

class Look<M extends ServerMessage> {
  readonly #options: LookOptions<M>;
  readonly #redactions = new Map<string, number>();
  readonly #removals = new Map<string, number>();
  readonly #markers = new Set<string>();
  /** By a name of members that was changed, how often it came out the same. */
  readonly #names = new Map<string, number>();
  readonly #effort = new Effort();
  #leftToMark = MAX_MARKED_LENGTH;

  constructor(options: LookOptions<M>) {
    this.#options = options;
  }

  inspect(): Inspected<M> {
    const { message, everywhere } = this.#options;
    const unread = everywhere ? [] : findUnread(message);
    const strings = findStrings(message, unread, () => this.#effort.spend(COST.string));
    if (strings === undefined || (everywhere && this.#isSecretBetween(strings))) {
      return { ok: false, fault: "unreadable" };
    }
    const changes: { readonly span: Span; readonly by: string }[] = [];
    for (const span of strings) {
      const raw = message.text.slice(span.start, span.end);
      const found = this.#search(raw);
      if (found !== 0) {
        const text = readSpan(message.text, span);
        if (typeof text !== "string") {
          return { ok: false, fault: "unreadable" };
        }
        const shown = this.#inspectText(text, found);
        if (shown !== text) {
          changes.push({
            span,
            by: toByteText(JSON.stringify(span.isName ? this.#findFreeName(shown) : shown)),
          });
        }
      }
    }
    return {
      ok: true,
      message: changes.length === 0 ? message : replaceAll(message, changes),
      findings: { redactions: this.#redactions, removals: this.#removals, markers: this.#markers },
    };
  }

  /** In a number, in what makes it a message. */
  #isSecretBetween(strings: readonly Span[]): boolean {
    const { redactor, message } = this.#options;
    let from = 0;
    const between = [...strings, { start: message.text.length, end: message.text.length }].map(
      ({ start, end }) => {
        const piece = message.text.slice(from, start);
        from = end;
        return piece;
      },
    );
    const text = between.join('"');
    return (this.#search(text) & SECRET) !== 0 && redactor.redactText(toCharacters(text)).count > 0;
  }

  #search(text: string): Kind {
    return this.#options.search.search(text, (kind) => {
      if ((kind & SECRET) !== 0) this.#effort.spend(COST.secretPlace);
      if ((kind & HIDDEN) !== 0) this.#effort.spend(COST.hiddenPlace);
    });
  }

  /** Cleaned first: what is hidden between the characters of a secret would hide it. */
  #inspectText(text: string, foundRaw: number): string {
    const { inspection, redactor, everywhere } = this.#options;
    const isPlain = (foundRaw & (HIDDEN | ESCAPED)) === 0;
    const change = (): void => this.#effort.spend(COST.change);
    // Where only what is known is looked for, nothing is cleaned: the decoded text is searched as it is.
    const cleaned = isPlain ? undefined : everywhere ? { text, removed: NOTHING } : cleanText(text, change);
    const isClean = inspection.text === "pass" || cleaned === undefined;
    const plain = cleaned?.text ?? text;
    const found = cleaned === undefined ? foundRaw : this.#search(toByteText(plain));
    this.#mark(plain, found);
    let shown = isClean ? text : plain;
    if (!isClean) {
      cleaned.removed.forEach((times, kind) => count(this.#removals, kind, times));
    }
    if (inspection.secrets === "redact" && (found & SECRET) !== 0) {
      const redacted = redactor.redactText(shown, (kind) => {
        change();
        count(this.#redactions, kind, 1);
      });
      shown = redacted.count === 0 ? shown : redacted.text;
    }
    return shown;
  }

  #mark(text: string, found: number): void {
    for (const { name, isIn } of listHinted(found)) {
      if (!this.#markers.has(name) && isIn(text.slice(0, this.#leftToMark))) {
        this.#markers.add(name);
      }
    }
    this.#leftToMark = Math.max(0, this.#leftToMark - text.length);
  }

  /** A second member of a name would hide the first; one that came so may be anywhere. */
  #findFreeName(name: string): string {
    const isTaken = (): boolean => this.#options.message.text.includes(toByteText(JSON.stringify(name)));
    const times = (this.#names.get(name) ?? (isTaken() ? 1 : 0)) + 1;
    this.#names.set(name, times);
    return times === 1 ? name : `${name}#${times}`;
  }
}

function count(counts: Map<string, number>, kind: string, times: number): void {
  counts.set(kind, (counts.get(kind) ?? 0) + times);
}

/** In their order. */
function replaceAll<M extends ServerMessage>(
  message: M,
  changes: readonly { readonly span: Span; readonly by: string }[],
): M {
  const start = changes[0]?.span.start ?? 0;
  const parts: string[] = [];
  let end = start;
  for (const { span, by } of changes) {
    parts.push(message.text.slice(end, span.start), by);
    end = span.end;
  }
  return replaceInMessage(message, { start, end }, parts.join(""));
}
