/**
 * The gate's own look at the tools of a locked server, on the session of whoever calls: before a reviewed tool is
 * called whose present definition nobody has seen. Once at a time, and bounded in time.
 */
import type { ClientRequest } from "../../messages/envelope.ts";
import { type Asked, type GateContext, sightingOf } from "../gate-context.ts";
import { lookAtList } from "./list-look.ts";
import { TOOLS } from "../named-things.ts";
import type { Sender } from "../sender.ts";

/** A list that changes while it is read is read again so many times. */
const MAX_LOOKS = 3;

/** Whether this call waits for it: a name that nothing shows, or nobody reviewed, is answered without asking the server. */
export function needsLook(context: GateContext, sender: Sender, { params }: ClientRequest): boolean {
  const { visibility } = context;
  const name = params?.["name"];
  if (!visibility.isLocked || typeof name !== "string" || visibility.lockedDigestOf(name) === undefined) {
    return false;
  }
  const sighting = sightingOf(context, sender);
  return (
    sighting.digestOf(name) === undefined &&
    !sighting.isWhole &&
    context.sessionState().active &&
    visibility.shows("tool", name)
  );
}

/** Resolves when everything was seen, or could not be. */
export function lookAtTools(context: GateContext, asked: Asked): Promise<void> {
  const sighting = sightingOf(context, asked.sender);
  sighting.lookup ??= lookUntilSeen(context, asked).finally(() => {
    sighting.lookup = undefined;
  });
  return sighting.lookup;
}

async function lookUntilSeen(context: GateContext, { sender, request }: Asked): Promise<void> {
  const sighting = sightingOf(context, sender);
  const deadline = performance.now() + context.limits.lookTimeoutMs;
  for (let look = 0; look < MAX_LOOKS && !sighting.isWhole; look++) {
    const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
    if ((await lookAtList(context, sender, { listing: TOOLS, request, timeoutMs })) === undefined) {
      return;
    }
  }
}
