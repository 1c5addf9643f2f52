/** A grant that is proven before it takes the place of one that works: it is used once, as brokers will use it. */
import type { AskIssuer, EntryOfKind, MintFailure } from "../../credentials/kind.ts";
import { oauth } from "../../credentials/kinds/oauth.ts";
import { type StoredGrant, readGrant, writeGrant } from "../../credentials/oauth/stored-grant.ts";

export interface ProofTerms {
  readonly name: string;
  readonly entry: EntryOfKind<"oauth">;
  readonly serverUrl: string;
  readonly ask: AskIssuer;
}

export type ProvenGrant =
  /** What is to be stored: with the next refresh token, where its issuer gave one. */
  { readonly ok: true; readonly grant: StoredGrant } | MintFailure;

export async function proveGrant(grant: StoredGrant, terms: ProofTerms): Promise<ProvenGrant> {
  const result = await oauth.mint({
    ...terms,
    ...{ secret: writeGrant(grant), session: undefined, publicUrl: "", now: Date.now },
    signAssertion: async () => {
      throw new Error("nothing is asserted about a grant");
    },
  });
  return result.ok ? { ok: true, grant: readGrant(result.minted.replacement) ?? grant } : result;
}
