/**
 * The actor of an access token (`act`, RFC 8693, section 4.1): the job that acts as the robot, named by its issuer and
 * the ids that are unique there. Members of `act` identify and do nothing else; grants are never read from it.
 */
import type { Workload } from "../../audit/record.ts";

/** `sub` is the ids in one string, for programs that know only the registered claims. */
export function actorOf({ iss, ...ids }: Workload): Record<string, string> {
  const known: Record<string, string> = {};
  let sub = "";
  for (const [name, id] of Object.entries(ids)) {
    if (id === null) continue;
    known[name] = id;
    sub += `${sub === "" ? "" : ":"}${name}:${id}`;
  }
  return { iss, sub, ...known };
}
