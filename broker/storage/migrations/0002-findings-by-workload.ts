/** Findings are counted per job and kind before one is added. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const findingsByWorkload: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.createIndex("findings_workload").on("findings").columns(["workload", "kind"]).execute();
  },
};
