/**
 * What is presented to nobody any more and may still count at its issuer: grants that were taken out, and what was minted
 * for a session and is not ended. Of each credential and owner a bounded number, those that wait for a person first.
 */
import { sql } from "kysely";
import type { MintedCredentialRow } from "./credential-tables.ts";
import type { Queries } from "../schema.ts";

export type FormerCredentialRow = Pick<
  MintedCredentialRow,
  | "credential"
  | "owner"
  | "session"
  | "server"
  | "secret_version"
  | "digest"
  | "state"
  | "created_at"
  | "expires_at"
  | "attempts"
  | "failure"
> & {
  /** Null for a grant, and where its session is not kept any more. */
  readonly run: string | null;
  /** Of this credential and owner. */
  readonly total: number;
};

export async function listFormerCredentials(
  db: Queries,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<FormerCredentialRow[]> {
  const former = db
    .selectFrom("minted_credentials as m")
    .leftJoin("sessions", "sessions.id", "m.session")
    .select(["m.credential", "m.owner", "m.session", "m.server", "m.secret_version", "m.digest", "m.state"])
    .select(["m.created_at", "m.expires_at", "m.attempts", "m.failure", "sessions.run"])
    .select(
      sql<number>`row_number() over (
        partition by m.credential, m.owner
        order by case when m.session = '' then 0 when m.failure is not null then 1 else 2 end, m.created_at, m.id
      )`.as("place"),
    )
    .select(sql<number | string>`count(*) over (partition by m.credential, m.owner)`.as("total"))
    .where((row) => row.or([row("m.expires_at", "is", null), row("m.expires_at", ">", now)]))
    .where((row) =>
      row.or([
        // What a session had is on its way out for a moment: only what was tried in vain is worth a look.
        row.and([
          row("m.state", "=", "ending"),
          row.or([row("m.session", "=", ""), row("m.attempts", ">", 0)]),
        ]),
        row.and([
          row("m.state", "=", "lapsing"),
          row.or([row("m.session", "<>", ""), row("m.failure", "is not", null)]),
        ]),
      ]),
    );
  const rows = await db
    .selectFrom(former.as("former"))
    .selectAll()
    .where("place", "<=", limit)
    .orderBy("credential")
    .orderBy("owner")
    .orderBy("place")
    .execute();
  return rows.map(({ place: _place, total, ...row }) => ({ ...row, total: Number(total) }));
}
