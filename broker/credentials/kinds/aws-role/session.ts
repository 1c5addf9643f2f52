/**
 * What AWS is told of a session, within what AWS takes: who it is (session name, source identity, tags) and for how long.
 * Two robots, and two runs of one, never get the same name.
 */
import { hash } from "node:crypto";
import { secondsOf } from "../../../../policies/documents/duration.ts";
import type { EntryOfKind, MintingSession } from "../../kind.ts";

const MAX_NAME_LENGTH = 64;
const MAX_TAG_LENGTH = 256;
/** STS gives no fewer, and no more than a role's own maximum, which is 1 h unless somebody raised it. */
const MIN_SECONDS = 15 * 60;
const USUAL_MAX_SECONDS = 60 * 60;
const MAX_SECONDS = 12 * 60 * 60;

/** `owner=repository=robot@run.attempt`: no name of GitHub has a `=`, a `,` or an `@`. */
export function nameSession({ robot, runId, runAttempt }: MintingSession): string {
  const end = fit(`@${runId}.${runAttempt}`, MAX_NAME_LENGTH / 2);
  return fit(robot.replaceAll("/", "="), MAX_NAME_LENGTH - end.length) + end;
}

/** The robot without its run, so that policies can be written for it. AWS keeps it through every further role. */
export function nameSource({ robot }: MintingSession): string {
  return fit(robot.replaceAll("/", "="), MAX_NAME_LENGTH);
}

/** All of them transitive: a further role cannot be assumed under another name. */
export function tagSession(session: MintingSession): { Key: string; Value: string }[] {
  const { robot, repository, repositoryId, runId } = session;
  const tags = { robot, repository, repository_id: repositoryId, run_id: runId };
  return Object.entries(tags).map(([name, value]) => ({
    Key: `lanyard:${name}`,
    Value: value.replaceAll(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, "_").slice(0, MAX_TAG_LENGTH),
  }));
}

/** Undefined: `ttl` is not one that STS has. Otherwise no longer than the session, as far as STS can. */
export function secondsFor(
  { ttl }: EntryOfKind<"aws-role">,
  { maxExpiresAt }: MintingSession,
  now: number,
): number | undefined {
  const wanted = ttl === undefined ? USUAL_MAX_SECONDS : secondsOf(ttl);
  if (wanted < MIN_SECONDS || wanted > MAX_SECONDS) return undefined;
  return Math.max(MIN_SECONDS, Math.min(wanted, Math.ceil((maxExpiresAt - now) / 1000)));
}

/** What had to be changed gets a digest of what it was: nothing else can be changed into the same. */
function fit(text: string, maxLength: number): string {
  const clean = text.replaceAll(/[^A-Za-z0-9_+=,.@-]/g, "_");
  if (clean === text && text.length >= 2 && text.length <= maxLength) return text;
  const mark = `,${hash("sha256", text, "hex").slice(0, 12)}`;
  return clean.slice(0, maxLength - mark.length) + mark;
}
