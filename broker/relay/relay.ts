/**
 * The relay of one replica: the sessions that it has in use, each opened at its first request and let go some time after
 * its last. Nothing is lost with one: another replica, or a later request, opens it again. What a session has open ends
 * with the session, wherever that was ended.
 */
import { LARGE_LOG_BYTES, packRelay } from "../custody/relay-packing.ts";
import type { Services } from "../services.ts";
import type { SessionRow } from "../storage/schema.ts";
import { listAlive } from "../storage/sessions/sessions.ts";
import { describeRelayGenesis } from "./relay-genesis.ts";
import type { RelayMetrics } from "./relay-meter.ts";
import { RelaySession } from "./relay-session.ts";

export interface Relay {
  /** For one request: `leave` when it is over. */
  enter(session: SessionRow): Promise<{ readonly session: RelaySession; readonly leave: () => void }>;
  /** Calls in flight have `graceMs` to end; what is known of them is written. */
  close(graceMs: number): Promise<void>;
}

const IDLE_MS = 5 * 60_000;
/** No stream of a session that was ended stays open for longer. */
const LOOK_EVERY_MS = 2_000;

interface Opened {
  readonly session: Promise<RelaySession>;
  requests: number;
  usedAt: number;
}

export interface RelayOptions {
  readonly metrics: RelayMetrics;
  readonly onError: (error: unknown) => void;
}

export function openRelay(services: Services, { metrics, onError }: RelayOptions): Relay {
  const sessions = new Map<string, Opened>();
  const packing = new Set<string>();

  const pack = async (row: SessionRow): Promise<void> => {
    if (packing.has(row.id)) return;
    packing.add(row.id);
    try {
      await packRelay(row, describeRelayGenesis(row, services), services);
    } catch (error) {
      onError(error);
    } finally {
      packing.delete(row.id);
    }
  };
  const open = (row: SessionRow): Opened => {
    const session = RelaySession.open(row, {
      ...{ services, metrics, onError },
      written: (session, unpackedBytes) => {
        if (unpackedBytes >= LARGE_LOG_BYTES) void pack(session);
      },
    });
    const opened: Opened = { session, requests: 0, usedAt: performance.now() };
    sessions.set(row.id, opened);
    session.catch(() => sessions.delete(row.id));
    return opened;
  };
  const letGo = async (id: string, opened: Opened, graceMs: number): Promise<void> => {
    if (sessions.get(id) === opened) sessions.delete(id);
    await opened.session.then(async (session) => session.close(graceMs)).catch(onError);
  };
  let looking = false;
  const look = async (): Promise<void> => {
    const latest = performance.now() - IDLE_MS;
    for (const [id, opened] of sessions) {
      if (opened.requests === 0 && opened.usedAt < latest) void letGo(id, opened, 0);
    }
    const busy = [...sessions].filter(([, { requests }]) => requests > 0);
    const alive = await listAlive(
      services.database,
      busy.map(([id]) => id),
      services.now(),
    );
    for (const [id, opened] of busy) {
      if (!alive.has(id)) void letGo(id, opened, 0);
    }
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch(onError)
      .finally(() => {
        looking = false;
      });
  }, LOOK_EVERY_MS);
  timer.unref();

  return {
    enter: async (row) => {
      const opened = sessions.get(row.id) ?? open(row);
      opened.requests += 1;
      let isIn = true;
      const leave = (): void => {
        if (isIn) opened.requests -= 1;
        isIn = false;
        opened.usedAt = performance.now();
      };
      try {
        const session = await opened.session;
        await session.update(row);
        return { session, leave };
      } catch (error) {
        leave();
        throw error;
      }
    },
    close: async (graceMs) => {
      clearInterval(timer);
      await Promise.all([...sessions].map(async ([id, opened]) => letGo(id, opened, graceMs)));
    },
  };
}
