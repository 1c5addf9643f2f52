/** The server that a command means by its credential: the only one that has it, or the one that was named. */
import type { ServerEntry } from "../../../policies/documents/servers-document.ts";
import { suggestNames } from "../../../policies/documents/nearest-name.ts";
import type { Policies } from "../../../policies/policies.ts";
import { listCredentialUsers } from "../../credentials/credential-users.ts";
import { NoAnswer } from "../policy/answer.ts";

export interface ChosenServer {
  readonly name: string;
  /** Undefined: the proxy starts it. */
  readonly url: ServerEntry["url"];
}

/** Throws `NoAnswer`. */
export function chooseServer(
  policies: Policies,
  { credential, server }: { readonly credential: string; readonly server: string | undefined },
): ChosenServer {
  const { servers } = listCredentialUsers(policies, credential);
  const [only, ...others] = servers;
  if (only === undefined)
    throw new NoAnswer(`No server in servers.yaml has ${credential}: name it there (credential).`);
  if (server !== undefined && !servers.includes(server)) {
    throw new NoAnswer(
      `The server ${JSON.stringify(server)} has no ${credential}: ${suggestNames(server, servers)}`,
    );
  }
  if (server === undefined && others.length > 0) {
    throw new NoAnswer(`Several servers have ${credential}: say which, --server ${servers.join(" or ")}.`);
  }
  const name = server ?? only;
  return { name, url: policies.servers.get(name)?.url };
}
