/** What became of grants that count no more, as the command tells it that took them out: it tries their end first. */
import { endOne } from "../../credentials/ending.ts";
import type { AskIssuer, EndResult } from "../../credentials/kind.ts";
import type { Change, FormerGrant, GrantStore } from "../../credentials/oauth/former-grants.ts";
import { createVault } from "../../credentials/vault/vault.ts";
import { nameWithOwner } from "./named-credential.ts";

export interface EndedGrant {
  readonly issuer: string;
  /** `waiting`: brokers try it again. `held`: it is not tried before another one is removed. */
  readonly state: "ended" | "waiting" | "held" | "by_hand";
  readonly message: string;
}

export async function endFormer(
  { former, isUnreadable }: Change<unknown>,
  { ask, ...store }: GrantStore & { readonly ask: AskIssuer },
): Promise<EndedGrant[]> {
  const parts = { ...store, ask, vault: createVault(store), publicUrl: "", tell: () => {} };
  const ended = former.map(async (each): Promise<EndedGrant> => {
    const { row, issuer, isHeld } = each;
    if (isHeld) return { issuer, state: "held", message: tellHeld(each) };
    return { issuer, ...tellEnd(each, await endOne(row, parts)) };
  });
  const unreadable: EndedGrant = {
    ...{ issuer: "", state: "by_hand" },
    message:
      "What was stored does not open: whatever was granted still counts at its issuer: end it there by hand.",
  };
  return [...(await Promise.all(ended)), ...(isUnreadable ? [unreadable] : [])];
}

function nameOf({ row: { credential: name, owner, secret_version: version } }: FormerGrant): string {
  return `version ${version} of ${nameWithOwner({ name, owner })}`;
}

function tellHeld(former: FormerGrant): string {
  return `The grant of ${nameOf(former)} is not ended: ${former.row.failure ?? ""}`;
}

function tellEnd(former: FormerGrant, result: EndResult): Pick<EndedGrant, "state" | "message"> {
  const what = `The grant of ${nameOf(former)}`;
  if (result.ok) return { state: "ended", message: `${what} was ended at ${former.issuer}.` };
  const { code, sentence } = result;
  return code === "impossible"
    ? { state: "by_hand", message: `${what} still counts: ${sentence}` }
    : {
        state: "waiting",
        message: `${what} still counts: ${sentence} Brokers try it again for 30 days; \`lanyard credential list\` shows it.`,
      };
}
