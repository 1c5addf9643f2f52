/**
 * The verified claims of a GitHub Actions OIDC token, under their wire names.
 * Only what a decision rests on is required; everything else passes through as it came.
 */
import * as z from "zod/mini";

const text = z.string().check(z.minLength(1));
/** Ids arrive as decimal strings; a number would lose digits and is refused. */
const id = z.string().check(z.regex(/^[0-9]{1,20}$/, "expected a decimal id as a string"));
/** GitHub's is a UUID. It is a key in a database: short, and without characters that a database would refuse. */
const tokenId = z
  .string()
  .check(z.regex(/^[\x21-\x7e]{1,256}$/, "expected at most 256 printable characters"));
/** Empty outside pull requests and environments, absent on older servers. */
const maybe = z.optional(z.string());

export const Claims = z.looseObject({
  iss: text,
  sub: text,
  jti: tokenId,
  repository: text,
  repository_id: id,
  repository_owner: text,
  repository_owner_id: id,
  run_id: id,
  run_attempt: id,
  check_run_id: z.optional(id),
  workflow_ref: text,
  job_workflow_ref: text,
  event_name: text,
  ref: text,
  runner_environment: text,
  actor: maybe,
  actor_id: maybe,
  base_ref: maybe,
  head_ref: maybe,
  environment: maybe,
  sha: maybe,
  run_number: maybe,
  workflow: maybe,
});
export type Claims = z.infer<typeof Claims>;
