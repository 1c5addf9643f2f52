/**
 * What two versions of the registry agree on about one server, taken the careful way: a label of either counts, a tool is
 * read_only where both say so, a definition is the reviewed one where no lock objects.
 */
import type { ServerFacts } from "../session-policy.ts";

type ToolFacts = NonNullable<ServerFacts["tools"]>[string];

export function intersectFacts(held: ServerFacts, present: ServerFacts): ServerFacts {
  const reads = unite(held.reads, present.reads);
  const writes = unite(held.writes, present.writes);
  const tools = intersectTools(held, present);
  const lock = intersectLocks(held.lock, present.lock);
  return {
    ...(reads !== undefined && { reads }),
    ...(writes !== undefined && { writes }),
    ...(tools !== undefined && { tools }),
    ...(lock !== undefined && { lock }),
  };
}

/** A tool's own word goes before its server's: where only one version has it, the other's server speaks for the tool. */
function intersectTools(held: ServerFacts, present: ServerFacts): ServerFacts["tools"] {
  if (held.tools === undefined && present.tools === undefined) {
    return undefined;
  }
  const names = new Set([...Object.keys(held.tools ?? {}), ...Object.keys(present.tools ?? {})]);
  const tools = Object.fromEntries(
    [...names].flatMap((name): [string, ToolFacts][] => {
      const [before, now] = [toolOf(held, name), toolOf(present, name)];
      const isReadOnly = before?.read_only === true && now?.read_only === true;
      const wasSaid = before?.read_only !== undefined;
      const reads =
        before?.reads === undefined && now?.reads === undefined
          ? undefined
          : (unite(before?.reads ?? held.reads, now?.reads ?? present.reads) ?? []);
      const writes =
        before?.writes === undefined && now?.writes === undefined
          ? undefined
          : (unite(before?.writes ?? held.writes, now?.writes ?? present.writes) ?? []);
      const facts = {
        ...(wasSaid && { read_only: isReadOnly }),
        ...(reads !== undefined && { reads }),
        ...(writes !== undefined && { writes }),
      };
      // What only the present says and the careful way leaves out is no change.
      return before === undefined && Object.keys(facts).length === 0 ? [] : [[name, facts]];
    }),
  );
  return held.tools === undefined && Object.keys(tools).length === 0 ? undefined : tools;
}

function toolOf({ tools }: ServerFacts, name: string): ToolFacts | undefined {
  return tools !== undefined && Object.hasOwn(tools, name) ? tools[name] : undefined;
}

/** In the order of the first, so that what did not change is written the same. */
function unite<T>(held: readonly T[] | undefined, present: readonly T[] | undefined): T[] | undefined {
  return held === undefined && present === undefined
    ? undefined
    : [...new Set([...(held ?? []), ...(present ?? [])])];
}

/** Without a lock every definition is taken; with one, those that it holds. */
function intersectLocks(held: ServerFacts["lock"], present: ServerFacts["lock"]): ServerFacts["lock"] {
  if (held === undefined || present === undefined) {
    return held ?? present;
  }
  const tools = Object.fromEntries(
    Object.entries(held.tools).filter(
      ([name, digest]) => Object.hasOwn(present.tools, name) && present.tools[name] === digest,
    ),
  );
  return {
    ...(held.instructions !== undefined &&
      held.instructions === present.instructions && { instructions: held.instructions }),
    tools,
  };
}
