/**
 * What the relay and the session document ask of the credential room: what a server is to be shown for a session, and
 * word of what it did not take. Whoever gives it keeps it fresh; who asked keeps it no longer than a request.
 */
import type { SessionRow } from "../storage/schema.ts";
import type { MintFailure } from "./kind.ts";

export interface Presented {
  /** The credential's name in the documents. */
  readonly id: string;
  /** SHA-256 of what was minted; HMAC under a key of the broker of what a person typed in. Lower-case hex. */
  readonly digest: string;
  /** Milliseconds since the epoch; undefined: it does not expire by itself. */
  readonly expiresAt: number | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Variables of a server that the proxy starts, by their usual names. */
  readonly env: Readonly<Record<string, string>>;
  /** What `{credential}` in such variables stands for. */
  readonly value: string | undefined;
  /** Everything in it that must never be seen. */
  readonly secrets: readonly string[];
}

export type Presentation = { readonly ok: true; readonly presented: Presented } | MintFailure;

export interface Credentials {
  /** Who asks has found the session active. */
  present(wanted: { readonly server: string; readonly session: SessionRow }): Promise<Presentation>;
  /** The server answered it with 401. `ok`: the request, with what is presented from now on, may fare better. */
  reject(presented: Presented): Promise<{ readonly ok: true } | MintFailure>;
}
