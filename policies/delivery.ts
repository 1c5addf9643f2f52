/**
 * Where a credential is used, and what follows from its kind. What lives long is used at the broker and nowhere else.
 */
import type { CredentialEntry, CredentialKindName } from "./documents/credential-entry.ts";

export type Delivery = "broker" | "runner";

export function deliveryOf({ delivery = "broker" }: CredentialEntry): Delivery {
  return delivery;
}

/** Nothing is minted for a session from these: the secret itself, or what serves all sessions, would leave the broker. */
const LONG_LIVED: readonly CredentialKindName[] = ["bearer", "basic", "headers", "oauth"];

export function isLongLived({ kind }: CredentialEntry): boolean {
  return LONG_LIVED.includes(kind);
}

/** `robot`: each robot has one of its own. */
export function ownershipOf(entry: CredentialEntry): "shared" | "robot" {
  return entry.kind === "none" ? "shared" : (entry.owner ?? "shared");
}
