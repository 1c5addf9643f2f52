/**
 * A long run of the proxy, policy and log on, over HTTP and stdio in turn: its heap must not grow with the calls, each
 * call and its result must be on the log, and no socket and no child may be left.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Bench, BenchFailed, type BenchOptions } from "./bench.ts";
import { type ChildProgram, withPrograms } from "./child-program.ts";
import { fitSlope } from "./measurement.ts";
import { Endpoint, Holdings, LoadResult, LogCount } from "./program-contract.ts";
import type { Figure } from "./report.ts";

const CALLS = 100_000;
const CONCURRENCY = 32;
const RESULT_BYTES = 1024;
/** The heap is looked at after each part; the first quarter of them warms up. */
const PARTS = 20;
const WARM_UP_PARTS = PARTS / 4;
/** Less than the smallest object that could stay behind with each call. */
const MAX_GROWTH_BYTES_PER_CALL = 16;
const SETTLE_MS = 30_000;
const LOOK_MS = 250;

const Ready = z.strictObject({ http: Endpoint, stdio: Endpoint });

export const soakBench: Bench = {
  name: "soak",
  summary: "100,000 calls through the proxy: heap, records, sockets and children of a long run.",
  measuresCalls: true,
  notes: [
    `Half of the calls go over HTTP, half over stdio, ${CONCURRENCY} at a time, in ${PARTS} parts with a session each; growth is the slope of a line through the heaps (after a forced collection) of the last three quarters.`,
    "It fails when the log does not verify, a record is missing, or a socket or a child is left; --rounds changes nothing.",
  ],
  measure: async ({ pinning, ...options }) =>
    withPrograms(pinning, async (start) => {
      const server = await start("bare-mcp-server", "load");
      const load = await start("load", "load");
      const upstream = Endpoint.parse(server.ready).url;
      const proxy = await start("soak-proxy", "contender", { upstream });
      return soak({ load, proxy }, options);
    }),
};

interface Bed {
  readonly load: ChildProgram;
  readonly proxy: ChildProgram;
}

async function soak({ load, proxy }: Bed, options: BenchOptions): Promise<Figure[]> {
  const { calls = CALLS } = options;
  const endpoints = Object.values(Ready.parse(proxy.ready));
  const each = Math.max(1, Math.round(calls / PARTS / endpoints.length));
  const callsOfPart = each * endpoints.length;
  const heaps: number[] = [];
  let elapsedMs = 0;
  for (let part = 1; part <= PARTS; part += 1) {
    for (const endpoint of endpoints) {
      const size = { result_bytes: RESULT_BYTES, concurrency: CONCURRENCY, calls: each };
      elapsedMs += LoadResult.parse(await load.ask({ endpoint, ...size })).elapsed_ms;
    }
    const { heap_bytes: heap } = Holdings.parse(await proxy.ask("holdings"));
    heaps.push(heap);
    options.progress(`${part * callsOfPart} calls, heap ${Math.round(heap / 1024)} KiB`);
  }
  // One child may wait for whoever comes without a session; a session's own ended with it.
  await settle(proxy, { sockets: 0, children: 1 }, "after the last session");
  await proxy.ask("close");
  await settle(proxy, { sockets: 0, children: 0 }, "after the proxy's end");
  const total = callsOfPart * PARTS;
  checkLog(LogCount.parse(await proxy.ask("log")), total);
  const growth = fitSlope(heaps.slice(WARM_UP_PARTS)) / callsOfPart;
  const line = { table: "soak", case: `${total} calls`, subject: "lanyard", spread: null };
  const figure = (measure: string, unit: string, value: number): Figure => ({
    ...{ ...line, measure, unit },
    ...{ median: value, rounds: [value] },
  });
  const goal = { met: growth <= MAX_GROWTH_BYTES_PER_CALL, at_most: MAX_GROWTH_BYTES_PER_CALL };
  return [
    { ...figure("heap growth per call", "B", growth), goal },
    figure("heap after the warm-up", "KiB", (heaps[WARM_UP_PARTS] ?? Number.NaN) / 1024),
    figure("heap at the end", "KiB", (heaps.at(-1) ?? Number.NaN) / 1024),
    figure("calls per second", "1/s", (total / elapsedMs) * 1000),
  ];
}

/** Idle connections have a moment to end by themselves. */
async function settle(
  proxy: ChildProgram,
  allowed: Omit<Holdings, "heap_bytes">,
  when: string,
): Promise<void> {
  for (const until = performance.now() + SETTLE_MS; ; ) {
    const { sockets, children } = Holdings.parse(await proxy.ask("holdings"));
    if (sockets <= allowed.sockets && children <= allowed.children) return;
    if (performance.now() > until) {
      throw new BenchFailed(`${sockets} sockets and ${children} children are left ${when}`);
    }
    await sleep(LOOK_MS);
  }
}

function checkLog({ calls, results, unmatched }: LogCount, made: number): void {
  if (calls !== made || results !== made || unmatched !== 0) {
    throw new BenchFailed(
      `${made} calls were made; the log holds ${calls} and ${results} results, ${unmatched} without the other`,
    );
  }
}
