/** A length of time as an option says it: `90s`, `15m`, `2h`, `30d`. */
import { InvalidArgumentError, Option } from "commander";

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Milliseconds. */
function parsePeriod(text: string): number {
  const [, number = "", unit = ""] = /^([1-9][0-9]{0,5})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS.get(unit);
  if (unitMs === undefined)
    throw new InvalidArgumentError("Write a number with a unit: 90s, 15m, 2h or 30d.");
  return Number(number) * unitMs;
}

/** `preset`: what it is unless it is given. */
export function periodOption(flags: string, description: string, preset: string): Option {
  return new Option(flags, description).argParser(parsePeriod).default(parsePeriod(preset), preset);
}
