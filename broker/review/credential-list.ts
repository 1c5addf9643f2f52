/**
 * Every credential that something is known about, as an operator looks at it: whose it is, whether it works, until when.
 * The schema is also the list of what may leave the broker.
 */
import * as z from "zod";
import { timestampOf } from "../sessions/session-row.ts";
import { listHealth } from "../storage/credentials/credential-health.ts";
import { listSecrets } from "../storage/credentials/credential-secrets.ts";
import { listExpiries } from "../storage/credentials/minted-credentials.ts";
import type { Queries } from "../storage/schema.ts";

const CredentialView = z.object({
  credential: z.string(),
  /** Null: the organisation's; otherwise the robot whose own it is. */
  robot: z.string().nullable(),
  /** Null where nothing is stored for it. */
  kind: z.string().nullable(),
  last_used_at: z.string().nullable(),
  last_good_at: z.string().nullable(),
  /** When what is presented runs out, as far as it is known: it is renewed before, or must be set anew. */
  expires_at: z.string().nullable(),
  /** Null: it works, as far as is known. */
  failing: z
    .object({
      since: z.string(),
      /** `refused`: somebody must act. `unavailable`: it is tried again. */
      code: z.enum(["refused", "unavailable"]),
      sentence: z.string(),
    })
    .nullable(),
});
export type CredentialView = z.infer<typeof CredentialView>;

export const CredentialList = z.object({ credentials: z.array(CredentialView) });
export type CredentialList = z.infer<typeof CredentialList>;

/** What fails comes first. */
export async function listCredentials(db: Queries): Promise<CredentialList> {
  const [health, secrets, expiries] = await Promise.all([listHealth(db), listSecrets(db), listExpiries(db)]);
  const found = new Map<string, CredentialView>();
  const view = (credential: string, owner: string): CredentialView => {
    const key = JSON.stringify([credential, owner]);
    const known = found.get(key) ?? {
      ...{ credential, robot: owner === "" ? null : owner, kind: null },
      ...{ last_used_at: null, last_good_at: null, expires_at: null, failing: null },
    };
    found.set(key, known);
    return known;
  };
  // The newest version of each comes last.
  for (const { name, owner, kind, sealed, expires_at } of secrets.toReversed()) {
    if (sealed !== null) Object.assign(view(name, owner), { kind, expires_at: timestampOrNull(expires_at) });
  }
  for (const { credential, owner, expiresAt } of expiries) {
    Object.assign(view(credential, owner), { expires_at: timestampOf(expiresAt) });
  }
  for (const { credential, owner, last_used_at, last_good_at, ...row } of health) {
    const { failing_since, failure_code, failure } = row;
    Object.assign(view(credential, owner), {
      last_used_at: timestampOrNull(last_used_at),
      last_good_at: timestampOrNull(last_good_at),
      failing:
        failing_since === null
          ? null
          : { since: timestampOf(failing_since), code: failure_code, sentence: failure },
    });
  }
  const order = (a: CredentialView, b: CredentialView): number =>
    Number(a.failing === null) - Number(b.failing === null) ||
    a.credential.localeCompare(b.credential) ||
    (a.robot ?? "").localeCompare(b.robot ?? "");
  return { credentials: [...found.values()].toSorted(order) };
}

function timestampOrNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : timestampOf(milliseconds);
}
