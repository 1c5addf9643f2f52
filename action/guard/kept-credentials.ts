/**
 * The credentials that were minted for this session and that the proxy itself presents: in memory alone, known to the
 * redactor before anything can use them, and replaced by the broker's next ones before they run out.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { EntryOf } from "../../audit/record.ts";
import { createRedactor, type Redactor } from "../../audit/redaction/redaction.ts";
import type { SessionCredential, SessionDocument } from "../../broker/contract.ts";
import { type Authority, NotAuthorized } from "../../proxy/upstream/authority.ts";
import type { OwnEnvironment } from "../../proxy/upstream/connecting.ts";
import type { SessionClient } from "../wire/broker-client.ts";

export interface KeptCredentials {
  /** Of a server behind HTTP; undefined: it has no credential. */
  authorityOf(server: string): Authority | undefined;
  /** Of a server that the proxy starts; undefined: it has no credential. */
  environmentOf(server: string): OwnEnvironment | undefined;
  /** What calls of a server are sent with now. */
  provenanceOf(server: string): EntryOf<"call">["credential"];
  /** It knows what is secret in all that was ever kept, and nothing else. */
  readonly known: Redactor;
}

export interface KeepingOptions {
  readonly client: SessionClient;
  readonly servers: SessionDocument["servers"];
  readonly redactor: Redactor;
  readonly note: (event: EntryOf<"event">) => void;
  readonly isActive: () => boolean;
  readonly signal: AbortSignal;
}

/** The broker has the next one before so much of its life is left … */
const RENEWAL_SHARE = 0.1;
/** … or so much time, whichever is less for long lives … */
const MOST_REST_MS = 4 * 60_000;
/** … and more for short ones; and is not asked more often than this. */
const LEAST_REST_MS = 4_000;
const PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 30_000;
const READ_PATIENCE_MS = 10_000;
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 4_000;

export function keepCredentials(options: KeepingOptions): KeptCredentials {
  const { client, redactor, note, isActive, signal } = options;
  const current = new Map<string, SessionCredential>();
  const listeners = new Map<string, () => void>();
  const known = createRedactor([], { formats: false });

  /** `rejected`: the digest of one that its server does not take, whatever its expiry says. */
  const take = (servers: SessionDocument["servers"], isFirst: boolean, rejected?: string): void => {
    for (const [server, how] of Object.entries(servers)) {
      const next = how.transport === "relay" ? undefined : how.credential;
      const before = current.get(server);
      if (next === undefined || (!isFirst && before === undefined)) continue;
      if (next.status === "minted") {
        for (const value of next.secrets) {
          const secret = { id: next.id, kind: "credential", value };
          redactor.add(secret);
          known.add(secret);
        }
      }
      // Where the broker has nothing better, what is there may still be good.
      const isGood = isUsable(before, Date.now()) && digestOf(before) !== rejected;
      if (next.status === "failed" && isGood) continue;
      current.set(server, next);
      if (before === undefined || digestOf(before) === digestOf(next)) continue;
      const detail = { server, credential: next.id, from: digestOf(before), to: digestOf(next) };
      note({ kind: "event", event: "credential_renewed", severity: "info", detail });
      listeners.get(server)?.();
    }
  };
  take(options.servers, true);

  let reading: Promise<void> | undefined;
  const read = async (rejected?: string): Promise<void> => {
    const untilMs = performance.now() + READ_PATIENCE_MS;
    const patience = { untilMs, firstPauseMs: FIRST_RETRY_MS, maxPauseMs: MAX_RETRY_MS, signal };
    const reply = await client.read(patience, rejected);
    if (reply.ok) take(reply.value.servers, false, rejected);
  };
  /** One at a time; a broker that does not answer leaves what is there. */
  const renew = (rejected?: string): Promise<void> =>
    (reading ??= read(rejected)
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      }));

  const keep = async (): Promise<void> => {
    let pauseMs = PAUSE_MS;
    let before = "";
    while (!signal.aborted && isActive()) {
      const waitMs = Math.max(findRest(current.values(), Date.now()), pauseMs);
      if (waitMs === Number.POSITIVE_INFINITY) return;
      await sleep(Math.min(Math.ceil(waitMs), 2 ** 31 - 1), undefined, { signal, ref: false }).catch(
        () => undefined,
      );
      if (signal.aborted || !isActive()) return;
      await renew();
      const now = JSON.stringify([...current.values()].map(digestOf));
      pauseMs = now === before ? Math.min(pauseMs * 2, MAX_PAUSE_MS) : PAUSE_MS;
      before = now;
    }
  };
  if (current.size > 0) void keep();

  return {
    known,
    authorityOf(server) {
      if (!current.has(server)) return undefined;
      return {
        authorize: async () => {
          if (!isUsable(current.get(server), Date.now())) await renew();
          const credential = current.get(server);
          if (credential?.status !== "minted") {
            throw new NotAuthorized(credential?.sentence ?? "There is no credential for this server.");
          }
          return { ...credential.headers };
        },
        replace: async (refused) => {
          const credential = current.get(server);
          if (credential?.status !== "minted") return false;
          // Somebody else has replaced it meanwhile.
          const isCurrent = Object.entries(credential.headers).every(
            ([name, value]) => refused[name] === value,
          );
          if (!isCurrent) return true;
          await reading;
          await renew(credential.digest);
          if (digestOf(current.get(server)) !== credential.digest) return true;
          throw new NotAuthorized(
            `The server answered 401 to the credential ${credential.id}, and the broker has no other one.`,
          );
        },
      };
    },
    environmentOf(server) {
      if (!current.has(server)) return undefined;
      return {
        read: () => {
          const credential = current.get(server);
          return credential?.status === "minted" ? credential.env : {};
        },
        onChange: (listener) => {
          listeners.set(server, listener);
        },
        findLack: () => {
          const credential = current.get(server);
          return credential?.status === "failed" ? credential.sentence : undefined;
        },
      };
    },
    provenanceOf(server) {
      const credential = current.get(server);
      if (credential?.status !== "minted") return undefined;
      const { id, digest, expires_at } = credential;
      return { id, digest, ...(expires_at !== undefined && { expires_at }) };
    },
  };
}

function digestOf(credential: SessionCredential | undefined): string {
  return credential?.status === "minted" ? credential.digest : "";
}

function isUsable(credential: SessionCredential | undefined, now: number): boolean {
  if (credential?.status !== "minted") return false;
  return credential.expires_at === undefined || Date.parse(credential.expires_at) > now;
}

/** Until the first of them is to be replaced. What failed is asked for again after a pause. */
function findRest(credentials: Iterable<SessionCredential>, now: number): number {
  let rest = Number.POSITIVE_INFINITY;
  for (const credential of credentials) {
    if (credential.status === "failed") return 0;
    if (credential.expires_at === undefined) continue;
    const left = Date.parse(credential.expires_at) - now;
    rest = Math.min(rest, left - Math.max(Math.min(left * RENEWAL_SHARE, MOST_REST_MS), LEAST_REST_MS));
  }
  return rest;
}
