/**
 * What a request to the broker's relay carries: the session's token as it is at that moment, a proof of its own, the
 * agent's name and the ids that its calls have in the log. A token that went stale on the way is replaced once.
 */
import { RELAY_AGENT_FIELD, RELAY_CALL_FIELD } from "../../broker/contract.ts";
import type { Authority } from "../../proxy/upstream/authority.ts";
import type { ProofKey } from "./proof-key.ts";

export interface RelayHolder {
  readonly key: ProofKey;
  /** As it is now: renewals change it. */
  readonly accessToken: () => string;
  /** False: none is to be had. */
  readonly replaceToken: () => Promise<boolean>;
}

/** Where a server is reached through the broker, and how. */
export interface RelayTarget {
  readonly url: string;
  readonly authority: Authority;
}

export function relayTo(
  server: string,
  broker: string,
  { key, accessToken, replaceToken }: RelayHolder,
): RelayTarget {
  const url = `${broker}/mcp/${server}`;
  const writeScheme = (token: string): string => `DPoP ${token}`;
  return {
    url,
    authority: {
      authorize: async ({ method, agent, calls }) => {
        const token = accessToken();
        return {
          authorization: writeScheme(token),
          dpop: await key.prove({ method, url, accessToken: token }),
          ...(agent !== undefined && { [RELAY_AGENT_FIELD]: agent }),
          ...(calls.length > 0 && { [RELAY_CALL_FIELD]: calls.join(",") }),
        };
      },
      replace: async ({ authorization }) => authorization !== writeScheme(accessToken()) || replaceToken(),
    },
  };
}
