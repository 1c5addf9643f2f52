/**
 * Who may come in: programs of this machine that name the proxy by its own address and hold a token of it.
 * A browser that was led here by a foreign page (DNS rebinding) names another host or another origin.
 */
import { timingSafeEqual } from "node:crypto";
import type { Fields } from "../messages/fields.ts";

export type DoorFault = "wrong_host" | "foreign_origin";

/** By what names this machine's programs reach a port of it. */
export function findOwnHosts(port: number): readonly string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`];
}

/** `Host` and `Origin` against the proxy's own address. */
export function findDoorFault(fields: Fields, hosts: readonly string[]): DoorFault | undefined {
  const host = fields.get("host");
  const origin = fields.get("origin");
  if (host === undefined || !hosts.includes(host)) {
    return "wrong_host";
  }
  return origin === undefined || hosts.some((own) => origin === `http://${own}`)
    ? undefined
    : "foreign_origin";
}

const BEARER = /^Bearer ([\x21-\x7e]{1,1024})$/i;

/** Bearer tokens and whom each is for. Compared whole, each of them every time: time tells no more than a length. */
export class Tokens<Holder> {
  readonly #holders: readonly { readonly bytes: Buffer; readonly holder: Holder }[];

  constructor(holders: readonly { readonly token: string; readonly holder: Holder }[]) {
    this.#holders = holders.map(({ token, holder }) => ({ bytes: Buffer.from(token), holder }));
  }

  /** By the `Authorization` field; a token anywhere else does not count. */
  findHolder(fields: Fields): Holder | undefined {
    const [, token] = BEARER.exec(fields.get("authorization") ?? "") ?? [];
    if (token === undefined) {
      return undefined;
    }
    const bytes = Buffer.from(token);
    let found: Holder | undefined;
    for (const known of this.#holders) {
      if (known.bytes.length === bytes.length && timingSafeEqual(known.bytes, bytes)) {
        found = known.holder;
      }
    }
    return found;
  }
}
