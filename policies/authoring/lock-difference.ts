/**
 * Which definitions of a server's tools were reviewed before and after a change: what was reviewed newly or anew is a
 * gain where somebody can call it, and so is a lock that is kept no more.
 */
import type { Policies } from "../policies.ts";
import type { Difference } from "./change.ts";

type Lock =
  NonNullable<NonNullable<Policies["lock"]>> extends ReadonlyMap<string, infer Entry> ? Entry : never;

export function lockOf({ lock }: Policies, server: string): Lock | undefined {
  return lock === undefined ? undefined : (lock.get(server) ?? { tools: {} });
}

export function compareLocks(
  before: Lock | undefined,
  after: Lock | undefined,
  isReached: (tool: string) => boolean,
): Difference[] {
  if (before === undefined || after === undefined) {
    const what = "lanyard.lock";
    return before === after
      ? []
      : [
          after === undefined
            ? {
                effect: "gained",
                subject: "lock",
                what,
                before: "only what was reviewed",
                after: "not kept: whatever the server offers",
              }
            : {
                effect: "lost",
                subject: "lock",
                what,
                before: "not kept: whatever the server offers",
                after: "only what was reviewed",
              },
        ];
  }
  const names = [...new Set([...Object.keys(before.tools), ...Object.keys(after.tools)])].sort();
  const digestOf = (lock: Lock, name: string) =>
    Object.hasOwn(lock.tools, name) ? lock.tools[name] : undefined;
  const tools = names.flatMap((name): Difference[] => {
    const [was, is] = [digestOf(before, name), digestOf(after, name)];
    if (was === is) {
      return [];
    }
    const effect = is === undefined ? "lost" : isReached(name) ? "gained" : "changed";
    return [
      {
        effect,
        subject: "lock",
        what: name,
        ...(was !== undefined && { before: `reviewed (${was.slice(0, 12)})` }),
        ...(is !== undefined && {
          after: was === undefined ? "newly reviewed" : `reviewed anew (${is.slice(0, 12)})`,
        }),
      },
    ];
  });
  const [was, is] = [before.instructions, after.instructions];
  return was === is
    ? tools
    : [
        ...tools,
        {
          effect: is === undefined ? "lost" : "gained",
          subject: "lock",
          what: "instructions",
          ...(was !== undefined && { before: `reviewed (${was.slice(0, 12)})` }),
          ...(is !== undefined && { after: was === undefined ? "newly reviewed" : "reviewed anew" }),
        },
      ];
}
