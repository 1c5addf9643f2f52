import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { EventReader, StreamFault, writeEvent } from "../../../proxy/messages/sse.ts";

const read = (...chunks: (string | Buffer)[]): unknown[] => {
  const reader = new EventReader(1024);
  return chunks.flatMap((chunk) => reader.read(Buffer.from(chunk)));
};
const event = (data: string, more: object = {}): object => ({
  kind: "event",
  data,
  id: undefined,
  retry: undefined,
  ...more,
});

describe("EventReader", () => {
  it("reads events with ids, retries, comments and several lines of data", () => {
    expect(read(": hello\n\nid: 7\nretry: 100\ndata: a\ndata:b\n\nid: 8\ndata: \n\n")).toEqual([
      { kind: "comment" },
      event("a\nb", { id: "7", retry: "100" }),
      event("", { id: "8" }),
    ]);
  });

  it("reads the same events however the bytes are cut", () => {
    const stream = Buffer.from(': c\r\n\r\nevent: message\r\ndata: {"a":"é😀"}\r\n\r\nid: 1\ndata: x\n\n');
    const whole = read(stream);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.toSorted((left, right) => left - right), stream.length];
        const chunks = places.slice(1).map((end, index) => stream.subarray(places[index], end));
        expect(read(...chunks)).toEqual(whole);
      }),
    );
    expect(whole).toHaveLength(3);
  });

  it("leaves out events of other types, which no MCP client takes for messages", () => {
    expect(read("event: endpoint\ndata: /messages\n\ndata: x\n\n")).toEqual([event("x")]);
  });

  it("passes over a byte order mark at the start only", () => {
    expect(read("\ufeffdata: x\n\n\ufeffdata: y\n\n")).toEqual([event("x")]);
  });

  it("refuses a lone carriage return, which some readers take for the end of a line", () => {
    expect(() => read('data: {"a":1}\rdata: {"b":2}\n\n')).toThrow(StreamFault);
  });

  it("refuses an event beyond its bound, in one line or in many", () => {
    expect(() => read("data: " + "x".repeat(2000))).toThrow("event_too_large");
    expect(() => read("data: x\n".repeat(200))).toThrow("event_too_large");
  });

  it("reads comments without end", () => {
    expect(() => read(": keep-alive\n".repeat(1000))).not.toThrow();
  });
});

describe("writeEvent", () => {
  it("writes what a reader reads back, line ends within the data included", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.option(fc.stringMatching(/^[a-z0-9]+$/), { nil: undefined }),
        (text, id) => {
          const data = text.replaceAll(/\r\n|\r/g, "\n");
          expect(
            read(Buffer.from(writeEvent({ data: Buffer.from(data).toString("latin1"), id }), "latin1")),
          ).toEqual([event(Buffer.from(data).toString("latin1"), { id })]);
        },
      ),
    );
  });
});
