/** How a secret is stored by hand: what keeps it from being stored is said before it is asked for. Its value is never said. */
import { type GrantStore, changeGrant } from "../../credentials/oauth/former-grants.ts";
import { type Vault, createVault } from "../../credentials/vault/vault.ts";
import { listSecretVersions } from "../../storage/credentials/credential-secrets.ts";
import type { CredentialSecretRow } from "../../storage/credentials/credential-tables.ts";
import { ownerInWords } from "../../credentials/credential-users.ts";
import { openStoredKey } from "../keys/sealing-key.ts";
import { showControls } from "../problem-report.ts";
import type { ExitCode } from "../terminal.ts";
import { endFormer } from "./ended-grants.ts";
import { readGivenSecret } from "./given-secret.ts";
import { type NamedCredential, findNamed, nameWithOwner } from "./named-credential.ts";
import type { Opened } from "./opened.ts";
import { openOwnEgress } from "./own-egress.ts";
import type { ReadSecret } from "./secret-input.ts";

interface Named {
  readonly name: string;
  readonly robot?: string;
  readonly json?: true;
}

interface Storing extends Named {
  readonly expires?: number;
  readonly by: string;
  readonly readSecret: ReadSecret;
  /** How long the one before stays a fallback; undefined: this is to be the first. */
  readonly overlapMs: number | undefined;
}

export async function storeSecret(opened: Opened, storing: Storing): Promise<ExitCode> {
  const { expires, by, readSecret, overlapMs } = storing;
  const found = await openNamed(opened, storing);
  if (found === undefined) return 2;
  const { named, vault, store } = found;
  const [newest] = await listSecretVersions(opened.database, named);
  const current = newest?.sealed === null ? undefined : newest;
  const whose = nameWithOwner(named);
  if (overlapMs === undefined && current !== undefined) {
    return tell(opened, storing, {
      ok: false,
      message: `${whose} is set already: \`lanyard credential rotate\` gives it another secret.`,
    });
  }
  if (overlapMs !== undefined && current === undefined) {
    return tell(opened, storing, {
      ok: false,
      message: `${whose} is not set: \`lanyard credential set\` gives it its first secret.`,
    });
  }
  const secret = await readGivenSecret(named, readSecret);
  if (current?.digest === vault.digest(secret)) {
    return tell(opened, storing, {
      ok: false,
      message: `Nothing was changed: this is the secret that ${whose} has.`,
    });
  }
  const { name, owner, entry } = named;
  const change = await changeGrant(named, store, async (within) =>
    within.set({
      ...{ name, owner, kind: entry.kind, secret, by },
      ...{ expiresAt: expires, overlapMs: overlapMs ?? 0 },
    }),
  );
  // There are some where the documents named it as oauth before.
  const grants = await endFormer(change, { ...store, ask: openOwnEgress(opened.policies).askIssuer });
  const { message, ...stored } = describe(change.result, whose);
  const sentences = [message, ...grants.map((each) => showControls(each.message))];
  return tell(opened, storing, {
    ...{ ok: true, ...stored, message: sentences.join(" ") },
    ...(grants.length > 0 && { grants }),
  });
}

export async function endOverlap(opened: Opened, given: Named): Promise<ExitCode> {
  const found = await openNamed(opened, given);
  if (found === undefined) return 2;
  await found.vault.endOverlap(found.named);
  return tell(opened, given, {
    ok: true,
    message: `Only the newest secret of ${nameWithOwner(found.named)} counts.`,
  });
}

/** Undefined: it was said what is wrong with the configuration. */
async function openNamed(
  { policies, database, terminal }: Opened,
  { name, robot }: Named,
): Promise<
  { readonly named: NamedCredential; readonly store: GrantStore; readonly vault: Vault } | undefined
> {
  const named = findNamed(policies, { name, robot });
  const sealingKey = await openStoredKey(database, terminal);
  if (sealingKey === undefined) return undefined;
  const store = { database, sealingKey, now: Date.now };
  return { named, store, vault: createVault(store) };
}

function describe(row: CredentialSecretRow, whose: string) {
  const { kind, version, created_by: by } = row;
  const owner = ownerInWords(row.owner);
  const digest = row.digest.slice(0, 12);
  const message = `Stored version ${version} of ${whose} (${kind}), digest ${digest}….`;
  return { kind, owner, version, digest, by, message };
}

function tell(
  { terminal }: Opened,
  { name, json }: Named,
  outcome: { readonly ok: boolean; readonly message: string },
): ExitCode {
  const { ok, message, ...rest } = outcome;
  if (json) terminal.write(`${JSON.stringify({ ok, credential: name, ...rest, message })}\n`);
  else if (ok) terminal.write(`${message}\n`);
  else terminal.writeError(`${message}\n`);
  return ok ? 0 : 1;
}
