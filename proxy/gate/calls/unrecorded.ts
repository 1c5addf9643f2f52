/** What is answered to a request where the log could not be written, by its method and the rules of its revision. */
import type { ClientRequest } from "../../messages/envelope.ts";
import { type Answer, refuseUnrecordedCall, refuseUnrecordedRequest } from "../../messages/refusals.ts";
import type { Era } from "../../messages/revision.ts";

export function refuseUnrecorded({
  request: { id, method },
  era,
}: {
  readonly request: ClientRequest;
  readonly era: Era;
}): Answer {
  return method === "tools/call"
    ? refuseUnrecordedCall({ id, era, kind: "tool" })
    : refuseUnrecordedRequest(id);
}
