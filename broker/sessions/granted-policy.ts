/**
 * What a robot's roles grant, as it is stored with a session: the same for every job that gets them from the same
 * documents, so it is written and digested once.
 */
import { canonicalize } from "../../audit/canonical.ts";
import { type IssuedTo, sessionPolicyOf } from "../../policies/issuing.ts";
import { type Policies, serversOf } from "../../policies/policies.ts";
import { digestPolicy } from "../../policies/session-policy.ts";

/** Callers choose among the subsets of their roles: more of these than anybody uses are not kept. */
const MAX_KEPT = 1_000;

export interface GrantedPolicy {
  readonly digest: string;
  /** Canonical `SessionPolicy`. */
  readonly source: string;
  /** JSON object: `StoredServer` by name. */
  readonly servers: string;
  /** JSON array of names. */
  readonly roles: string;
}

const kept = new WeakMap<Policies, Map<string, GrantedPolicy>>();

export function grantedPolicyOf(policies: Policies, grant: IssuedTo): GrantedPolicy {
  const known = kept.get(policies) ?? new Map<string, GrantedPolicy>();
  kept.set(policies, known);
  const { robot, mode, roles, boundRoles } = grant;
  const name = JSON.stringify([mode, robot, roles, boundRoles]);
  const found = known.get(name);
  if (found !== undefined) return found;
  const written = writePolicy(policies, grant);
  if (known.size >= MAX_KEPT) known.clear();
  known.set(name, written);
  return written;
}

function writePolicy(policies: Policies, grant: IssuedTo): GrantedPolicy {
  const policy = sessionPolicyOf(policies, grant);
  return {
    digest: digestPolicy(policy),
    source: canonicalize(policy),
    servers: JSON.stringify(serversOf(policies, policy)),
    roles: JSON.stringify(grant.roles),
  };
}
