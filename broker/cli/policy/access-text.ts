/** Who can call what, as a person reads it: a robot's binding, and under each server what is granted by which rule. */
import { join } from "node:path";
import type { Access } from "../../../policies/authoring/access-list.ts";
import { describeBinding } from "../../../policies/authoring/run-classes.ts";
import type { SessionGrant } from "../../../policies/session-policy.ts";
import { showControls } from "../problem-report.ts";
import { count } from "./answer.ts";
import type { Placed } from "./explanation-text.ts";

export function renderAccess(access: Access, placed: Placed): string {
  const { robot, file, number, binding, roles, mode, limits, grants, flow, observed, credentials } = access;
  const servers = [...new Set([...grants, ...observed].map(({ server }) => server))].sort();
  const lines = [
    `${robot}, binding ${number}  ${join(placed.directory, file)}`,
    `  ${describeBinding(binding)}`,
    `  ${roles.length === 0 ? "no roles" : `roles ${roles.join(", ")}`}; sessions of ${limits.ttlSeconds / 60} minutes, renewed up to ${limits.maxSeconds / 60} minutes`,
    ...(mode === "observe" ? ["  mode observe: tools marked read_only pass without a grant"] : []),
    ...servers.flatMap((server) => [
      `  ${server}${credentials[server] === undefined ? "" : `  credential ${credentials[server]}`}`,
      ...grants.filter((grant) => grant.server === server).flatMap((grant) => renderGrant(grant, placed)),
      ...listObservedOf(access, server),
    ]),
    ...(servers.length === 0 ? ["  nothing can be called"] : []),
    ...flow.map(({ rule, after, deny }) => {
      const what = `once it has asked for ${after.join(" or ")} content, nothing that writes ${deny.join(" or ")}`;
      return `  flow: ${what}  ${renderPlace(rule, placed)}`;
    }),
  ];
  return `${lines.map(showControls).join("\n")}\n`;
}

function listObservedOf({ observed }: Access, server: string): string[] {
  const tools = observed.filter((each) => each.server === server).map(({ tool }) => tool);
  return tools.length === 0 ? [] : [`    tools ${tools.join(", ")}  (observed: marked read_only)`];
}

function renderGrant(grant: SessionGrant, placed: Placed): string[] {
  const names = (["tools", "resources", "prompts", "asks"] as const).flatMap((kind) =>
    grant[kind] === undefined ? [] : [`${kind === "asks" ? "asks for" : kind} ${grant[kind].join(", ")}`],
  );
  return [
    `    ${names.join("; ")}  ${renderPlace(grant.rule, placed)}`,
    ...(grant.when === undefined ? [] : [`      when ${grant.when}`]),
    ...(grant.limit === undefined ? [] : [`      at most ${count(grant.limit, "call")} a session`]),
  ];
}

function renderPlace(rule: string, { directory, places }: Placed): string {
  const place = places.get(rule);
  return place === undefined ? rule : `${rule} (${join(directory, place.file)}:${place.line})`;
}
