/**
 * `servers.yaml` as a schema: the registry of MCP servers.
 * Strict: an unknown key is an error. What needs more than one value to judge is checked when loading.
 */
import * as z from "zod/mini";
import { nameOf, textLike, textWithout } from "./document-fields.ts";
import { checkUrl } from "./server-url.ts";
import { ToolName } from "../tool-pattern.ts";

const ToolFacts = z.strictObject({
  read_only: z
    .boolean()
    .check(z.describe("Your word that the tool changes nothing; the server's own hint never decides.")),
});

const EnvironmentVariable = textLike(
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  "expected the name of an environment variable",
  "The name of an environment variable.",
);

export const ServerEntry = z
  .strictObject({
    url: z.optional(textWithout(checkUrl, "A server that is reached over Streamable HTTP.")),
    command: z.optional(
      z
        .array(z.string().check(z.minLength(1)))
        .check(z.minLength(1), z.describe("A server that the proxy starts: the program and its arguments.")),
    ),
    env: z.optional(
      z.record(EnvironmentVariable, z.string()).check(z.describe("Environment variables of the command.")),
    ),
    start: z.optional(
      z
        .enum(["eager", "lazy"])
        .check(
          z.describe(
            "When the command is started: eager, with the proxy (default); lazy, at the first request.",
          ),
        ),
    ),
    tools: z.optional(
      z.record(ToolName, ToolFacts).check(z.describe("What you know about tools of this server.")),
    ),
  })
  .register(z.globalRegistry, {
    description: "An MCP server: a url or a command.",
    oneOf: [{ required: ["url"] }, { required: ["command"] }],
  });
export type ServerEntry = z.infer<typeof ServerEntry>;

export const ServersDocument = z.strictObject({
  servers: z
    .record(nameOf("a server"), ServerEntry)
    .check(z.describe("The servers whose tools roles may grant, by name.")),
});
