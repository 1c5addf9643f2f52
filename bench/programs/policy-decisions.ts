/** Decides the sample calls with one contender, over and over; a wrong decision ends the measurement with a sentence. */
import { z } from "zod";
import { percentile } from "../measurement.ts";
import { DecisionRequest, type DecisionResult, PolicyContender } from "../program-contract.ts";
import { serveParent, readOptions } from "./parent.ts";
import { contenders, type Decide } from "./policy-contenders.ts";
import { calls, type SampleCall } from "./policy-rules.ts";

const { contender } = readOptions(z.strictObject({ contender: PolicyContender }));

function decideAll(decide: Decide, decisions: number): number {
  const start = performance.now();
  for (let left = decisions; left > 0; ) {
    for (const { call, allowed } of calls) {
      if (left === 0) break;
      left -= 1;
      if (decide(call) !== allowed) fail({ call, allowed });
    }
  }
  return performance.now() - start;
}

function timeEach(decide: Decide, decisions: number): Float64Array {
  const samples = new Float64Array(decisions);
  for (let index = 0; index < decisions; ) {
    for (const { call, allowed } of calls) {
      if (index === decisions) break;
      const start = performance.now();
      const decision = decide(call);
      samples[index] = (performance.now() - start) * 1000;
      index += 1;
      if (decision !== allowed) fail({ call, allowed });
    }
  }
  return samples.sort();
}

function fail({ call, allowed }: SampleCall): never {
  throw new Error(
    `${contender} ${allowed ? "denies" : "allows"} ${call.name} of ${call.server} with ${JSON.stringify(call.args)}`,
  );
}

const decide = await contenders[contender]();

await serveParent({}, async (question): Promise<DecisionResult> => {
  const { decisions } = DecisionRequest.parse(question);
  const elapsed = decideAll(decide, decisions);
  const samples = timeEach(decide, decisions);
  return { elapsed_ms: elapsed, p50_us: percentile(samples, 0.5), p99_us: percentile(samples, 0.99) };
});
