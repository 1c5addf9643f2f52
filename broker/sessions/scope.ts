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
  let robot: string | undefined;
  const roles = new Set<string>();
  for (const part of text.split(" ")) {
    const named = ROBOT.exec(part)?.[1];
    const role = named === undefined ? ROLE.exec(part)?.[1] : undefined;
    if ((named === undefined && role === undefined) || (named !== undefined && robot !== undefined)) {
      return refuse("scope_malformed", `it is ${JSON.stringify(text)}`);
    }
    robot ??= named;
    if (role !== undefined) roles.add(role);
  }
  return {
    ok: true,
    ...(robot === undefined ? {} : { robot }),
    ...(roles.size === 0 ? {} : { roles: [...roles] }),
  };
}

export function writeScope(robot: string, roles: readonly string[]): string {
  return [`robot:${robot}`, ...roles.map((role) => `role:${role}`)].join(" ");
}
