/**
 * What an agent was given of a server's lists, for the gate to tell whether it would get the same now. Hidden entries
 * are remembered as well: what is visible of the past is asked of the policy of the present, so that what the policy
 * took away meanwhile is not taken for a change of the server's.
 */
import { hash } from "node:crypto";
import type { ClientRequest } from "../../messages/envelope.ts";
import type { FilteredList } from "./list-filter.ts";
import type { Listing } from "../named-things.ts";
import type { Sender } from "../sender.ts";
import type { Session } from "../sessions/session.ts";
import type { Visibility } from "./visibility.ts";

/** One entry of a list. */
interface Sighted {
  readonly name: string;
  readonly digest: string;
  /** Stands for every byte of it that an agent gets. */
  readonly look: string;
}

/** A whole list at one moment, in the server's order. */
export type Snapshot = readonly Sighted[];

export function takeSnapshot({ definitions }: FilteredList): Snapshot {
  return definitions.map(({ name, digest, cleaned }) => ({
    ...{ name, digest },
    look: hash("sha256", cleaned.text, "base64"),
  }));
}

/** Whether an agent that got the one would notice that it now gets the other. */
export function looksSame(
  { kind }: Listing,
  visibility: Visibility,
  [one, other]: readonly [Snapshot, Snapshot],
): boolean {
  const looksOf = (snapshot: Snapshot): string[] =>
    snapshot
      .filter(({ name, digest }) => visibility.show({ kind, name, digest }).visible)
      .map(({ look }) => look);
  return looksOf(one).join() === looksOf(other).join();
}

/** A snapshot with the generation that was the view's when its list was asked for. */
interface Dated {
  readonly generation: number;
  readonly snapshot: Snapshot;
}

/** Then nobody looks any more until the server says it again, or the agent asks for the list. */
const MAX_FAILED_LOOKS = 3;

export class ListView {
  readonly listing: Listing;
  #generation = 0;
  #request: ClientRequest | undefined;
  #snapshot: Snapshot | undefined;
  /** What the agent had when the server last said that the list changed, and nobody has looked since. */
  #before: Snapshot | undefined;
  #failedLooks = 0;
  /** One look at a time. */
  isLookedAt = false;

  constructor(listing: Listing) {
    this.listing = listing;
  }

  /** Changes whenever the server says that the list did: what was asked for earlier may be from before. */
  get generation(): number {
    return this.#generation;
  }

  /** What there is to look at: how the agent asked, and what it would be compared with. */
  get due(): { readonly request: ClientRequest; readonly before: Snapshot } | undefined {
    const [request, before] = [this.#request, this.#before];
    return request === undefined || before === undefined || this.#failedLooks === MAX_FAILED_LOOKS
      ? undefined
      : { request, before };
  }

  /** The agent has it. */
  give(request: ClientRequest, { generation, snapshot }: Dated): void {
    this.#request = request;
    this.#snapshot = snapshot;
    this.#failedLooks = 0;
    if (generation !== this.#generation) {
      this.#before ??= snapshot;
    }
  }

  /** An agent that was given nothing yet has nothing that could be out of date. */
  noteChange(): void {
    this.#generation++;
    this.#failedLooks = 0;
    this.#before ??= this.#snapshot;
  }

  /** The gate has looked, and there was nothing to see. */
  noteFailedLook(): void {
    this.#failedLooks++;
  }

  /** The gate has looked. */
  settle({ generation, snapshot }: Dated): void {
    this.#snapshot = snapshot;
    this.#failedLooks = 0;
    this.#before = generation === this.#generation ? undefined : snapshot;
  }
}

type Views = Map<Listing, ListView>;

/** One for each list, of each session and of each agent without one. */
export class ListViews {
  readonly #bySession = new WeakMap<Session, Views>();
  readonly #byAgent = new Map<string, Views>();

  of({ agent, session }: Pick<Sender, "agent" | "session">, listing: Listing): ListView {
    const views = session === undefined ? this.#byAgent.get(agent) : this.#bySession.get(session);
    const view = views?.get(listing) ?? new ListView(listing);
    if (views !== undefined) {
      views.set(listing, view);
    } else if (session === undefined) {
      this.#byAgent.set(agent, new Map([[listing, view]]));
    } else {
      this.#bySession.set(session, new Map([[listing, view]]));
    }
    return view;
  }
}
