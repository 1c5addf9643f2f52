/**
 * The environment of a stdio server: what the registry lists and the few variables without which no program runs.
 * Nothing else of the proxy's own environment gets there, whatever the caller hands over.
 */

const INHERITED = new Set(["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"]);
const INHERITED_PREFIX = "LC_";
/** By it the runner finds and ends what outlives the job. */
const RUNNER_TRACKING_ID = "RUNNER_TRACKING_ID";

export type Environment = Readonly<Record<string, string | undefined>>;

export function buildChildEnvironment(inherited: Environment, listed: Environment): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    const passes = INHERITED.has(name) || name.startsWith(INHERITED_PREFIX) || name === RUNNER_TRACKING_ID;
    if (passes && value !== undefined) {
      environment[name] = value;
    }
  }
  for (const [name, value] of Object.entries(listed)) {
    if (value !== undefined && name !== RUNNER_TRACKING_ID) {
      environment[name] = value;
    }
  }
  return environment;
}
