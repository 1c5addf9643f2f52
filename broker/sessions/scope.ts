/**
 * The scope of an exchange: at most one robot, and roles where the caller wants less than it may have.
 * Names are only compared, never looked up as paths; their alphabet is small all the same.
 */
import { type Refused, refuse } from "../refusals.ts";

const MAX_SCOPE_CHARACTERS = 2048;
/** As in a path of GitHub: `.` and `..` are no names. */
const NAME = "(?!\\.{1,2}(?:/|$))[A-Za-z0-9._-]{1,100}";
const ROBOT = new RegExp(`^robot:(${NAME}/${NAME}/${NAME})$`);
const ROLE = new RegExp(`^role:(${NAME})$`);

export interface Scope {
  readonly ok: true;
  readonly robot?: string;
  /** Without repetition; absent: all that the binding gives. */
  readonly roles?: string[];
}

export function parseScope(text: string | undefined): Scope | Refused {
  if (text === undefined || text === "") return { ok: true };
  if (text.length > MAX_SCOPE_CHARACTERS) {
    return refuse("scope_malformed", `it has ${text.length} characters`);
  }
  const parts = text.split(" ");
  const robots = parts.flatMap((part) => ROBOT.exec(part)?.[1] ?? []);
  const roles = [...new Set(parts.flatMap((part) => ROLE.exec(part)?.[1] ?? []))];
  const [robot] = robots;
  if (robots.length > 1 || parts.some((part) => !ROBOT.test(part) && !ROLE.test(part))) {
    return refuse("scope_malformed", `it is ${JSON.stringify(text)}`);
  }
  return { ok: true, ...(robot === undefined ? {} : { robot }), ...(roles.length === 0 ? {} : { roles }) };
}

export function writeScope(robot: string, roles: readonly string[]): string {
  return [`robot:${robot}`, ...roles.map((role) => `role:${role}`)].join(" ");
}
