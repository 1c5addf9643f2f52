/** What the relay says of itself and of who is behind a call, for the logs of whoever is called. */
import { readVersion } from "../cli/version.ts";
import { workloadOf } from "../sessions/session-row.ts";
import type { SessionRow } from "../storage/schema.ts";

const VERSION = readVersion();
const MAX_LENGTH = 200;

export function nameUserAgent(session: SessionRow): string {
  const comment = `${session.robot}; run ${workloadOf(session).run_id}`;
  // RFC 9110, section 5.6.5: what would end a comment, or the line, is left out.
  return `lanyard/${VERSION} (${comment.replaceAll(/[^\x20-\x27\x2a-\x5b\x5d-\x7e]/g, "").slice(0, MAX_LENGTH)})`;
}
