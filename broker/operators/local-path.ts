/**
 * Where a login may lead: a path of this broker and nothing else.
 * An attacker writes `next`; whatever a browser could read as another site becomes the list of runs.
 */

const HOME = "/runs";
/** One slash, then visible ASCII without a backslash, which browsers read as a slash. */
const PATH = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1000}$/;

export function parseLocalPath(next: string | undefined): string {
  if (next === undefined || !PATH.test(next)) {
    return HOME;
  }
  const base = "http://broker.invalid";
  const url = URL.parse(next, base);
  if (url === null || url.origin !== base || !/^\/(runs|sessions|api)(\/|$)/.test(url.pathname)) {
    return HOME;
  }
  return url.pathname + url.search;
}
