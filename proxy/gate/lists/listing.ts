/**
 * The lists of a server: the agent sees what a grant names (of a locked server's tools, what a person reviewed), without
 * what it hides; the log learns what the server has.
 */
import { send } from "../../front/reply.ts";
import { answerFailure, refuseCursor } from "../../messages/refusals.ts";
import type { ServerAnswer } from "../../messages/server-message.ts";
import { type Amendment, passUnchanged } from "../forwarding/amendment.ts";
import { withGrantedCapabilities } from "../sessions/capabilities.ts";
import type { Asked, GateContext } from "../gate-context.ts";
import { lookForChange } from "./list-changes.ts";
import { noteAsking, takeList } from "./list-intake.ts";
import { takeSnapshot } from "./list-view.ts";
import type { Listing } from "../named-things.ts";

export function passListing(context: GateContext, { sender, request, reply }: Asked, listing: Listing): void {
  if (request.params?.["cursor"] !== undefined) {
    // Lists are given out whole: it is none of ours, and could make the server tell of what is hidden.
    send(reply, refuseCursor(request.id));
    return;
  }
  const asked = noteAsking(context, sender, listing);
  const view = context.views.of(sender, listing);
  const { generation } = view;
  const amend = (answer: ServerAnswer): Amendment => {
    if (answer.kind === "error") {
      return passUnchanged(answer);
    }
    const list = takeList(context, answer, asked);
    if (list === undefined) {
      const message = `The server "${context.server}" sent a list of ${listing.list.replace("_", " ")} that cannot be read`;
      return { outcome: "blocked", refusal: answerFailure(request.id, message) };
    }
    view.give(request, { generation, snapshot: takeSnapshot(list) });
    lookForChange(context, sender, view);
    return { outcome: "ok", message: list.message };
  };
  context.forwarding.request(sender, withGrantedCapabilities(context, request), { reply, amend });
}
