/**
 * "Did you mean": the known name that a mistyped one is nearest to, or the only one that it begins.
 * Nothing is suggested when every known name differs in more than a third of its letters.
 */

/** Names longer than this are no typing mistakes, and comparing them would cost. */
const longestName = 64;

/** A message is read by a person. */
const mostNames = 30;

/** The number of letters to insert, remove, replace or swap to turn one name into the other. */
function measureDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let distance = Math.min(
        (previous[j] ?? 0) + 1,
        (current[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        distance = Math.min(distance, (beforePrevious[j - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}

export function findNearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > longestName) {
    return undefined;
  }
  const names = [...known];
  let nearest: { name: string; distance: number } | undefined;
  for (const candidate of names) {
    const allowed = Math.max(1, Math.floor(candidate.length / 3));
    if (Math.abs(candidate.length - name.length) > allowed) {
      continue;
    }
    const distance = measureDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= allowed && distance < (nearest?.distance ?? Number.POSITIVE_INFINITY)) {
      nearest = { name: candidate, distance };
    }
  }
  const begun = name.length < 3 ? [] : names.filter((candidate) => candidate.startsWith(name));
  return nearest?.name ?? (begun.length === 1 ? begun[0] : undefined);
}

/** What to append to "unknown …": a question when something is near, else the list of what exists. */
export function suggestNames(name: string, known: Iterable<string>): string {
  const names = [...known];
  const nearest = findNearestName(name, names);
  if (nearest !== undefined) {
    return `did you mean "${nearest}"?`;
  }
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : "";
  return names.length > 0 ? `there is ${names.slice(0, mostNames).join(", ")}${more}` : "there is none yet";
}
