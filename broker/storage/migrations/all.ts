/** Every migration, by the name under which a database remembers it; they run in the order of their names. */
import type { Migration } from "kysely/migration";
import { start } from "./0001-start.ts";
import { findingsByWorkload } from "./0002-findings-by-workload.ts";

export const migrations: Record<string, Migration> = {
  "0001-start": start,
  "0002-findings-by-workload": findingsByWorkload,
};
