/**
 * Bytes and pairs of bytes, as tables know them: a pair is one number, its first byte in the lower half.
 */

export const SPACE = 0x20;

interface Marking {
  /** Any byte where it is absent. */
  readonly first?: number | undefined;
  readonly second?: number | undefined;
  readonly anyCase?: boolean;
  readonly bits: number;
}

/** Adds bits at every pair that is meant. No list is made of them: a proxy does this as it starts. */
export function mark(table: Uint16Array, { first, second, anyCase = false, bits }: Marking): void {
  const lows = listBytes(first, anyCase);
  const highs = listBytes(second, anyCase);
  for (let high = 0; high < highs.length; high++) {
    const from = (highs[high] ?? 0) << 8;
    for (let low = 0; low < lows.length; low++) {
      const pair = from | (lows[low] ?? 0);
      table[pair] = (table[pair] ?? 0) | bits;
    }
  }
}

export function listPairs({ first, second, anyCase = false }: Omit<Marking, "bits">): number[] {
  const highs = listBytes(second, anyCase);
  return listBytes(first, anyCase).flatMap((low) => highs.map((high) => low | (high << 8)));
}

const EVERY_BYTE = Array.from({ length: 0x100 }, (_, byte) => byte);

function listBytes(byte: number | undefined, anyCase: boolean): readonly number[] {
  if (byte === undefined) {
    return EVERY_BYTE;
  }
  return anyCase && isLetter(byte) ? [byte, byte & ~0x20] : [byte];
}

/** But white space. */
export function isControl(byte: number): boolean {
  return byte === 0x7f || (byte < SPACE && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}

export function foldCase(byte: number, anyCase: boolean): number {
  return anyCase && isLetter(byte) ? byte | 0x20 : byte;
}
