/**
 * Sessions of one server (the revisions with a handshake), each bound to the agent that opened it: an id is of no
 * use to another agent.
 */
import type { RequestId } from "../../messages/envelope.ts";
import type { ClientInfo } from "../../recording.ts";
import type { Exchange } from "../forwarding/exchange.ts";
import { InFlight } from "../forwarding/in-flight.ts";
import type { Kind } from "../named-things.ts";
import type { SessionNames } from "./session-names.ts";
import { Sighting } from "../lists/sighting.ts";
import { Subscriptions } from "./subscriptions.ts";

export class Session {
  readonly id: string;
  readonly agent: string;
  readonly client: ClientInfo | undefined;
  /** What client and server agreed on. */
  revision: string | undefined;
  readonly exchanges = new InFlight();
  /** Requests that wait for the gate's own look at the server, by the ids that the client chose. */
  readonly held = new Set<RequestId>();
  readonly sighting = new Sighting();
  /** Resources of which it hears when they change. */
  readonly subscriptions = new Subscriptions();
  /** Kinds whose lists have changed, and no stream was open to say so. */
  readonly noticesDue = new Set<Kind>();
  /** Streams that are open (GET). */
  streams = 0;
  lastUsedAt = performance.now();

  constructor(id: string, agent: string, client: ClientInfo | undefined) {
    this.id = id;
    this.agent = agent;
    this.client = client;
  }

  /** Whose stream broke off, and whose answer this is. */
  findAwaiting(id: RequestId | null): Exchange | undefined {
    return this.exchanges.list().find((exchange) => exchange.awaits(id));
  }

  get isIdle(): boolean {
    return this.exchanges.size === 0 && this.held.size === 0 && this.streams === 0;
  }

  hasInFlight(id: RequestId): boolean {
    return this.exchanges.find(id) !== undefined || this.held.has(id);
  }

  /** Once after its lists changed: whoever takes it says so. */
  takeNotices(): ReadonlySet<Kind> {
    const due = new Set(this.noticesDue);
    this.noticesDue.clear();
    return due;
  }

  cancelAll(): void {
    this.held.clear();
    this.exchanges.list().forEach((exchange) => exchange.cancel());
  }
}

/** What an agent's last handshake came to: for servers that give out no session ids. */
export interface Attachment {
  readonly client: ClientInfo | undefined;
  readonly revision: string | undefined;
}

export class SessionTable {
  readonly #names: SessionNames | undefined;
  readonly #sessions = new Map<string, Session>();
  readonly #attachments = new Map<string, Attachment>();
  /** What was seen by whoever has no session. */
  readonly sighting = new Sighting();
  /** Of agents without a session. */
  readonly #subscriptions = new Map<string, Subscriptions>();
  #opening = 0;

  constructor(names?: SessionNames) {
    this.#names = names;
  }

  /** Other processes know these sessions, too: that nobody uses one here does not say that nobody uses it. */
  get areShared(): boolean {
    return this.#names !== undefined;
  }

  /** What the agent is told that it is called. */
  nameOf(session: Session): string {
    return this.#names?.give(session) ?? session.id;
  }

  /** Handshakes that are under way count as well: what they start is started already. */
  get size(): number {
    return this.#sessions.size + this.#opening;
  }

  noteOpening(): void {
    this.#opening++;
  }

  noteOpened(): void {
    this.#opening--;
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  list(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** The server said that its tools changed: to one session, or to nobody in particular. */
  forgetSightings(id?: string): void {
    const session = id === undefined ? undefined : this.#sessions.get(id);
    (session?.sighting ?? this.sighting).forget();
  }

  forgetAllSightings(): void {
    [this, ...this.#sessions.values()].forEach(({ sighting }) => sighting.forget());
  }

  /** Only for the agent that opened it; `isFull` says that there is no room for one that was opened elsewhere. */
  find(name: string, agent: string, isFull = false): Session | undefined {
    const session = this.#names === undefined ? this.#sessions.get(name) : this.#open(name, isFull);
    if (session?.agent !== agent) {
      return undefined;
    }
    session.lastUsedAt = performance.now();
    return session;
  }

  #open(name: string, isFull: boolean): Session | undefined {
    const named = this.#names?.open(name);
    const known = named && this.#sessions.get(named.id);
    if (named === undefined || known !== undefined || isFull) {
      return known;
    }
    const session = new Session(named.id, named.agent, named.client);
    this.add(session);
    return session;
  }

  attach(agent: string, attachment: Attachment): void {
    this.#attachments.set(agent, attachment);
  }

  /** Where a server gives out no session ids, an agent's own. */
  subscriptionsOf(agent: string, session: Session | undefined): Subscriptions {
    if (session !== undefined) {
      return session.subscriptions;
    }
    const own = this.#subscriptions.get(agent) ?? new Subscriptions();
    this.#subscriptions.set(agent, own);
    return own;
  }

  lastAttachment(agent: string): Attachment | undefined {
    return this.#attachments.get(agent);
  }

  /** Whatever is still in flight goes on to its end. */
  forget(id: string): void {
    this.#sessions.delete(id);
  }

  /** Those that nobody used for `idleMs`. */
  listExpired(idleMs: number): Session[] {
    const latest = performance.now() - idleMs;
    return [...this.#sessions.values()].filter((session) => session.isIdle && session.lastUsedAt < latest);
  }
}
