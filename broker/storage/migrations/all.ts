/** Every migration, by the name under which a database remembers it; they run in the order of their names. */
import type { Migration } from "kysely/migration";
import { start } from "./0001-start.ts";
import { findingsByWorkload } from "./0002-findings-by-workload.ts";
import { attemptsOfARun } from "./0003-attempts-of-a-run.ts";
import { distrustedKeys } from "./0004-distrusted-keys.ts";
import { revokedBy } from "./0005-revoked-by.ts";
import { policyChanges } from "./0006-policy-changes.ts";
import { fewerPages } from "./0007-fewer-pages.ts";
import { revocationCause } from "./0008-revocation-cause.ts";

export const migrations: Record<string, Migration> = {
  "0001-start": start,
  "0002-findings-by-workload": findingsByWorkload,
  "0003-attempts-of-a-run": attemptsOfARun,
  "0004-distrusted-keys": distrustedKeys,
  "0005-revoked-by": revokedBy,
  "0006-policy-changes": policyChanges,
  "0007-fewer-pages": fewerPages,
  "0008-revocation-cause": revocationCause,
};
