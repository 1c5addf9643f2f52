/**
 * Whether a JSON number survives being read and written again: what is decided on is then what is sent.
 * `1.0` and `1` are one number; `9007199254740993`, `1e400` and `-0` become another one.
 */

/** Every decimal integer of so many digits is exact as a double. */
const EXACT_DIGITS = 15;

/** `text` must be a number by RFC 8259's grammar. */
export function keepsItsValue(text: string): boolean {
  if (text.length <= EXACT_DIGITS && /^(?:0|-?[1-9][0-9]*)$/.test(text)) {
    return true;
  }
  const value = Number(text);
  if (!Number.isFinite(value)) {
    return false;
  }
  const before = normalize(text);
  const after = normalize(String(value));
  if (before.digits === "") {
    return !text.startsWith("-");
  }
  return (
    before.negative === after.negative && before.digits === after.digits && before.exponent === after.exponent
  );
}

interface Decimal {
  readonly negative: boolean;
  /** Without zeros at either end; empty for zero. The value is `0.<digits>` times ten to `exponent`. */
  readonly digits: string;
  readonly exponent: number;
}

function normalize(text: string): Decimal {
  const negative = text.startsWith("-");
  const [mantissa = "", power = "0"] = (negative ? text.slice(1) : text).split(/[eE]/);
  const [whole = "", fraction = ""] = mantissa.split(".");
  const all = whole + fraction;
  const leading = all.length - trimStart(all).length;
  const digits = trimEnd(trimStart(all));
  return { negative, digits, exponent: Number(power) + whole.length - leading };
}

function trimStart(digits: string): string {
  let start = 0;
  while (digits[start] === "0") start++;
  return digits.slice(start);
}

function trimEnd(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === "0") end--;
  return digits.slice(0, end);
}
