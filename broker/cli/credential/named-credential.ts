/** The credential that a command names, and whose: found in the documents, or the sentence that says what to write. */
import { ownershipOf } from "../../../policies/delivery.ts";
import type { CredentialEntry } from "../../../policies/documents/credential-entry.ts";
import { suggestNames } from "../../../policies/documents/nearest-name.ts";
import type { Policies } from "../../../policies/policies.ts";
import { listCredentialUsers } from "../../credentials/credential-users.ts";
import { NoAnswer } from "../policy/answer.ts";

export interface NamedCredential {
  readonly name: string;
  readonly entry: CredentialEntry;
  /** "" or `owner/repo/name`. */
  readonly owner: string;
}

/** Throws `NoAnswer`. */
export function findNamed(
  policies: Policies,
  { name, robot }: { readonly name: string; readonly robot: string | undefined },
): NamedCredential {
  const entry = policies.credentials.get(name);
  if (entry === undefined) {
    const known = suggestNames(name, policies.credentials.keys());
    throw new NoAnswer(`There is no credential ${JSON.stringify(name)} in servers.yaml: ${known}`);
  }
  if (ownershipOf(entry) === "shared") {
    if (robot !== undefined) {
      throw new NoAnswer(`${name} is shared: leave --robot out, or write owner: robot in servers.yaml.`);
    }
    return { name, entry, owner: "" };
  }
  const { robots } = listCredentialUsers(policies, name);
  if (robot === undefined) {
    throw new NoAnswer(`Each robot has a ${name} of its own: say whose, --robot OWNER/REPO/NAME.`);
  }
  if (!robots.includes(robot)) {
    throw new NoAnswer(
      `No robot ${JSON.stringify(robot)} reaches a server with ${name}: ${suggestNames(robot, robots)}`,
    );
  }
  return { name, entry, owner: robot };
}

export const nameWithOwner = ({ name, owner }: Pick<NamedCredential, "name" | "owner">): string =>
  owner === "" ? name : `${name} of ${owner}`;
