/**
 * Gives what a server wants to see in a session. What an issuer minted lies sealed in the database: every broker presents
 * the same until shortly before it runs out, and one of them asks for the next while the others go on with what they
 * have. Nothing that is no longer good is presented, and nothing of it is logged.
 */
import { randomUUID } from "node:crypto";
import { EgressFailed } from "../../egress/egress.ts";
import { SealingKeyUnusable } from "../../keys/key-source.ts";
import type { PoliciesInForce } from "../../policies/live-policies.ts";
import { noteFailing, noteGood, noteUsed } from "../../storage/credentials/credential-health.ts";
import type { MintedCredentialRow } from "../../storage/credentials/credential-tables.ts";
import { returnLease, takeLease } from "../../storage/credentials/leases.ts";
import { findActive, retire } from "../../storage/credentials/minted-credentials.ts";
import type { AskIssuer, MintFailure } from "../kind.ts";
import { type LocalSecrets, createLocalSecrets } from "../vault/local-secrets.ts";
import { refused, unavailable } from "./mint-failure.ts";
import { mintLease } from "./mint-lease.ts";
import { type MintTarget, findTarget } from "./mint-target.ts";
import { type MintedContent, openMinted } from "./minted-content.ts";
import type { Credentials, Presented } from "../presenting.ts";
import { explainRejection } from "./rejection.ts";
import { createShortMemory } from "./short-memory.ts";
import { type Refreshed, type RefreshingParts, findSecretVersion, mintAnew } from "./refreshing.ts";

/** Longer than any issuer is given, so that nobody else asks while somebody may still be answered. */
const LEASE_MS = 90_000;
/** No question is begun later: it would be answered when the lease is somebody else's. */
const ASKING_MS = 45_000;
/** For one that somebody else asks for. */
const WAIT_MS = 20_000;
const LOOK_EVERY_MS = 100;
/** What was presented is presented again for so long without a look at the database. */
const MEMORY_MS = 2_000;
/** So long nobody is asked again after a failure. */
const FAILURE_MEMORY_MS = 3_000;
/** A server that may not have heard of it is given so long before it is asked again. */
const SETTLING_PAUSE_MS = 1_000;
/** A server that has rejected nothing for so long, while it was asked, takes it. */
const REJECTED_MS = 60_000;
/** Of one that nobody asked for since. */
const FORGOTTEN_MS = 24 * 60 * 60_000;
/** One that is rejected although it is so young is not replaced: the next one would fare no better. */
const REMINTING_MS = 10_000;
const USE_NOTED_MS = 60_000;
/** A call takes a while to arrive. */
const LEAST_LIFE_MS = 5_000;
const MAX_MARGIN_MS = 5 * 60_000;
const MARGIN_SHARE = 0.2;

/** Which one it was. */
interface Source {
  readonly target: MintTarget;
  /** The row's id, where it was minted. */
  readonly minted: string | undefined;
  /** The secret's version, where it is what a person typed in. */
  readonly version: number | undefined;
}

export type Sourced =
  | { readonly ok: true; readonly presented: Presented; readonly source: Source }
  | MintFailure;

export interface Minting extends Credentials {
  /** What is presented where all sessions share it: for who has none. */
  open(target: MintTarget): Promise<Sourced>;
  /** Mints one that is about to run out anew, where nobody does already. */
  renew(target: MintTarget): Promise<void>;
  /** Lets go of what lies in memory and is no longer presented from there. */
  forget(): void;
}

export interface MintingOptions extends RefreshingParts {
  readonly ask: AskIssuer;
  readonly policies: PoliciesInForce;
  /** Told of what must not fail a call: that something could not be noted. */
  readonly onError: (error: unknown) => void;
}

/** From then on the next one is asked for. */
export function renewalOf({ created_at, expires_at }: MintedCredentialRow): number {
  if (expires_at === null) return Number.POSITIVE_INFINITY;
  const margin = Math.min((expires_at - created_at) * MARGIN_SHARE, MAX_MARGIN_MS);
  return expires_at - Math.max(margin, LEAST_LIFE_MS);
}

export function createMinting(options: MintingOptions): Minting {
  const { database, sealingKey, policies, now, onError, tell } = options;
  const memory = createShortMemory<Sourced>(now);
  const noted = createShortMemory<number>(now);
  const rejections = new Map<string, number>();
  const sources = new WeakMap<Presented, Source>();
  const local: LocalSecrets = createLocalSecrets(options);
  const holder = randomUUID();

  const open = async (target: MintTarget, row: MintedCredentialRow): Promise<Sourced> => {
    if (row.sealed === null) throw new Error(`the minted credential ${row.id} is active and empty`);
    return describe(target, row, await openMinted(sealingKey, row, row.sealed));
  };
  /** What is there, and how good it is. */
  const look = async (target: MintTarget): Promise<{ row?: MintedCredentialRow; isFresh: boolean }> => {
    const row = await findActive(database, target.place);
    if (row === undefined || row.basis !== target.basis) return { isFresh: false };
    if (row.secret_version !== (await findSecretVersion(database, target))) return { isFresh: false };
    if (row.expires_at !== null && row.expires_at - LEAST_LIFE_MS <= now()) return { isFresh: false };
    return { row, isFresh: now() < renewalOf(row) };
  };
  /** Undefined: somebody else does it. */
  const mintAlone = async (target: MintTarget): Promise<Refreshed | "there" | undefined> => {
    const { credential, owner, session, server } = target.place;
    // A grant with a refresh token is one for all servers.
    const alone =
      target.kind.lifetime === "owner" ? [credential, owner] : [credential, owner, session, server];
    const name = mintLease(alone);
    const begun = now();
    if (!(await takeLease(database, { name, holder, until: begun + LEASE_MS }, begun))) return undefined;
    try {
      if ((await look(target)).isFresh) return "there";
      const ask: AskIssuer = async (request) => {
        if (now() > begun + ASKING_MS) {
          throw new EgressFailed(
            `${new URL(request.url).origin} was not asked: what came before took too long`,
          );
        }
        return options.ask(request);
      };
      return await mintAnew(target, { ...options, ask });
    } finally {
      // What was minted is stored: that the lease runs out by itself must not lose the answer.
      await returnLease(database, { name, holder }).catch(onError);
    }
  };
  const findMinted = async (target: MintTarget): Promise<Sourced> => {
    const startedAt = performance.now();
    while (performance.now() - startedAt < WAIT_MS) {
      const { row, isFresh } = await look(target);
      if (row !== undefined && isFresh) return open(target, row);
      const minted = await mintAlone(target);
      if (minted === "there") continue;
      if (minted?.ok === true) {
        return describe(target, minted.row, minted.content);
      }
      // Not the best, but good.
      if (row !== undefined) return open(target, row);
      if (minted !== undefined) return minted;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return unavailable(
      `The credential ${target.place.credential} is being asked for, and its issuer is slow.`,
    );
  };
  const find = async (target: MintTarget): Promise<Sourced> => {
    const finding = target.isLocal ? local.open(target) : findMinted(target);
    const result = await finding.catch(async (error: unknown) => refuseSealed(target, error));
    if (result.ok) {
      sources.set(result.presented, result.source);
      await noteUse(target).catch(onError);
    }
    return result;
  };
  /** Somebody moved, altered or put back what is stored, or its key is gone: people hear of it. */
  const refuseSealed = async ({ place, session }: MintTarget, error: unknown): Promise<MintFailure> => {
    if (!(error instanceof SealingKeyUnusable)) throw error;
    const { credential, owner } = place;
    const sentence = `What is stored for the credential ${credential} does not open: ${error.message}.`;
    await noteFailing(database, place, { code: "refused", sentence, at: now() });
    tell({ code: "credential_failing", credential, owner, session: session?.id, sentence });
    return refused(sentence);
  };
  const findOnce = async (target: MintTarget): Promise<Sourced> =>
    memory.findOnce(keyOf(target.place, target.basis), async () => {
      const value = await find(target);
      return { value, forMs: value.ok ? MEMORY_MS : FAILURE_MEMORY_MS };
    });
  const noteUse = async ({ place, kind }: MintTarget): Promise<void> => {
    const key = keyOf(place);
    if (kind.name === "none" || noted.recall(key) !== undefined) return;
    noted.keep(key, now(), USE_NOTED_MS);
    await noteUsed(database, place, now());
    const rejectedAt = rejections.get(key);
    if (rejectedAt === undefined || now() - rejectedAt < REJECTED_MS) return;
    rejections.delete(key);
    await noteGood(database, place, now());
  };
  const noteRejected = async ({ place, kind, session }: MintTarget): Promise<MintFailure> => {
    const { credential, owner } = place;
    const failure = explainRejection(place, kind);
    const { code, sentence } = failure;
    rejections.set(keyOf(place), now());
    await noteFailing(database, place, { code, sentence, at: now() });
    tell({ code: "credential_rejected", credential, owner, session: session?.id, sentence });
    return failure;
  };

  return {
    async present({ server, session }) {
      const found = findTarget(server, session, policies.current.policies);
      return found.ok ? findOnce(found.target) : found;
    },
    async reject(presented) {
      const source = sources.get(presented);
      if (source === undefined) return refused("The credential is not known any more.");
      const { target, minted, version } = source;
      memory.forget(keyOf(target.place, target.basis));
      if (minted === undefined) {
        const failure = await noteRejected(target);
        return version !== undefined && (await local.reject(target, version)) ? { ok: true } : failure;
      }
      const row = await findActive(database, target.place);
      if (row?.id === minted) {
        if (now() - row.created_at < (target.kind.settlesWithinMs ?? 0)) {
          await new Promise((resolve) => setTimeout(resolve, SETTLING_PAUSE_MS));
          return { ok: true };
        }
        const failure = await noteRejected(target);
        if (now() - row.created_at < REMINTING_MS) return failure;
        await retire(database, minted, { from: now(), ends: target.place.session !== "" });
      }
      const found = await findOnce(target);
      return found.ok ? { ok: true } : found;
    },
    open: findOnce,
    async renew(target) {
      await mintAlone(target);
    },
    forget() {
      memory.sweep();
      noted.sweep();
      for (const [key, at] of rejections) if (now() - at > FORGOTTEN_MS) rejections.delete(key);
    },
  };
}

function keyOf({ credential, owner, session, server }: MintTarget["place"], basis = ""): string {
  return JSON.stringify([credential, owner, session, server, basis]);
}

function describe(target: MintTarget, row: MintedCredentialRow, content: MintedContent): Sourced {
  const { headers, env, value, secrets } = content;
  const { id, credential, digest, expires_at } = row;
  return {
    ok: true,
    presented: { id: credential, digest, expiresAt: expires_at ?? undefined, headers, env, value, secrets },
    source: { target, minted: id, version: undefined },
  };
}
