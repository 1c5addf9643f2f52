/** Documents that load, and edits that spoil them: one thing at a time, each with the message that it must give. */
import type { PolicyFile } from "../../policies/documents/document.ts";
import { lockServers, renderLock } from "../../policies/lock/lock-text.ts";
import { filesOf, robots, roles, servers } from "./fixtures.ts";

const definition = { name: "get_issue", description: "Reads one issue.", inputSchema: { type: "object" } };
export const lock = renderLock(
  lockServers(
    new Map([
      ["github", { tools: [definition, { name: "list_issues" }, { name: "add_comment" }] }],
      ["memory", { tools: [] }],
    ]),
  ).lock,
);

/** Which document, what is replaced in it (null: all of it), and by what. `again` is a second document of robots. */
export type Edit = readonly [
  document: "servers" | "roles" | "robots" | "lock" | "again",
  from: string | RegExp | null,
  to: string,
];

export function applyEdits(edits: readonly Edit[]): PolicyFile[] {
  const texts = { servers, roles, robots, lock: "", again: "" };
  for (const [name, from, to] of edits) {
    const before = name === "lock" ? lock : texts[name];
    // A function: `$` in a replacement means nothing else.
    texts[name] = from === null ? to : before.replace(from, () => to);
    if (texts[name] === before) {
      throw new Error(`${name} has nothing to replace: ${String(from)}`);
    }
  }
  const again =
    texts.again === ""
      ? []
      : [{ path: "robots/acme/ledger.yaml", text: robots.replace("acme/payments", "acme/ledger") }];
  const locked = texts.lock === "" ? [] : [{ path: "lanyard.lock", text: texts.lock }];
  return [
    ...filesOf({ servers: texts.servers, roles: texts.roles, robots: texts.robots }),
    ...again,
    ...locked,
  ];
}
