/**
 * Which events of a workflow only the people who can write to the repository can cause.
 * A closed list: every other event, known or new, counts as one that outsiders can pull.
 */

export const TRUSTED_TRIGGERS: ReadonlySet<string> = new Set([
  "push",
  "schedule",
  "workflow_dispatch",
  "merge_group",
  "release",
]);

export function isTrustedTrigger(event: string): boolean {
  return TRUSTED_TRIGGERS.has(event);
}

/** `refs/pull/<number>/merge` → the number, for the events that run on a pull request's merge commit. */
export function pullRequestNumberOf(ref: string): number | undefined {
  const digits = /^refs\/pull\/([1-9][0-9]{0,9})\/merge$/.exec(ref)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
