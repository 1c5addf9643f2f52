/** The line to PostgreSQL, cut or garbled in the middle of a transaction: what was answered is what is stored. */
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../../../broker/storage/database.ts";
import { type Ledger, openLedger } from "../../../../broker/storage/ledger/ledger.ts";
import type { Queries } from "../../../../broker/storage/schema.ts";
import { admissionOf } from "../../../support/admissions.ts";
import {
  POSTGRES_START_TIMEOUT_MS,
  type PostgresServer,
  skipsPostgres,
  startPostgres,
} from "../../../support/postgres.ts";

/** What becomes of what the broker sends; undefined: it is not sent, and the line is cut. */
type Fault = (sent: Buffer) => { readonly send: Buffer; readonly thenCut: boolean };

interface Line {
  readonly url: string;
  /** From now on, until another one is set. */
  fault: Fault;
  close(): Promise<void>;
}

const whole: Fault = (sent) => ({ send: sent, thenCut: false });

/** In front of a server. */
async function openLine(target: string): Promise<Line> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    far.pipe(near);
    near.on("data", (sent) => {
      const { send, thenCut } = line.fault(sent);
      if (!thenCut) return void far.write(send);
      // The server reads to the end of what it was sent; nobody hears what it answers.
      far.unpipe(near);
      far.end(send);
      near.destroy();
      sockets.delete(far);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const line: Line = {
    url: url.href,
    fault: whole,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return line;
}

describe.skipIf(skipsPostgres)("PostgreSQL", () => {
  let server: PostgresServer;
  let direct: { readonly url: string };
  let line: Line;
  let database: Queries;
  let ledger: Ledger;
  beforeAll(async () => {
    server = await startPostgres();
  }, POSTGRES_START_TIMEOUT_MS);
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    direct = await server.createDatabase();
    line = await openLine(direct.url);
    database = await openDatabase({ kind: "postgres", url: line.url });
    ledger = openLedger(database);
  });
  afterEach(async () => {
    line.fault = whole;
    await database.destroy();
    await line.close();
  });

  const count = async (table: string): Promise<number> =>
    Number((await server.query(direct, `select count(*) from ${table}`))[0]?.["count"]);
  const replace = (from: string, to: string): Fault => {
    return (sent) => ({
      send: Buffer.from(sent.toString("latin1").replaceAll(from, to), "latin1"),
      thenCut: false,
    });
  };

  test("a BEGIN that fails alone: nothing that came with it is stored, and the next transaction is whole", async () => {
    line.fault = replace("begin\0", "bogus\0");
    const exchange = admissionOf();
    await expect(ledger.admit(exchange)).rejects.toThrow(/syntax error/);
    expect(await count("used_proofs")).toBe(0);
    expect(await count("policies")).toBe(0);
    line.fault = whole;
    expect((await ledger.admit(exchange)).kind).toBe("opened");
    expect(await count("used_proofs")).toBe(1);
  });

  test("cut after the commit was sent: an error, everything is stored, and the exchange repeated finds its session", async () => {
    const first = admissionOf({ workload: { id: "w" } });
    line.fault = (sent) => ({ send: sent, thenCut: sent.includes("commit\0") });
    await expect(ledger.admit(first)).rejects.toMatchObject({ code: "database_unavailable" });
    line.fault = whole;
    await expect.poll(async () => count("sessions")).toBe(1);
    const again = await ledger.admit(admissionOf({ workload: { id: "w" } }));
    expect(again).toMatchObject({ kind: "opened", session: { id: first.draft?.session.id } });
    expect(await ledger.admit(first)).toEqual({ kind: "proof_replayed" });
  });

  test("cut before the commit arrived: an error, nothing is stored, and the same request can be repeated", async () => {
    const exchange = admissionOf();
    line.fault = (sent) => ({
      send: sent.includes("commit\0") ? Buffer.alloc(0) : sent,
      thenCut: sent.includes("commit\0"),
    });
    await expect(ledger.admit(exchange)).rejects.toMatchObject({ code: "database_unavailable" });
    line.fault = whole;
    expect(await count("used_tokens")).toBe(0);
    expect((await ledger.admit(exchange)).kind).toBe("opened");
  });

  test("a session's row that somebody holds: its own renewal is refused in time, and all others go on", async () => {
    const held = admissionOf();
    const { session } = held.draft ?? {};
    await ledger.admit(held);
    const client = new pg.Client({ connectionString: direct.url });
    await client.connect();
    await client.query("begin");
    await client.query("select 1 from sessions for update");
    const renewal = ledger.renew({
      token: { iss: "i", jti: "j", expiresAt: Date.now() },
      prolongation: { id: session?.id ?? "", expiresAt: Date.now() + 60_000 },
    });
    const outcome = Promise.allSettled([renewal]);
    const others = await Promise.all(Array.from({ length: 5 }, async () => ledger.admit(admissionOf())));
    expect(others.map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => "opened"));
    expect(await outcome).toMatchObject([{ status: "rejected", reason: { code: "database_unavailable" } }]);
    await client.end();
    expect(await count("used_tokens")).toBe(6);
  });

  test("cut between two statements: an error for all of the group, nothing is stored", async () => {
    const exchanges = Array.from({ length: 5 }, () => admissionOf());
    line.fault = (sent) => ({ send: sent, thenCut: sent.includes("sessions") });
    const outcomes = await Promise.allSettled(exchanges.map(async (each) => ledger.admit(each)));
    expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => "rejected"));
    line.fault = whole;
    expect(await count("sessions")).toBe(0);
    expect((await ledger.admit(exchanges[0] ?? admissionOf())).kind).toBe("opened");
  });
});
