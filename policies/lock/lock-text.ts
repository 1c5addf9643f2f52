/**
 * Writes `lanyard.lock` from what servers really sent: in one order, readable, and so that reading gives the same again.
 * What cannot be reviewed (a definition that MCP does not allow) is left out and reported: it stays unreviewed.
 */
import * as z from "zod/mini";
import { ToolName } from "../tool-pattern.ts";
import { digestDefinition, type SentDefinition } from "./definition.ts";
import { isTooDeep, MAX_JSON_DEPTH } from "./json-text.ts";
import type { Lock, LockedServer, LockedTool, ToolDefinition } from "./lock.ts";
import { renderJson, renderKey, renderText } from "./visible-text.ts";

/** What one server sent when it was asked. */
export interface SentServer {
  readonly instructions?: string;
  readonly tools: readonly SentDefinition[];
}

export interface LockedAll {
  readonly lock: Lock;
  /** In words; nothing of them is in the lock. */
  readonly refused: readonly { readonly server: string; readonly tool: string; readonly reason: string }[];
}

const SentTool = z.object({
  name: ToolName,
  title: z.optional(z.string()),
  description: z.optional(z.string()),
  inputSchema: z.optional(z.record(z.string(), z.unknown())),
  outputSchema: z.optional(z.record(z.string(), z.unknown())),
  annotations: z.optional(z.record(z.string(), z.unknown())),
});

/** Of a name that comes twice, the definition is nobody's to choose: both are left out. */
export function lockServers(servers: ReadonlyMap<string, SentServer>): LockedAll {
  const refused: { server: string; tool: string; reason: string }[] = [];
  const locked = [...servers].map(([server, { instructions, tools }]): [string, LockedServer] => {
    const names = tools.map(({ name }) => name);
    const entries = tools.flatMap((sent, index): [string, LockedTool][] => {
      const read = readSent(sent);
      const isTwice = names.some((name, other) => other !== index && name === sent["name"]);
      const reason = isTwice ? "the server has two tools of this name" : read.reason;
      if (reason !== undefined || read.definition === undefined) {
        const tool = typeof sent["name"] === "string" ? sent["name"] : `number ${index + 1}`;
        refused.push({ server, tool, reason: reason ?? "" });
        return [];
      }
      return [[read.definition.name, { digest: digestDefinition(sent), definition: read.definition }]];
    });
    return [server, { ...(instructions !== undefined && { instructions }), tools: new Map(entries) }];
  });
  return { lock: { servers: new Map(locked) }, refused };
}

function readSent(sent: SentDefinition): { definition?: ToolDefinition; reason?: string } {
  const read = SentTool.safeParse(sent);
  if (!read.success) {
    const member = read.error.issues[0]?.path.join(".") ?? "";
    return { reason: `its ${member === "" ? "definition" : member} is not what MCP allows` };
  }
  // The members as they were sent: a schema that copies them could leave something out.
  const { name } = read.data;
  const members = Object.entries(read.data).map(([member]) => [member, sent[member]] as const);
  if (members.some(([, value]) => isTooDeep(value))) {
    return { reason: `it is nested deeper than ${MAX_JSON_DEPTH} levels` };
  }
  // 1e400 is read as no number, which has no canonical form: whoever reads it otherwise reads another definition.
  if (members.some(([, value]) => hasLostNumber(value))) {
    return { reason: "it holds a number that is too large to be read" };
  }
  if (name === "__proto__" || halfCharacter.test(JSON.stringify(members))) {
    return { reason: "it holds what a document cannot say: half a character, or the name __proto__" };
  }
  return { definition: { name, ...Object.fromEntries(members.filter(([, value]) => value !== undefined)) } };
}

function hasLostNumber(value: unknown): boolean {
  return typeof value === "object" && value !== null
    ? Object.values(value).some(hasLostNumber)
    : typeof value === "number" && !Number.isFinite(value);
}

/** What JSON writes as an escape that no text has written out. */
const halfCharacter = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

const head = `# The tools of each server as they were when somebody reviewed them. Written by \`lanyard policy lock\`:
# change nothing by hand. A tool that differs, or is not here, does not exist for agents.
version: 1
`;

export function renderLock({ servers }: Lock): string {
  if (servers.size === 0) {
    return `${head}servers: {}\n`;
  }
  return `${head}servers:\n${sortByName(servers)
    .map(([name, server]) => `  ${renderKey(name)}:\n${renderServer(server)}`)
    .join("")}`;
}

function renderServer({ instructions, tools }: LockedServer): string {
  const told =
    instructions === undefined ? "" : `    instructions: ${renderText(instructions, " ".repeat(6))}\n`;
  if (tools.size === 0) {
    return `${told}    tools: {}\n`;
  }
  return `${told}    tools:\n${sortByName(tools)
    .map(([name, tool]) => `      ${renderKey(name)}:\n${renderTool(tool)}`)
    .join("")}`;
}

function renderTool({ digest, definition }: LockedTool): string {
  const margin = " ".repeat(10);
  const json = (value: unknown) => `|-\n${renderJson(value).replace(/^/gm, margin)}`;
  const { title, description, inputSchema, outputSchema, annotations } = definition;
  return (
    [
      // Quoted: sixty-four digits of which one is an e would be a number.
      ["digest", `"${digest}"`],
      ["title", title === undefined ? undefined : renderText(title, margin)],
      ["description", description === undefined ? undefined : renderText(description, margin)],
      ["input_schema", inputSchema === undefined ? undefined : json(inputSchema)],
      ["output_schema", outputSchema === undefined ? undefined : json(outputSchema)],
      ["annotations", annotations === undefined ? undefined : json(annotations)],
    ] as const
  )
    .map(([key, text]) => (text === undefined ? "" : `        ${key}: ${text}\n`))
    .join("");
}

/** By code units: the same on every machine. */
function sortByName<T>(entries: ReadonlyMap<string, T>): [string, T][] {
  return [...entries].sort(([a], [b]) => Number(a > b) - Number(a < b));
}
