/** How a kind says that there is no credential: see `MintFailure` for what the two words promise. */
import { AddressRefused } from "../../egress/address-guard.ts";
import { EgressFailed } from "../../egress/egress.ts";
import type { MintFailure } from "../kind.ts";

export const refused = (sentence: string): MintFailure => ({ ok: false, code: "refused", sentence });
export const unavailable = (sentence: string): MintFailure => ({ ok: false, code: "unavailable", sentence });

/** For what was thrown in place of an issuer's answer. Throws what is a bug. */
export function explainUnasked(error: unknown): MintFailure {
  if (!(error instanceof EgressFailed)) throw error;
  const sentence = error.message.endsWith(".") ? error.message : `${error.message}.`;
  return error.cause instanceof AddressRefused ? refused(sentence) : unavailable(sentence);
}
