/**
 * Every request that can go on from an agent to a server, and where it exists; there are no others.
 */
import type { Ask } from "../../policies/asks.ts";
import { SET_LEVEL } from "../messages/asks.ts";
import type { Era } from "../messages/revision.ts";
import { passUnchanged } from "./forwarding/amendment.ts";
import { passDiscovery, passHandshake } from "./sessions/attachment.ts";
import { withGrantedCapabilities } from "./sessions/capabilities.ts";
import type { Asked, GateContext } from "./gate-context.ts";
import { passListing } from "./lists/listing.ts";
import { passNamedCall, passToolCall } from "./calls/named-call.ts";
import { type Kind, LISTINGS, SUBSCRIBE, UNSUBSCRIBE } from "./named-things.ts";
import { passSubscription } from "./sessions/subscription.ts";

type Pass = (context: GateContext, asked: Asked) => void;

export interface Passage {
  readonly pass: Pass;
  /** It exists where anything of one of these is granted, and everywhere where there are none. */
  readonly kinds?: readonly Kind[];
  /** It exists where a grant has this. */
  readonly ask?: Ask;
  /** It exists in one era alone. */
  readonly era?: Era;
}

export const PASSAGES: ReadonlyMap<string, Passage> = new Map<string, Passage>([
  ["initialize", { pass: passHandshake, era: "handshake" }],
  ["server/discover", { pass: passDiscovery }],
  ["ping", { pass: passPing }],
  ...LISTINGS.map((listing): [string, Passage] => [
    listing.method,
    {
      pass: (context, asked) => passListing(context, asked, listing),
      // A client may ask for tools whatever it was told.
      ...(listing.kind !== "tool" && { kinds: [listing.kind] }),
    },
  ]),
  ["tools/call", { pass: passToolCall }],
  ["resources/read", { pass: passNamedCall, kinds: ["resource"] }],
  [SUBSCRIBE, { pass: passNamedCall, kinds: ["resource"], era: "handshake" }],
  [UNSUBSCRIBE, { pass: passNamedCall, kinds: ["resource"], era: "handshake" }],
  ["prompts/get", { pass: passNamedCall, kinds: ["prompt"] }],
  ["completion/complete", { pass: passNamedCall, kinds: ["prompt", "resource"] }],
  [SET_LEVEL, { pass: passNamedCall, ask: "logging", era: "handshake" }],
  ["subscriptions/listen", { pass: passSubscription }],
]);

function passPing(context: GateContext, { sender, request, reply }: Asked): void {
  context.forwarding.request(sender, withGrantedCapabilities(context, request), {
    reply,
    amend: passUnchanged,
  });
}
