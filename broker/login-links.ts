/**
 * One-time codes that log a person in without a token: for a broker on one's own machine.
 * Codes live in this process only, are good once and for ten minutes.
 */
import { randomBytes } from "node:crypto";

const CODE_LIFETIME_MS = 10 * 60 * 1000;

export interface LoginLinks {
  issue(): string;
  redeem(code: string): boolean;
}

export function createLoginLinks(now: () => number): LoginLinks {
  const expiries = new Map<string, number>();
  return {
    issue() {
      const code = randomBytes(32).toString("base64url");
      expiries.set(code, now() + CODE_LIFETIME_MS);
      return code;
    },
    redeem(code) {
      const expiresAt = expiries.get(code);
      expiries.delete(code);
      return expiresAt !== undefined && now() < expiresAt;
    },
  };
}
