/**
 * RFC 7638 thumbprint of a P-256 key (section 3.2: its required members in the order of their names, nothing else).
 * At once and on this thread: what jose offers goes through a thread of its own for a hash of a hundred bytes.
 */
import { hash } from "node:crypto";

export interface P256PublicJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
}

/** For coordinates that were imported as a key: they are base64url. */
export function thumbprintOf({ crv, kty, x, y }: P256PublicJwk): string {
  return hash("sha256", JSON.stringify({ crv, kty, x, y }), "base64url");
}
