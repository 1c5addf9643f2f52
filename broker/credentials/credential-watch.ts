/** What an operator sees of credentials: a line of the log for each that changes, and figures that are read when asked for. */
import type { FastifyBaseLogger } from "fastify";
import type { Metrics } from "../operations/metrics.ts";
import { listFailing } from "../storage/credentials/credential-health.ts";
import { listSecrets } from "../storage/credentials/credential-secrets.ts";
import { countEnding } from "../storage/credentials/ending-credentials.ts";
import { type CredentialExpiry, listExpiries } from "../storage/credentials/minted-credentials.ts";
import type { Queries } from "../storage/schema.ts";
import type { CredentialEvent } from "./credential-event.ts";

const MESSAGES: Readonly<Record<CredentialEvent["code"], string>> = {
  credential_minted: "a credential was minted",
  credential_failing: "a credential could not be minted",
  credential_rejected: "a server did not accept a credential",
  credential_answer_lost: "what was minted for a session may have been lost with a broker",
  credential_ended: "a minted credential was ended at its issuer",
  credential_not_ended: "a minted credential could not be ended at its issuer: it is tried again",
  credential_not_endable: "something still counts at an issuer, and is ended there by hand or not at all",
};

export function logCredential(event: CredentialEvent, log: FastifyBaseLogger): void {
  const { code, expiresAt, ...facts } = event;
  const line = {
    ...{ code, ...facts },
    ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }),
  };
  const isGood = code === "credential_minted" || code === "credential_ended";
  if (isGood) log.info(line, MESSAGES[code]);
  else log.warn(line, MESSAGES[code]);
}

export function watchCredentials(metrics: Metrics, database: Queries): void {
  metrics.watchCredentials({
    countFailing: async () => (await listFailing(database)).length,
    // What is refreshed says it better than what it is refreshed from.
    listExpiries: async () => [...(await listSecretExpiries(database)), ...(await listExpiries(database))],
    countEnding: async () => countEnding(database),
  });
}

/** Of the newest versions, as far as somebody said when they run out. */
async function listSecretExpiries(database: Queries): Promise<CredentialExpiry[]> {
  const newest = new Map<string, CredentialExpiry | undefined>();
  for (const { name: credential, owner, sealed, expires_at: expiresAt } of await listSecrets(database)) {
    const key = JSON.stringify([credential, owner]);
    const isKnown = sealed !== null && expiresAt !== null;
    if (!newest.has(key)) newest.set(key, isKnown ? { credential, owner, expiresAt } : undefined);
  }
  return [...newest.values()].filter((expiry) => expiry !== undefined);
}
