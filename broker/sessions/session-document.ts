/** The session document: what a proxy needs to know to stand guard, and nothing of other sessions or robots. */
import { SessionPolicy } from "../../policies/session-policy.ts";
import type { SessionCredential, SessionDocument, SessionServer } from "../contract.ts";
import { unavailable } from "../credentials/minting/mint-failure.ts";
import type { Presentation } from "../credentials/presenting.ts";
import type { Services } from "../services.ts";
import { readPolicy } from "../storage/sessions/policies.ts";
import type { SessionRow } from "../storage/schema.ts";
import { reviewUrlOf } from "./run-id.ts";
import { deriveSalt } from "./salt.ts";
import { claimsOf, policyOf, rolesOf, serversOfRow, timestampOf, workloadOf } from "./session-row.ts";
import { type StoredServer, describeServer, fillEnvironment } from "./stored-server.ts";

/** A proxy that starts waits for all of its credentials. */
const PATIENCE_MS = 5_000;
/** So much can be lost with a runner, before compression … */
const SEGMENT_BYTES = 256 * 1024;
/** … or of so much time, whichever is less. */
const SEGMENT_INTERVAL_MS = 3_000;

export interface CredentialNeed {
  /** The digest of a credential that its server did not accept. */
  readonly rejected?: string | undefined;
  /** Nothing is minted for others; absent: for all that the grants reach. */
  readonly used?: ReadonlySet<string> | undefined;
}

export async function describeSession(
  row: SessionRow,
  services: Services,
  need: CredentialNeed = {},
): Promise<SessionDocument> {
  const digest = policyOf(row);
  const source = await readPolicy(services.database, digest);
  if (source === undefined) {
    throw new Error(`the policy ${digest} of session ${row.id} is not stored`);
  }
  return {
    session: row.id,
    robot: row.robot,
    roles: rolesOf(row),
    workload: workloadOf(row),
    claims: claimsOf(row),
    expires_at: timestampOf(row.expires_at),
    max_expires_at: timestampOf(row.max_expires_at),
    policy: { digest, source: SessionPolicy.parse(JSON.parse(source)) },
    servers: Object.fromEntries(
      await Promise.all(
        Object.entries(serversOfRow(row)).map(
          async ([name, server]): Promise<[string, SessionServer]> => [
            name,
            describeServer(server, await mintFor({ name, server, row, need }, services)),
          ],
        ),
      ),
    ),
    audit: {
      segment_bytes: SEGMENT_BYTES,
      segment_interval_ms: SEGMENT_INTERVAL_MS,
      salt: await deriveSalt(row, services.sealingKey),
    },
    review_url: reviewUrlOf(services.publicUrl, row.run),
  };
}

interface Wanted {
  readonly name: string;
  readonly server: StoredServer;
  readonly row: SessionRow;
  readonly need: CredentialNeed;
}

/** What the proxy presents to this server; undefined: nothing. That there is none to be had ends no other server. */
async function mintFor(
  { name, server, row, need: { rejected, used } }: Wanted,
  { credentials }: Services,
): Promise<SessionCredential | undefined> {
  const { credential: id } = server;
  if (server.transport === "relay" || id === undefined || used?.has(name) === false) return undefined;
  const wanted = { server: name, session: row };
  const present = async (): Promise<Presentation> => {
    const presentation = await credentials.present(wanted);
    if (!presentation.ok || presentation.presented.digest !== rejected) return presentation;
    await credentials.reject(presentation.presented);
    return credentials.present(wanted);
  };
  const presentation = await within(present(), id);
  if (!presentation.ok) return { status: "failed", id, sentence: presentation.sentence };
  const { digest, expiresAt, headers, secrets } = presentation.presented;
  const env = fillEnvironment(server, presentation.presented);
  if (Object.keys(headers).length + Object.keys(env).length === 0) return undefined;
  return {
    ...{ status: "minted", id, digest, secrets: [...secrets] },
    ...(expiresAt !== undefined && { expires_at: timestampOf(expiresAt) }),
    headers: server.transport === "http" ? { ...headers } : {},
    env,
  };
}

/** What takes longer goes on, and is there when the document is asked for again. */
async function within(presentation: Promise<Presentation>, id: string): Promise<Presentation> {
  const late = Promise.withResolvers<Presentation>();
  const sentence = `The credential ${id} is being asked for, and its issuer is slow.`;
  const timer = setTimeout(() => late.resolve(unavailable(sentence)), PATIENCE_MS);
  try {
    return await Promise.race([presentation, late.promise]);
  } finally {
    clearTimeout(timer);
    // Nobody waits for it any more: what it throws then is in the log of whoever mints.
    presentation.catch(() => undefined);
  }
}
