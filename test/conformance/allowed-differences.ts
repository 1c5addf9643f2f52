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

const FAILS = "SUCCESS -> FAILURE";
const UNREACHED = "SUCCESS -> none";
const ONLY_HERE = "none -> FAILURE";

const ALLOWANCES: readonly Allowance[] = [
  {
    because: "nothing grants requests of a server to the agent's side (sampling, elicitation)",
    revision: "2025-11-25",
    differences: {
      "tools-call-sampling tools-call-sampling": FAILS,
      "tools-call-elicitation tools-call-elicitation": FAILS,
      "elicitation-sep1034-defaults elicitation-sep1034-general": ONLY_HERE,
      "elicitation-sep1034-defaults elicitation-sep1034-string-default": UNREACHED,
      "elicitation-sep1034-defaults elicitation-sep1034-integer-default": UNREACHED,
      "elicitation-sep1034-defaults elicitation-sep1034-number-default": UNREACHED,
      "elicitation-sep1034-defaults elicitation-sep1034-enum-default": UNREACHED,
      "elicitation-sep1034-defaults elicitation-sep1034-boolean-default": UNREACHED,
      "elicitation-sep1330-enums elicitation-sep1330-general": ONLY_HERE,
      "elicitation-sep1330-enums elicitation-sep1330-untitled-single": UNREACHED,
      "elicitation-sep1330-enums elicitation-sep1330-titled-single": UNREACHED,
      "elicitation-sep1330-enums elicitation-sep1330-legacy-enumnames": UNREACHED,
      "elicitation-sep1330-enums elicitation-sep1330-untitled-multi": UNREACHED,
      "elicitation-sep1330-enums elicitation-sep1330-titled-multi": UNREACHED,
    },
  },
  {
    because: "nothing grants inputs that a server asks for (multi round-trip requests)",
    revision: "2026-07-28",
    differences: {
      "server-stateless sep-2575-http-server-no-independent-requests-on-stream": FAILS,
      "input-required-result-basic-elicitation sep-2322-elicitation-incomplete": FAILS,
      "input-required-result-basic-elicitation sep-2322-elicitation-complete": UNREACHED,
      "input-required-result-basic-sampling sep-2322-sampling-incomplete": FAILS,
      "input-required-result-basic-sampling sep-2322-sampling-complete": UNREACHED,
      "input-required-result-basic-list-roots sep-2322-list-roots-incomplete": FAILS,
      "input-required-result-basic-list-roots sep-2322-list-roots-complete": UNREACHED,
      "input-required-result-request-state sep-2322-request-state-incomplete": FAILS,
      "input-required-result-request-state sep-2322-request-state-complete": UNREACHED,
      "input-required-result-multiple-input-requests sep-2322-multiple-inputs-incomplete": FAILS,
      "input-required-result-multiple-input-requests sep-2322-multiple-inputs-complete": UNREACHED,
      "input-required-result-multi-round sep-2322-multi-round-r1": FAILS,
      "input-required-result-multi-round sep-2322-multi-round-r2": UNREACHED,
      "input-required-result-multi-round sep-2322-multi-round-r3": UNREACHED,
      "input-required-result-missing-input-response sep-2322-missing-response-rerequests":
        "SUCCESS -> WARNING",
      "input-required-result-result-type sep-2322-result-type-included": FAILS,
      "input-required-result-tampered-state sep-2322-reject-tampered-state": FAILS,
      "input-required-result-capability-check sep-2322-respect-client-capabilities": FAILS,
      "input-required-result-ignore-extra-params sep-2322-ignore-unexpected-params": "SUCCESS -> WARNING",
      "input-required-result-non-tool-request sep-2322-non-tool-incomplete": FAILS,
      "input-required-result-non-tool-request sep-2322-non-tool-complete": UNREACHED,
    },
  },
  {
    because: "nothing grants logging",
    revision: "2025-11-25",
    differences: {
      "logging-set-level logging-set-level": FAILS,
      "tools-call-with-logging tools-call-with-logging": FAILS,
    },
  },
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
