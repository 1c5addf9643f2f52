/** Policy documents and claims that tests start from: valid, and changed one thing at a time. */
import { Claims } from "../../policies/claims.ts";
import type { PolicyFile } from "../../policies/documents/document.ts";
import { assemblePolicies } from "../../policies/loading.ts";
import type { Policies } from "../../policies/policies.ts";
import type { Problem } from "../../policies/documents/problem.ts";

export const issuer = "https://token.actions.githubusercontent.com";

export const servers = `servers:
  github:
    url: https://mcp.example.com/mcp
    tools:
      get_issue: { read_only: true }
      list_issues: { read_only: true }
      add_comment: { read_only: false }
  memory:
    command: [npx, -y, some-server, "{workspace}"]
    env: { FILE: "{runner_temp}/memory.json" }
    start: eager
`;

export const roles = `roles:
  reader:
    grants:
      - server: github
        tools: [get_issue, list_issues]
  commenter:
    grants:
      - server: github
        tools: [add_comment]
        when: args.owner == run.repository_owner && args.repo == run.repository_name
  browser:
    grants:
      - server: github
        tools: [get_*]
`;

export const robots = `issuer: ${issuer}
repository: acme/payments
repository_id: "456789"
repository_owner_id: "123456"
robots:
  triager:
    bindings:
      - workflow: .github/workflows/triage.yml
        events: [schedule, workflow_dispatch]
        ref: refs/heads/main
        runner: github-hosted
        environment: agents
        roles: [commenter, reader]
      - workflow: .github/workflows/review.yml
        events: [pull_request]
        pull_request: { base_ref: main }
        roles: [reader]
    session: { ttl: 10m, max: 2h }
`;

interface Directory {
  servers?: string;
  roles?: string;
  robots?: string;
  robotsPath?: string;
}

export function filesOf(directory: Directory): PolicyFile[] {
  return [
    { path: "servers.yaml", text: directory.servers ?? servers },
    { path: "roles.yaml", text: directory.roles ?? roles },
    { path: directory.robotsPath ?? "robots/acme/payments.yaml", text: directory.robots ?? robots },
  ];
}

export function policiesOf(directory: Directory = {}): Policies {
  const loaded = assemblePolicies(filesOf(directory));
  if (!loaded.ok) {
    throw new Error(loaded.problems.map(renderProblem).join("\n"));
  }
  return loaded.policies;
}

export function problemsOf(directory: Directory): string[] {
  const loaded = assemblePolicies(filesOf(directory));
  return loaded.ok ? [] : loaded.problems.map(renderProblem);
}

export function renderProblem({ file, line, column, key, message }: Problem): string {
  return `${file}:${line}:${column} ${key}: ${message}`;
}

/** The bindings of a robot as a document, from the lines of its bindings. */
export function robotsWith(bindings: string, robot = ""): string {
  const head = robots.slice(0, robots.indexOf("robots:"));
  return `${head}robots:\n  triager:\n    bindings:\n${bindings}${robot}`;
}

/** What GitHub sends for a scheduled run of acme/payments. */
const scheduled = {
  iss: issuer,
  sub: "repo:acme/payments:environment:agents",
  jti: "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
  repository: "acme/payments",
  repository_id: "456789",
  repository_owner: "acme",
  repository_owner_id: "123456",
  run_id: "9001",
  run_attempt: "1",
  check_run_id: "77",
  workflow_ref: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
  job_workflow_ref: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
  event_name: "schedule",
  ref: "refs/heads/main",
  runner_environment: "github-hosted",
  actor: "octocat",
  actor_id: "1",
  base_ref: "",
  head_ref: "",
  environment: "agents",
  sha: "a".repeat(40),
  run_number: "12",
  workflow: "Triage",
};

export function claimsOf(changes: Partial<Record<string, unknown>> = {}): Claims {
  const claims = Object.fromEntries(
    Object.entries({ ...scheduled, ...changes }).filter(([, value]) => value !== undefined),
  );
  return Claims.parse(claims);
}

/** A pull request's run of the review workflow. */
export function pullRequestClaims(changes: Partial<Record<string, unknown>> = {}): Claims {
  const workflow = "acme/payments/.github/workflows/review.yml@refs/pull/7/merge";
  return claimsOf({
    sub: "repo:acme/payments:pull_request",
    workflow_ref: workflow,
    job_workflow_ref: workflow,
    event_name: "pull_request",
    ref: "refs/pull/7/merge",
    base_ref: "main",
    head_ref: "feature",
    environment: undefined,
    ...changes,
  });
}
