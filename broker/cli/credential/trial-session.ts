/** A session that is nobody's: what a kind gets to know of the job, where an operator tries a credential by hand. */
import { randomUUID } from "node:crypto";
import type { Policies } from "../../../policies/policies.ts";
import type { MintingSession } from "../../credentials/kind.ts";
import { NoAnswer } from "../policy/answer.ts";

const TRIAL_MS = 5 * 60_000;

/** `robot` as `owner/repo/name`, one of the documents. Throws `NoAnswer`. */
export function describeTrial(policies: Policies, robot: string, now: number): MintingSession {
  const name = robot.slice(0, robot.lastIndexOf("/"));
  const repository = [...policies.repositories.values()].find((each) => each.name === name);
  if (repository === undefined)
    throw new NoAnswer(`There is no robot ${JSON.stringify(robot)} in the documents.`);
  const [owner = ""] = name.split("/");
  const ids = { repositoryId: repository.id, runId: "0", runAttempt: "1" };
  return {
    ...{ id: `trial_${randomUUID()}`, robot, repository: name, repositoryOwner: owner, ...ids },
    claims: {
      iss: repository.issuer,
      repository: name,
      repository_id: ids.repositoryId,
      repository_owner: owner,
      repository_owner_id: repository.ownerId,
      run_id: ids.runId,
      run_attempt: ids.runAttempt,
    },
    maxExpiresAt: now + TRIAL_MS,
  };
}
