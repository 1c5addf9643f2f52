/** The other attempts of a run are looked for at every exchange, and on every page of a run. */
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export const attemptsOfARun: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createIndex("workloads_attempts")
      .on("workloads")
      .expression(sql`run_id, length(run_attempt), run_attempt`)
      .execute();
  },
};
