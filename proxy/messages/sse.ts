/**
 * Server-sent events (WHATWG HTML, section 9.2): read from a server, written to an agent.
 * An event is read once and written anew, so that both ends see the same events; its data stay as they came.
 */

export interface ServerEvent {
  /** One character per byte; empty for an event that only carries an id. */
  readonly data: string;
  readonly id?: string | undefined;
  readonly retry?: string | undefined;
}

export type EventOrComment = ({ readonly kind: "event" } & ServerEvent) | { readonly kind: "comment" };

/** A server's stream that cannot be read on. */
export class StreamFault extends Error {
  readonly code: "event_too_large" | "lone_carriage_return";
  constructor(code: "event_too_large" | "lone_carriage_return") {
    super(code);
    this.code = code;
  }
}

const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

export class EventReader {
  readonly #maxBytes: number;
  /** Of the line that has no end yet. */
  #parts: Buffer[] = [];
  /** Bytes of the event that has no end yet. */
  #held = 0;
  #isFirstLine = true;
  #data: string[] = [];
  #type = "";
  #id: string | undefined;
  #retry: string | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The events that are complete now. Throws `StreamFault`. Events of other types than `message` are left out. */
  read(chunk: Buffer): EventOrComment[] {
    const found: EventOrComment[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#hold(end + 1 - start);
      const line = this.#endLine(chunk.subarray(start, end));
      start = end + 1;
      const done = this.#readLine(line);
      if (done !== undefined) {
        found.push(done);
      }
    }
    if (start < chunk.length) {
      this.#hold(chunk.length - start);
      this.#parts.push(chunk.subarray(start));
    }
    return found;
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    if (this.#held > this.#maxBytes) {
      throw new StreamFault("event_too_large");
    }
  }

  #endLine(last: Buffer): string {
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    let line = bytes.toString("latin1");
    if (line.endsWith("\r")) {
      line = line.slice(0, -1);
    }
    if (this.#isFirstLine && line.startsWith(BYTE_ORDER_MARK)) {
      line = line.slice(BYTE_ORDER_MARK.length);
    }
    this.#isFirstLine = false;
    // The standard lets it end a line; nobody sends it, and readers that forget it would see other events.
    if (line.includes("\r")) {
      throw new StreamFault("lone_carriage_return");
    }
    return line;
  }

  #readLine(line: string): EventOrComment | undefined {
    if (line === "") {
      return this.#endEvent();
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      this.#held -= line.length;
      return { kind: "comment" };
    }
    const field = colon === -1 ? line : line.slice(0, colon);
    const raw = colon === -1 ? "" : line.slice(colon + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    switch (field) {
      case "data":
        this.#data.push(value);
        break;
      case "event":
        this.#type = value;
        break;
      case "id":
        this.#id = value.includes("\u0000") ? this.#id : value;
        break;
      case "retry":
        this.#retry = /^[0-9]{1,12}$/.test(value) ? value : this.#retry;
        break;
      default:
    }
    return undefined;
  }

  #endEvent(): EventOrComment | undefined {
    const event = { kind: "event", data: this.#data.join("\n"), id: this.#id, retry: this.#retry } as const;
    const isMessage = this.#type === "" || this.#type === "message";
    const isEmpty = this.#data.length === 0 && this.#id === undefined && this.#retry === undefined;
    this.#data = [];
    this.#type = "";
    this.#id = undefined;
    this.#retry = undefined;
    this.#held = 0;
    return isMessage && !isEmpty ? event : undefined;
  }
}

export const COMMENT = ": keep-alive\n\n";

/** The bytes of an event, one character each. */
export function writeEvent({ data, id, retry }: ServerEvent): string {
  const lines =
    data === ""
      ? "data: \n"
      : `event: message\n${data
          .split(/\r\n|\r|\n/)
          .map(writeData)
          .join("")}`;
  return `${id === undefined ? "" : `id: ${id}\n`}${retry === undefined ? "" : `retry: ${retry}\n`}${lines}\n`;
}

function writeData(line: string): string {
  return `data: ${line}\n`;
}
