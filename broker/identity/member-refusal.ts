/** A refusal about one member of a token: its name, what was expected, and the beginning of what was there. */
import { type RefusalCode, type Refused, refuse } from "../refusals.ts";

const MAX_EXCERPT = 200;

export function refuseMember(
  code: RefusalCode,
  field: string,
  { expected, got }: { expected: string; got: unknown },
): Refused {
  const excerpt = JSON.stringify(got)?.slice(0, MAX_EXCERPT) ?? "missing";
  return refuse(code, `${field} is ${excerpt}, expected ${expected}`, [{ field, expected, got: excerpt }]);
}
