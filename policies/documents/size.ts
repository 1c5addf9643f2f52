/**
 * Sizes as people write them: a whole number and one unit, `512KiB`, `4MiB`, `2GiB`.
 */
const bytesPerUnit = new Map([
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
]);

export const SIZE = /^[1-9][0-9]{0,5}(?:KiB|MiB|GiB)$/;

/** Bytes of a text that is a `SIZE`. */
export function bytesOf(size: string): number {
  const factor = bytesPerUnit.get(size.slice(-3));
  const count = Number.parseInt(size, 10);
  if (factor === undefined || Number.isNaN(count)) {
    throw new Error(`not a size: ${size}`);
  }
  return count * factor;
}

/** In the largest unit that leaves a whole number. */
export function writeSize(bytes: number): string {
  const [unit, factor] =
    [...bytesPerUnit].reverse().find(([, each]) => bytes >= each && bytes % each === 0) ?? [];
  return unit === undefined || factor === undefined ? `${bytes} bytes` : `${bytes / factor}${unit}`;
}
