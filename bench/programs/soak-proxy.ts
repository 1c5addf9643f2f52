/**
 * Lanyard's proxy in front of an HTTP server and a stdio server, for a long run: it says what it holds after a forced
 * collection, and at the end reads its own log back.
 */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { z } from "zod";
import { ChainVerifier } from "../../audit/verification/chain-verification.ts";
import { type Holdings, type LogCount, SoakQuestion, Upstream } from "../program-contract.ts";
import { startMeasuredProxy } from "./measured-proxy.ts";
import { readOptions, serveParent } from "./parent.ts";
import { MEASURED_SERVER, policy } from "./sample-policy.ts";

const STDIO_SERVER = "records-stdio";

setFlagsFromString("--expose-gc");
const collect = z.function({ input: [], output: z.void() }).implement(runInNewContext("() => gc()"));

const { upstream } = readOptions(Upstream);
const onBoth = policy.grants.flatMap((grant) =>
  grant.server === MEASURED_SERVER ? [grant, { ...grant, server: STDIO_SERVER }] : [grant],
);
const proxy = await startMeasuredProxy(
  {
    ...policy,
    grants: onBoth.map((grant, index) => ({ ...grant, rule: `triager#${index + 1}` })),
    servers: { ...policy.servers, [STDIO_SERVER]: {} },
  },
  {
    [MEASURED_SERVER]: { transport: "http", url: upstream },
    [STDIO_SERVER]: {
      transport: "stdio",
      command: [process.execPath, join(import.meta.dirname, "bare-stdio-server.ts")],
      env: {},
      start: "lazy",
    },
  },
);

function takeHoldings(): Holdings {
  collect();
  collect();
  const held = process.getActiveResourcesInfo();
  const count = (kind: string): number => held.filter((resource) => resource === kind).length;
  return {
    heap_bytes: process.memoryUsage().heapUsed,
    sockets: count("TCPSocketWrap"),
    children: count("ProcessWrap"),
  };
}

async function countLog(): Promise<LogCount> {
  const verifier = new ChainVerifier();
  const open = new Set<string>();
  const counted = { calls: 0, results: 0, unmatched: 0 };
  for await (const text of createInterface({ input: createReadStream(proxy.spool) })) {
    const reading = verifier.verifyLine({ line: Buffer.from(text), ended: true });
    if (!reading.ok) throw new Error(`the log does not verify: ${reading.message}`);
    const { record } = reading;
    if (record.kind === "call") {
      counted.calls += 1;
      open.add(record.id);
    } else if (record.kind === "result") {
      counted.results += 1;
      counted.unmatched += open.delete(record.call) ? 0 : 1;
    }
  }
  return { ...counted, unmatched: counted.unmatched + open.size };
}

await serveParent(
  { http: proxy.endpointOf(MEASURED_SERVER), stdio: proxy.endpointOf(STDIO_SERVER) },
  async (question) => {
    switch (SoakQuestion.parse(question)) {
      case "holdings":
        return takeHoldings();
      case "close":
        return proxy.close();
      case "log":
        return countLog();
    }
  },
);
