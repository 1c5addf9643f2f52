/**
 * The same entry twice in one list: a mistake, since the second says nothing.
 */
import type { PolicyDocument } from "../documents/document.ts";
import type { Path, Problem } from "../documents/problem.ts";

export function checkRepeated(
  document: PolicyDocument<unknown>,
  path: Path,
  entries: readonly string[],
): Problem[] {
  const seen = new Set<string>();
  return entries.flatMap((entry, index) => {
    const isRepeated = seen.has(entry);
    seen.add(entry);
    return isRepeated
      ? [document.problemAt([...path, index], `"${entry}" is in the list twice: remove one of them`)]
      : [];
  });
}
