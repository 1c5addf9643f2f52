/** The policy documents of the sample job's robot, as an operator keeps them in a directory. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { provisionRobot } from "../../policies/provisioning.ts";
import { LIMIT_BOUNDS } from "../../policies/server-limits.ts";
import { describeJob, ROBOT, ROLE } from "./sample-job.ts";
import { MEASURED_SERVER, policy } from "./sample-policy.ts";

export interface Peers {
  readonly issuer: string;
  /** The MCP server that the robot may call. */
  readonly upstream: string;
  /** Reached through the relay, with a bearer token of this name, and as often as the registry can allow. */
  readonly credential?: string | undefined;
}

export function writePolicyDocuments(directory: string, { issuer, upstream, credential }: Peers): void {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  // JSON is YAML.
  const grants = policy.grants
    .filter(({ server }) => server === MEASURED_SERVER)
    .map(({ rule: _, ...grant }) => grant);
  const limits = { calls_per_minute: LIMIT_BOUNDS.calls_per_minute.max };
  const registry =
    credential === undefined
      ? { servers: { [MEASURED_SERVER]: { url: upstream } } }
      : {
          servers: { [MEASURED_SERVER]: { url: upstream, credential, limits } },
          credentials: { [credential]: { kind: "bearer" } },
        };
  write("servers.yaml", JSON.stringify(registry));
  write("roles.yaml", JSON.stringify({ roles: { [ROLE]: { grants } } }));
  const { repository, repositoryId, ownerId, workflow, event, ref } = describeJob(0);
  const provisioned = provisionRobot({
    issuer,
    repository,
    repositoryId,
    repositoryOwnerId: ownerId,
    name: ROBOT,
    bindings: [{ workflow, events: [event], ref, roles: [ROLE] }],
  });
  if (!provisioned.ok) throw new Error(provisioned.message);
  write(provisioned.path, provisioned.text);
}
