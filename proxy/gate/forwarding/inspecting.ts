/**
 * The inspection of everything that one exchange, or one stream, passes on to an agent; and what was found, for the log.
 */
import type { Inspection } from "../../../policies/session-policy.ts";
import { type Findings, type Inspector, joinFindings, NO_FINDINGS } from "../../inspection/inspection.ts";
import type { ClientRequest } from "../../messages/envelope.ts";
import { answerFailure } from "../../messages/refusals.ts";
import type { ServerMessage } from "../../messages/server-message.ts";
import type { Recording, ResultFacts } from "../../recording.ts";
import type { Amendment } from "./amendment.ts";

/** Answers to these are what an agent's model reads. Lists and handshakes are cleaned where they are filtered. */
const INSPECTED = new Set(["tools/call", "resources/read", "prompts/get", "completion/complete"]);
/** Where no grant says otherwise, and for what belongs to no call. */
export const FULL_INSPECTION: Inspection = { secrets: "redact", text: "clean" };

const FAULTS = {
  unreadable: "The server sent a result that cannot be read",
  too_much: "The server sent a result that costs too much to inspect",
} as const;

export interface InspectingOptions {
  readonly server: string;
  readonly recording: Recording;
  readonly inspector: Inspector;
  readonly inspection: Inspection;
  /** Of the call that was recorded: what is found stands in its result, and else in events of its own. */
  readonly callId: string | undefined;
}

export class Inspecting {
  readonly #options: InspectingOptions;
  #findings = NO_FINDINGS;
  /** Of the last that could not be inspected. */
  #fault: keyof typeof FAULTS = "unreadable";

  constructor(options: InspectingOptions) {
    this.#options = options;
  }

  /** The message as it goes on; undefined for one that cannot be inspected. */
  pass<M extends ServerMessage>(message: M): M | undefined {
    const { inspector, inspection, callId, recording, server } = this.#options;
    const inspected = inspector.inspect(message, inspection);
    if (inspected === undefined) {
      return message;
    }
    if (!inspected.ok) {
      if (inspected.fault === "too_much") {
        recording.noteLimit(server, "inspection");
      }
      this.#fault = inspected.fault;
      return undefined;
    }
    if (callId === undefined) {
      this.#noteFindings(inspected.findings);
    } else {
      this.#findings = joinFindings(this.#findings, inspected.findings);
    }
    return inspected.message;
  }

  /** An error can come to any request, and quote anything. */
  passAnswer({ id, method }: ClientRequest, amended: Amendment): Amendment {
    if ("refusal" in amended || (amended.message.kind === "result" && !INSPECTED.has(method))) {
      return amended;
    }
    const message = this.pass(amended.message);
    if (message !== undefined) {
      return message === amended.message ? amended : { ...amended, message };
    }
    return { outcome: "blocked", refusal: answerFailure(id, FAULTS[this.#fault]) };
  }

  /** Of the call, once it is over; that there are markers is an event as well. */
  conclude(callId: string): Pick<ResultFacts, "redactions" | "removals" | "markers"> {
    const { redactions, removals, markers } = this.#findings;
    if (redactions.size + removals.size + markers.size === 0) {
      return {};
    }
    const { recording, server } = this.#options;
    if (markers.size > 0) {
      const detail = { server, call: callId, markers: [...markers] };
      recording.noteEvent("injection_marker", "warning", detail);
    }
    return {
      ...(redactions.size > 0 && { redactions: Object.fromEntries(redactions) }),
      ...(removals.size > 0 && { removals: Object.fromEntries(removals) }),
      ...(markers.size > 0 && { markers: [...markers] }),
    };
  }

  #noteFindings({ redactions, removals, markers }: Findings): void {
    const { recording, server } = this.#options;
    if (redactions.size > 0) {
      recording.noteRepeated("secret_redacted", server, { server, kinds: [...redactions.keys()] });
    }
    if (removals.size > 0) {
      recording.noteRepeated("text_cleaned", server, { server, removed: Object.fromEntries(removals) });
    }
    if (markers.size > 0) {
      recording.noteRepeated("injection_marker", server, { server, markers: [...markers] });
    }
  }
}
