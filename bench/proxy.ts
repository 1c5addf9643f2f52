/**
 * What the proxy costs a call: the same MCP server reached directly, through a reverse proxy that only pipes bytes
 * (what any process in between costs), and through Lanyard's proxy with a real policy and a real audit log.
 */
import { type Bench, BenchFailed, type BenchOptions } from "./bench.ts";
import { type ChildProgram, withPrograms } from "./child-program.ts";
import { readCpuTimeUs } from "./cpu-time.ts";
import { Endpoint, LoadResult } from "./program-contract.ts";
import { interleave, ratiosByRound, summarize } from "./measurement.ts";
import { type Figure, RATIO } from "./report.ts";

/** Calls are as many as take a second or two, so that a round is longer than the noise of a shared machine. */
const cases = [
  { name: "1 KiB, concurrency 1", resultBytes: 1024, concurrency: 1, calls: 4_000 },
  { name: "1 KiB, concurrency 32", resultBytes: 1024, concurrency: 32, calls: 12_000 },
  { name: "64 KiB, concurrency 1", resultBytes: 64 * 1024, concurrency: 1, calls: 2_500 },
  { name: "64 KiB, concurrency 32", resultBytes: 64 * 1024, concurrency: 32, calls: 5_000 },
] as const;
type Case = (typeof cases)[number];

interface Contender {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Undefined: nothing stands in between. */
  readonly pid: number | undefined;
}

/** What is compared within a round, and for which of the contenders there is a figure. */
const measures = [
  { name: "calls per second", unit: "1/s" },
  { name: "latency p50", unit: "µs" },
  { name: "latency p99", unit: "µs" },
  { name: "CPU per call", unit: "µs" },
  { name: "core in use", unit: "%" },
] as const;
type Measured = Readonly<Partial<Record<(typeof measures)[number]["name"], number>>>;

const DIRECT = "direct";
const PIPE = "byte pipe";
const LANYARD = "lanyard";

export const proxyBench: Bench = {
  name: "proxy",
  summary:
    "Latency and calls per second of a server reached directly, through a byte pipe and through Lanyard's proxy.",
  measuresCalls: true,
  notes: [
    `${DIRECT}: nothing stands between load and server, which share a core; the fair base for Lanyard is the ${PIPE}.`,
    "CPU per call and core in use are of the contender's process; what is missing to 100 % of its core it spent waiting.",
  ],
  measure: async ({ pinning, ...options }) =>
    withPrograms(pinning, async (start) => {
      const server = await start("bare-mcp-server", "load");
      const load = await start("load", "load");
      const direct = Endpoint.parse(server.ready);
      const pipe = await start("byte-pipe", "contender", { upstream: direct.url });
      const lanyard = await start("lanyard-proxy", "contender", { upstream: direct.url });
      const contenders = [
        { name: DIRECT, endpoint: direct, pid: undefined },
        { name: PIPE, endpoint: Endpoint.parse(pipe.ready), pid: pipe.pid },
        { name: LANYARD, endpoint: Endpoint.parse(lanyard.ready), pid: lanyard.pid },
      ];
      const figures: Figure[] = [];
      for (const benchCase of cases) {
        figures.push(...(await measureCase(benchCase, { load, contenders, ...options })));
      }
      return figures;
    }),
};

interface Bed extends BenchOptions {
  readonly load: ChildProgram;
  readonly contenders: readonly Contender[];
}

async function measureCase(benchCase: Case, bed: Bed): Promise<Figure[]> {
  const size = { ...benchCase, calls: bed.calls ?? benchCase.calls };
  const rounds = await interleave({
    contenders: bed.contenders,
    rounds: bed.rounds,
    measure: (contender, round) => {
      bed.progress(`${size.name}, ${round === 0 ? "warm-up" : `round ${round}`}, ${contender.name}`);
      return measureOnce(bed.load, contender, size);
    },
  });
  return figuresOf(size.name, rounds);
}

type Measurement = Pick<Case, "resultBytes" | "concurrency"> & { readonly calls: number };

async function measureOnce(load: ChildProgram, contender: Contender, size: Measurement): Promise<Measured> {
  const { endpoint, pid } = contender;
  const { resultBytes, concurrency, calls } = size;
  const before = pid === undefined ? undefined : await readCpuTimeUs(pid);
  const answer = await load
    .ask({ endpoint, result_bytes: resultBytes, concurrency, calls })
    .catch((cause: unknown) => {
      throw new BenchFailed(`${contender.name}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    });
  const after = pid === undefined ? undefined : await readCpuTimeUs(pid);
  const { elapsed_ms: elapsedMs, p50_us: p50, p99_us: p99 } = LoadResult.parse(answer);
  const measured = { "calls per second": (calls / elapsedMs) * 1000, "latency p50": p50, "latency p99": p99 };
  if (before === undefined || after === undefined) return measured;
  return {
    ...measured,
    "CPU per call": (after - before) / calls,
    "core in use": (after - before) / elapsedMs / 10,
  };
}

function figuresOf(caseName: string, rounds: ReadonlyMap<Contender, readonly Measured[]>): Figure[] {
  const byName = new Map([...rounds].map(([contender, measured]) => [contender.name, measured]));
  return measures.flatMap(({ name, unit }) => {
    const line = { table: "tools/call", case: caseName, measure: name };
    const values = (contender: string): number[] =>
      byName.get(contender)?.flatMap((measured) => measured[name] ?? []) ?? [];
    const plain = [DIRECT, PIPE, LANYARD].flatMap((contender) =>
      values(contender).length === 0
        ? []
        : [{ ...line, unit, subject: contender, ...summarize(values(contender)) }],
    );
    const compared = [
      [LANYARD, PIPE],
      [LANYARD, DIRECT],
    ] as const;
    const ratios = compared.flatMap(([a, b]) =>
      values(a).length === 0 || values(b).length === 0 || unit === "%"
        ? []
        : [
            {
              ...line,
              unit: RATIO,
              subject: `${a} / ${b}`,
              ...summarize(ratiosByRound(values(a), values(b))),
            },
          ],
    );
    return [...plain, ...ratios];
  });
}
