/**
 * What the broker's database knows of a session that tests write: its claims, its grants, its rows.
 */
import { canonicalize } from "../../../audit/canonical.ts";
import type { Workload } from "../../../audit/record.ts";
import { runIdOf, workloadIdOf } from "../../../broker/sessions/run-id.ts";
import type { ReviewStore } from "./review-store.ts";

const grants = [
  { rule: "triager#1", server: "github", tools: ["get_*", "list_*", "search_*"] },
  {
    rule: "triager#2",
    server: "github",
    tools: ["add_issue_comment"],
    when: "args.owner == run.repository_owner && args.repo == run.repository_name",
  },
  { rule: "triager#3", server: "memory", tools: ["read_graph", "create_entities"] },
];

export interface SessionFacts {
  readonly id: string;
  readonly robot?: string;
  readonly claims?: Record<string, string>;
  readonly agents?: string[];
  readonly startedAt?: number;
}

export function claimsOf(overrides: Record<string, string> = {}): Record<string, string> {
  return {
    iss: "https://token.actions.githubusercontent.com",
    sub: "repo:acme@123456/payments@456789:ref:refs/heads/main",
    jti: "6f1f2d3c",
    actor: "octocat",
    actor_id: "583231",
    check_run_id: "5550001",
    event_name: "schedule",
    job_workflow_ref: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
    ref: "refs/heads/main",
    repository: "acme/payments",
    repository_id: "456789",
    repository_owner: "acme",
    repository_owner_id: "123456",
    run_attempt: "1",
    run_id: "19283746501",
    run_number: "128",
    runner_environment: "github-hosted",
    sha: "9d1c6f0a2b7e4c58a1d3e5f7091b2c3d4e5f6071",
    workflow: "Triage",
    workflow_ref: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
    ...overrides,
  };
}

export function workloadOf(claims: Record<string, string>): Workload {
  const { iss = "", repository_id = "", run_id = "", run_attempt = "", check_run_id = "" } = claims;
  return { iss, repository_id, run_id, run_attempt, check_run_id };
}

function policySource(robot: string) {
  const known = { servers: { github: {}, memory: {} }, flow: [] };
  return { v: 1, robot, roles: ["triager"], mode: "enforce", grants, ...known };
}

/** What an exchange leaves in the database. */
export async function insertSession(
  { database }: ReviewStore,
  { id, robot, claims, startedAt }: Required<SessionFacts>,
  prefix: string,
): Promise<void> {
  const workload = workloadOf(claims);
  const run = runIdOf(workload);
  const source = canonicalize(policySource(robot));
  const policy = "a".repeat(64);
  await database
    .insertInto("policies")
    .values({ digest: policy, source, created_at: startedAt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await database
    .insertInto("workloads")
    .values({
      ...workload,
      id: workloadIdOf(workload),
      run,
      thumbprint: "thumbprint",
      bound_at: startedAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await database
    .insertInto("sessions")
    .values({
      id,
      workload: workloadIdOf(workload),
      run,
      robot,
      roles: JSON.stringify(["triager"]),
      binding: 1,
      claims: JSON.stringify(claims),
      policy,
      narrowed_policy: null,
      revoke_on_change: 0,
      checked_against: "",
      servers: JSON.stringify({
        github: { transport: "http", url: "https://api.githubcopilot.com/mcp/" },
        memory: { transport: "stdio", command: ["npx", "memory"], env: {}, start: "eager" },
      }),
      salt_key: "sealed",
      object_prefix: prefix,
      state: "active",
      ttl_seconds: 900,
      created_at: startedAt,
      expires_at: startedAt + 900_000,
      max_expires_at: startedAt + 7_200_000,
      ended_at: null,
      recovered_at: null,
      final_segment: null,
    })
    .execute();
}
