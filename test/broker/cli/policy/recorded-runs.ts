/** A policy directory with an observing robot, and the logs of its runs as they lie in a bucket. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sessionPrefix } from "../../../../audit/object-path.ts";
import type { Entry, EntryOf } from "../../../../audit/record.ts";
import {
  callOf,
  genesisOf,
  resultOf,
  robot,
  SessionWriter,
  sealOf,
  workload,
} from "../../../audit/stored-session.ts";

export const robots = `issuer: ${workload.iss}
repository: acme/payments
repository_id: "456789"
repository_owner_id: "123456"
robots:
  triager:
    bindings:
      # Looks on for a week.
      - workflow: .github/workflows/triage.yml
        events: [schedule]
        ref: refs/heads/main
        roles: []
        mode: observe
`;

const servers = `servers:
  github:
    url: https://mcp.example.com/mcp
    tools:
      get_issue: { read_only: true }
      list_issues: { read_only: true }
`;

export const roles = `roles:
  # Somebody else's.
  reader:
    grants:
      - server: github
        tools: [get_issue]
`;

const claims = {
  iss: workload.iss,
  sub: "repo:acme/payments:ref:refs/heads/main",
  jti: "0b6b6c1e-1111-4222-8333-444455556666",
  repository: "acme/payments",
  repository_id: "456789",
  repository_owner: "acme",
  repository_owner_id: "123456",
  run_id: "123456",
  run_attempt: "1",
  check_run_id: "987",
  workflow_ref: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
  job_workflow_ref: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
  event_name: "schedule",
  ref: "refs/heads/main",
  runner_environment: "github-hosted",
};

/** A call to `github`: let through as observed unless the change says otherwise. */
export function observed(
  tool: string,
  args: EntryOf<"call">["arguments"],
  change: Partial<EntryOf<"call">> = {},
) {
  const { rule: _, ...call } = callOf("", { tool, reason: "observed", observed: { reason: "no_grant" } });
  return { ...call, ...(args !== undefined && { arguments: args }), ...change };
}

export function refused(tool: string, args: EntryOf<"call">["arguments"]): EntryOf<"call"> {
  const { observed: _, ...call } = observed(tool, args, { decision: "deny", reason: "no_grant" });
  return call;
}

export async function storeDirectory(directory: string, files: Record<string, string> = {}): Promise<void> {
  const all = { "servers.yaml": servers, "roles.yaml": roles, "robots/acme/payments.yaml": robots, ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

/** A sealed session of the robot with these calls, in a bucket. Returns the session's folder. */
export async function storeRun(
  bucket: string,
  session: string,
  calls: readonly EntryOf<"call">[],
  change: Partial<EntryOf<"genesis">> = {},
): Promise<string> {
  const work = calls.flatMap((call, index): Entry[] => {
    const id = `call-${index}`;
    return call.decision === "allow" ? [{ ...call, id }, resultOf(id)] : [{ ...call, id }];
  });
  const writer = new SessionWriter(session);
  const genesis = genesisOf(session, { roles: [], mode: "observe", claims, ...change });
  await writer.store([genesis, ...work, sealOf(work)]);
  await writer.writeManifest("sealed");
  const { repository_id: repositoryId, run_id: runId, run_attempt: runAttempt } = workload;
  const name = robot.slice(robot.lastIndexOf("/") + 1);
  const prefix = sessionPrefix({ repositoryId, date: "2026-11-22", robot: name, runId, runAttempt, session });
  const folder = join(bucket, prefix).slice(0, -1);
  for (const [object, body] of writer.objects) {
    await mkdir(dirname(join(folder, object)), { recursive: true });
    await writeFile(join(folder, object), body);
  }
  return folder;
}
