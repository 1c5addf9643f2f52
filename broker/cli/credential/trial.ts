/**
 * A credential made for a trial: as brokers have it where all sessions share it, otherwise made anew for a session that
 * is nobody's, and ended at its issuer where that can be.
 */
import type { Policies } from "../../../policies/policies.ts";
import { createAssertions } from "../../credentials/minting/assertion.ts";
import type { AskIssuer, EndResult, Minted } from "../../credentials/kind.ts";
import { findTargetOf, kindOf } from "../../credentials/minting/mint-target.ts";
import { createMinting } from "../../credentials/minting/minting.ts";
import { createVault } from "../../credentials/vault/vault.ts";
import type { SealingKey } from "../../keys/sealing-key.ts";
import { loadSigningKeys } from "../../keys/signing-keys.ts";
import type { Queries } from "../../storage/schema.ts";
import { type NamedCredential, nameWithOwner } from "./named-credential.ts";
import { type TrialMint, type TrialMinting, mintForTrial } from "./trial-mint.ts";
import { describeTrial } from "./trial-session.ts";

export interface TrialTerms {
  readonly named: NamedCredential;
  readonly policies: Policies;
  readonly database: Queries;
  readonly sealingKey: SealingKey;
  readonly serverUrl: string | undefined;
  /** As which robot; undefined: no robot reaches it. */
  readonly robot: string | undefined;
  readonly publicUrl: string;
  readonly ask: AskIssuer;
}

export type Trial =
  | {
      readonly ok: true;
      readonly shown: Pick<Minted, "headers" | "secrets" | "expiresAt">;
      readonly who: readonly string[];
      /** Ends what was made for the trial alone. Undefined: there is nothing that could be ended. */
      end(): Promise<EndResult | undefined>;
    }
  | {
      readonly ok: false;
      readonly code: "secret_missing" | "refused" | "unavailable";
      readonly sentence: string;
    };

export async function tryCredential(terms: TrialTerms): Promise<Trial> {
  const { named, policies, database, sealingKey, serverUrl, robot, publicUrl, ask } = terms;
  const { name, owner, entry } = named;
  const now = Date.now;
  const kind = kindOf(entry);
  if (kind === undefined) throw new Error(`there is no kind ${entry.kind}`);
  const vault = createVault({ database, sealingKey, now });
  const [stored] = await vault.open({ name, owner, kind: kind.name });
  if (stored === undefined && (kind.asksFor !== undefined || kind.lifetime === "owner")) {
    const verb = kind.lifetime === "owner" ? "connect" : "set";
    const whose = owner === "" ? name : `${name} --robot ${owner}`;
    const sentence = `${nameWithOwner(named)} is not set: run \`lanyard credential ${verb} ${whose}\`.`;
    return { ok: false, code: "secret_missing", sentence };
  }
  const signingKeys = await loadSigningKeys({ database, sealingKey, now });
  const signAssertion = createAssertions({ signingKeys, publicUrl, now });
  const session = robot === undefined ? undefined : describeTrial(policies, robot, now());
  const context = {
    name,
    entry,
    secret: stored?.secret,
    serverUrl,
    session,
    ask,
    signAssertion,
    publicUrl,
    now,
  };
  const identify = async (minted: Minted): Promise<readonly string[]> =>
    // It is worth showing, and no trial fails without it.
    (await kind.identify?.(minted, context).catch(() => [])) ?? [];

  if (kind.lifetime === "owner") {
    const current = { policies, digest: "", loadedAt: now() };
    const minting = createMinting({
      ...{ database, sealingKey, vault, publicUrl, signAssertion, ask, now },
      policies: { current, broken: undefined },
      tell: () => {},
      onError: () => {},
    });
    const target = findTargetOf({ credential: name, owner, session: "", server: serverUrl ?? "" }, policies);
    if (target === undefined) throw new Error(`nothing is presented to ${serverUrl ?? name}`);
    const found = await minting.open(target);
    if (!found.ok) return found;
    const shown = found.presented;
    const who = await identify({ ...shown, ticket: undefined });
    return { ok: true, shown, who, end: async () => undefined };
  }
  const minting = { kind, context, owner, version: stored?.version };
  const made =
    kind.lifetime === "session"
      ? await mintForTrial(minting, { database, sealingKey, vault })
      : await showSecret(minting);
  if (!made.ok) return made;
  const { minted, end } = made;
  return { ok: true, shown: minted, who: await identify(minted), end };
}

/** No issuer is asked. */
async function showSecret({ kind, context }: TrialMinting): Promise<TrialMint> {
  const result = await kind.mint(context);
  return result.ok ? { ok: true, minted: result.minted, end: async () => undefined } : result;
}
