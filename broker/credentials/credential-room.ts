/**
 * The credential room of one broker: what is presented, and the upkeep behind it. Every broker keeps up all of it; what
 * only one may do at a time has a lease or a claim in the database, so it does not matter which of them dies.
 */
import { listCredentialUsers } from "./credential-users.ts";
import { endDue, tidyMinted } from "./ending.ts";
import { findTargetOf } from "./minting/mint-target.ts";
import { type Minting, type MintingOptions, createMinting, renewalOf } from "./minting/minting.ts";
import { listExpiring, retire } from "../storage/credentials/minted-credentials.ts";
import { clearFailing, listFailing } from "../storage/credentials/credential-health.ts";
import { listSecretVersions } from "../storage/credentials/credential-secrets.ts";
import { createVault } from "./vault/vault.ts";

const ENDING_EVERY_MS = 1_000;
const TIDYING_EVERY_MS = 15_000;
/** Whatever lives, its renewal does not begin earlier. */
const LONGEST_MARGIN_MS = 5 * 60_000;
const MAX_RENEWALS = 100;

export interface CredentialRoom {
  readonly credentials: Minting;
  /** Ends what is to be ended; every second by itself. */
  end(): Promise<void>;
  /** Renews what runs out soon, forgets what is over; every 15 seconds by itself. */
  tidy(): Promise<void>;
  /** Begins to do both by itself. What it returns stops it. */
  start(): () => void;
}

export type RoomOptions = Omit<MintingOptions, "vault">;

export function openCredentialRoom(options: RoomOptions): CredentialRoom {
  const { database, sealingKey, now, policies, onError } = options;
  const vault = createVault({ database, sealingKey, now });
  const parts = {
    ...{ ...options, vault },
    findEntry: (name: string) => policies.current.policies.credentials.get(name),
  };
  const credentials = createMinting(parts);

  const end = once(async () => {
    while (await endDue(parts));
  });
  const renewExpiring = async (): Promise<void> => {
    const before = now() + LONGEST_MARGIN_MS;
    for (const row of await listExpiring(database, { before, limit: MAX_RENEWALS })) {
      const { current } = policies;
      const target = findTargetOf(row, current.policies);
      const { robots } = listCredentialUsers(current.policies, row.credential);
      const isUsed = row.owner === "" ? robots.length > 0 : robots.includes(row.owner);
      // Nobody could be shown it: it is left to run out.
      if (target === undefined || !isUsed) await retire(database, row.id, { from: now(), ends: false });
      else if (now() >= renewalOf(row)) await credentials.renew(target).catch(onError);
    }
  };
  /** What was set anew has not failed yet, and what the documents do not have any more, or its robot does not reach, fails nobody. */
  const forgiveFailing = async (): Promise<void> => {
    for (const { credential, owner, failing_since } of await listFailing(database)) {
      const [newest] = await listSecretVersions(database, { name: credential, owner });
      const isSetAnew =
        newest !== undefined && newest.created_by !== null && newest.created_at > (failing_since ?? 0);
      const inForce = policies.current.policies;
      const isWanted =
        inForce.credentials.has(credential) &&
        (owner === "" || listCredentialUsers(inForce, credential).robots.includes(owner));
      if (isSetAnew || !isWanted) {
        await clearFailing(database, { credential, owner });
      }
    }
  };
  const tidy = once(async () => {
    credentials.forget();
    await renewExpiring();
    await forgiveFailing();
    await tidyMinted(parts);
    await vault.sweep();
  });
  const every = (ms: number, work: () => Promise<void>): NodeJS.Timeout =>
    setInterval(() => {
      work().catch(onError);
    }, ms).unref();
  return {
    credentials,
    end,
    tidy,
    start: () => {
      const timers = [every(ENDING_EVERY_MS, end), every(TIDYING_EVERY_MS, tidy)];
      return () => timers.forEach((timer) => clearInterval(timer));
    },
  };
}

/** Whoever asks while it runs waits for that. */
function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return async () =>
    (running ??= work().finally(() => {
      running = undefined;
    }));
}
