/** A hostile agent: makes its moves over real sockets, and keeps what it was answered. */
import { request as requestHttp } from "node:http";
import { connect } from "node:net";
import { encodeFieldValue } from "../../proxy/messages/fields.ts";
import { OTHER_TOKEN, TOKEN } from "../proxy/rig.ts";
import { type Move, REVISION } from "./moves.ts";
import { parse, readObject } from "./oracle.ts";

/** How a move ended. */
export interface Reaction {
  readonly move: Move;
  /** The body, as it was sent. */
  readonly sent: string;
  /** Of bytes that are no HTTP there is none. */
  readonly status: number | undefined;
  readonly contentType: string;
  readonly text: string;
  /** Whether it was the proxy that ended it. */
  readonly ended: "answered" | "closed" | "left";
}

interface OpenedSession {
  readonly id: string;
  readonly server: string;
  readonly agent: string;
  readonly revision: string;
}

/** What agents have learned so far, and tell one another. */
export interface Knowledge {
  readonly sessions: OpenedSession[];
  readonly cursors: string[];
}

const TOKENS = { agent: TOKEN, other: OTHER_TOKEN, stranger: "made-up-token" };

export function makeMove(move: Move, url: string, known: Knowledge): Promise<Reaction> {
  return move.how === "raw" ? sendBytes(move, url) : sendRequest(move, url, known);
}

function sendRequest(move: Move, url: string, known: Knowledge): Promise<Reaction> {
  const cursor = known.cursors.at(-1) ?? "none";
  const texts = move.texts.map((text) => text.replaceAll("{cursor}", cursor));
  const sent = move.isBatch ? `[${texts.join(",")}]` : (texts[0] ?? "");
  return new Promise((resolve) => {
    let status: number | undefined;
    let contentType = "";
    let text = "";
    const end = (ended: Reaction["ended"]): void => {
      clearTimeout(timer);
      resolve({ move, sent, status, contentType, text, ended });
    };
    const headers = { ...writeFields(move, sent, known), ...move.fields };
    const request = requestHttp(`${url}/mcp/${move.server}`, { method: move.how, headers, agent: false });
    request.on("response", (response) => {
      status = response.statusCode;
      contentType = response.headers["content-type"] ?? "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", () => undefined);
      response.on("end", () => {
        learn({ move, sent, text, session: response.headers["mcp-session-id"] }, known);
        end("answered");
      });
      response.on("close", () => end("closed"));
    });
    request.on("error", () => end("closed"));
    request.on("close", () => end("closed"));
    const timer = setTimeout(
      () => {
        end("left");
        request.destroy();
      },
      move.leavesAfterMs ?? 2 ** 30,
    );
    request.end(sent === "" ? undefined : sent);
  });
}

function writeFields(move: Move, sent: string, known: Knowledge): Record<string, string> {
  const { agent, how, session: wanted, server } = move;
  const message = readObject(parse(sent)) ?? {};
  const params = readObject(message["params"]) ?? {};
  const claimed = readObject(params["_meta"])?.["io.modelcontextprotocol/protocolVersion"];
  const amount = readObject(params["arguments"])?.["amount"];
  const own = known.sessions.filter((opened) => opened.server === server && opened.agent === agent);
  const table = wanted === 2 ? known.sessions : own;
  const session = typeof wanted === "number" ? table[wanted % Math.max(1, table.length)] : undefined;
  const isStateless = claimed === REVISION;
  const name = params["name"] ?? params["uri"];
  return {
    authorization: `Bearer ${TOKENS[agent]}`,
    ...(how === "POST" && { "content-type": "application/json" }),
    accept: how === "GET" ? "text/event-stream" : "application/json, text/event-stream",
    ...(isStateless && { "mcp-protocol-version": REVISION, "mcp-method": encode(message["method"]) }),
    ...(isStateless && typeof name === "string" && { "mcp-name": encode(name) }),
    ...(isStateless && typeof amount === "number" && { "mcp-param-amount": String(amount) }),
    ...(!isStateless &&
      session !== undefined && { "mcp-session-id": session.id, "mcp-protocol-version": session.revision }),
    ...(wanted === "made-up" && { "mcp-session-id": "made-up" }),
  };
}

const encode = (value: unknown): string => encodeFieldValue(typeof value === "string" ? value : "");

interface Lesson extends Pick<Reaction, "move" | "sent" | "text"> {
  readonly session: string | string[] | undefined;
}

function learn({ move, sent, text, session }: Lesson, known: Knowledge): void {
  const [, cursor] = /"nextCursor":"([^"]*)"/.exec(text) ?? [];
  if (cursor !== undefined) {
    known.cursors.push(cursor);
  }
  if (typeof session === "string") {
    const asked = readObject(readObject(parse(sent))?.["params"])?.["protocolVersion"];
    const revision = typeof asked === "string" ? asked : "2025-11-25";
    known.sessions.push({ id: session, server: move.server, agent: move.agent, revision });
  }
}

function sendBytes(move: Move, url: string): Promise<Reaction> {
  const { host, port } = new URL(url);
  const sent = (move.texts[0] ?? "").replaceAll("{host}", host).replaceAll("{token}", TOKEN);
  return new Promise((resolve) => {
    let text = "";
    const end = (ended: Reaction["ended"]): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ move, sent, status: undefined, contentType: "", text, ended });
    };
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(Buffer.from(sent, "latin1")));
    // A whole answer is followed by silence: the connection is kept for the next request.
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      end("answered");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => end("closed"));
    const timer = setTimeout(() => end("left"), move.leavesAfterMs ?? 2 ** 30);
  });
}
