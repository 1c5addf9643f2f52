/** The exchange bench with tiny counts: real servers, real databases, and figures that mean nothing. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { withPrograms } from "../../bench/child-program.ts";
import { type Measured, NAMES, burstFigures, loadFigures } from "../../bench/exchange-figures.ts";
import { ExchangeLoadResult } from "../../bench/program-contract.ts";
import { bench, readReport } from "../support/bench-command.ts";
import { whyNoPostgres } from "../support/postgres.ts";

const EXCHANGES = 40;

describe("the exchange bench", { timeout: 120_000 }, () => {
  it("reports every measure of every contender, the comparisons, the bursts and the disk", async () => {
    const report = readReport(
      await bench("exchange", "--json", "--rounds", "1", "--calls", String(EXCHANGES)),
    );
    const lines = report.figures.map(({ table, measure, subject }) => `${table}, ${measure}: ${subject}`);
    const withPostgres = whyNoPostgres === undefined;
    const brokers = [NAMES.sqlite, ...(withPostgres ? [NAMES.postgres] : [])];
    for (const measure of ["exchanges per second", "latency p50", "latency p99"]) {
      for (const subject of [NAMES.bare, NAMES.oidc, ...brokers, NAMES.slow]) {
        expect(lines).toContain(`token endpoint, ${measure}: ${subject}`);
      }
      for (const broker of brokers) {
        expect(lines).toContain(`compared, ${measure}: ${broker} / ${NAMES.bare}`);
        expect(lines).toContain(`compared, ${measure}: ${broker} / ${NAMES.oidc}`);
      }
    }
    expect(lines).toContain("the disk of the databases, 4 KiB and fdatasync, median: ");
    expect(report.notes.some((note) => note.startsWith("Left out: no PostgreSQL"))).toBe(!withPostgres);

    const burst = report.figures.filter(({ table }) => table.startsWith(`a burst of ${EXCHANGES} exchanges`));
    for (const measure of ["answered with a token", "sessions in the database"]) {
      const counted = burst.filter((figure) => figure.measure === measure);
      expect(counted.map(({ subject, median }) => [subject, median])).toEqual(
        brokers.map((broker) => [broker, EXCHANGES]),
      );
      expect(counted.every(({ goal }) => goal?.met === true)).toBe(true);
    }
  });
});

/** Eight exchanges over two connections, with a token endpoint whose answers are made by the test. */
async function loadAgainst(
  answer: (count: number) => { status?: number; body: unknown },
): Promise<ExchangeLoadResult> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const { status = 200, body } = answer((count += 1));
      const text = JSON.stringify(body);
      response.writeHead(status, { "content-length": Buffer.byteLength(text) }).end(text);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  const pinning = { kind: "none", reason: "this is no measurement" } as const;
  return withPrograms(pinning, async (start) => {
    const load = await start("exchange-load", "load");
    const request = { url, presented_as: "subject_token", exchanges: 8, connections: 2 };
    return ExchangeLoadResult.parse(await load.ask(request));
  });
}

describe("the load of the exchange bench", () => {
  const token = (name: unknown): unknown => ({ access_token: String(name), token_type: "DPoP" });

  it("accepts every answer with a token of its own", async () => {
    const result = await loadAgainst((count) => ({ body: token(count) }));
    expect(result.accepted).toBe(8);
    expect(result.refusal).toBeUndefined();
  });

  it("does not accept a refusal, and says the first one", async () => {
    const result = await loadAgainst((count) =>
      count > 6 ? { status: 429, body: { error: "busy" } } : { body: token(count) },
    );
    expect(result.accepted).toBe(6);
    expect(result.refusal).toBe('429 {"error":"busy"}');
  });

  it("does not accept 200 without a token, nor one that is not bound to the key", async () => {
    const result = await loadAgainst((count) => ({
      body: count % 2 === 0 ? {} : { access_token: String(count), token_type: "Bearer" },
    }));
    expect(result.accepted).toBe(0);
  });

  it("accepts a token that comes several times only once", async () => {
    const result = await loadAgainst(() => ({ body: token("the same") }));
    expect(result.accepted).toBe(1);
  });
});

describe("the goals of the exchange bench", () => {
  const perSecond = (...rounds: number[]): Measured[] =>
    rounds.map((value) => ({ "exchanges per second": value }));
  const goalsOf = (rounds: Map<string, Measured[]>): unknown[] =>
    loadFigures(rounds).flatMap(({ subject, goal }) => (goal === undefined ? [] : [[subject, goal]]));

  it("are of ratios within a round, at the bound already met", () => {
    const rounds = new Map([
      [NAMES.bare, perSecond(1000, 2000, 100)],
      [NAMES.oidc, perSecond(700, 700, 700)],
      [NAMES.sqlite, perSecond(700, 1400, 10)],
      [NAMES.postgres, perSecond(590, 1180, 59)],
    ] as [string, Measured[]][]);
    expect(goalsOf(rounds)).toEqual([
      ["Lanyard, SQLite / bare node:http", { at_least: 0.7, met: true }],
      ["Lanyard, PostgreSQL / bare node:http", { at_least: 0.6, met: false }],
      ["Lanyard, SQLite / oidc-provider", { at_least: 1.3, met: false }],
      ["Lanyard, PostgreSQL / oidc-provider", { at_least: 1.3, met: false }],
    ]);
  });

  it("leave out PostgreSQL where it was not measured", () => {
    const rounds = new Map([
      [NAMES.bare, perSecond(1000)],
      [NAMES.sqlite, perSecond(500)],
      [NAMES.slow, perSecond(999)],
    ] as [string, Measured[]][]);
    expect(goalsOf(rounds)).toEqual([
      ["Lanyard, SQLite + 2 ms", { at_least: 1000, met: false }],
      ["Lanyard, SQLite / bare node:http", { at_least: 0.7, met: false }],
    ]);
  });

  it("count an exchange of a burst as lost that was not answered, or is not in the database", () => {
    const burst = { sent: 100, connections: 10, elapsedMs: 5, p99Us: 5 };
    const goals = burstFigures(
      new Map([
        ["refused", { ...burst, accepted: 99, stored: 99 }],
        ["forgotten", { ...burst, accepted: 100, stored: 99 }],
      ]),
    ).flatMap(({ subject, measure, goal }) =>
      goal === undefined ? [] : [`${subject}, ${measure}: ${goal.met}`],
    );
    expect(goals).toEqual([
      "refused, answered with a token: false",
      "refused, sessions in the database: false",
      "forgotten, answered with a token: true",
      "forgotten, sessions in the database: false",
    ]);
  });
});
