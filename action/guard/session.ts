/**
 * The session of this job: opened once, renewed while the job runs, over when the broker says so or its time is up.
 * Renewal starts at two thirds of its life and is tried again until the end; nothing reaches beyond its maximum.
 * A token that the broker no longer accepts before its time, since the key that signed it is not trusted any more, is
 * replaced: the same key and a fresh subject token find the same session.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { SessionDocument, TokenResponse } from "../../broker/contract.ts";
import {
  type BrokerClientOptions,
  type Exchange,
  type Reply,
  type SessionClient,
  createSessionClient,
  exchangeToken,
} from "../wire/broker-client.ts";
import { type RelayTarget, relayTo } from "../wire/relay-authority.ts";
import { type Patience, PatienceExhausted } from "../wire/retry.ts";

type SessionState = { readonly active: true } | { readonly active: false; readonly reason: string };

export interface Session {
  readonly document: SessionDocument;
  readonly client: SessionClient;
  /** How a server is reached that the broker relays to. */
  readonly relayTo: (server: string) => RelayTarget;
  /** From now on told, with each answer that says it, what the session may do, by digest. */
  onPolicy(listener: (digest: string) => void): void;
  /** Asked before every call. */
  readonly state: () => SessionState;
  /** Renews until the session ends or `signal` aborts; tells of what a reader of the log should know. */
  keepAlive(tell: (event: SessionEvent) => void, signal: AbortSignal): Promise<void>;
  /** For good: from here on every call is refused with this reason. */
  end(reason: string): void;
}

export interface SessionEvent {
  readonly event: "session_renewed" | "session_over";
  readonly severity: "info" | "warning";
  readonly detail: Record<string, string>;
}

/** No session: one sentence for the job's log, which says what to change. */
export class SessionRefused extends Error {
  readonly code = "session_refused";
}

/** A broker that is being replaced is back by then. */
const OPENING_PATIENCE_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 4_000;
const RENEWAL_PAUSE_MS = 1_000;
const MAX_RENEWAL_PAUSE_MS = 15_000;
const RENEWAL_SHARE = 2 / 3;
/** A token that is refused so soon after it was given is refused by a replica that is late: the others know it. */
const REPLACED_MS = 10_000;
/** A renewal that adds less than this was cut off by the session's maximum: another one would add nothing. */
const LEAST_GAIN_MS = 2_000;

export async function openSession(options: BrokerClientOptions, exchange: Exchange): Promise<Session> {
  const patience = {
    untilMs: performance.now() + OPENING_PATIENCE_MS,
    firstPauseMs: FIRST_PAUSE_MS,
    maxPauseMs: MAX_PAUSE_MS,
  };
  const refused = (sentence: string, cause?: Error): SessionRefused =>
    new SessionRefused(sentence, { cause });
  const accept = <T>(reply: Reply<T>): T => {
    if (reply.ok) return reply.value;
    throw refused(`The broker did not accept this job: ${reply.sentence}`);
  };
  try {
    const requestedAt = performance.now();
    const token = accept(await exchangeToken(options, exchange, patience));
    const holder: Opened["holder"] = {
      accessToken: token.access_token,
      expiresAtMs: requestedAt + token.expires_in * 1000,
      hearPolicy: () => undefined,
    };
    const { key } = exchange;
    const accessToken = (): string => holder.accessToken;
    const replaceToken = createTokenReplacement(holder, (again) => exchangeToken(options, exchange, again));
    const client = createSessionClient(options, {
      ...{ key, accessToken, replaceToken, servers: exchange.servers },
      onPolicy: (digest) => holder.hearPolicy(digest),
    });
    const document = accept(await client.read(patience));
    const replaceSoon = (): Promise<boolean> =>
      replaceToken({ ...patience, untilMs: performance.now() + OPENING_PATIENCE_MS });
    const relay = (server: string): RelayTarget =>
      relayTo(server, options.broker, { key, accessToken, replaceToken: replaceSoon });
    return createSession({ document, client, holder, relayTo: relay });
  } catch (cause) {
    if (!(cause instanceof PatienceExhausted)) throw cause;
    const advice = "Check the input `broker`, and that the broker runs and can be reached from this runner.";
    throw refused(`The broker at ${options.broker} gave no session: ${cause.message}. ${advice}`, cause);
  }
}

interface Opened {
  readonly document: SessionDocument;
  readonly client: SessionClient;
  readonly relayTo: Session["relayTo"];
  readonly holder: {
    accessToken: string;
    /** By a clock that nobody can set back, counted from before the request: never later than the broker's own reckoning. */
    expiresAtMs: number;
    hearPolicy: (digest: string) => void;
  };
}

/** What it returns says false, for good, once the broker has no other token for this job. */
function createTokenReplacement(
  holder: Opened["holder"],
  exchange: (patience: Patience) => Promise<Reply<TokenResponse>>,
): (patience: Patience) => Promise<boolean> {
  let replaced: Promise<boolean> | undefined;
  const replace = async (patience: Patience): Promise<boolean> => {
    const requestedAt = performance.now();
    const untilMs = Math.min(patience.untilMs, requestedAt + OPENING_PATIENCE_MS);
    try {
      const reply = await exchange({ ...patience, untilMs });
      if (!reply.ok) return false;
      holder.accessToken = reply.value.access_token;
      // A session that is over for this process stays so: the token is for what is left of its log.
      if (holder.expiresAtMs > performance.now()) {
        holder.expiresAtMs = requestedAt + reply.value.expires_in * 1000;
      }
      setTimeout(() => (replaced = undefined), REPLACED_MS).unref();
    } catch {
      replaced = undefined;
    }
    return true;
  };
  return (patience) => (replaced ??= replace(patience));
}

function createSession({ document, client, relayTo, holder }: Opened): Session {
  let endedBy: string | undefined;
  let renewalFailure = "";
  const end = (reason: string): void => {
    endedBy ??= reason;
  };
  const leftMs = (): number => Math.max(0, holder.expiresAtMs - performance.now());
  const state = (): SessionState => {
    if (endedBy !== undefined) return { active: false, reason: endedBy };
    if (leftMs() > 0) return { active: true };
    return { active: false, reason: `the session has expired${renewalFailure}` };
  };

  /** By how much the end of the session moved. Throws when there was no answer. */
  const renew = async (signal: AbortSignal): Promise<number> => {
    let requestedAt = performance.now();
    const before = holder.expiresAtMs;
    const reply = await client.renew({
      untilMs: performance.now() + leftMs(),
      firstPauseMs: RENEWAL_PAUSE_MS,
      maxPauseMs: MAX_RENEWAL_PAUSE_MS,
      signal,
      onRetry: () => {
        requestedAt = performance.now();
      },
    });
    if (!reply.ok) {
      end(`the broker ended the session: ${reply.sentence}`);
      return 0;
    }
    holder.accessToken = reply.value.access_token;
    holder.expiresAtMs = requestedAt + reply.value.expires_in * 1000;
    return holder.expiresAtMs - before;
  };

  const keepAlive = async (tell: (event: SessionEvent) => void, signal: AbortSignal): Promise<void> => {
    const waitUntil = (shareOfRest: number): Promise<void> => {
      // Timers may be a millisecond early: a wait for the end must not come back before it.
      const waitMs = Math.min(
        Math.ceil(leftMs()) + 1,
        Math.max(Math.ceil(leftMs() * shareOfRest) + 1, RENEWAL_PAUSE_MS),
      );
      return sleep(waitMs, undefined, { signal }).catch(() => undefined);
    };
    let shareOfRest = RENEWAL_SHARE;
    while (state().active && !signal.aborted) {
      await waitUntil(shareOfRest);
      if (signal.aborted || !state().active) break;
      try {
        const gainMs = await renew(signal);
        renewalFailure = "";
        shareOfRest = gainMs < LEAST_GAIN_MS ? 1 : RENEWAL_SHARE;
        if (gainMs >= LEAST_GAIN_MS) {
          const expiresAt = new Date(Date.now() + leftMs()).toISOString();
          tell({ event: "session_renewed", severity: "info", detail: { expires_at: expiresAt } });
        }
      } catch (cause) {
        // Tried again while there is time; what stood in the way is said if it runs out.
        renewalFailure = ` and could not be renewed: ${cause instanceof Error ? cause.message : "unknown"}`;
      }
    }
    const last = state();
    if (!last.active && !signal.aborted) {
      tell({ event: "session_over", severity: "warning", detail: { reason: last.reason } });
    }
  };
  const onPolicy = (listener: (digest: string) => void): void => {
    holder.hearPolicy = listener;
  };
  return { document, client, relayTo, onPolicy, state, keepAlive, end };
}
