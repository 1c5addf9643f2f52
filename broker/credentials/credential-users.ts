/** Who has a credential behind it: the servers that want to see it, the roles that grant them, the robots that reach them. */
import type { Policies } from "../../policies/policies.ts";
import { sessionPolicyOf } from "../../policies/issuing.ts";

/** As people read it: whose a credential is. */
export const ownerInWords = (owner: string): string => (owner === "" ? "shared" : owner);

export interface CredentialUsers {
  readonly servers: readonly string[];
  readonly roles: readonly string[];
  /** `owner/repo/name`. */
  readonly robots: readonly string[];
}

export function listCredentialUsers(policies: Policies, credential: string): CredentialUsers {
  const servers = [...policies.servers].flatMap(([name, entry]) =>
    entry.credential === credential ? [name] : [],
  );
  const roles = [...policies.roles].flatMap(([name, { grants }]) =>
    grants.some(({ server }) => servers.includes(server)) ? [name] : [],
  );
  const robots = [...policies.repositories.values()].flatMap((repository) =>
    [...repository.robots].flatMap(([name, { bindings }]) => {
      const robot = `${repository.name}/${name}`;
      const isReached = bindings.some((binding) => {
        const issued = { robot, roles: binding.roles, mode: binding.mode ?? "enforce" };
        return servers.some((server) => Object.hasOwn(sessionPolicyOf(policies, issued).servers, server));
      });
      return isReached ? [robot] : [];
    }),
  );
  return { servers, roles, robots };
}
