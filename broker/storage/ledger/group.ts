/**
 * A group: what came for the ledger while the group before it was on its way to the disk, decided in one transaction.
 * It is data only, and so are the decisions: where the database has a thread of its own, both pass to it and back whole.
 */
import { type Admissions, type Decided, admit } from "./admissions.ts";
import { type Announced, type Announcement, announceAll } from "./announcements.ts";
import { type Renewal, type Renewed, renewAll } from "./renewals.ts";
import type { Runner } from "./statements.ts";

export interface Group extends Admissions {
  readonly renewals: readonly Renewal[];
  readonly announcements: readonly Announcement[];
}

/** In the order of what they decide. */
export interface Decisions {
  readonly admissions: readonly Decided[];
  readonly renewals: readonly Renewed[];
  readonly announcements: readonly Announced[];
}

/** In a transaction. */
export async function decideGroup(runner: Runner, group: Group): Promise<Decisions> {
  return {
    admissions: group.admissions.length === 0 ? [] : await admit(runner, group),
    renewals: group.renewals.length === 0 ? [] : await renewAll(runner, group.renewals),
    announcements: group.announcements.length === 0 ? [] : await announceAll(runner, group.announcements),
  };
}
