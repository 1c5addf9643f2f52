/**
 * The arguments of a call as values that CEL can work on.
 * Objects become Maps, so that no key (`__proto__`, `constructor`) means anything but itself; size and depth are bounded.
 */

export type Value = null | boolean | number | string | Value[] | Map<string, Value>;

export interface ValueLimits {
  readonly maxValues: number;
  /** All texts together, in UTF-16 code units. */
  readonly maxTextLength: number;
  readonly maxDepth: number;
}

/** Thrown for arguments that a condition cannot be evaluated on. The call is denied. */
class UnusableArguments extends Error {}

/** Converts the named members, or all where none are named. A member that does not exist is left out. */
export function convertArguments(from: {
  readonly args: Readonly<Record<string, unknown>>;
  readonly names: ReadonlySet<string> | undefined;
  readonly limits: ValueLimits;
}): Map<string, Value> {
  const { limits } = from;
  let values = 0;
  let textLength = 0;

  const convert = (value: unknown, depth: number): Value => {
    values += 1;
    if (values > limits.maxValues || depth > limits.maxDepth) {
      throw new UnusableArguments(`more than ${limits.maxValues} values or ${limits.maxDepth} levels`);
    }
    if (typeof value === "string") {
      return countText(value);
    }
    if (
      value === null ||
      typeof value === "boolean" ||
      (typeof value === "number" && Number.isFinite(value))
    ) {
      return value;
    }
    if (Array.isArray(value)) {
      return value.map((each: unknown) => convert(each, depth + 1));
    }
    if (typeof value === "object") {
      return new Map(Object.entries(value).map(([key, each]) => [countText(key), convert(each, depth + 1)]));
    }
    throw new UnusableArguments(`a ${typeof value} is no JSON value`);
  };
  const countText = (text: string): string => {
    textLength += text.length;
    if (textLength > limits.maxTextLength) {
      throw new UnusableArguments(`more than ${limits.maxTextLength} characters`);
    }
    return text;
  };

  const members = Object.entries(from.args).filter(([name]) => from.names?.has(name) ?? true);
  return new Map(members.map(([name, value]) => [countText(name), convert(value, 1)]));
}
