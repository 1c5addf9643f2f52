/**
 * `servers.yaml` as a schema: the registry of MCP servers.
 * Strict: an unknown key is an error. What needs more than one value to judge is checked when loading.
 */
import * as z from "zod/mini";
import { CredentialEntry } from "./credential-entry.ts";
import { atMost, nameOf, namesAtMost, textLike, textWithout } from "./document-fields.ts";
import { LimitsEntry } from "./limits-fields.ts";
import { checkUrl } from "./server-url.ts";
import { ReadLabel, WriteLabel } from "../labels.ts";
import { ToolName } from "../tool-pattern.ts";

const reads = z.optional(
  z
    .array(ReadLabel)
    .check(
      atMost(10, "labels"),
      z.describe(
        "What its answers contain: untrusted (others wrote it), private (not everybody may read it). A tool can say otherwise than its server.",
      ),
    ),
);
const writes = z.optional(
  z
    .array(WriteLabel)
    .check(
      atMost(10, "labels"),
      z.describe("Who can read what it writes: public, everybody. A tool can say otherwise than its server."),
    ),
);

const ToolFacts = z.strictObject({
  read_only: z.optional(
    z
      .boolean()
      .check(z.describe("Your word that the tool changes nothing; the server's own hint never decides.")),
  ),
  reads,
  writes,
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
        .check(
          z.minLength(1),
          atMost(200, "arguments"),
          z.describe("A server that the proxy starts: the program and its arguments."),
        ),
    ),
    env: z.optional(
      z
        .record(EnvironmentVariable, z.string())
        .check(namesAtMost(200, "variables"), z.describe("Environment variables of the command.")),
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
    private: z.optional(
      z
        .boolean()
        .check(
          z.describe(
            "Whether the broker may reach it at a private address. It connects to public ones alone otherwise.",
          ),
        ),
    ),
    credential: z.optional(nameOf("a credential under credentials, which the server wants to see")),
    limits: z.optional(
      LimitsEntry.check(
        z.describe("What the server may take at most, where it is not what every server may take."),
      ),
    ),
    reads,
    writes,
    tools: z.optional(
      z
        .record(ToolName, ToolFacts)
        .check(namesAtMost(2_000, "tools"), z.describe("What you know about tools of this server.")),
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
    .check(namesAtMost(500, "servers"), z.describe("The servers whose tools roles may grant, by name.")),
  credentials: z.optional(
    z
      .record(nameOf("a credential"), CredentialEntry)
      .check(
        namesAtMost(500, "credentials"),
        z.describe(
          "What servers want to see, by name. Secrets are not written here but set: lanyard credential set NAME.",
        ),
      ),
  ),
});
export type ServersDocument = z.infer<typeof ServersDocument>;
