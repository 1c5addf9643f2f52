/**
 * What a session was given, as a reviewer reads it: its grants, its flow rules, its mode.
 */
import { z } from "zod";
import { ArgumentsInLog } from "../../policies/session-policy.ts";
import type { FlowView, GrantView } from "./view.ts";

export interface GivenPolicy {
  readonly mode: "enforce" | "observe";
  /** By rule. */
  readonly grants: ReadonlyMap<string, GrantView>;
  readonly flow: ReadonlyMap<string, FlowView>;
}

const Names = z.array(z.string()).default([]);

/** Also what brokers stored before there were modes, limits and flow rules: a run stays readable for as long as its log. */
const StoredPolicy = z.object({
  mode: z.enum(["enforce", "observe"]).default("enforce"),
  grants: z.array(
    z.object({
      rule: z.string(),
      server: z.string(),
      tools: Names,
      resources: Names,
      prompts: Names,
      asks: Names,
      when: z.string().nullable().default(null),
      limit: z.int().nullable().default(null),
      arguments: z.enum(ArgumentsInLog.options).default("full"),
    }),
  ),
  flow: z
    .array(z.object({ rule: z.string(), after: z.array(z.string()), deny: z.array(z.string()) }))
    .default([]),
});

/** Reads the canonical policy of a session row; it was written by a broker, so what does not fit is a surprise. */
export function readGrants(policy: string): GivenPolicy {
  const { mode, grants, flow } = StoredPolicy.parse(JSON.parse(policy));
  return {
    mode,
    grants: new Map(grants.map((grant) => [grant.rule, grant])),
    flow: new Map(flow.map((rule) => [rule.rule, rule])),
  };
}

/** The same with the flow rules that a change of the documents added. */
export function withFlow(given: GivenPolicy, policy: string): GivenPolicy {
  return { ...given, flow: new Map([...given.flow, ...readGrants(policy).flow]) };
}
