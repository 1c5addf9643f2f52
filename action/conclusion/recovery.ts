/**
 * Recovery: what post does for the log when the proxy is gone. The rest of the spool goes to the broker under a fresh
 * subject token of the job; it is stored apart, as something that nobody witnessed. The session ends with it.
 */
import { packSegment } from "../../audit/segment.ts";
import { recoverSession } from "../wire/broker-client.ts";
import { SubjectTokenUnavailable, fetchSubjectToken } from "../wire/github-oidc.ts";
import type { Http } from "../wire/http-request.ts";
import type { OidcEndpoint } from "../inputs.ts";
import { PatienceExhausted } from "../wire/retry.ts";
import type { SpoolContent } from "./spool-reading.ts";

export type Recovery =
  /** By the proxy, before it ended: the broker says so. */
  | { readonly status: "sealed" }
  | { readonly status: "recovered"; readonly records: number; readonly continuesChain: boolean }
  /** One clause. */
  | { readonly status: "failed"; readonly reason: string };

export interface RecoveryOptions {
  readonly http: Http;
  readonly broker: string | undefined;
  readonly oidc: OidcEndpoint | undefined;
  readonly session: string | undefined;
  readonly spool: SpoolContent | undefined;
}

const PATIENCE_MS = 30_000;

export async function recoverLog(options: RecoveryOptions): Promise<Recovery> {
  const { http, broker, oidc, spool } = options;
  const session = options.session ?? spool?.genesis?.session;
  if (session === undefined) return failed("no session is known");
  if (broker === undefined || oidc === undefined)
    return failed("the job can no longer prove which job it is");
  const tail = spool?.tail ?? "";
  const packed = tail === "" ? "" : (await packSegment(tail)).body.toString("base64");
  const untilMs = performance.now() + PATIENCE_MS;
  try {
    const subjectToken = (): Promise<string> => fetchSubjectToken({ http, oidc, audience: broker });
    const reply = await recoverSession(
      { http, broker, subjectToken },
      { session, tail: packed },
      { untilMs, firstPauseMs: 500, maxPauseMs: 5_000 },
    );
    if (!reply.ok) return failed(`the broker did not take it: ${reply.sentence}`);
    if (reply.value.status === "sealed") return { status: "sealed" };
    return { status: "recovered", records: reply.value.records, continuesChain: reply.value.continues_chain };
  } catch (cause) {
    if (cause instanceof PatienceExhausted) return failed(`the broker did not take it: ${cause.message}`);
    if (cause instanceof SubjectTokenUnavailable) return failed(cause.message);
    throw cause;
  }
}

function failed(reason: string): Recovery {
  return { status: "failed", reason };
}
