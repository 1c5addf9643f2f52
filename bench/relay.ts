/**
 * What it costs that calls go through the broker: proxy and relay, each with its own log on the disk, beside two pipes
 * that only carry bytes over the same hops; and streams that many jobs hold open at once through one broker.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { startPostgres, whyNoPostgres } from "../test/support/postgres.ts";
import { type Bench, type BenchOptions } from "./bench.ts";
import { withBundles } from "./bundled-programs.ts";
import { type ChildProgram, type StartProgram, withPrograms } from "./child-program.ts";
import { readCpuTimeUs } from "./cpu-time.ts";
import { interleave } from "./measurement.ts";
import { Endpoint, LoadResult, StreamCount } from "./program-contract.ts";
import {
  figuresOfCalls,
  figuresOfStreams,
  type Holding,
  type Measured,
  NAMES,
  type Name,
} from "./relay-figures.ts";
import type { Figure } from "./report.ts";

/** Few enough that no minute holds more calls than the registry can allow one server. */
const cases = [
  { name: "1 KiB, concurrency 1", resultBytes: 1024, concurrency: 1, calls: 600 },
  { name: "1 KiB, concurrency 32", resultBytes: 1024, concurrency: 32, calls: 2_000 },
  { name: "64 KiB, concurrency 1", resultBytes: 64 * 1024, concurrency: 1, calls: 400 },
  { name: "64 KiB, concurrency 32", resultBytes: 64 * 1024, concurrency: 32, calls: 1_200 },
] as const;
type Case = (typeof cases)[number];

/** Jobs with their own proxies, so that no proxy holds more than it does by default. */
const HOLDERS = 5;
const STREAMS_OF_EACH = 100;
const HELD_SECONDS = 5;
const ARRIVAL_MS = 30_000;
const LOOK_MS = 100;

const PIPE = "byte-pipe";
const PROXY = "relayed-proxy";

export const relayBench: Bench = {
  name: "relay",
  summary: "Calls through proxy and relay beside two byte pipes, and 500 streams held through one broker.",
  measuresCalls: true,
  notes: [
    `Both hops share the contender's core. ${NAMES.pipes}: load, pipe, pipe, server; relayed: load, proxy, broker, server, the server's bearer token sealed in the broker's database.`,
    "A call leaves the broker when its record is in the database (SQLite: WAL, synchronous=FULL; PostgreSQL: its defaults), and the proxy when it is in its own log.",
    `Streams: GET, ${STREAMS_OF_EACH} through each of ${HOLDERS} jobs' proxies; at the end the server says something on each.`,
    whyNoPostgres === undefined
      ? "PostgreSQL's own processes are on the load's core, and in no figure of CPU."
      : `Left out: ${whyNoPostgres}.`,
  ],
  measure: async ({ pinning, ...options }) => {
    // From this process it inherits the core of the load.
    const postgres = whyNoPostgres === undefined ? await startPostgres() : undefined;
    try {
      const database = await postgres?.createDatabase();
      if (database === undefined) options.progress(`${NAMES.postgres} is left out: ${whyNoPostgres}`);
      return await withBundles([PIPE, PROXY], (bundles) =>
        withPrograms(pinning, (start) => measureAll({ start, bundles, database, options })),
      );
    } finally {
      await postgres?.stop();
    }
  },
};

interface Bed {
  readonly start: StartProgram;
  /** Paths of what is bundled, by name. */
  readonly bundles: ReadonlyMap<string, string>;
  readonly database: { readonly kind: "postgres"; readonly url: string } | undefined;
  readonly options: BenchOptions;
}

const Listening = z.looseObject({ url: z.url() });

interface Contender {
  readonly name: Name;
  readonly endpoint: Endpoint;
  /** From the load's side. */
  readonly hops: readonly [ChildProgram, ChildProgram];
}

async function measureAll(bed: Bed): Promise<Figure[]> {
  const { options, database } = bed;
  const server = Endpoint.parse((await bed.start("bare-mcp-server", "load")).ready);
  const load = await bed.start("load", "load");
  const contenders = [
    await standPipes(bed, server.url),
    await standRelay(bed, { name: NAMES.sqlite, upstream: server.url }),
    ...(database === undefined
      ? []
      : [await standRelay(bed, { name: NAMES.postgres, upstream: server.url, database })]),
  ];
  const figures: Figure[] = [];
  for (const benchCase of cases)
    figures.push(...(await measureCase(benchCase, { contenders, load, options })));
  for (const { hops } of contenders) for (const hop of hops) await hop.stop();
  return [...figures, ...figuresOfStreams(NAMES.sqlite, await holdStreams(bed, load))];
}

async function startHop({ start, bundles }: Bed, name: string, options: unknown): Promise<ChildProgram> {
  return start(bundles.get(name) ?? name, "contender", options);
}

async function standPipes(bed: Bed, upstream: string): Promise<Contender> {
  const second = await startHop(bed, PIPE, { upstream });
  const first = await startHop(bed, PIPE, { upstream: Endpoint.parse(second.ready).url });
  return { name: NAMES.pipes, endpoint: Endpoint.parse(first.ready), hops: [first, second] };
}

async function standRelay(
  bed: Bed,
  { name, ...where }: { name: Name; upstream: string; database?: Bed["database"] },
): Promise<Contender> {
  const broker = await startHop(bed, "local-broker", { ...where, relays: true });
  const proxy = await startJob(bed, broker, 1);
  return { name, endpoint: Endpoint.parse(proxy.ready), hops: [proxy, broker] };
}

/** A job of a run of its own, up to the proxy that its agents call. */
async function startJob(bed: Bed, broker: ChildProgram, run: number): Promise<ChildProgram> {
  const environment = await broker.ask(run);
  return startHop(bed, PROXY, { broker: Listening.parse(broker.ready).url, environment });
}

interface Measuring {
  readonly contenders: readonly Contender[];
  readonly load: ChildProgram;
  readonly options: BenchOptions;
}

async function measureCase(benchCase: Case, { contenders, load, options }: Measuring): Promise<Figure[]> {
  const rounds = await interleave({
    contenders,
    rounds: options.rounds,
    measure: (contender, round) => {
      options.progress(`${benchCase.name}, ${round === 0 ? "warm-up" : `round ${round}`}, ${contender.name}`);
      return measureOnce(contender, load, { ...benchCase, calls: options.calls ?? benchCase.calls });
    },
  });
  return figuresOfCalls(benchCase.name, new Map([...rounds].map(([{ name }, measured]) => [name, measured])));
}

async function measureOnce(
  { endpoint, hops }: Contender,
  load: ChildProgram,
  { resultBytes, concurrency, calls }: { resultBytes: number; concurrency: number; calls: number },
): Promise<Measured> {
  const readCpu = (): Promise<(number | undefined)[]> =>
    Promise.all(hops.map(({ pid }) => readCpuTimeUs(pid)));
  const before = await readCpu();
  const answer = await load.ask({ endpoint, result_bytes: resultBytes, concurrency, calls });
  const after = await readCpu();
  const { elapsed_ms: elapsedMs, p50_us: p50, p99_us: p99 } = LoadResult.parse(answer);
  const measured = { "calls per second": (calls / elapsedMs) * 1000, "latency p50": p50, "latency p99": p99 };
  const [first, second] = hops.map((_, hop) => ((after[hop] ?? Number.NaN) - (before[hop] ?? 0)) / calls);
  if (first === undefined || second === undefined || Number.isNaN(first + second)) return measured;
  return {
    ...measured,
    "CPU per call, both": first + second,
    "CPU per call, first hop": first,
    "CPU per call, second hop": second,
  };
}

async function holdStreams(bed: Bed, load: ChildProgram): Promise<Holding> {
  const { start, options } = bed;
  const server = await start("stream-server", "load");
  const agents = await start("stream-load", "load");
  const upstream = Endpoint.parse(server.ready).url;
  const broker = await startHop(bed, "local-broker", { upstream, relays: true });
  const jobs: ChildProgram[] = [];
  for (let run = 1; run <= HOLDERS; run += 1) jobs.push(await startJob(bed, broker, run));
  const endpoints = jobs.map(({ ready }) => Endpoint.parse(ready));
  const streams = HOLDERS * STREAMS_OF_EACH;
  options.progress(`opening ${streams} streams`);
  await agents.ask({ ask: "open", endpoints, at_each: STREAMS_OF_EACH });
  options.progress(`holding them for ${HELD_SECONDS} s, while another job comes`);
  const until = performance.now() + HELD_SECONDS * 1000;
  const newcomerMs = await timeNewcomer(bed, broker, load);
  await sleep(Math.max(0, until - performance.now()));
  const { alive } = await countStreams(agents);
  await server.ask("tell");
  return {
    streams,
    heldSeconds: HELD_SECONDS,
    counted: { alive, told: await waitForAll(agents, streams) },
    newcomerMs,
  };
}

/** Its exchange, the session it gets, and a call of its agent. */
async function timeNewcomer(bed: Bed, broker: ChildProgram, load: ChildProgram): Promise<number> {
  const startedAt = performance.now();
  const job = await startJob(bed, broker, HOLDERS + 1);
  const endpoint = Endpoint.parse(job.ready);
  LoadResult.parse(await load.ask({ endpoint, result_bytes: 1024, concurrency: 1, calls: 1 }));
  return performance.now() - startedAt;
}

async function countStreams(agents: ChildProgram): Promise<StreamCount> {
  return StreamCount.parse(await agents.ask({ ask: "count" }));
}

/** How many were told once all were, or no more come. */
async function waitForAll(agents: ChildProgram, streams: number): Promise<number> {
  for (const until = performance.now() + ARRIVAL_MS; ; await sleep(LOOK_MS)) {
    const { told } = await countStreams(agents);
    if (told === streams || performance.now() > until) return told;
  }
}
