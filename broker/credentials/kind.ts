/**
 * What every kind of credential can do: from its entry in the documents and from its stored secret, make what a server
 * wants to see. A kind decides nothing, keeps nothing and logs nothing; who asks is trusted to keep what it returns.
 */
import type { CredentialEntry, CredentialKindName } from "../../policies/documents/credential-entry.ts";

export type EntryOfKind<Name extends CredentialKindName> = Extract<CredentialEntry, { kind: Name }>;

/** The session that a credential is minted for; all of it was verified. */
export interface MintingSession {
  readonly id: string;
  /** `owner/repo/name`. */
  readonly robot: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly repository: string;
  readonly repositoryId: string;
  readonly repositoryOwner: string;
  readonly runId: string;
  readonly runAttempt: string;
  /** Milliseconds since the epoch: no renewal reaches beyond it. */
  readonly maxExpiresAt: number;
}

/** One HTTP request to where credentials are made; the implementation guards addresses, TLS, size and time. */
export interface IssuerRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whose word the address is, where it stands in no document: it leads into the operator's network only from there. */
  readonly namedBy?: string;
}
export interface IssuerAnswer {
  /** 200 to 599. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
export type AskIssuer = (request: IssuerRequest) => Promise<IssuerAnswer>;

/**
 * Signs with the broker's token key what the broker says about a session to one authorization server. It is good for a
 * minute, and no access token of the broker's.
 */
export type SignAssertion = (about: {
  readonly audience: string;
  readonly subject: string;
  readonly act: Readonly<Record<string, unknown>>;
}) => Promise<string>;

export interface MintContext<Name extends CredentialKindName> {
  /** The credential's name in the documents. */
  readonly name: string;
  readonly entry: EntryOfKind<Name>;
  /** What is stored, opened; undefined for kinds that store nothing. Its form is the kind's own. */
  readonly secret: Uint8Array | undefined;
  /** The server it is for; undefined for one that the proxy starts. */
  readonly serverUrl: string | undefined;
  /** Undefined where the result serves all sessions of the owner. */
  readonly session: MintingSession | undefined;
  readonly ask: AskIssuer;
  readonly signAssertion: SignAssertion;
  /** An origin, without a slash at its end. */
  readonly publicUrl: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Nothing is asserted about a session that is over. */
export type EndContext<Name extends CredentialKindName> = Omit<MintContext<Name>, "signAssertion">;

/** What a server gets to see. */
export interface Minted {
  /** For HTTP servers. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** For servers that the proxy starts: the usual names, or empty where the registry names them (`{credential}`). */
  readonly env: Readonly<Record<string, string>>;
  /** What `{credential}` in the environment of a server stands for. */
  readonly value: string | undefined;
  /** Everything in it that must never be seen: for redaction. */
  readonly secrets: readonly string[];
  /** Of the minted secret alone; undefined: it does not expire by itself. Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** What `end` needs to end it at its issuer; undefined where no issuer can. */
  readonly ticket: string | undefined;
  /** In words, what the issuer said that it may do, where it says so once: for `identify`. */
  readonly scope?: readonly string[];
  /** What is to be stored in place of the secret, before this result is used (a rotated refresh token). */
  readonly replacement?: Uint8Array;
}

/**
 * `refused`: asked again it would be refused again, somebody must act (`sentence` says what to do, and holds no secret).
 * `unavailable`: the issuer did not answer, or said that it is busy.
 */
export type MintFailure = {
  readonly ok: false;
  readonly code: "refused" | "unavailable";
  readonly sentence: string;
};
/** What the issuer gave out all the same and did not take back: nobody is shown it, and `end` ends it later. */
export type UnwantedMint = Pick<Minted, "value" | "ticket" | "expiresAt">;
export type MintResult =
  | { readonly ok: true; readonly minted: Minted }
  | (MintFailure & { readonly unwanted?: UnwantedMint });
/** `impossible`: its issuer ends nothing of the kind, now or later; `sentence` says what is left to do by hand. */
type EndFailure =
  | MintFailure
  | { readonly ok: false; readonly code: "impossible"; readonly sentence: string };
/** `ok` also when the issuer did not know it any more. */
export type EndResult = { readonly ok: true } | EndFailure;

export interface CredentialKind<Name extends CredentialKindName> {
  readonly name: Name;
  /**
   * `typed`: the secret itself is presented, it lives long and never leaves the broker. `owner`: minted once for all
   * sessions of the owner. `session`: minted for one session, and allowed in its runner where the documents ask for it.
   */
  readonly lifetime: "typed" | "owner" | "session";
  /** In words, what `lanyard credential set` asks for; undefined: nothing is set by hand. */
  readonly asksFor: string | undefined;
  /**
   * For so long after minting, servers and the issuer itself may not know it yet: their 401 or 403 says nothing about it
   * then, and the request is worth repeating. Absent: known at once.
   */
  readonly settlesWithinMs?: number;
  /** A sentence about what is wrong with a secret that somebody typed in; undefined: nothing. */
  checkSecret(secret: Uint8Array, entry: EntryOfKind<Name>): string | undefined;
  mint(context: MintContext<Name>): Promise<MintResult>;
  end?(ticket: string, context: EndContext<Name>): Promise<EndResult>;
  /**
   * In words, who the issuer says that this is: for `lanyard credential test`. Empty where it does not say. Nothing in it
   * is a secret; a stranger wrote it. May throw.
   */
  identify?(minted: Minted, context: EndContext<Name>): Promise<readonly string[]>;
}
