/**
 * What of a policy travels to a proxy: everything that decides the calls of one session, in source form.
 * Both sides compile it with the same code and compare digests, so they cannot decide differently.
 */
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import * as z from "zod/mini";
import { Ask } from "./asks.ts";
import { ReadLabel, WriteLabel } from "./labels.ts";
import { ResourcePattern } from "./resource-pattern.ts";
import { ToolName, ToolPattern } from "./tool-pattern.ts";

const Sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));

/** `full`: with secrets replaced. `redacted`: member names alone. `digest`: neither, only their salted digest. */
export const ArgumentsInLog = z.enum(["full", "redacted", "digest"]);
export type ArgumentsInLog = z.infer<typeof ArgumentsInLog>;

/** `redact` and `clean` where they are absent. `pass`: as the server sent it. */
export const SecretsInResult = z.enum(["redact", "pass"]);
export const TextInResult = z.enum(["clean", "pass"]);

/** What is done with the results of a call before the agent has them. */
export interface Inspection {
  readonly secrets: z.infer<typeof SecretsInResult>;
  readonly text: z.infer<typeof TextInResult>;
}

export const SessionGrant = z.strictObject({
  /** `<role>#<n>`, counted from 1 in the order of the role: the name a reviewer sees. */
  rule: z.string(),
  server: z.string(),
  /** Exact names, or a prefix with one `*` at its end. */
  tools: z.optional(z.array(ToolPattern)),
  resources: z.optional(z.array(ResourcePattern)),
  prompts: z.optional(z.array(ToolPattern)),
  asks: z.optional(z.array(Ask)),
  /** A CEL expression; absent means always. */
  when: z.optional(z.string()),
  /** Calls of the session, of all agents together; absent means any number. */
  limit: z.optional(z.int().check(z.minimum(1))),
  /** `full` where it is absent. */
  arguments: z.optional(ArgumentsInLog),
  inspect: z.optional(
    z.strictObject({ secrets: z.optional(SecretsInResult), text: z.optional(TextInResult) }),
  ),
});
export type SessionGrant = z.infer<typeof SessionGrant>;

export const SessionFlow = z.strictObject({
  /** `<role>~<n>`, counted from 1 in the order of the role. */
  rule: z.string(),
  after: z.array(ReadLabel),
  deny: z.array(WriteLabel),
});
export type SessionFlow = z.infer<typeof SessionFlow>;

const ToolFacts = z.strictObject({
  read_only: z.optional(z.boolean()),
  reads: z.optional(z.array(ReadLabel)),
  writes: z.optional(z.array(WriteLabel)),
});

/** What the organisation knows of a server that the session reaches. */
export const ServerFacts = z.strictObject({
  reads: z.optional(z.array(ReadLabel)),
  writes: z.optional(z.array(WriteLabel)),
  tools: z.optional(z.record(ToolName, ToolFacts)),
  /** The reviewed definitions; absent where the server is not locked. */
  lock: z.optional(z.strictObject({ instructions: z.optional(Sha256), tools: z.record(z.string(), Sha256) })),
});
export type ServerFacts = z.infer<typeof ServerFacts>;

export const SessionPolicy = z.strictObject({
  v: z.literal(1),
  robot: z.string(),
  roles: z.array(z.string()),
  /** `observe`: tools marked read_only pass without a grant. */
  mode: z.enum(["enforce", "observe"]),
  grants: z.array(SessionGrant),
  flow: z.array(SessionFlow),
  /** By name: every server that the session reaches. */
  servers: z.record(z.string(), ServerFacts),
});
export type SessionPolicy = z.infer<typeof SessionPolicy>;

/** SHA-256 over the canonical form (RFC 8785), in lower-case hex. */
export function digestPolicy(policy: SessionPolicy): string {
  const canonical = canonicalize(policy);
  if (canonical === undefined) {
    throw new Error("a session policy has no canonical form");
  }
  return createHash("sha256").update(canonical).digest("hex");
}
