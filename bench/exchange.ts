/**
 * What an exchange costs: the broker on SQLite and on PostgreSQL, durable and with every check on, beside a bare server
 * that does only the same cryptography and beside oidc-provider's token endpoint; on a disk that is slow to commit; and
 * in a burst of which none may be lost.
 */
import { startPostgres, whyNoPostgres } from "../test/support/postgres.ts";
import { z } from "zod";
import { type Bench, BenchFailed, type BenchOptions } from "./bench.ts";
import { type ChildProgram, type StartProgram, withPrograms } from "./child-program.ts";
import { readCpuTimeUs } from "./cpu-time.ts";
import {
  type Burst,
  type Measured,
  NAMES,
  burstFigures,
  diskFigures,
  loadFigures,
} from "./exchange-figures.ts";
import { timeSync } from "./disk-sync.ts";
import { interleave } from "./measurement.ts";
import { type ExchangeBroker, type ExchangeLoadRequest, ExchangeLoadResult } from "./program-contract.ts";
import type { Figure } from "./report.ts";

/** Enough for a second or two. */
const EXCHANGES = 2_000;
const CONNECTIONS = 32;
const BURST = { exchanges: 10_000, connections: 200 };
const SLOW_COMMIT_MS = 2;

export const exchangeBench: Bench = {
  name: "exchange",
  summary: "Exchanges per second, beside the bare cryptography and oidc-provider, and a burst of 10,000.",
  measuresCalls: true,
  notes: [
    `${CONNECTIONS} connections, each with one exchange at a time; each exchange is a job, a key, a token and a proof of its own, made before the clock starts.`,
    `${NAMES.bare}: RS256 verify, ES256 verify and ES256 sign with jose, nothing else; ${NAMES.oidc}: private_key_jwt (RS256), DPoP and ES256 access tokens, nothing on the disk.`,
    "Lanyard: a group of exchanges is answered when its commit is on the disk (SQLite: WAL, synchronous=FULL; PostgreSQL: its defaults), and logs are written, into nothing.",
    whyNoPostgres === undefined
      ? "PostgreSQL's own processes are on the load's core; CPU per exchange is of the contender's process with all its threads."
      : `Left out: ${whyNoPostgres}. CPU per exchange is of the contender's process with all its threads.`,
  ],
  measure: async ({ pinning, ...options }) => {
    // From this process it inherits the core of the load.
    const postgres = whyNoPostgres === undefined ? await startPostgres() : undefined;
    try {
      const database = await postgres?.createDatabase();
      return await withPrograms(pinning, (start) => measureAll(start, { ...options, database }));
    } finally {
      await postgres?.stop();
    }
  },
};

const Issuer = z.strictObject({ issuer: z.url() });
const Listening = z.strictObject({ url: z.url() });

type Name = (typeof NAMES)[keyof typeof NAMES];

interface Contender {
  readonly name: Name;
  readonly program: ChildProgram;
  readonly url: string;
}

interface Bed extends BenchOptions {
  readonly load: ChildProgram;
}

async function measureAll(
  start: StartProgram,
  { database, ...options }: BenchOptions & { readonly database: ExchangeBroker["database"] | undefined },
): Promise<Figure[]> {
  const load = await start("exchange-load", "load");
  const { issuer } = Issuer.parse(load.ready);
  const contend = async (
    name: Name,
    file: string,
    more: Partial<ExchangeBroker> = {},
  ): Promise<Contender> => {
    const program = await start(file, "contender", { issuer, ...more });
    return { name, program, url: Listening.parse(program.ready).url };
  };
  const onSqlite = (name: Name, delayMs: number): Promise<Contender> =>
    contend(name, "exchange-broker", { database: { kind: "sqlite", commit_delay_ms: delayMs } });

  const brokers = [await onSqlite(NAMES.sqlite, 0)];
  if (database === undefined) options.progress(`${NAMES.postgres} is left out: ${whyNoPostgres}`);
  else brokers.push(await contend(NAMES.postgres, "exchange-broker", { database }));
  const contenders = [
    await contend(NAMES.bare, "exchange-bare"),
    await contend(NAMES.oidc, "exchange-oidc-provider"),
    ...brokers,
    await onSqlite(NAMES.slow, SLOW_COMMIT_MS),
  ];
  const bed = { ...options, load };
  const rounds = await interleave({
    contenders,
    rounds: options.rounds,
    measure: (contender, round) => {
      options.progress(`${round === 0 ? "warm-up" : `round ${round}`}, ${contender.name}`);
      return measureOnce(contender, bed);
    },
  });
  const bursts = new Map<Name, Burst>();
  for (const broker of brokers) bursts.set(broker.name, await sendBurst(broker, bed));
  return [
    ...loadFigures(new Map([...rounds].map(([{ name }, measured]) => [name, measured]))),
    ...burstFigures(bursts),
    ...diskFigures(await timeSync()),
  ];
}

async function measureOnce(contender: Contender, { load, calls }: Bed): Promise<Measured> {
  const { name, program } = contender;
  const exchanges = calls ?? EXCHANGES;
  const before = await readCpuTimeUs(program.pid);
  const result = await sendLoad(load, requestTo(contender, { exchanges, connections: CONNECTIONS }));
  const after = await readCpuTimeUs(program.pid);
  if (result.accepted !== exchanges) {
    throw new BenchFailed(`${name} accepted ${result.accepted} of ${exchanges} exchanges: ${result.refusal}`);
  }
  const { elapsed_ms: elapsedMs, p50_us: p50, p99_us: p99 } = result;
  const measured = {
    "exchanges per second": (exchanges / elapsedMs) * 1000,
    "latency p50": p50 / 1000,
    "latency p99": p99 / 1000,
  };
  if (before === undefined || after === undefined) return measured;
  return {
    ...measured,
    "CPU per exchange": (after - before) / exchanges,
    "core in use": (after - before) / elapsedMs / 10,
  };
}

/** What was refused counts as lost, whatever the reason. */
async function sendBurst(broker: Contender, { load, calls, ...options }: Bed): Promise<Burst> {
  options.progress(`burst, ${broker.name}`);
  const sent = Math.min(calls ?? BURST.exchanges, BURST.exchanges);
  const connections = Math.min(BURST.connections, sent);
  const countSessions = async (): Promise<number> => z.int().parse(await broker.program.ask({}));
  const before = await countSessions();
  const result = await sendLoad(load, requestTo(broker, { exchanges: sent, connections }));
  if (result.refusal !== undefined)
    options.progress(`burst, ${broker.name}, the first that was lost: ${result.refusal}`);
  const { accepted, elapsed_ms: elapsedMs, p99_us: p99Us } = result;
  return { sent, connections, accepted, stored: (await countSessions()) - before, elapsedMs, p99Us };
}

type Amount = Pick<ExchangeLoadRequest, "exchanges" | "connections">;

function requestTo({ name, url }: Contender, { exchanges, connections }: Amount): ExchangeLoadRequest {
  const presentedAs = name === NAMES.oidc ? "client_assertion" : "subject_token";
  return { url, presented_as: presentedAs, exchanges, connections };
}

async function sendLoad(load: ChildProgram, request: ExchangeLoadRequest): Promise<ExchangeLoadResult> {
  return ExchangeLoadResult.parse(await load.ask(request));
}
