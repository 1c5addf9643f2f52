/**
 * A call that policy lets through and its server has no room for: refused for now, and on the log as that.
 */
import { type Answer, type Asking, refuseByConcurrency, refuseByRate } from "../../messages/refusals.ts";
import type { CallVerdict } from "./call-decision.ts";
import type { Asked, GateContext } from "../gate-context.ts";
import { eraOf } from "../sender.ts";
import type { Overload } from "./server-load.ts";

export function holdToLoad(
  { load, recording, server }: GateContext,
  { request }: Asked,
  verdict: CallVerdict,
): CallVerdict {
  const overload = verdict.effect === "allow" ? load.findOverload(performance.now()) : undefined;
  if (verdict.effect === "deny" || overload === undefined) {
    return verdict;
  }
  recording.noteLimit(server, overload.limit);
  const { naming, argumentsInLog } = verdict;
  const asking = { id: request.id, era: eraOf(request), kind: naming.kind };
  const refusal = refuseOverload(asking, server, overload);
  return { effect: "deny", naming, reason: "server_limit", argumentsInLog, refusal };
}

function refuseOverload(asking: Asking, server: string, overload: Overload): Answer {
  const { limit, max } = overload;
  return limit === "concurrent_calls"
    ? refuseByConcurrency(asking, server, max)
    : refuseByRate(asking, { server, max, retryAfterSeconds: overload.retryAfterSeconds });
}
