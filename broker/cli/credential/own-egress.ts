/** The way of a command to servers and issuers: the brokers' own, with what the operator has in a network of its own. */
import type { Policies } from "../../../policies/policies.ts";
import { readTrustConfig } from "../../config.ts";
import { type Egress, openEgress } from "../../egress/egress.ts";
import { isOwnNetwork } from "../../egress/own-network.ts";

export function openOwnEgress(policies: Policies): Egress {
  const { privateIssuers } = readTrustConfig();
  return openEgress({ isOwnNetwork: (url) => isOwnNetwork(url, { policies, privateIssuers }) });
}
