/** Tools that answer by themselves: each kind of content, notifications on the way, errors, schemas, mirrored fields. */
import { setTimeout as sleep } from "node:timers/promises";
import { fromJsonSchema, type McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { SIMPLE_PROMPT, TRIGGER } from "./changing-text.ts";
import { AUDIO, embedded, IMAGE, text } from "./contents.ts";

const NOTHING = z.object({});

/** For a client to open the stream again. */
const BREAK_MS = 200;

/** The whole vocabulary of JSON Schema 2020-12 that a list of tools may carry. */
const FULL_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};

/** How a server tells whoever listens that a list of its changed. */
export interface Changes {
  toolsChanged(): void;
  promptsChanged(): void;
}

export function registerPlainTools(server: McpServer, changes: Changes): void {
  registerContentTools(server);
  registerNotifyingTools(server);
  registerTriggers(server, changes);
  server.registerTool("test_error_handling", { description: "Fails", inputSchema: NOTHING }, async () => ({
    content: [text("This tool always fails")],
    isError: true,
  }));
  server.registerTool(
    "test_reconnection",
    { description: "Breaks its stream off and answers later", inputSchema: NOTHING },
    async (_args, ctx) => {
      ctx.http?.closeSSE?.();
      await sleep(BREAK_MS);
      return { content: [text("answered after the break")] };
    },
  );
  server.registerTool(
    "json_schema_2020_12_tool",
    { description: "Has a schema with many keywords", inputSchema: fromJsonSchema(FULL_SCHEMA) },
    async () => ({ content: [text("fits")] }),
  );
  server.registerTool(
    "test_mirrored_argument",
    {
      description: "Wants an argument in a header field as well",
      inputSchema: z.object({ region: z.string().meta({ "x-mcp-header": "Region" }) }),
    },
    async ({ region }) => ({ content: [text(region)] }),
  );
}

function registerContentTools(server: McpServer): void {
  const contents = {
    test_simple_text: [text("A plain text")],
    test_image_content: [IMAGE],
    test_audio_content: [AUDIO],
    test_embedded_resource: [embedded("test://embedded-resource", "A resource within a result")],
    test_multiple_content_types: [
      text("Several kinds at once"),
      IMAGE,
      embedded("test://mixed-content-resource", '{"kind":"mixed"}'),
    ],
  };
  for (const [name, content] of Object.entries(contents)) {
    server.registerTool(name, { description: `Answers ${name}`, inputSchema: NOTHING }, async () => ({
      content: [...content],
    }));
  }
}

function registerNotifyingTools(server: McpServer): void {
  const said = [text("done")];
  server.registerTool(
    "test_tool_with_logging",
    { description: "Logs while it works", inputSchema: NOTHING },
    async (_args, ctx) => {
      for (const step of ["started", "works", "has ended"]) {
        await ctx.mcpReq.log("info", step);
      }
      return { content: said };
    },
  );
  server.registerTool(
    "test_logging_tool",
    { description: "Logs for whoever asked for it", inputSchema: NOTHING },
    async (_args, ctx) => {
      await ctx.mcpReq.log("info", "worked");
      return { content: said };
    },
  );
  server.registerTool(
    "test_tool_with_progress",
    { description: "Reports progress", inputSchema: NOTHING },
    async (_args, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
        await ctx.mcpReq.notify({
          method: "notifications/progress",
          params: { progressToken, progress, total: 100 },
        });
      }
      return { content: said };
    },
  );
}

function registerTriggers(server: McpServer, changes: Changes): void {
  const said = { content: [text("changed")] };
  const config = { description: TRIGGER.text, inputSchema: NOTHING };
  const trigger = server.registerTool("test_trigger_tool_change", config, async () => {
    TRIGGER.change();
    trigger.description = TRIGGER.text;
    changes.toolsChanged();
    return said;
  });
  server.registerTool("test_trigger_prompt_change", config, async () => {
    SIMPLE_PROMPT.change();
    changes.promptsChanged();
    return said;
  });
}
