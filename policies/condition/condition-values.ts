/**
 * The arguments of a call as values that CEL can work on.
 * Objects become Maps, so that no key (`__proto__`, `constructor`) means anything but itself; size and depth are bounded.
 */
import type { Size } from "./condition-work.ts";

export type Value = null | boolean | number | string | Value[] | Map<string, Value>;

export interface ValueLimits {
  readonly maxValues: number;
  /** All texts together, in UTF-16 code units. */
  readonly maxTextLength: number;
  readonly maxDepth: number;
}

/** What a condition looks at: the named arguments, or all of them. */
export interface LookedAt {
  readonly args: Readonly<Record<string, unknown>>;
  readonly names: readonly string[] | undefined;
}

/** Thrown for arguments that a condition cannot be evaluated on. The call is denied. */
class UnusableArguments extends Error {}

/** A member that does not exist is left out. Stops at the first value beyond the limits. */
export function convertArguments(
  { args, names = Object.keys(args) }: LookedAt,
  limits: ValueLimits,
): { readonly args: Map<string, Value>; readonly size: Size } {
  let values = 0;
  let textLength = 0;

  const convert = (value: unknown, depth: number): Value => {
    countValues(1);
    if (depth > limits.maxDepth) {
      throw new UnusableArguments(`more than ${limits.maxDepth} levels`);
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
  const countValues = (count: number): void => {
    values += count;
    if (values > limits.maxValues) {
      throw new UnusableArguments(`more than ${limits.maxValues} values`);
    }
  };
  const countText = (text: string): string => {
    textLength += text.length;
    if (textLength > limits.maxTextLength) {
      throw new UnusableArguments(`more than ${limits.maxTextLength} characters`);
    }
    return text;
  };

  const present = names.filter((name) => Object.hasOwn(args, name));
  const converted = new Map(present.map((name) => [countText(name), convert(args[name], 1)]));
  return { args: converted, size: { values, textLength } };
}

/**
 * The size of arguments that are plain: texts, finite numbers, truth values, and flat lists of them.
 * Counted as `convertArguments` counts them; undefined where one is anything else.
 */
export function sizePlainArguments(
  args: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Size | undefined {
  let values = 0;
  let textLength = 0;
  for (const name of names) {
    if (!Object.hasOwn(args, name)) {
      continue;
    }
    const value = args[name];
    values += 1;
    textLength += name.length;
    if (!Array.isArray(value)) {
      if (!isPlain(value)) {
        return undefined;
      }
      textLength += typeof value === "string" ? value.length : 0;
      continue;
    }
    values += value.length;
    for (const item of value) {
      if (!isPlain(item)) {
        return undefined;
      }
      textLength += typeof item === "string" ? item.length : 0;
    }
  }
  return { values, textLength };
}

function isPlain(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}
