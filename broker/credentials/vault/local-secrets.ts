/**
 * What is presented as a person typed it in. The newest version counts; where a server does not take it, the one before
 * it does for as long as its rotation said that it overlaps.
 */
import type { CredentialKindName } from "../../../policies/documents/credential-entry.ts";
import { refused } from "../minting/mint-failure.ts";
import type { MintTarget } from "../minting/mint-target.ts";
import type { Sourced } from "../minting/minting.ts";
import type { RefreshingParts } from "../minting/refreshing.ts";
import { createShortMemory } from "../minting/short-memory.ts";
import type { OpenedSecret } from "./vault.ts";

/** Then the newest is tried again: the server may know it by then. */
const REJECTED_MS = 60_000;

export interface LocalSecrets {
  open(target: MintTarget): Promise<Sourced>;
  /** Whether there is another version to be tried. */
  reject(target: MintTarget, version: number): Promise<boolean>;
}

export function createLocalSecrets({
  vault,
  publicUrl,
  now,
}: Pick<RefreshingParts, "vault" | "publicUrl" | "now">): LocalSecrets {
  const rejected = createShortMemory<true>(now);
  const keyOf = ({ place: { credential, owner, server } }: MintTarget, version: number): string =>
    JSON.stringify([credential, owner, server, version]);
  const listSecrets = async ({ place, kind }: MintTarget): Promise<readonly OpenedSecret[]> =>
    isSecretless(kind.name)
      ? []
      : vault.open({ name: place.credential, owner: place.owner, kind: kind.name });
  const isGood = (target: MintTarget, { version }: OpenedSecret): boolean =>
    rejected.recall(keyOf(target, version)) === undefined;

  return {
    async open(target) {
      const { place, kind, entry, serverUrl } = target;
      const { credential: name, owner } = place;
      const secrets = await listSecrets(target);
      const secret = secrets.find((each) => isGood(target, each)) ?? secrets[0];
      if (secret === undefined && !isSecretless(kind.name)) {
        const of = owner === "" ? name : `${name} --robot ${owner}`;
        return refused(`The credential ${name} is not set: run \`lanyard credential set ${of}\`.`);
      }
      const ask = async (): Promise<never> => {
        throw new Error(`the kind ${kind.name} asks nobody`);
      };
      const context = { name, entry, secret: secret?.secret, serverUrl, session: undefined };
      const result = await kind.mint({ ...context, ask, signAssertion: ask, publicUrl, now });
      if (!result.ok) return result;
      if (secret !== undefined) await vault.noteUse({ name, owner, version: secret.version });
      const { headers, env, value, secrets: hidden } = result.minted;
      return {
        ok: true,
        presented: {
          ...{ id: name, digest: secret?.digest ?? vault.digest(new Uint8Array()) },
          ...{ expiresAt: secret?.expiresAt, headers, env, value, secrets: hidden },
        },
        source: { target, minted: undefined, version: secret?.version },
      };
    },
    async reject(target, version) {
      const others = (await listSecrets(target)).filter((each) => each.version !== version);
      // It was taken so far: a server that changes over takes from now on what it did not take before.
      if (rejected.recall(keyOf(target, version)) === undefined) {
        others.forEach((each) => rejected.forget(keyOf(target, each.version)));
      }
      rejected.keep(keyOf(target, version), true, REJECTED_MS);
      return others.some((each) => isGood(target, each));
    },
  };
}

function isSecretless(kind: CredentialKindName): boolean {
  return kind === "none";
}
