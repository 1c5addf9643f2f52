/** What a server's 401 says of a credential, and what is to be done: for the operator who looks, and the agent who asked. */
import type { MintedPlace } from "../../storage/credentials/minted-credentials.ts";
import type { MintFailure } from "../kind.ts";
import { refused } from "./mint-failure.ts";
import type { AnyKind } from "./mint-target.ts";

export function explainRejection(
  { credential, owner }: Pick<MintedPlace, "credential" | "owner">,
  { name, lifetime }: Pick<AnyKind, "name" | "lifetime">,
): MintFailure {
  if (name === "none") {
    return refused(
      `A server answered 401: it wants to see something, and ${credential} is of the kind none. Name in servers.yaml what it wants.`,
    );
  }
  const of = owner === "" ? credential : `${credential} --robot ${owner}`;
  const rejected = `A server answered 401 to the credential ${credential}: it does not accept it, or not any more.`;
  switch (lifetime) {
    case "typed":
      return refused(`${rejected} Store one that it accepts: run \`lanyard credential rotate ${of}\`.`);
    case "owner":
      return refused(
        `${rejected} Run \`lanyard credential test ${of}\`; if the grant is over, \`lanyard credential connect ${of}\`.`,
      );
    case "session":
      return refused(
        `${rejected} Its issuer gives it out all the same: \`lanyard credential test ${credential}\` says as whom.`,
      );
  }
}
