/**
 * What would have to change for a call to be answered otherwise, in one sentence each, most likely first.
 * It names what the documents hold already before it proposes to add something.
 */
import type { Call } from "../decision.ts";
import { findNearestName } from "../documents/nearest-name.ts";
import type { Policies } from "../policies.ts";
import { prefixOf } from "../tool-pattern.ts";
import type { Rehearsal, Verdict } from "./rehearsal.ts";

export interface Advised {
  readonly policies: Policies;
  readonly rehearsal: Rehearsal;
  readonly call: Call;
  readonly verdict: Verdict;
}

export function adviseOn({ policies, rehearsal, call, verdict }: Advised): string[] {
  const thing = `${call.kind} ${call.name} of ${call.server}`;
  switch (verdict.reason) {
    case "granted":
      return [`to deny it: remove it from ${verdict.rule}, or give ${verdict.rule} a condition`];
    case "observed":
      return [
        `the binding only observes: with mode enforce it is denied (${verdict.instead.reason})`,
        ...adviseOn({ policies, rehearsal, call, verdict: verdict.instead }),
      ];
    case "unreviewed":
      return [
        `lanyard.lock does not hold the ${thing}: review it, and let lanyard policy lock write it down`,
      ];
    case "flow": {
      const rule = rehearsal.source.flow.find(({ rule: name }) => name === verdict.rule);
      return [
        `${verdict.rule} denies what writes ${rule?.deny.join(" or ")} after the session has asked for ` +
          `${rule?.after.join(" or ")} content: call it before, or in another session`,
      ];
    }
    case "condition_false":
      return [`send arguments for which the condition of ${verdict.rule} is true, or change the condition`];
    case "condition_error":
      return [
        `the condition of ${verdict.rule} cannot be evaluated, often because something it looks at is missing: ` +
          "send it, or guard the condition with has()",
      ];
    case "limit_reached":
      return [`raise the limit of ${verdict.rule} above ${verdict.limit} calls a session`];
    case "no_grant":
      return adviseOnMissing(policies, rehearsal, call);
  }
}

function adviseOnMissing({ roles, servers }: Policies, { source }: Rehearsal, call: Call): string[] {
  const entry = servers.get(call.server);
  if (entry === undefined) {
    const nearest = findNearestName(call.server, servers.keys());
    const meant = nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
    return [`there is no server ${call.server} in servers.yaml${meant}`];
  }
  const names = (patterns: readonly string[] = []): boolean =>
    patterns.some((pattern) => {
      const prefix = prefixOf(pattern);
      return prefix === undefined ? pattern === call.name : call.name.startsWith(prefix);
    });
  const key = keyOf(call.kind);
  const others = [...roles].flatMap(([name, { grants }]) =>
    !source.roles.includes(name) && grants.some((grant) => grant.server === call.server && names(grant[key]))
      ? [name]
      : [],
  );
  const known = [
    ...Object.keys(entry.tools ?? {}),
    ...source.grants.flatMap((grant) => (grant.server === call.server ? (grant[key] ?? []) : [])),
  ].filter((name) => name !== call.name);
  const nearest = call.kind === "resource" ? undefined : findNearestName(call.name, known);
  return [
    ...(nearest === undefined ? [] : [`did you mean ${nearest}?`]),
    ...others.map((role) => `the role ${role} names it: give the binding this role`),
    `add a grant to ${source.roles.join(" or ") || "a role of the binding"}: ` +
      `{ server: ${call.server}, ${key}: [${JSON.stringify(call.name)}] }`,
  ];
}

function keyOf<K extends Call["kind"]>(kind: K): `${K}s` {
  return `${kind}s`;
}
