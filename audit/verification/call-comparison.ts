/**
 * The calls of two logs of one session, the runner's and the relay's, held side by side: a call that was relayed is in
 * both, with the same id, what was asked for, and the same decision. What is in one alone was kept from the other.
 */
import type { Fault } from "./chain-verification.ts";
import type { AuditRecord, RecordOf } from "../record.ts";

type Call = Pick<RecordOf<"call">, "server" | "method" | "agent" | "decision" | "arguments_digest"> & {
  readonly part: string;
};

/** One side: as much of each call as is compared. */
export class CallIndex {
  readonly #calls = new Map<string, Call>();
  /** Calls to which the server gave an answer. */
  readonly #answered = new Set<string>();

  add(record: AuditRecord, part: string): void {
    if (record.kind === "call") {
      const { id, server, method, agent, decision, arguments_digest } = record;
      this.#calls.set(id, {
        server,
        method,
        agent,
        decision,
        part,
        ...(arguments_digest && { arguments_digest }),
      });
    } else if (record.kind === "result" && (record.outcome === "ok" || record.outcome === "tool_error")) {
      this.#answered.add(record.call);
    }
  }

  get(id: string): Call | undefined {
    return this.#calls.get(id);
  }

  entries(): Iterable<[string, Call]> {
    return this.#calls.entries();
  }

  isAnswered(id: string): boolean {
    return this.#answered.has(id);
  }
}

export interface Difference extends Fault {
  readonly part: string;
  /** Whether it is one whatever else of the two logs is missing. */
  readonly isCertain: boolean;
}

export interface Sides {
  readonly runner: CallIndex;
  readonly relay: CallIndex;
  /** The servers that are reached through the broker. */
  readonly relayed: ReadonlySet<string>;
  /** Whether all of it is there. */
  readonly runnerIsWhole: boolean;
  /** Before its end, the relay's last calls lie in the broker's database alone. */
  readonly relayIsWhole: boolean;
}

export function* compareCalls(sides: Sides): Generator<Difference> {
  const { runner, relay, relayed, runnerIsWhole, relayIsWhole } = sides;
  for (const [id, call] of relay.entries()) {
    const own = runner.get(id);
    if (own === undefined) {
      const message = `the runner's log does not have the call ${id}, which was relayed to ${call.server}`;
      yield { part: call.part, code: "relay_call_unrecorded", message, isCertain: runnerIsWhole };
      continue;
    }
    const members = (["server", "method", "agent", "arguments_digest"] as const).filter(
      (member) => own[member] !== call[member],
    );
    if (members.length > 0 || own.decision !== "allow") {
      const differs = members.length > 0 ? members.join(", ") : "the decision";
      const message = `the call ${id} is another one in the runner's log: it differs in ${differs}`;
      yield { part: call.part, code: "relay_call_differs", message, isCertain: true };
    } else if (call.decision === "deny") {
      const message = `the broker refused the call ${id}, which the runner had let through`;
      yield { part: call.part, code: "relay_call_refused", message, isCertain: false };
    }
  }
  if (!relayIsWhole) return;
  for (const [id, call] of runner.entries()) {
    const isDue = relayed.has(call.server) && call.decision === "allow" && runner.isAnswered(id);
    if (isDue && relay.get(id) === undefined) {
      const message = `the relay's log does not have the call ${id}, which was answered`;
      yield { part: call.part, code: "relay_call_missing", message, isCertain: true };
    }
  }
}
