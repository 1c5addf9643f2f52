/**
 * What the proxy costs a call: the same MCP server behind whatever can stand before it, from what only pipes bytes to
 * gateways of the same kind, over HTTP and stdio; and how long each takes from its start to the first list of tools.
 */
import { join } from "node:path";
import { type Bench, type BenchOptions } from "./bench.ts";
import { type ChildProgram, type StartProgram, withPrograms } from "./child-program.ts";
import { withBundles } from "./bundled-programs.ts";
import { readTreeCpuTimeUs } from "./cpu-time.ts";
import { interleave } from "./measurement.ts";
import { Endpoint, LoadResult } from "./program-contract.ts";
import { openSession } from "./programs/mcp-session.ts";
import { RawConnection } from "./programs/raw-connection.ts";
import {
  BASES,
  BRIDGE,
  type Contender,
  contenders,
  DIRECT,
  fetchPeer,
  LANYARD,
  PIPE,
  type Transport,
} from "./proxy-contenders.ts";
import { figuresOfCalls, figuresOfStart, type Measured } from "./proxy-figures.ts";
import type { Figure } from "./report.ts";

/** Calls are as many as take a second or two, so that a round is longer than the noise of a shared machine. */
const cases = [
  { name: "1 KiB, concurrency 1", resultBytes: 1024, concurrency: 1, calls: 4_000 },
  { name: "1 KiB, concurrency 32", resultBytes: 1024, concurrency: 32, calls: 12_000 },
  { name: "64 KiB, concurrency 1", resultBytes: 64 * 1024, concurrency: 1, calls: 2_500 },
  { name: "64 KiB, concurrency 32", resultBytes: 64 * 1024, concurrency: 32, calls: 5_000 },
] as const;
type Case = (typeof cases)[number];

const STDIO_SERVER = join(import.meta.dirname, "programs", "bare-stdio-server.ts");
const bundledPrograms = contenders.flatMap(({ program, bundled }) =>
  program !== undefined && bundled === true ? [program] : [],
);

export const proxyBench: Bench = {
  name: "proxy",
  summary:
    "Latency and calls per second of a server behind a byte pipe, Lanyard's proxy, an SDK gateway and npm peers.",
  measuresCalls: true,
  hasPeers: true,
  notes: [
    `${DIRECT}: nothing stands between load and server, which share a core; the base of ratios is ${BASES.HTTP} over HTTP and ${BASES.stdio} over stdio.`,
    "Agents always speak HTTP; stdio is how the server is reached, which is then the contender's child and on its core.",
    "CPU per call and core in use are of the contender with its children; a slow contender gets an eighth of the calls.",
    `${PIPE}, ${BRIDGE} and ${LANYARD} are started as bundles, made as the Action's are; the walls are not tested, which takes a broker.`,
    "mcp-proxy and supergateway put HTTP before a stdio server only; with --peers they take part.",
  ],
  measure: async ({ pinning, ...options }) =>
    withBundles(bundledPrograms, (bundles) =>
      withPrograms(pinning, async (start) => {
        const server = Endpoint.parse((await start("bare-mcp-server", "load")).ready);
        const load = await start("load", "load");
        const files = await fetchPeers(options);
        const figures: Figure[] = [];
        for (const transport of ["HTTP", "stdio"] as const) {
          const bed: Bed = { ...{ start, load, transport, server, files, bundles }, ...options };
          figures.push(...(await measureTransport(bed)));
        }
        return figures;
      }),
    ),
};

interface Bed extends BenchOptions {
  readonly start: StartProgram;
  readonly load: ChildProgram;
  readonly transport: Transport;
  /** The one over HTTP. */
  readonly server: Endpoint;
  /** Of the peers that take part. */
  readonly files: ReadonlyMap<Contender, string>;
  /** Of the programs that are bundled. */
  readonly bundles: ReadonlyMap<string, string>;
}

interface Standing {
  readonly contender: Contender;
  readonly endpoint: Endpoint;
  /** Undefined: nothing stands in between. */
  readonly program: ChildProgram | undefined;
}

async function fetchPeers(options: BenchOptions): Promise<Map<Contender, string>> {
  const files = new Map<Contender, string>();
  for (const contender of options.peers ? contenders : []) {
    if (contender.peer === undefined) continue;
    options.progress(`fetching ${contender.peer.name}@${contender.peer.version}`);
    try {
      files.set(contender, await fetchPeer(contender.peer));
    } catch (error) {
      options.note(`${contender.name} took no part: ${describe(error)}`);
    }
  }
  return files;
}

async function measureTransport(bed: Bed): Promise<Figure[]> {
  const wanted = contenders.filter(
    (contender) =>
      contender.transports.includes(bed.transport) &&
      (contender.peer === undefined || bed.files.has(contender)),
  );
  const starts = await measureStarts(bed, wanted);
  const standing: Standing[] = [];
  for (const contender of wanted) {
    const stood = await orNote(bed, `${contender.name}, ${bed.transport}`, () => stand(bed, contender));
    if (stood !== undefined) standing.push(stood);
  }
  const figures = [...starts];
  for (const benchCase of cases) {
    figures.push(...(await measureCase(benchCase, standing, bed)));
  }
  for (const { program } of standing) await program?.stop();
  return figures;
}

async function stand(bed: Bed, contender: Contender): Promise<Standing> {
  if (contender.program === undefined) return { contender, endpoint: bed.server, program: undefined };
  const { peer } = contender;
  const upstream = bed.transport === "HTTP" ? { upstream: bed.server.url } : { program: STDIO_SERVER };
  const options = peer === undefined ? upstream : { file: bed.files.get(contender), args: peer.args };
  const file = bed.bundles.get(contender.program) ?? contender.program;
  const program = await bed.start(file, "contender", options);
  return { contender, endpoint: Endpoint.parse(program.ready), program };
}

/** From the start of the process to the first answered `tools/list`, handshake included. */
async function measureStarts(bed: Bed, wanted: readonly Contender[]): Promise<Figure[]> {
  const rounds = await interleave({
    contenders: wanted.filter(({ program }) => program !== undefined),
    rounds: bed.rounds,
    measure: async (contender, round) => {
      const name = `start, ${contender.name}, ${bed.transport}`;
      bed.progress(`${name}, ${round === 0 ? "warm-up" : `round ${round}`}`);
      return orNote(bed, name, async () => {
        const startedAt = performance.now();
        const { endpoint, program } = await stand(bed, contender);
        try {
          await listTools(endpoint);
          return performance.now() - startedAt;
        } finally {
          await program?.stop();
        }
      });
    },
  });
  return figuresOfStart(bed.transport, byName(rounds));
}

async function listTools(endpoint: Endpoint): Promise<void> {
  const connection = await RawConnection.open(new URL(endpoint.url));
  try {
    const session = await openSession(connection, endpoint);
    const { status, body } = await connection.exchange(
      session.write(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} })),
    );
    if (status !== 200 || !body.includes('"tools"'))
      throw new Error(`tools/list was answered with ${status}`);
    await session.end(connection);
  } finally {
    connection.close();
  }
}

async function measureCase(benchCase: Case, standing: readonly Standing[], bed: Bed): Promise<Figure[]> {
  const name = `${bed.transport}, ${benchCase.name}`;
  const failed = new Set<Standing>();
  const rounds = await interleave({
    contenders: standing,
    rounds: bed.rounds,
    measure: async (stood, round) => {
      const { contender } = stood;
      if (failed.has(stood)) return undefined;
      bed.progress(`${name}, ${round === 0 ? "warm-up" : `round ${round}`}, ${contender.name}`);
      const calls = Math.ceil(
        (bed.calls ?? benchCase.calls) * (bed.calls === undefined ? contender.share : 1),
      );
      const measured = await orNote(bed, `${contender.name}, ${name}`, () =>
        measureOnce(bed.load, stood, { ...benchCase, calls }),
      );
      if (measured === undefined) failed.add(stood);
      return measured;
    },
  });
  return figuresOfCalls(
    name,
    bed.transport,
    byName(new Map([...rounds].map(([{ contender }, all]) => [contender, all]))),
  );
}

type Measurement = Pick<Case, "resultBytes" | "concurrency"> & { readonly calls: number };

async function measureOnce(
  load: ChildProgram,
  { endpoint, program }: Standing,
  { resultBytes, concurrency, calls }: Measurement,
): Promise<Measured> {
  const readCpu = async (): Promise<number | undefined> =>
    program === undefined ? undefined : readTreeCpuTimeUs(program.pid);
  const before = await readCpu();
  const answer = await load.ask({ endpoint, result_bytes: resultBytes, concurrency, calls });
  const after = await readCpu();
  const { elapsed_ms: elapsedMs, p50_us: p50, p99_us: p99 } = LoadResult.parse(answer);
  const measured = { "calls per second": (calls / elapsedMs) * 1000, "latency p50": p50, "latency p99": p99 };
  // A child that ended with its session takes its time along.
  if (before === undefined || after === undefined || after <= before) return measured;
  return {
    ...measured,
    "CPU per call": (after - before) / calls,
    "core in use": (after - before) / elapsedMs / 10,
  };
}

/** What a contender cannot do is said in the report; what Lanyard or its base cannot do ends the bench. */
async function orNote<Value>(bed: Bed, what: string, work: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    if ([LANYARD, ...Object.values(BASES)].some((name) => what.includes(name))) throw error;
    bed.note(`${what}: failed: ${describe(error)}`);
    return undefined;
  }
}

function byName<Value>(rounds: ReadonlyMap<Contender, readonly (Value | undefined)[]>): Map<string, Value[]> {
  return new Map(
    [...rounds].map(([{ name }, values]) => [
      name,
      values.filter((value): value is Value & {} => value !== undefined),
    ]),
  );
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));
