/**
 * What becomes of the processes of a stdio server, on the log: each end with what the server last said, each restart,
 * and that there are no more.
 */
import { cleanText } from "../../inspection/invisible-text.ts";
import type { Limits } from "../../limits.ts";
import type { Recording } from "../../recording.ts";
import type { UpstreamEvents } from "../../upstream/upstream.ts";

export interface Recorded {
  readonly server: string;
  readonly recording: Recording;
  readonly limits: Limits;
}

const MAX_LINES = 5;
const MAX_LENGTH = 600;

export function recordProcesses({
  server,
  recording,
  limits,
}: Recorded): Pick<UpstreamEvents, "noteEnded" | "noteRestarted" | "noteDown"> {
  return {
    noteEnded: ({ code, detail }, said) => {
      if (code === "out_of_memory") {
        recording.noteLimit(server, "memory");
      }
      const event = code === "start_failed" ? "server_start_failed" : "server_exited";
      const stderr = excerpt(recording, said);
      recording.noteEvent(event, "warning", { server, code, detail, ...(stderr !== "" && { stderr }) });
    },
    noteRestarted: (restart) =>
      recording.noteEvent("server_restarted", "info", { server, restart, of: limits.maxRestarts }),
    noteDown: ({ detail }) => recording.noteEvent("server_down", "warning", { server, detail }),
  };
}

/** The last lines, without what a terminal obeys. Redacted before it is cut: nobody recognises half a secret. */
function excerpt(recording: Recording, said: string): string {
  const lines = recording.redact(cleanText(said).text).trimEnd().split(/\r?\n/).slice(-MAX_LINES);
  return lines.join("\n").slice(-MAX_LENGTH);
}
