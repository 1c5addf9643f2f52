/** What is wrong with a credential and what an operator does about it: one sentence or two, with the command to type. */
import type { CredentialEntry } from "../../policies/documents/credential-entry.ts";
import type { CredentialView } from "./credential-view.ts";

export interface Subject {
  readonly name: string;
  /** "" or `owner/repo/name`. */
  readonly owner: string;
  readonly entry: CredentialEntry | undefined;
  readonly failure: string | null | undefined;
  readonly isStored: boolean;
}

export function adviseOn(
  health: CredentialView["health"],
  { name, owner, entry, failure, isStored }: Subject,
): string | null {
  const whose = owner === "" ? name : `${name} --robot ${owner}`;
  const next = entry?.kind === "oauth" ? "connect" : health === "not set" ? "set" : "rotate";
  const command = `\`lanyard credential ${next} ${whose}\``;
  switch (health) {
    case "failing":
      return failure ?? null;
    case "expired":
      return `Its secret has run out: ${command} gives it another one.`;
    case "expires soon":
      return `Its secret runs out soon: ${command} gives it the next one.`;
    case "not set":
      return `Calls that need it are refused: run ${command}.`;
    case "not in the documents":
      return isStored
        ? `No document names it: \`lanyard credential remove ${whose}\` erases it.`
        : "No document names it, and nothing is stored.";
    case "good":
      return null;
  }
}
