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
import { removableSessions } from "./0009-removable-sessions.ts";
import { credentials } from "./0010-credentials.ts";
import { relay } from "./0011-relay.ts";
import { pendingConnections } from "./0012-pending-connections.ts";

export const migrations: Record<string, Migration> = {
  "0001-start": start,
  "0002-findings-by-workload": findingsByWorkload,
  "0003-attempts-of-a-run": attemptsOfARun,
  "0004-distrusted-keys": distrustedKeys,
  "0005-revoked-by": revokedBy,
  "0006-policy-changes": policyChanges,
  "0007-fewer-pages": fewerPages,
  "0008-revocation-cause": revocationCause,
  "0009-removable-sessions": removableSessions,
  "0010-credentials": credentials,
  "0011-relay": relay,
  "0012-pending-connections": pendingConnections,
};
