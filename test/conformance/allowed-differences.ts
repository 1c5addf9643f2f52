/**
 * Every check whose verdict may differ between the reference server itself and the same server behind the proxy with
 * everything granted, and why. An entry that no longer differs fails the test as well: the list only gets shorter.
 */
import type { Differences } from "./comparison.ts";
import type { Revision } from "./suite.ts";

export type Transport = "http" | "stdio";

interface Allowance {
  readonly because: string;
  readonly revision: Revision;
  /** Absent: over each. */
  readonly transport?: Transport;
  readonly differences: Differences;
}

const UNREACHED = "SUCCESS -> none";

const ALLOWANCES: readonly Allowance[] = [
  {
    because: "what a server says over stdio has no event ids: it comes as documents and cannot be resumed",
    revision: "2025-11-25",
    transport: "stdio",
    differences: {
      "server-sse-multiple-streams server-sse-streams-functional": "SUCCESS -> INFO",
      "server-sse-polling server-sse-content-type": "none -> INFO",
      "server-sse-polling incoming-sse-event": "INFO -> none",
      "server-sse-polling stream-closed": "INFO -> none",
      "server-sse-polling server-sse-priming-event": UNREACHED,
      "server-sse-polling server-sse-retry-field": UNREACHED,
      "server-sse-polling server-sse-disconnect-resume": UNREACHED,
    },
  },
];

export function listAllowed(revision: Revision, transport: Transport): Differences {
  const allowed = ALLOWANCES.filter(
    (allowance) => allowance.revision === revision && (allowance.transport ?? transport) === transport,
  );
  return Object.assign({}, ...allowed.map(({ differences }) => differences));
}
