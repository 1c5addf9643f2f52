/**
 * A definition on its way to an agent, without what its titles and descriptions hide, at any depth. Only the strings
 * that hold such are written anew; every other byte stays. What decides which arguments are valid is not touched.
 */
import { readSpan, toByteText } from "../messages/json-spans.ts";
import { cleanText, type Removal } from "./invisible-text.ts";

export interface Cleaned {
  /** One character per byte, as it came in. */
  readonly text: string;
  readonly removed: ReadonlyMap<Removal, number>;
}

/** Members that are prose for a reader. */
const PROSE = new Set(["title", "description", "$comment"]);
/** Members whose value is data, whatever its own members are called. */
const DATA = new Set(["default", "const", "enum", "examples"]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** An escape, or a byte beyond ASCII: nothing else in a JSON string can stand for what is removed. */
const SUSPICIOUS = /[\\\x7f-\xff]/;

/** `text` is one JSON value that was read already: it is well-formed. */
export function cleanDefinition(text: string): Cleaned {
  const removed = new Map<Removal, number>();
  if (!SUSPICIOUS.test(text)) {
    return { text, removed };
  }
  const parts: string[] = [];
  let copied = 0;
  for (const { start, end } of findProse(text)) {
    const written = readSpan(text, { start, end });
    const cleaned = typeof written === "string" ? cleanText(written) : undefined;
    if (cleaned !== undefined && cleaned.removed.size > 0) {
      parts.push(text.slice(copied, start), toByteText(JSON.stringify(cleaned.text)));
      copied = end;
      cleaned.removed.forEach((count, kind) => removed.set(kind, (removed.get(kind) ?? 0) + count));
    }
  }
  return removed.size === 0 ? { text, removed } : { text: parts.join("") + text.slice(copied), removed };
}

interface Level {
  readonly isObject: boolean;
  readonly isData: boolean;
  /** Of the member whose value comes next; undefined where a name comes next. */
  name: string | undefined;
}

/** The strings, quotes included, that are values of a prose member; the value itself where it is a string. In one pass. */
function* findProse(text: string): Generator<{ start: number; end: number }> {
  const levels: Level[] = [];
  for (let place = 0; place < text.length; place++) {
    const level = levels.at(-1);
    switch (text.charCodeAt(place)) {
      case QUOTE: {
        const end = findStringEnd(text, place);
        const span = { start: place, end };
        if (level === undefined) {
          yield span;
        } else if (level.isObject && level.name === undefined) {
          level.name = String(readSpan(text, span));
        } else if (
          level.isObject &&
          !level.isData &&
          PROSE.has(level.name ?? "") &&
          SUSPICIOUS.test(text.slice(place, end))
        ) {
          yield span;
        }
        place = end - 1;
        break;
      }
      case 0x7b:
      case 0x5b: {
        const isData =
          level !== undefined && (level.isData || (level.isObject && DATA.has(level.name ?? "")));
        levels.push({ isObject: text[place] === "{", isData, name: undefined });
        break;
      }
      case 0x7d:
      case 0x5d:
        levels.pop();
        break;
      case 0x2c:
        if (level !== undefined) {
          level.name = undefined;
        }
        break;
      default:
    }
  }
}

function findStringEnd(text: string, start: number): number {
  let end = start + 1;
  while (text.charCodeAt(end) !== QUOTE && end < text.length) {
    end += text.charCodeAt(end) === BACKSLASH ? 2 : 1;
  }
  return end + 1;
}
