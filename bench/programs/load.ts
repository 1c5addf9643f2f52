/**
 * The load: calls in a closed loop over raw connections, every answer compared with what the server must have said.
 * Percentiles are of all samples, not of a histogram. A wrong answer ends the measurement with a sentence.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { LoadRequest, type LoadResult } from "../program-contract.ts";
import { percentile } from "../measurement.ts";
import { describeAnswer, openSession } from "./mcp-session.ts";
import { serveParent } from "./parent.ts";
import { type RawAnswer, RawConnection } from "./raw-connection.ts";
import { answerText, MEASURED_TOOL, toolResult } from "./sample-tools.ts";

const Answer = z.looseObject({ id: z.number(), result: z.unknown() });

async function measure(request: LoadRequest): Promise<LoadResult> {
  const { endpoint, concurrency, calls } = request;
  const url = new URL(endpoint.url);
  const connections = await Promise.all(Array.from({ length: concurrency }, () => RawConnection.open(url)));
  try {
    const [first = await RawConnection.open(url)] = connections;
    const session = await openSession(first, endpoint);
    const expected = expectedResult(request.result_bytes);
    const samples = new Float64Array(calls);
    let sent = 0;
    const keepCalling = async (connection: RawConnection): Promise<void> => {
      while (sent < calls) {
        const id = (sent += 1);
        const message = session.write(callText(id, request.result_bytes));
        const start = performance.now();
        const answer = await connection.exchange(message);
        samples[id - 1] = (performance.now() - start) * 1000;
        checkAnswer(answer, id, expected);
      }
    };
    const start = performance.now();
    await Promise.all(connections.map(keepCalling));
    const elapsed = performance.now() - start;
    await session.end(first);
    samples.sort();
    return { elapsed_ms: elapsed, p50_us: percentile(samples, 0.5), p99_us: percentile(samples, 0.99) };
  } finally {
    for (const connection of connections) connection.close();
  }
}

interface Expected {
  readonly value: unknown;
  /** The same, as the bare server writes it, from the result on. */
  readonly bytes: Buffer;
}

function expectedResult(bytes: number): Expected {
  const value = toolResult(bytes);
  return { value, bytes: Buffer.from(`${JSON.stringify(value)}}`) };
}

/** Equal bytes are equal answers; anything else is parsed, since a proxy may write the same answer differently. */
function checkAnswer(answer: RawAnswer, id: number, expected: Expected): void {
  if (answer.status === 200) {
    const head = answerText(id, "").slice(0, -1);
    const { body } = answer;
    if (body.toString("latin1", 0, head.length) === head && body.subarray(head.length).equals(expected.bytes))
      return;
    const parsed = Answer.safeParse(parseJson(findMessage(body)));
    if (parsed.data?.id === id && isDeepStrictEqual(parsed.data.result, expected.value)) return;
  }
  throw new Error(`call ${id} of ${MEASURED_TOOL} was answered with ${describeAnswer(answer)}`);
}

/** Of an event stream the last event's data; SDK servers and what is built of them answer with one. */
function findMessage(body: Buffer): string {
  const text = body.toString();
  return /(?:^|\n)data: ([^\n]*)\n\s*$/.exec(text)?.[1] ?? text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function callText(id: number, bytes: number): string {
  const params = { name: MEASURED_TOOL, arguments: { owner: "acme", repo: "payments", bytes } };
  return JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
}

await serveParent({}, async (question) => measure(LoadRequest.parse(question)));
