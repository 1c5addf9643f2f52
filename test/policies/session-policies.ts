/** Policies of one role, a call of its agent, and what is decided on it when nothing has been used up. */
import { compilePolicy } from "../../policies/compilation.ts";
import type { Call, CompiledPolicy, Decision, Usage } from "../../policies/decision.ts";
import type { SessionGrant, SessionPolicy } from "../../policies/session-policy.ts";
import { claimsOf } from "./fixtures.ts";

type Grants = readonly Omit<SessionGrant, "rule">[];

export const policyOf = (grants: Grants, rest: Partial<SessionPolicy> = {}): SessionPolicy => ({
  v: 1,
  robot: "acme/payments/triager",
  roles: ["role"],
  mode: "enforce",
  grants: grants.map((grant, index) => ({ rule: `role#${index + 1}`, ...grant })),
  flow: [],
  servers: Object.fromEntries(grants.map(({ server }) => [server, {}])),
  ...rest,
});
export const compile = (grants: Grants, rest: Partial<SessionPolicy> = {}): Promise<CompiledPolicy> =>
  compilePolicy(policyOf(grants, rest), { claims: claimsOf() });
export const call = (name: string, args: Call["args"] = {}): Call => ({
  server: "github",
  kind: "tool",
  name,
  args,
  agent: "agent",
});
export const unused: Usage = { calls: 0, callsOf: () => 0, labels: new Set() };
export const decide = (policy: CompiledPolicy, asked: Call): Decision => policy.decide(asked, unused);
