/**
 * One fuzzed world: a random policy, two hostile servers, a real proxy before them, and moves of hostile agents that
 * come at the same time, step by step. At its end everything is looked at, and nothing may be left.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { canonicalize } from "../../audit/canonical.ts";
import { ChainVerifier } from "../../audit/verification/chain-verification.ts";
import { digestDefinition } from "../../policies/lock/definition.ts";
import type { ServerFacts } from "../../policies/session-policy.ts";
import type { ProxyServer } from "../../proxy/upstream/connecting.ts";
import { type Rig, startRig, TOKEN } from "../proxy/rig.ts";
import fc from "../support/properties.ts";
import { type Knowledge, makeMove, type Reaction } from "./agent.ts";
import { definitionOf, type Stroke } from "./answers.ts";
import { type Reception, startHostileServer } from "./hostile-http-server.ts";
import { STDIO_COMMAND, type StdioPlan, type StdioReception } from "./hostile-stdio-server.ts";
import { type Move, moves } from "./moves.ts";
import { type Arrival, findFaults } from "./oracle.ts";
import { type FuzzedPolicy, type FuzzedServerFacts, policies } from "./policies.ts";
import { findReactionFaults } from "./reactions.ts";
import { strokes } from "./strokes.ts";

export interface World {
  readonly policy: FuzzedPolicy;
  /** How the first server is reached, and whether it knows the revision without a handshake there. */
  readonly transport: "http" | "stdio";
  readonly isStateless: boolean;
  readonly strokes: readonly Stroke[];
  readonly isCrowded: boolean;
  readonly steps: readonly (readonly Move[])[];
}

const HELLO: Omit<Move, "texts"> = {
  ...({ server: "one", agent: "agent", how: "POST" } as const),
  ...{ isBatch: false, session: undefined, fields: {}, leavesAfterMs: undefined },
};
const INITIALIZE = {
  ...{ jsonrpc: "2.0", id: 0, method: "initialize" },
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "fuzz", version: "1" } },
};

const hello = fc.constantFrom<Move[][]>(
  [],
  ...["2025-11-25", "2025-03-26"].map((protocolVersion): Move[][] => [
    [
      {
        ...HELLO,
        texts: [JSON.stringify({ ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion } })],
      },
    ],
    [{ ...HELLO, session: 0, texts: ['{"jsonrpc":"2.0","id":1,"method":"tools/list"}'] }],
  ]),
);

export const worlds: fc.Arbitrary<World> = fc
  .record({
    policy: policies,
    transport: fc.constantFrom("http", "http", "http", "stdio"),
    isStateless: fc.boolean(),
    strokes: fc.array(strokes, { minLength: 1, maxLength: 8 }),
    isCrowded: fc.constantFrom(false, false, false, true),
    hello,
    steps: fc.array(fc.array(moves, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
  })
  .map(({ hello: first, steps, ...world }): World => ({ ...world, steps: [...first, ...steps] }));

const LIMITS = {
  ...{
    maxRequestBytes: 64 * 1024,
    maxAnswerBytes: 64 * 1024,
    maxDepth: 32,
    maxBatchLength: 5,
    maxListed: 50,
  },
  ...{
    callTimeoutMs: 400,
    streamIdleMs: 400,
    resumeGraceMs: 200,
    lookTimeoutMs: 300,
    connectTimeoutMs: 1_000,
    probeTimeoutMs: 500,
  },
  ...{ headersTimeoutMs: 400, requestTimeoutMs: 600, keepAliveMs: 100, closeGraceMs: 200, stopGraceMs: 200 },
};
const CROWDED = { maxConcurrentRequests: 2, maxStreams: 1, maxSessions: 1 };

/** Far beyond all limits together: whatever is not over by then waits for something that does not come. */
const PATIENCE_MS = 30_000;

/** What a world was made to do, so that nobody takes silence for safety. */
export interface Tally {
  readonly moves: number;
  readonly arrivals: number;
  readonly allowed: number;
  readonly denied: number;
}

class FaultsFound extends Error {
  override readonly name = "FaultsFound";
}

/** Throws `FaultsFound`. */
export async function live(world: World): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), "lanyard-fuzz-"));
  const transcript = join(folder, "transcript.jsonl");
  await writeFile(transcript, "");
  const arrivals: Arrival[] = [];
  const faults: string[] = [];
  let rig: Rig | undefined;
  const receive =
    (server: string) =>
    ({ text, headers }: Reception): void => {
      arrivals.push({ server, text, seen: { records: rig?.recorder.records.length ?? 0 } });
      if (JSON.stringify(headers).includes(TOKEN)) {
        faults.push(`the token of an agent reached ${server}`);
      }
    };
  const one = await startHostileServer(world.strokes, receive("one"));
  const two = await startHostileServer(world.strokes.toReversed(), receive("two"));
  try {
    rig = await startRig({
      servers: {
        one:
          world.transport === "http" ? { transport: "http", url: one.url } : describeStdio(world, transcript),
        two: { transport: "http", url: two.url },
      },
      grants: world.policy.grants,
      policy: {
        ...{ mode: world.policy.mode, flow: world.policy.flow },
        servers: Object.fromEntries(
          Object.entries(world.policy.servers).map(([name, facts]) => [name, writeFacts(facts)]),
        ),
      },
      limits: { ...LIMITS, ...(world.isCrowded && CROWDED) },
    });
    const reactions = await play(world, rig.url);
    await within(rig.close(), "the proxy does not close");
    const { receptions, left } = await readTranscript(transcript);
    faults.push(...left);
    arrivals.push(...receptions);
    const { records } = rig.recorder;
    faults.push(...findFaults(world.policy, records, arrivals));
    faults.push(...reactions.flatMap((reaction) => findReactionFaults(world.policy, reaction)));
    faults.push(...findLogFaults(rig));
    if (faults.length > 0) {
      throw new FaultsFound(faults.join("\n"));
    }
    const calls = rig.recorder.of("call");
    const allowed = calls.filter(({ decision }) => decision === "allow").length;
    return { moves: reactions.length, arrivals: arrivals.length, allowed, denied: calls.length - allowed };
  } finally {
    await rig?.close();
    await one.close();
    await two.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function play({ steps }: World, url: string): Promise<Reaction[]> {
  const known: Knowledge = { sessions: [], cursors: [] };
  const reactions: Reaction[] = [];
  for (const step of steps) {
    const made = step.map((move) =>
      within(makeMove(move, url, known), `neither answered nor closed: ${JSON.stringify(move)}`),
    );
    reactions.push(...(await Promise.all(made)));
  }
  return reactions;
}

async function within<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FaultsFound(otherwise)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function describeStdio({ strokes: dealt, isStateless }: World, transcript: string): ProxyServer {
  const plan: StdioPlan = { strokes: dealt, isStateless };
  const env = { FUZZ_PLAN: JSON.stringify(plan), FUZZ_TRANSCRIPT: transcript };
  return { transport: "stdio", command: STDIO_COMMAND, env, start: "lazy" };
}

function writeFacts({ lock, ...facts }: FuzzedServerFacts): ServerFacts {
  const tools = Object.entries(lock ?? {}).map(([name, state]) => [
    name,
    digestDefinition({ ...definitionOf(name), ...(state === "drifted" && { description: "as it was" }) }),
  ]);
  return { ...facts, ...(lock !== undefined && { lock: { tools: Object.fromEntries(tools) } }) };
}

/** What the processes of the stdio server got; and those that still run. */
async function readTranscript(file: string): Promise<{ receptions: Arrival[]; left: string[] }> {
  const lines = (await readFile(file, "utf8")).split("\n").filter(Boolean);
  const entries = lines.map((line): StdioReception => JSON.parse(line));
  const isRunning = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const pids = new Set(entries.map(({ pid }) => pid));
  for (let waited = 0; [...pids].some(isRunning) && waited < PATIENCE_MS; waited += 20) {
    await sleep(20);
  }
  return {
    left: [...pids].filter(isRunning).map((pid) => `process ${pid} of a server is left`),
    receptions: entries.flatMap(({ text, atMs }) =>
      text === undefined ? [] : [{ server: "one", text, seen: { atMs } }],
    ),
  };
}

/** A chain that verifies, one result for each call that was let through, and nothing that surprised the proxy. */
function findLogFaults({ recorder }: Rig): string[] {
  const verifier = new ChainVerifier();
  const broken = recorder.records.flatMap((record) => {
    const reading = verifier.verifyLine({ line: Buffer.from(canonicalize(record)), ended: true });
    return reading.ok ? [] : [`the log does not verify: ${reading.message}`];
  });
  const results = Map.groupBy(recorder.of("result"), ({ call }) => call);
  const open = recorder
    .of("call")
    .filter(({ id, decision }) => (results.get(id)?.length ?? 0) !== (decision === "allow" ? 1 : 0))
    .map((call) => `${results.get(call.id)?.length ?? 0} results: ${JSON.stringify(call)}`);
  const surprises = recorder
    .events("internal_error")
    .map((event) => `a surprise: ${JSON.stringify(event.detail)}`);
  return [...broken, ...open, ...surprises];
}
