import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type AnswerHead, HttpClient, type Listener } from "../../../../proxy/upstream/http/http-client.ts";
import fc from "../../../support/properties.ts";

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const opened of open.splice(0)) {
    opened.close();
  }
});

interface Bed {
  readonly client: HttpClient;
  /** How many connections were made. */
  made(): number;
  /** How many of them the server has seen the end of. */
  closed(): number;
}

/** A server that answers every request with these bytes, piece by piece, and ends the connection where `ends` says so. */
async function startBed(pieces: readonly string[] | (() => readonly string[]), ends = false): Promise<Bed> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.setNoDelay();
    socket.on("error", () => undefined);
    socket.on("data", () => void write(socket));
  });
  const write = async (socket: Socket): Promise<void> => {
    for (const piece of typeof pieces === "function" ? pieces() : pieces) {
      socket.write(piece, "latin1");
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (ends) {
      socket.end();
    }
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = new HttpClient(new URL(`http://127.0.0.1:${port}`), { connectTimeoutMs: 10_000 });
  open.push(client, {
    close: () => {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    },
  });
  return {
    client,
    made: () => sockets.length,
    closed: () => sockets.filter((socket) => socket.closed).length,
  };
}

interface Got {
  head?: AnswerHead;
  body: string;
  ended?: true;
  failed?: string;
}

function ask({ client }: Bed): Promise<Got> {
  return new Promise((resolve) => {
    const got: Got = { body: "" };
    const listener: Listener = {
      head: (head) => {
        got.head = head;
      },
      data: (bytes) => {
        got.body += bytes.toString("latin1");
      },
      end: () => resolve({ ...got, ended: true }),
      failed: (failed) => resolve({ ...got, failed }),
    };
    client.open().request({ method: "GET", fields: {} }, listener);
  });
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe("an answer", () => {
  it.each([
    ["with a length", `${OK}Content-Length: 5\r\n\r\nhello`],
    ["in chunks", `${CHUNKED}2\r\nhe\r\n3;ext="x"\r\nllo\r\n0\r\nTrailer: x\r\n\r\n`],
    [
      "after others that are none",
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}content-length:5 \r\n\r\nhello`,
    ],
  ])("%s is the same in whatever pieces it comes, and its connection is used again", async (_, whole) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 6 }), async (cuts) => {
        const places = [0, ...cuts.toSorted((left, right) => left - right), whole.length];
        const pieces = places.slice(1).map((end, index) => whole.slice(places[index], end));
        const bed = await startBed(pieces.filter((piece) => piece !== ""));
        for (let time = 0; time < 2; time++) {
          expect(await ask(bed)).toMatchObject({ body: "hello", ended: true, head: { status: 200 } });
        }
        expect(bed.made()).toBe(1);
      }),
      { numRuns: 25 },
    );
  });

  it("that ends with its connection is whole", async () => {
    expect(await ask(await startBed([`${OK}\r\nhel`, "lo"], true))).toMatchObject({
      body: "hello",
      ended: true,
    });
  });

  it.each([204, 304])("of status %i has no body", async (status) => {
    const bed = await startBed([`HTTP/1.1 ${status} Nothing\r\n\r\n`]);
    expect(await ask(bed)).toMatchObject({ body: "", ended: true });
  });

  it.each([
    ["with a length", `${OK}Content-Length: 5\r\n\r\nhell`],
    ["in chunks", `${CHUNKED}5\r\nhello\r\n`],
    ["in its head", `${OK}Content-Len`],
  ])("%s that breaks off fails", async (_, whole) => {
    const got = await ask(await startBed([whole], true));
    expect(got).toMatchObject({ failed: "ECONNRESET" });
    expect(got.ended).toBeUndefined();
  });
});

describe("response smuggling", () => {
  it.each([
    ["a length and chunks", `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["two lengths", `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
    ["a list of lengths", `${OK}Content-Length: 5, 5\r\n\r\nhello`],
    ["a signed length", `${OK}Content-Length: +5\r\n\r\nhello`],
    ["a space before the colon", `${OK}Content-Length : 5\r\n\r\nhello`],
    ["a line that goes on", `${OK}X: y\r\n Content-Length: 5\r\n\r\nhello`],
    ["a bare line feed", `${OK}X: y\nContent-Length: 5\r\n\r\nhello`],
    ["a bare carriage return", `${OK}X: y\rContent-Length: 5\r\n\r\nhello`],
    ["a NUL", `${OK}X: \u0000\r\nContent-Length: 5\r\n\r\nhello`],
    ["no field name", `${OK}: y\r\nContent-Length: 5\r\n\r\nhello`],
    ["another protocol", "ICY 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
    ["a size that is no number", `${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n`],
    ["a negative size", `${CHUNKED}-5\r\nhello\r\n0\r\n\r\n`],
    ["no size", `${CHUNKED}\r\nhello\r\n0\r\n\r\n`],
    ["a size beyond all numbers", `${CHUNKED}${"f".repeat(17)}\r\nhello\r\n0\r\n\r\n`],
    ["a chunk longer than its size", `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`],
    ["a chunk's line without its end", `${CHUNKED}5\nhello\r\n0\r\n\r\n`],
    ["a trailer that is no field", `${CHUNKED}0\r\nno field\r\n\r\n`],
    ["a body that it cannot have", `HTTP/1.1 204 Nothing\r\nContent-Length: 4\r\n\r\nevil`],
    ["a change of protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
    ["a head without end", `${OK}${"X: y\r\n".repeat(20_000)}`],
    ["an extension without end", `${CHUNKED}5;${"x".repeat(40_000)}`],
  ])("by %s fails, and the connection is not used again", async (_, whole) => {
    const bed = await startBed([whole]);
    expect(await ask(bed)).toMatchObject({ failed: expect.stringMatching(/^(?:HPE_|ECONNRESET)/) });
    await ask(bed);
    expect(bed.made()).toBe(2);
  });

  it.each([
    [
      "more than its length",
      `${OK}Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
    ],
    [
      "more than its chunks",
      `${CHUNKED}5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
    ],
    ["its wish to end", `${OK}Connection: close\r\nContent-Length: 5\r\n\r\nhello`],
    ["an older protocol", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
    [
      "a server that ends idle connections at once",
      `${OK}Keep-Alive: timeout=1\r\nContent-Length: 5\r\n\r\nhello`,
    ],
  ])("by %s gains nothing: the next request has a connection of its own", async (_, whole) => {
    const bed = await startBed([whole]);
    for (let time = 1; time <= 2; time++) {
      const got = await ask(bed);
      expect(got.ended).toBe(true);
      expect(got.body).not.toContain("evil");
      expect(bed.made()).toBe(time);
    }
  });

  it("by an answer that nobody asked for ends the connection before it is used again", async () => {
    const bed = await startBed([`${OK}Content-Length: 5\r\n\r\nhello`, `${OK}Content-Length: 4\r\n\r\nevil`]);
    expect(await ask(bed)).toMatchObject({ body: "hello" });
    await expect.poll(() => bed.closed(), { timeout: 10_000 }).toBe(1);
    await ask(bed);
    expect(bed.made()).toBe(2);
  });
});
