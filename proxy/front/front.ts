/**
 * The front door: HTTP on the loopback interface, for agents that hold a token and for whoever holds the one of the
 * control endpoint. Who names another host, comes from another origin or holds no token learns nothing here.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Gate } from "../gate/gate.ts";
import type { Limits } from "../limits.ts";
import { type Fields, readFields } from "../messages/fields.ts";
import { type Answer, refuseBusy, refuseHttp } from "../messages/refusals.ts";
import { Places } from "../places.ts";
import type { Recording } from "../recording.ts";
import { type Probe, PROBE_FIELD } from "./probe.ts";
import { readBody } from "./body.ts";
import { answerControl, type Control, MAX_CONTROL_BYTES } from "./control.ts";
import { findDoorFault, findOwnHosts, Tokens } from "./door.ts";
import { receiveVisit } from "./visit.ts";

export interface FrontOptions {
  readonly gates: ReadonlyMap<string, Gate>;
  readonly agents: readonly { readonly name: string; readonly token: string }[];
  readonly control: Control | undefined;
  readonly recording: Recording;
  readonly limits: Limits;
}

/** How often half-sent requests are looked for. */
const CHECK_MS = 1_000;
const IDLE_CONNECTION_MS = 60_000;
const SERVER_PATH = /^\/mcp\/([A-Za-z0-9][A-Za-z0-9._-]{0,127})$/;

/** Whom a request finds behind the door. */
interface Side {
  readonly gates: ReadonlyMap<string, Gate>;
  readonly agents: Tokens<string>;
  readonly recording: Recording;
}

interface Knock {
  readonly side: Side;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fields: Fields;
  readonly path: string;
}

/** For the last answers to agents. */
const LAST_ANSWER_MS = 500;

export class Front {
  readonly #options: FrontOptions;
  readonly #agents: Side;
  #probe: { readonly digest: Buffer; readonly side: Side } | undefined;
  readonly #controllers: Tokens<Control>;
  readonly #places: Places;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  /** Those on which the control endpoint owes an answer: the one to whoever asked for the end comes after the end. */
  readonly #owed = new Set<Socket>();
  #hosts: readonly string[];
  #isClosing = false;

  constructor(options: FrontOptions) {
    const { gates, agents, control, recording, limits } = options;
    this.#options = options;
    const tokens = new Tokens(agents.map(({ name, token }) => ({ token, holder: name })));
    this.#agents = { gates, agents: tokens, recording };
    this.#controllers = new Tokens(control === undefined ? [] : [{ token: control.token, holder: control }]);
    this.#places = new Places(limits.maxConcurrentRequests);
    this.#hosts = findOwnHosts(0);
    this.#server = createServer(
      {
        maxHeaderSize: limits.maxHeaderBytes,
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        keepAliveTimeout: IDLE_CONNECTION_MS,
        connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersTimeoutMs),
        noDelay: true,
      },
      (request, response) => this.#receive(request, response),
    );
    this.#server.maxConnections = limits.maxConnections;
    this.#server.on("connection", (socket: Socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
    });
  }

  /** The URL it can be reached at, from this machine only. */
  listen(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        this.#hosts = findOwnHosts(port);
        resolve(`http://127.0.0.1:${port}`);
      });
    });
  }

  /** Until the result is called. What else the door refuses, it refuses to a probe as well. */
  admitProbe({ mark, token, gates, recording }: Probe): () => void {
    const agents = new Tokens([{ token, holder: "self-test" }]);
    this.#probe = { digest: hash("sha256", mark, "buffer"), side: { gates, agents, recording } };
    return () => {
      this.#probe = undefined;
    };
  }

  /** From now on no agent is let in; the control endpoint still answers. */
  refuseAgents(): void {
    this.#isClosing = true;
  }

  /**
   * Stops listening. What agents are being answered has a moment to end, beyond which none of them keeps the process
   * alive; the control endpoint gives the answers that it owes, however long the log takes.
   */
  close(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
    const endOthers = (): void => {
      for (const socket of this.#connections) if (!this.#owed.has(socket)) socket.destroy();
    };
    setTimeout(endOthers, LAST_ANSWER_MS).unref();
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    response.on("error", () => undefined);
    this.#route(request, response).catch((error: unknown) => {
      const name = error instanceof Error ? error.name : "unknown";
      this.#options.recording.noteRepeated("internal_error", "front", { error: name });
      if (response.headersSent) {
        response.destroy();
      } else {
        this.#answer(response, refuseHttp(500, "Internal Server Error"));
      }
    });
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = readFields(request.rawHeaders);
    if (fields === undefined) {
      const refusal = refuseHttp(400, "Bad Request: a header field stands twice");
      this.#turnAway({ response, side: this.#agents }, "repeated_field", refusal);
      return;
    }
    const side = this.#findSide(fields);
    const fault = findDoorFault(fields, this.#hosts);
    if (fault !== undefined) {
      this.#turnAway({ response, side }, fault, refuseHttp(403, "Forbidden"));
      return;
    }
    const knock = { side, request, response, fields, path: request.url ?? "" };
    if (knock.path.startsWith("/mcp/")) {
      await this.#routeAgent(knock);
    } else if (knock.path.startsWith("/control/")) {
      await this.#routeControl(knock);
    } else {
      this.#answer(response, refuseHttp(404, "Not Found"));
    }
  }

  async #routeAgent({ side, request, response, fields, path }: Knock): Promise<void> {
    const { gates, agents, recording } = side;
    const agent = agents.findHolder(fields);
    if (agent === undefined) {
      this.#turnAwayStranger({ response, side });
      return;
    }
    const server = SERVER_PATH.exec(path)?.[1] ?? "";
    const gate = gates.get(server);
    if (gate === undefined) {
      this.#turnAway({ response, side }, "unknown_server", refuseHttp(404, "Not Found"));
      return;
    }
    if (this.#isClosing) {
      this.#answer(response, refuseHttp(503, "Service Unavailable: the proxy is closing"));
      return;
    }
    if (!this.#places.take()) {
      recording.noteRepeated("limit_reached", "requests", { limit: "max_concurrent_requests" });
      response.setHeader("retry-after", "1");
      this.#answer(response, refuseBusy(null, "requests"));
      return;
    }
    response.on("close", () => this.#places.free());
    await receiveVisit({ request, response, fields, agent, server }, { gate, recording });
  }

  async #routeControl({ side, request, response, fields, path }: Knock): Promise<void> {
    const control = this.#controllers.findHolder(fields);
    if (control === undefined) {
      this.#turnAwayStranger({ response, side });
      return;
    }
    const { socket } = request;
    this.#owed.add(socket);
    response.once("close", () => this.#owed.delete(socket));
    const body = await readBody(request, fields, MAX_CONTROL_BYTES);
    const answer = body.ok
      ? await answerControl(control, { method: request.method ?? "", path, body: body.bytes })
      : refuseHttp(413, "Content Too Large");
    this.#answer(response, answer);
  }

  /** The same for no token, a wrong one, and one that is good elsewhere. */
  #turnAwayStranger(turnedAway: Pick<Knock, "response" | "side">): void {
    turnedAway.response.setHeader("www-authenticate", 'Bearer realm="lanyard"');
    this.#turnAway(turnedAway, "unauthorized", refuseHttp(401, "Unauthorized"));
  }

  #findSide(fields: Fields): Side {
    const mark = fields.get(PROBE_FIELD);
    const isProbe =
      mark !== undefined &&
      this.#probe !== undefined &&
      timingSafeEqual(hash("sha256", mark, "buffer"), this.#probe.digest);
    return isProbe ? (this.#probe?.side ?? this.#agents) : this.#agents;
  }

  #turnAway({ response, side }: Pick<Knock, "response" | "side">, reason: string, answer: Answer): void {
    side.recording.noteRepeated("request_refused", reason, { reason });
    this.#answer(response, answer);
  }

  #answer(response: ServerResponse, { status, text }: Answer): void {
    if (this.#isClosing) {
      response.setHeader("connection", "close");
    }
    response.writeHead(status, { "content-type": "application/json", "content-length": text.length });
    response.end(text, "latin1");
  }
}
