/**
 * Rows of many requests, as one statement writes them: each key once, the first that came, and in the same order in
 * every transaction of every replica, so that of two that write the same keys one waits and none is in the other's way.
 */
export function inWritingOrder<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Row[] {
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    const key = keyOf(row);
    if (!byKey.has(key)) byKey.set(key, row);
  }
  return [...byKey].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
}
