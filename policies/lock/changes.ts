/**
 * What differs between two locks, in the words of whoever reviews it: per server, per tool, per parameter.
 * Complete: a tool whose digest differs has at least one change.
 */
import { isDeepStrictEqual } from "node:util";
import type { Lock, LockedServer, ToolDefinition } from "./lock.ts";
import { compareSchemas, membersOf, type SchemaChange } from "./schema-changes.ts";
import { compareTexts, type TextPart } from "./text-difference.ts";

export type ToolChange =
  | { readonly kind: "title" | "description"; readonly text: readonly TextPart[] }
  | SchemaChange
  | { readonly kind: "result"; readonly change: SchemaChange }
  | { readonly kind: "annotation"; readonly name: string; readonly before: unknown; readonly after: unknown };

export type LockChange =
  | {
      readonly kind: "server_added" | "server_removed";
      readonly server: string;
      readonly tools: readonly string[];
    }
  | { readonly kind: "instructions"; readonly server: string; readonly text: readonly TextPart[] }
  | {
      readonly kind: "tool_added";
      readonly server: string;
      readonly tool: string;
      readonly definition: ToolDefinition;
    }
  | { readonly kind: "tool_removed"; readonly server: string; readonly tool: string }
  | {
      readonly kind: "tool_changed";
      readonly server: string;
      readonly tool: string;
      readonly changes: readonly ToolChange[];
    };

/** In the order of the names. Without a lock before, everything is new. */
export function compareLocks(before: Lock | undefined, after: Lock): LockChange[] {
  const old = before?.servers ?? new Map<string, LockedServer>();
  return listNames(old, after.servers).flatMap((server): LockChange[] => {
    const [was, is] = [old.get(server), after.servers.get(server)];
    if (is === undefined) {
      return [{ kind: "server_removed", server, tools: listNames(was?.tools ?? new Map()) }];
    }
    return [
      ...(was === undefined ? [{ kind: "server_added" as const, server, tools: listNames(is.tools) }] : []),
      ...compareServers(server, was ?? { tools: new Map() }, is),
    ];
  });
}

function compareServers(server: string, was: LockedServer, is: LockedServer): LockChange[] {
  const instructions: LockChange[] =
    was.instructions === is.instructions
      ? []
      : [{ kind: "instructions", server, text: compareTexts(was.instructions ?? "", is.instructions ?? "") }];
  return [
    ...instructions,
    ...listNames(was.tools, is.tools).flatMap((tool): LockChange[] => {
      const [old, fresh] = [was.tools.get(tool), is.tools.get(tool)];
      if (fresh === undefined) {
        return [{ kind: "tool_removed", server, tool }];
      }
      if (old === undefined) {
        return [{ kind: "tool_added", server, tool, definition: fresh.definition }];
      }
      return old.digest === fresh.digest
        ? []
        : [{ kind: "tool_changed", server, tool, changes: compareTools(old.definition, fresh.definition) }];
    }),
  ];
}

function compareTools(was: ToolDefinition, is: ToolDefinition): ToolChange[] {
  const texts = (["title", "description"] as const).flatMap((kind): ToolChange[] =>
    was[kind] === is[kind] ? [] : [{ kind, text: compareTexts(was[kind] ?? "", is[kind] ?? "") }],
  );
  return [
    ...texts,
    ...compareSchemas(was.inputSchema, is.inputSchema),
    ...compareSchemas(was.outputSchema, is.outputSchema).map((change) => ({
      kind: "result" as const,
      change,
    })),
    ...compareAnnotations(was.annotations, is.annotations),
  ];
}

const none: ReadonlyMap<string, unknown> = new Map();

function compareAnnotations(was: unknown, is: unknown): ToolChange[] {
  const [old, fresh] = [membersOf(was) ?? none, membersOf(is) ?? none];
  return listNames(old, fresh)
    .map((name) => ({ kind: "annotation" as const, name, before: old.get(name), after: fresh.get(name) }))
    .filter(({ before, after }) => !isDeepStrictEqual(before, after));
}

function listNames(...maps: readonly ReadonlyMap<string, unknown>[]): string[] {
  return [...new Set(maps.flatMap((map) => [...map.keys()]))].sort();
}
