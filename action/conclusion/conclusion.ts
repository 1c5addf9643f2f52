/**
 * The end of a job: the log is sealed by the proxy, or recovered where the proxy cannot, and its process is ended.
 * Whatever goes wrong on the way becomes part of the outcome: an incomplete log is never taken for a complete one.
 */
import { join } from "node:path";
import { requestSeal } from "./control-client.ts";
import { SPOOL_FILE } from "../handover.ts";
import type { Http } from "../wire/http-request.ts";
import type { PostInputs } from "../inputs.ts";
import { endProcessesBelow } from "../runner/leftovers.ts";
import { endProcess, isRunning, waitForEnd } from "../runner/process-identity.ts";
import { recoverLog } from "./recovery.ts";
import type { SessionReport } from "../guard/session-report.ts";
import { type SpoolContent, readSpool } from "./spool-reading.ts";
import type { LogOutcome } from "./verdict.ts";

export interface Conclusion {
  readonly outcome: LogOutcome;
  /** Undefined where nothing is known of the session. */
  readonly report: Omit<SessionReport, "log"> | undefined;
}

/** After it has sealed, the proxy ends by itself … */
const EXIT_GRACE_MS = 2_000;
/** … and told to end, it seals first. */
const SEAL_GRACE_MS = 10_000;

/** Undefined: there was no session, and main has said why. */
export async function concludeJob(inputs: PostInputs, http: Http): Promise<Conclusion | undefined> {
  const { directory, control, controlToken, pid, started } = inputs.state;
  if (directory === undefined) return undefined;
  const proxy = pid === undefined || started === undefined ? undefined : { pid, started };
  const badge =
    control === undefined || controlToken === undefined ? undefined : { url: control, token: controlToken };

  if (badge === undefined) {
    if (proxy !== undefined) await endProcess(proxy, SEAL_GRACE_MS);
    endProcessesBelow(directory);
    const spool = readSpool(join(directory, SPOOL_FILE));
    // Nobody could use the proxy; where its log is not sealed, recovering it ends the session.
    if (spool?.genesis === undefined || spool.endsWithSeal) return undefined;
    return recover(inputs, {
      http,
      spool,
      reason: "the proxy ended while it started",
      report: undefined,
    });
  }

  const lives = proxy !== undefined && isRunning(proxy);
  const answer = lives ? await requestSeal(http, badge) : ({ ok: false, reason: ENDED_EARLY } as const);
  const isSealed = answer.ok && answer.report.log.status === "sealed";
  if (proxy !== undefined && !(await waitForEnd(proxy, answer.ok ? EXIT_GRACE_MS : 0))) {
    await endProcess(proxy, SEAL_GRACE_MS);
  }
  endProcessesBelow(directory);
  const report = answer.ok ? withoutLog(answer.report) : undefined;
  if (isSealed) return { outcome: { status: "sealed", early: false }, report };

  const reason = answer.ok ? describeOpenLog(answer.report.log) : answer.reason;
  const spool = readSpool(join(directory, SPOOL_FILE));
  return recover(inputs, { http, spool, reason, report });
}

const ENDED_EARLY = "the proxy ended before the job did";

interface Loss {
  readonly http: Http;
  readonly spool: SpoolContent | undefined;
  /** Why it has come to this. */
  readonly reason: string;
  readonly report: Conclusion["report"];
}

async function recover(inputs: PostInputs, loss: Loss): Promise<Conclusion> {
  const { broker, oidc, state } = inputs;
  const { http, spool } = loss;
  const recovery = await recoverLog({ http, broker, oidc, session: state.session, spool });
  const report = loss.report ?? reportOf(spool, state.reviewUrl);
  if (recovery.status === "sealed") return { outcome: { status: "sealed", early: true }, report };
  if (recovery.status === "recovered") {
    const gap = recovery.continuesChain ? "" : ", and what was recovered does not continue what was stored";
    const outcome = { status: "recovered", records: recovery.records, reason: loss.reason + gap } as const;
    return { outcome, report };
  }
  const reason = `${loss.reason}, and the rest of it could not be recovered: ${recovery.reason.replace(/\.$/, "")}`;
  const path = state.directory === undefined ? undefined : join(state.directory, SPOOL_FILE);
  return { outcome: { status: "lost", reason, spool: spool === undefined ? undefined : path }, report };
}

/** What the spool tells of a session whose proxy can no longer be asked. */
function reportOf(spool: SpoolContent | undefined, reviewUrl = ""): Conclusion["report"] {
  if (spool?.genesis === undefined) return undefined;
  const { session, robot, roles, servers, agents } = spool.genesis;
  return { facts: { session, robot, roles, servers, agents }, tally: spool.tally, reviewUrl };
}

function withoutLog({ facts, tally, reviewUrl }: SessionReport): Conclusion["report"] {
  return { facts, tally, reviewUrl };
}

function describeOpenLog(log: SessionReport["log"]): string {
  return log.status === "unsealed" ? log.reason : "the proxy left it open";
}
