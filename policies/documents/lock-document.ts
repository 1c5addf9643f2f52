/**
 * `lanyard.lock` as a schema: the definitions of the servers' tools as somebody reviewed them.
 * Schemas and annotations stand in it as JSON texts, line by line: they are read as what the server sent, and fast.
 */
import * as z from "zod/mini";
import { nameOf, textLike } from "./document-fields.ts";
import { ToolName } from "../tool-pattern.ts";

const jsonText = (description: string) => z.optional(z.string().check(z.describe(description)));

const LockedToolEntry = z.strictObject({
  digest: textLike(
    /^[0-9a-f]{64}$/,
    "expected 64 lower-case hex digits: run lanyard policy lock",
    "SHA-256 of the definition.",
  ),
  title: z.optional(z.string().check(z.describe("The title that the server gives the tool."))),
  description: z.optional(z.string().check(z.describe("What the server tells the agent of the tool."))),
  input_schema: jsonText("The JSON Schema of the arguments."),
  output_schema: jsonText("The JSON Schema of the result."),
  annotations: jsonText("What the server says of the tool's effects."),
});
export type LockedToolEntry = z.infer<typeof LockedToolEntry>;

export const LockDocument = z.strictObject({
  version: z.literal(1).check(z.describe("The version of this format: 1.")),
  servers: z
    .record(
      nameOf("a server in servers.yaml"),
      z.strictObject({
        instructions: z.optional(z.string().check(z.describe("What the server tells the agent of itself."))),
        tools: z.record(ToolName, LockedToolEntry).check(z.describe("The reviewed tools, by name.")),
      }),
    )
    .check(z.describe("The reviewed servers, by name.")),
});
export type LockDocument = z.infer<typeof LockDocument>;
