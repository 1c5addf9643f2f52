/** Who may ask an issuer for what is minted in one place, or change what it is minted from: one at a time, of all brokers and commands. */
import { randomUUID } from "node:crypto";
import { returnLease, takeLease } from "../../storage/credentials/leases.ts";
import type { Queries } from "../../storage/schema.ts";

/** For a change, which asks nobody. */
const CHANGE_MS = 30_000;
const LOOK_EVERY_MS = 250;

/** `alone`: credential and owner, and session and server where each of them has its own. */
export function mintLease(alone: readonly string[]): string {
  return `mint ${JSON.stringify(alone)}`;
}

/** Waits until nobody mints it: not longer than a lease that was left behind. */
export async function changeAlone<T>(
  { credential, owner }: { readonly credential: string; readonly owner: string },
  { database, now }: { readonly database: Queries; readonly now: () => number },
  change: () => Promise<T>,
): Promise<T> {
  const lease = { name: mintLease([credential, owner]), holder: randomUUID() };
  while (!(await takeLease(database, { ...lease, until: now() + CHANGE_MS }, now()))) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  try {
    return await change();
  } finally {
    await returnLease(database, lease);
  }
}
