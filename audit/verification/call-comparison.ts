/**
 * The calls of two logs of one session, the runner's and the relay's, held side by side: a call that was relayed is in
 * both, with the same id, what was asked for, and the same decision. What is in one alone was kept from the other. The
 * credential of such a call is the relay's to name: where the runner's log names one as well, it must be the same.
 */
import type { Fault } from "./chain-verification.ts";
import type { AuditRecord, RecordOf } from "../record.ts";

/** What must be equal on both sides. */
const COMPARED = ["server", "method", "tool", "resource", "prompt", "agent", "arguments_digest"] as const;
/** Of them, those that stand in the log with secrets replaced; what is a secret, each side knows for itself. */
const REDACTED: ReadonlySet<string> = new Set(["tool", "resource", "prompt"]);
const REDACTION = "[redacted:";
/** What a server asks of the agent's side comes from the other end: the runner has it as the relay has cleaned it. */
const ASKED: ReadonlySet<string> = new Set(["sampling/createMessage", "elicitation/create", "roots/list"]);
/** What a server tells is on the log where it was new to the session, which each side knows for itself. */
const TOLD = "notifications/message";

type Call = Pick<RecordOf<"call">, (typeof COMPARED)[number] | "decision" | "credential"> & {
  readonly part: string;
};

/** One side: as much of each call as is compared. */
export class CallIndex {
  readonly #calls = new Map<string, Call>();
  /** Calls to which the server gave an answer. */
  readonly #answered = new Set<string>();

  add(record: AuditRecord, part: string): void {
    if (record.kind === "call") {
      const { id, server, method, agent, decision, ...optional } = record;
      const { tool, resource, prompt, arguments_digest, credential } = optional;
      this.#calls.set(id, {
        ...{ server, method, agent, decision, part },
        ...(tool !== undefined && { tool }),
        ...(resource !== undefined && { resource }),
        ...(prompt !== undefined && { prompt }),
        ...(arguments_digest !== undefined && { arguments_digest }),
        ...(credential !== undefined && { credential }),
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
    // A session may have read what the broker does not know of: the proxy may still refuse what the broker let through.
    const isNothing = call.method === TOLD || (ASKED.has(call.method) && !relay.isAnswered(id));
    if (own === undefined && isNothing) continue;
    if (own === undefined) {
      const message = `the runner's log does not have the call ${id}, which was relayed to ${call.server}`;
      yield { part: call.part, code: "relay_call_unrecorded", message, isCertain: runnerIsWhole };
      continue;
    }
    const members = listDifferences(own, call);
    if (members.length > 0 || own.decision !== "allow") {
      const differs = members.length > 0 ? members.join(", ") : "the decision";
      const message = `the call ${id} is another one in the runner's log: it differs in ${differs}`;
      const isCertain = own.decision !== "allow" || members.some((member) => !isRedacted(member, own, call));
      yield { part: call.part, code: "relay_call_differs", message, isCertain };
    } else if (call.decision === "deny") {
      const message = `the broker refused the call ${id}, which the runner had let through`;
      yield { part: call.part, code: "relay_call_refused", message, isCertain: false };
    }
  }
  if (!relayIsWhole) return;
  for (const [id, call] of runner.entries()) {
    const isDue =
      relayed.has(call.server) && call.decision === "allow" && call.method !== TOLD && runner.isAnswered(id);
    if (isDue && relay.get(id) === undefined) {
      const message = `the relay's log does not have the call ${id}, which was answered`;
      yield { part: call.part, code: "relay_call_missing", message, isCertain: true };
    }
  }
}

type Compared = (typeof COMPARED)[number] | "credential";

function listDifferences(own: Call, relayed: Call): Compared[] {
  const differ = COMPARED.filter(
    (member) => own[member] !== relayed[member] && !(member === "arguments_digest" && ASKED.has(own.method)),
  );
  return own.credential === undefined || isSame(own.credential, relayed.credential)
    ? differ
    : [...differ, "credential"];
}

function isSame(left: NonNullable<Call["credential"]>, right: Call["credential"]): boolean {
  return left.id === right?.id && left.digest === right.digest && left.expires_at === right.expires_at;
}

/** What one side replaced can be the same all the same. */
function isRedacted(member: Compared, ...sides: [Call, Call]): boolean {
  return (
    REDACTED.has(member) && member !== "credential" && sides.some((side) => side[member]?.includes(REDACTION))
  );
}
