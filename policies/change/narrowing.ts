/**
 * What is left of a running session's policy once the documents have changed: what it had and they still give.
 * It never allows what it denied before, whatever the documents say now, and what was lost does not come back.
 */
import { intersectFacts } from "./facts-intersection.ts";
import { digestPolicy, type SessionFlow, type SessionGrant, type SessionPolicy } from "../session-policy.ts";

export interface Narrowing {
  /** What the session may do so far. */
  readonly held: SessionPolicy;
  /** What the documents would give a session of the same robot now. */
  readonly present: SessionPolicy;
  /** Whether the registry still means the same server by this name. */
  readonly isSameServer: (name: string) => boolean;
}

/** `held` itself where nothing was taken away. Rules keep their names, so what was counted against them stays counted. */
export function narrowPolicy({ held, present, isSameServer }: Narrowing): SessionPolicy {
  const servers = Object.fromEntries(
    Object.entries(held.servers).flatMap(([name, facts]) => {
      const now = Object.hasOwn(present.servers, name) ? present.servers[name] : undefined;
      return now !== undefined && isSameServer(name) ? [[name, intersectFacts(facts, now)]] : [];
    }),
  );
  const narrowed: SessionPolicy = {
    ...held,
    mode: held.mode === "observe" && present.mode === "observe" ? "observe" : "enforce",
    grants: held.grants.flatMap((grant) =>
      Object.hasOwn(servers, grant.server) ? keepGrant(grant, present.grants) : [],
    ),
    flow: [...held.flow, ...listNewFlow(held.flow, present.flow)],
    servers,
  };
  return digestPolicy(narrowed) === digestPolicy(held) ? held : narrowed;
}

/** Of a grant that lost some of its names, the others stay. Conditions and limits stay as they were, or the grant goes. */
function keepGrant(grant: SessionGrant, present: readonly SessionGrant[]): SessionGrant[] {
  const alike = present.filter((other) => termsOf(other) === termsOf(grant));
  const { tools, resources, prompts, asks, ...terms } = grant;
  const kept = {
    tools: keepNames(tools, (other) => other.tools),
    resources: keepNames(resources, (other) => other.resources),
    prompts: keepNames(prompts, (other) => other.prompts),
    asks: keepNames(asks, (other) => other.asks),
  };
  const isEmpty = Object.values(kept).every((names) => names.length === 0);
  return isEmpty
    ? []
    : [
        {
          ...terms,
          ...(kept.tools.length > 0 && { tools: kept.tools }),
          ...(kept.resources.length > 0 && { resources: kept.resources }),
          ...(kept.prompts.length > 0 && { prompts: kept.prompts }),
          ...(kept.asks.length > 0 && { asks: kept.asks }),
        },
      ];

  function keepNames<Name extends string>(
    names: readonly Name[] = [],
    namesOf: (grant: SessionGrant) => readonly Name[] | undefined,
  ): Name[] {
    return names.filter((name) => alike.some((other) => namesOf(other)?.includes(name)));
  }
}

/** Everything of a grant but its names; its number in the role may have changed. */
function termsOf({ rule, server, when, limit, arguments: audit, inspect }: SessionGrant): string {
  const inspected = [inspect?.secrets ?? "redact", inspect?.text ?? "clean"];
  return JSON.stringify([roleOf(rule), server, when ?? null, limit ?? null, audit ?? "full", inspected]);
}

/** `triager#2` → `triager`; names of roles have neither sign. */
function roleOf(rule: string): string {
  return rule.replace(/[#~][0-9]+$/, "");
}

/** Those that are not there yet, numbered on: a rule's name means one rule for the life of a session. */
function listNewFlow(held: readonly SessionFlow[], present: readonly SessionFlow[]): SessionFlow[] {
  const known = new Set(held.map(contentOf));
  const names = new Set(held.map(({ rule }) => rule));
  return present.flatMap((flow) => {
    if (known.has(contentOf(flow))) {
      return [];
    }
    let rule = flow.rule;
    for (let n = 1; names.has(rule); n += 1) {
      rule = `${roleOf(flow.rule)}~${n}`;
    }
    names.add(rule);
    known.add(contentOf(flow));
    return [{ ...flow, rule }];
  });
}

function contentOf({ after, deny }: SessionFlow): string {
  return JSON.stringify([[...after].sort(), [...deny].sort()]);
}
