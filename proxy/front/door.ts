/**
 * Who may come in: programs of this machine that name the proxy by its own address and hold a token of it.
 * A browser that was led here by a foreign page (DNS rebinding) names another host or another origin.
 */
import { hash, timingSafeEqual } from "node:crypto";
import type { Fields } from "../messages/fields.ts";

export type DoorFault = "wrong_host" | "foreign_origin";

/** `Host` and `Origin` against the proxy's own address. */
export function findDoorFault(fields: Fields, port: number): DoorFault | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
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

/** Bearer tokens and whom each is for. Compared by digest, each of them every time: time tells nothing of any. */
export class Tokens<Holder> {
  readonly #holders: readonly { readonly digest: Buffer; readonly holder: Holder }[];

  constructor(holders: readonly { readonly token: string; readonly holder: Holder }[]) {
    this.#holders = holders.map(({ token, holder }) => ({ digest: hash("sha256", token, "buffer"), holder }));
  }

  /** By the `Authorization` field; a token anywhere else does not count. */
  findHolder(fields: Fields): Holder | undefined {
    const [, token] = BEARER.exec(fields.get("authorization") ?? "") ?? [];
    if (token === undefined) {
      return undefined;
    }
    const digest = hash("sha256", token, "buffer");
    let found: Holder | undefined;
    for (const known of this.#holders) {
      if (timingSafeEqual(known.digest, digest)) {
        found = known.holder;
      }
    }
    return found;
  }
}
