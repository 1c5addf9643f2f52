/**
 * What a session was given and what it lost, as `lanyard session show` says it.
 */
import { z } from "zod";
import { readGrants } from "../../review/grants.ts";
import type { FlowView, GrantView } from "../../review/view.ts";
import { timestampOf } from "../../sessions/session-row.ts";
import type { PolicyChangeRow } from "../../storage/schema.ts";

const Lost = z.array(z.string());

export interface GivenToSession {
  /** Null where the policy of the session is not stored any more. */
  readonly mode: "enforce" | "observe" | null;
  readonly grants: readonly GrantView[];
  readonly flow: readonly FlowView[];
  /** The oldest first. */
  readonly lost: readonly {
    readonly time: string;
    readonly policy: string;
    readonly lost: readonly string[];
  }[];
}

export function describeGiven(
  policy: string | undefined,
  changes: readonly PolicyChangeRow[],
): GivenToSession {
  const given = policy === undefined ? undefined : readGrants(policy);
  return {
    mode: given?.mode ?? null,
    grants: [...(given?.grants.values() ?? [])],
    flow: [...(given?.flow.values() ?? [])],
    lost: changes.map(({ time, policy: digest, lost }) => ({
      time: timestampOf(time),
      policy: digest,
      lost: Lost.parse(JSON.parse(lost)),
    })),
  };
}

export function listGivenLines({ mode, grants, flow, lost }: GivenToSession): [string, string][] {
  return [
    ...(mode === "observe"
      ? [["mode", "observe: tools marked read_only pass without a grant"] satisfies [string, string]]
      : []),
    ...grants.map((grant): [string, string] => ["grant", describeGrant(grant)]),
    ...flow.map(({ rule, after, deny }): [string, string] => [
      "flow",
      `${rule}  after ${after.join(" or ")}, nothing that writes ${deny.join(" or ")}`,
    ]),
    ...lost.map((change): [string, string] => ["lost", `${change.time} ${change.lost.join(", ")}`]),
  ];
}

function describeGrant({ rule, server, tools, resources, prompts, asks, ...terms }: GrantView): string {
  const named = [
    ...(tools.length > 0 ? [tools.join(", ")] : []),
    ...(resources.length > 0 ? [`resources ${resources.join(", ")}`] : []),
    ...(prompts.length > 0 ? [`prompts ${prompts.join(", ")}`] : []),
    ...(asks.length > 0 ? [`asks for ${asks.join(", ")}`] : []),
  ];
  const { when, limit, arguments: audit } = terms;
  return [
    `${rule}  ${server}: ${named.join("; ")}`,
    ...(when === null ? [] : [`when ${when}`]),
    ...(limit === null ? [] : [`at most ${limit} ${limit === 1 ? "call" : "calls"}`]),
    ...(audit === "full" ? [] : [`arguments in the log: ${audit}`]),
  ].join("  ");
}
