/** The secret that somebody gives a credential: asked for in the words of its kind, and refused where it cannot be one. */
import type { CredentialEntry } from "../../../policies/documents/credential-entry.ts";
import type { CredentialKind } from "../../credentials/kind.ts";
import { kinds } from "../../credentials/kinds/all.ts";
import { NoAnswer } from "../policy/answer.ts";
import { type NamedCredential, nameWithOwner } from "./named-credential.ts";
import type { ReadSecret } from "./secret-input.ts";

interface Asking {
  readonly asksFor: string | undefined;
  readonly check: (secret: Uint8Array) => string | undefined;
}

/** Throws `NoAnswer`, whose message holds nothing of the secret. */
export async function readGivenSecret(named: NamedCredential, read: ReadSecret): Promise<Uint8Array> {
  const { asksFor, check } = askingOf(named.entry);
  if (asksFor === undefined) {
    const instead = named.entry.kind === "oauth" ? `: run \`lanyard credential connect ${named.name}\`` : "";
    throw new NoAnswer(`Nothing is set by hand for a credential of the kind ${named.entry.kind}${instead}.`);
  }
  const secret = await read(`${nameWithOwner(named)}: ${asksFor}`);
  const problem = secret.length === 0 ? "It is empty." : check(secret);
  if (problem !== undefined) {
    throw new NoAnswer(`This cannot be ${asksFor}. ${problem} Nothing was stored.`);
  }
  return secret;
}

function askingOf(entry: CredentialEntry): Asking {
  switch (entry.kind) {
    case "bearer":
      return asking(kinds[entry.kind], entry);
    case "basic":
      return asking(kinds[entry.kind], entry);
    case "headers":
      return asking(kinds[entry.kind], entry);
    case "client-credentials":
      return asking(kinds[entry.kind], entry);
    case "oauth":
      return asking(kinds[entry.kind], entry);
    case "token-exchange":
      return asking(kinds[entry.kind], entry);
    case "github-app":
      return asking(kinds[entry.kind], entry);
    case "aws-role":
      return asking(kinds[entry.kind], entry);
    case "none":
      return asking(kinds[entry.kind], entry);
  }
}

function asking<Entry extends CredentialEntry>(
  kind:
    | (Pick<CredentialKind<Entry["kind"]>, "asksFor"> & {
        checkSecret(secret: Uint8Array, entry: Entry): string | undefined;
      })
    | undefined,
  entry: Entry,
): Asking {
  if (kind === undefined) throw new NoAnswer(`Credentials of the kind ${entry.kind} are not built yet.`);
  return { asksFor: kind.asksFor, check: (secret) => kind.checkSecret(secret, entry) };
}
