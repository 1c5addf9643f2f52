/**
 * What of a policy travels to a proxy: the grants of one session, in source form.
 * Both sides compile it with the same code and compare digests, so they cannot decide differently.
 */
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import * as z from "zod/mini";
import type { Policies } from "./policies.ts";
import { ToolPattern } from "./tool-pattern.ts";

export const SessionGrant = z.strictObject({
  /** `<role>#<n>`, counted from 1 in the order of the role: the name a reviewer sees. */
  rule: z.string(),
  server: z.string(),
  /** Exact names, or a prefix with one `*` at its end. */
  tools: z.array(ToolPattern),
  /** A CEL expression; absent means always. */
  when: z.optional(z.string()),
});
export type SessionGrant = z.infer<typeof SessionGrant>;

export const SessionPolicy = z.strictObject({
  v: z.literal(1),
  robot: z.string(),
  roles: z.array(z.string()),
  grants: z.array(SessionGrant),
});
export type SessionPolicy = z.infer<typeof SessionPolicy>;

/** The grants of these roles, in their order. Throws for a role that is not in the policies: they were bound from them. */
export function sessionPolicyOf(policies: Policies, robot: string, roles: readonly string[]): SessionPolicy {
  const grants = roles.flatMap((name) => {
    const role = policies.roles.get(name);
    if (role === undefined) {
      throw new Error(`the policies have no role "${name}"`);
    }
    return role.grants.map(
      (grant, index): SessionGrant => ({
        rule: `${name}#${index + 1}`,
        server: grant.server,
        tools: [...grant.tools],
        ...(grant.when === undefined ? {} : { when: grant.when }),
      }),
    );
  });
  return { v: 1, robot, roles: [...roles], grants };
}

/** SHA-256 over the canonical form (RFC 8785), in lower-case hex. */
export function digestPolicy(policy: SessionPolicy): string {
  const canonical = canonicalize(policy);
  if (canonical === undefined) {
    throw new Error("a session policy has no canonical form");
  }
  return createHash("sha256").update(canonical).digest("hex");
}
