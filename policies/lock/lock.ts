/**
 * `lanyard.lock`, read: what the tools of each server were when somebody reviewed them.
 * What a reviewer saw is what counts: each digest is of the definition beside it, and nothing in the file hides.
 */
import {
  type PolicyDocument,
  type PolicyFile,
  type ReadDocument,
  readDocument,
} from "../documents/document.ts";
import { LockDocument, type LockedToolEntry } from "../documents/lock-document.ts";
import { findLine } from "../documents/place.ts";
import type { Path, Problem } from "../documents/problem.ts";
import { LOCK_BOUNDS } from "../documents/yaml-restrictions.ts";
import type { ServerFacts } from "../session-policy.ts";
import { digestDefinition, digestInstructions } from "./definition.ts";
import { readJson } from "./json-text.ts";
import { findHidden } from "./visible-text.ts";

/** A definition under the names that MCP gives its members. */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
  readonly annotations?: unknown;
}

export interface LockedTool {
  readonly digest: string;
  readonly definition: ToolDefinition;
}

export interface LockedServer {
  readonly instructions?: string;
  readonly tools: ReadonlyMap<string, LockedTool>;
}

export interface Lock {
  /** By name. */
  readonly servers: ReadonlyMap<string, LockedServer>;
}

type Document = PolicyDocument<LockDocument>;

export function readLock(file: PolicyFile): ReadDocument<Lock> {
  const hidden = findHidden(file.text);
  if (hidden !== undefined) {
    const message = `the character U+${hidden.code} cannot be seen when reviewing: run lanyard policy lock, which writes it as an escape`;
    const place = findLine(file.text, hidden.index);
    return { ok: false, problems: [{ file: file.path, ...place, key: "", message }] };
  }
  const read = readDocument(LockDocument, file, LOCK_BOUNDS);
  if (!read.ok) {
    return read;
  }
  const { document } = read;
  const problems: Problem[] = [];
  const servers = Object.entries(document.value.servers).map(([server, { instructions, tools }]) => {
    const locked = Object.entries(tools).flatMap(([name, entry]): [string, LockedTool][] => {
      const tool = readTool(document, ["servers", server, "tools", name], { name, entry });
      if (Array.isArray(tool)) {
        problems.push(...tool);
        return [];
      }
      return [[name, tool]];
    });
    return [server, { ...(instructions !== undefined && { instructions }), tools: new Map(locked) }] as const;
  });
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, document: { ...document, value: { servers: new Map(servers) } } };
}

function readTool(
  document: Document,
  path: Path,
  { name, entry }: { name: string; entry: LockedToolEntry },
): LockedTool | Problem[] {
  const { digest, title, description, input_schema, output_schema, annotations } = entry;
  const problems: Problem[] = [];
  const read = (key: string, text: string | undefined): unknown => {
    const json = text === undefined ? undefined : readJson(text);
    if (json?.ok === false) {
      problems.push(document.problemAt([...path, key], json.message));
    }
    return json?.ok === true ? json.value : undefined;
  };
  const definition = dropAbsent({
    name,
    title,
    description,
    inputSchema: read("input_schema", input_schema),
    outputSchema: read("output_schema", output_schema),
    annotations: read("annotations", annotations),
  });
  if (problems.length === 0 && digestDefinition({ ...definition }) !== digest) {
    const message =
      "the digest is of another definition than the one that stands here: run lanyard policy lock, and change nothing by hand";
    problems.push(document.problemAt([...path, "digest"], message));
  }
  return problems.length > 0 ? problems : { digest, definition };
}

function dropAbsent(members: { readonly name: string } & Record<string, unknown>): ToolDefinition {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return { name: members.name, ...Object.fromEntries(entries) };
}

/** What of a lock travels to the proxy: digests. */
export function digestLock({ servers }: Lock): ReadonlyMap<string, NonNullable<ServerFacts["lock"]>> {
  return new Map(
    [...servers].map(([server, { instructions, tools }]) => [
      server,
      {
        ...(instructions !== undefined && { instructions: digestInstructions(instructions) }),
        tools: Object.fromEntries([...tools].map(([name, { digest }]) => [name, digest])),
      },
    ]),
  );
}
