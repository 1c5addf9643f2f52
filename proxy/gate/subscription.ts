/**
 * `subscriptions/listen`: of what an agent wants to hear of, only changes of the tools can be granted. The server
 * says itself which of it it honours.
 */
import { type ClientRequest, isObject } from "../messages/envelope.ts";
import { passUnchanged } from "./amendment.ts";
import { withoutClientCapabilities } from "./capabilities.ts";
import type { Asked, GateContext } from "./gate-context.ts";

export function passSubscription({ forwarding }: GateContext, { sender, request, reply }: Asked): void {
  forwarding.request(sender, withoutClientCapabilities(reduceWishes(request)), {
    reply,
    amend: passUnchanged,
    isStanding: true,
    hearsOfTools: hearsOfTools(request),
  });
}

function reduceWishes(request: ClientRequest): ClientRequest {
  const wishes = request.params?.["notifications"];
  if (!isObject(wishes)) {
    return request;
  }
  const { toolsListChanged } = wishes;
  return {
    ...request,
    params: { ...request.params, notifications: toolsListChanged === undefined ? {} : { toolsListChanged } },
  };
}

function hearsOfTools({ params }: ClientRequest): boolean {
  const wishes = params?.["notifications"];
  return isObject(wishes) && wishes["toolsListChanged"] === true;
}
