/**
 * Where a character of a text stands, as a person counts: line and column, both from 1.
 */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export function findLine(text: string, offset: number): Place {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0 && end < offset; end = text.indexOf("\n", start)) {
    line++;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}
