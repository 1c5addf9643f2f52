/**
 * The verdict on a job's log: what post says, how loud, and whether the job fails by it. Pure.
 */
import type { FailOn } from "../inputs.ts";

export type LogOutcome =
  /** `early`: the proxy was ended before the job was, and sealed first. What came after it had no badge. */
  | { readonly status: "sealed"; readonly early: boolean }
  | { readonly status: "recovered"; readonly records: number; readonly reason: string }
  /** What was recorded and not stored lies only in the spool; `spool` is where, if it is there. */
  | { readonly status: "lost"; readonly reason: string; readonly spool: string | undefined };

export interface VerdictFacts {
  readonly outcome: LogOutcome;
  readonly denied: number;
  readonly failOn: FailOn;
  readonly reviewUrl: string | undefined;
}

export interface Verdict {
  /** `good` is a plain line. */
  readonly messages: readonly { readonly level: "good" | "warning" | "error"; readonly text: string }[];
  readonly failsJob: boolean;
}

const EARLY_SEAL =
  "The log is complete and sealed, but the proxy was ended before the job was: look at what a step did to it.";

export function decideVerdict({ outcome, denied, failOn, reviewUrl }: VerdictFacts): Verdict {
  const review = reviewUrl === undefined ? "" : ` Review: ${reviewUrl}`;
  const failsByLog = outcome.status !== "sealed" && failOn !== "never";
  const failsByDenial = denied > 0 && failOn === "denied";
  const deniedText = denied === 1 ? "1 call was denied" : `${denied} calls were denied`;
  const messages: Verdict["messages"] = [
    outcome.status === "sealed"
      ? outcome.early
        ? { level: "warning", text: `${EARLY_SEAL}${review}` }
        : { level: "good", text: `The log is complete and sealed.${review}` }
      : { level: failsByLog ? "error" : "warning", text: `${describeLoss(outcome)}${review}` },
    ...(denied === 0
      ? []
      : [{ level: failsByDenial ? ("error" as const) : ("good" as const), text: `${deniedText}.` }]),
  ];
  return { messages, failsJob: failsByLog || failsByDenial };
}

function describeLoss(outcome: Exclude<LogOutcome, { status: "sealed" }>): string {
  const start = `The log of this job is incomplete: ${outcome.reason}.`;
  if (outcome.status === "recovered") {
    const records = outcome.records === 1 ? "1 record was" : `${outcome.records} records were`;
    return `${start} ${records} recovered from the runner; nobody witnessed them when they were made.`;
  }
  return outcome.spool === undefined
    ? start
    : `${start} What was recorded lies on this runner in ${outcome.spool}.`;
}
