/**
 * The control endpoint as post sees it: it can report and seal, nothing else.
 */
import { type Http, HttpFailed } from "../wire/http-request.ts";
import { SessionReport } from "../guard/session-report.ts";

const REPORT_TIMEOUT_MS = 5_000;
/** Longer than the proxy takes to seal, whatever happens. */
const SEAL_TIMEOUT_MS = 90_000;

export type Answered =
  | { readonly ok: true; readonly report: SessionReport }
  /** One clause. */
  | { readonly ok: false; readonly reason: string };

/** Asks the proxy to end the session and seal its log. One that does not even report is not waited for. */
export async function requestSeal(
  http: Http,
  control: { readonly url: string; readonly token: string },
): Promise<Answered> {
  const headers = { Authorization: `Bearer ${control.token}` };
  const body = JSON.stringify({ reason: "the job ended" });
  try {
    const alive = await http({
      method: "GET",
      url: `${control.url}/control/report`,
      headers,
      timeoutMs: REPORT_TIMEOUT_MS,
    });
    if (alive.status !== 200) return { ok: false, reason: `the proxy answered with status ${alive.status}` };
    const answer = await http({
      method: "POST",
      url: `${control.url}/control/seal`,
      headers: { ...headers, "Content-Type": "application/json" },
      body,
      timeoutMs: SEAL_TIMEOUT_MS,
    });
    const report = SessionReport.safeParse(answer.status === 200 ? JSON.parse(answer.body) : undefined);
    if (report.success) return { ok: true, report: report.data };
    return { ok: false, reason: `the proxy answered with status ${answer.status}` };
  } catch (cause) {
    if (cause instanceof HttpFailed) return { ok: false, reason: "the proxy did not answer" };
    if (cause instanceof SyntaxError) return { ok: false, reason: "the proxy's answer cannot be read" };
    throw cause;
  }
}
