/**
 * What is done with what a server says before an agent reads it: secrets are redacted, what nobody sees is taken out,
 * markers of prompt injection are noted. Each text is looked at alone: what a server spreads over two of them (two
 * parts of a result, two events of a stream) is found in neither.
 */
import type { Inspection } from "../../policies/session-policy.ts";
import type { ServerMessage } from "../messages/server-message.ts";

export type { Inspection };

/** How often which kind; the names of markers. */
export interface Findings {
  readonly redactions: ReadonlyMap<string, number>;
  readonly removals: ReadonlyMap<string, number>;
  readonly markers: ReadonlySet<string>;
}

export type Inspected<M> =
  | { readonly ok: true; readonly message: M; readonly findings: Findings }
  /** Something is in it that has to be looked at, and cannot be read, or costs too much to look at. */
  | { readonly ok: false; readonly fault: "unreadable" | "too_much" };

export interface Inspector {
  /** Undefined: there is nothing to find, and the message goes on as it came. */
  inspect<M extends ServerMessage>(message: M, inspection: Inspection): Inspected<M> | undefined;
}

export const NO_FINDINGS: Findings = { redactions: new Map(), removals: new Map(), markers: new Set() };

export function joinFindings(left: Findings, right: Findings): Findings {
  return {
    redactions: joinCounts(left.redactions, right.redactions),
    removals: joinCounts(left.removals, right.removals),
    markers: left.markers.union(right.markers),
  };
}

function joinCounts(left: Findings["redactions"], right: Findings["redactions"]): Map<string, number> {
  const joined = new Map(left);
  right.forEach((count, kind) => joined.set(kind, (joined.get(kind) ?? 0) + count));
  return joined;
}
