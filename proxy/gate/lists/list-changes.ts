/**
 * A server says that a list of its changed: an agent hears of it when what it would get of the list is another than
 * what it got. The gate looks itself, beside the calls: once at a time for each list of a session, with a pause after
 * each look, however often the server says it.
 *
 * While the server shows no list, agents hear nothing. To say it all the same would tell of what is hidden to whoever
 * can make a look fail; an agent that misses a change has an error of the server's to fear and no more, since what it
 * may do is decided at each call, not by what it saw. What was missed is told after the next look that goes well.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { GateContext } from "../gate-context.ts";
import { lookAtList } from "./list-look.ts";
import { type ListView, looksSame, takeSnapshot } from "./list-view.ts";
import { type Kind, LISTINGS } from "../named-things.ts";
import type { Sender } from "../sender.ts";

const PAUSE_MS = 500;

/** The server said it to this session, or to this agent, which has none. */
export function noteListChanged(context: GateContext, sender: Sender, kind: Kind): void {
  const { sessions, views } = context;
  if (kind === "tool") {
    sessions.forgetSightings(sender.session?.id);
  }
  for (const listing of LISTINGS.filter((one) => one.kind === kind)) {
    const view = views.of(sender, listing);
    view.noteChange();
    lookForChange(context, sender, view);
  }
}

/** Where there is any doubt that the agent has what it would get now. */
export function lookForChange(context: GateContext, sender: Sender, view: ListView): void {
  if (!view.isLookedAt && view.due !== undefined) {
    view.isLookedAt = true;
    void lookUntilSettled(context, sender, view);
  }
}

async function lookUntilSettled(context: GateContext, sender: Sender, view: ListView): Promise<void> {
  const { forwarding, limits, visibility } = context;
  const { listing } = view;
  for (let { due } = view; due !== undefined && context.sessionState().active; due = view.due) {
    const { generation } = view;
    const look = { listing, request: due.request, timeoutMs: limits.lookTimeoutMs };
    const list = await lookAtList(context, sender, look);
    if (list === undefined) {
      view.noteFailedLook();
    } else {
      const snapshot = takeSnapshot(list);
      view.settle({ generation, snapshot });
      if (!looksSame(listing, visibility, [due.before, snapshot])) {
        forwarding.announceChanged(new Set([listing.kind]), sender);
      }
    }
    await sleep(PAUSE_MS, undefined, { ref: false });
  }
  view.isLookedAt = false;
}
