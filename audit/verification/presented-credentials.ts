/**
 * The credentials that the records of one stream name: where, how often, from when to when, and how often after their
 * end. Bounded: of a log that names very many, the rest is counted, not listed.
 */
import type { Fault } from "./chain-verification.ts";
import type { StreamName } from "../manifest.ts";
import { type AuditRecord, Digest, type RecordOf } from "../record.ts";

const MAX_CREDENTIALS = 100;
const MAX_SERVERS = 20;
/** Names come from the log: whoever writes a longer one wants it not to be read. */
const MAX_NAME_CHARS = 200;

export interface PresentedCredential {
  readonly id: string;
  /** SHA-256 of what was minted, an HMAC of the broker's of what a person set. */
  readonly digest: Digest;
  /** Undefined: it has no end, or no call says it. What is said to have two is listed twice. */
  readonly expiresAt: string | undefined;
  /** Whose log names it: `relay` is the broker's word; `recovered` was witnessed by nobody. */
  readonly stream: StreamName;
  /** The first of them. */
  readonly servers: readonly string[];
  /** Times of the first and the last record that names it. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** Calls that were let through with it; 0: the log says that it was renewed to this one, and no call after it. */
  readonly calls: number;
  /** Those of them that are not older than its end. */
  readonly callsAfterEnd: number;
}

interface Named {
  readonly id: string;
  readonly digest: Digest;
  readonly expiresAt?: string | undefined;
  readonly server: string;
}

type Found = { -readonly [Member in keyof PresentedCredential]: PresentedCredential[Member] } & {
  readonly servers: string[];
};

export class PresentedCredentials {
  readonly #stream: StreamName;
  readonly #found = new Map<string, Found>();
  #leftOut = 0;
  #late: { readonly part: string; readonly call: string; readonly credential: string } | undefined;
  #lateCalls = 0;

  constructor(stream: StreamName) {
    this.#stream = stream;
  }

  add(record: AuditRecord, part: string): void {
    if (record.kind === "call" && record.decision === "allow" && record.credential !== undefined) {
      this.#addCall(record, record.credential, part);
    } else if (record.kind === "event" && record.event === "credential_renewed") {
      const { credential, server, to } = record.detail;
      const digest = Digest.safeParse(to);
      if (typeof credential === "string" && typeof server === "string" && digest.success) {
        this.#note({ id: credential, digest: digest.data, server }, record.time);
      }
    }
  }

  /** In the order in which the log first names them. */
  list(): PresentedCredential[] {
    const found = [...this.#found.values()];
    const used = new Set(found.filter(({ calls }) => calls > 0).map(({ digest }) => digest));
    return found.filter(({ calls, digest }) => calls > 0 || !used.has(digest));
  }

  /** Records that name others. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** One for all of them: where the first such call stands, and how many there are. */
  tellLate(): (Fault & { readonly part: string }) | undefined {
    if (this.#late === undefined) return undefined;
    const { part, call, credential } = this.#late;
    const more = this.#lateCalls - 1;
    const others = more === 0 ? "" : more === 1 ? "; so does 1 more" : `; so do ${more} more`;
    const message = `the call ${call} names the credential ${credential}, which had run out${others}`;
    return { part, code: "credential_expired", message };
  }

  #addCall(
    { id: call, server, time }: RecordOf<"call">,
    { id, digest, expires_at }: NonNullable<RecordOf<"call">["credential"]>,
    part: string,
  ): void {
    // One text for one instant, so their order is that of the texts.
    const isLate = expires_at !== undefined && expires_at <= time;
    if (isLate) {
      this.#late ??= { part, call: clip(call), credential: clip(id) };
      this.#lateCalls += 1;
    }
    const found = this.#note({ id, digest, expiresAt: expires_at, server }, time);
    if (found !== undefined) {
      found.calls += 1;
      found.callsAfterEnd += isLate ? 1 : 0;
    }
  }

  #note({ digest, expiresAt, ...named }: Named, time: string): Found | undefined {
    const [id, server] = [clip(named.id), clip(named.server)];
    const key = `${digest} ${expiresAt ?? ""} ${id}`;
    let found = this.#found.get(key);
    if (found === undefined) {
      if (this.#found.size === MAX_CREDENTIALS) {
        this.#leftOut += 1;
        return undefined;
      }
      const stream = this.#stream;
      const times = { firstAt: time, lastAt: time };
      found = { id, digest, stream, ...times, expiresAt, servers: [], calls: 0, callsAfterEnd: 0 };
      this.#found.set(key, found);
    }
    found.lastAt = time;
    if (found.servers.length < MAX_SERVERS && !found.servers.includes(server)) found.servers.push(server);
    return found;
  }
}

function clip(name: string): string {
  return name.length <= MAX_NAME_CHARS ? name : `${name.slice(0, MAX_NAME_CHARS)}…`;
}
