/** Resources and prompts: plain ones, templates, one that needs an input, completions of arguments. */
import {
  acceptedContent,
  completable,
  inputRequired,
  type McpServer,
  type RegisteredPrompt,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { elicitation } from "./asking-tools.ts";
import { SIMPLE_PROMPT } from "./changing-text.ts";
import { embedded, IMAGE, text } from "./contents.ts";

const IDS = ["123", "124", "200"];

export function registerResources(server: McpServer): void {
  const texts = {
    "static-text": "A text that stays",
    "watched-resource": "A text that somebody watches",
  };
  for (const [name, content] of Object.entries(texts)) {
    const uri = `test://${name}`;
    server.registerResource(
      name,
      uri,
      { title: name, description: "A text", mimeType: "text/plain" },
      async () => ({ contents: [{ uri, mimeType: "text/plain", text: content }] }),
    );
  }
  const uri = "test://static-binary";
  server.registerResource(
    "static-binary",
    uri,
    { title: "static-binary", description: "An image", mimeType: IMAGE.mimeType },
    async () => ({ contents: [{ uri, mimeType: IMAGE.mimeType, blob: IMAGE.data }] }),
  );
  server.registerResource(
    "template",
    new ResourceTemplate("test://template/{id}/data", {
      list: undefined,
      complete: { id: (begun) => IDS.filter((id) => id.startsWith(begun)) },
    }),
    { title: "template", description: "One of many", mimeType: "application/json" },
    async (asked, { id }) => ({
      contents: [
        {
          uri: asked.href,
          mimeType: "application/json",
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
  server.server.setRequestHandler("resources/subscribe", async () => ({}));
  server.server.setRequestHandler("resources/unsubscribe", async () => ({}));
}

type Content = ReturnType<typeof text> | ReturnType<typeof embedded> | typeof IMAGE;

function say(...contents: Content[]): { messages: { role: "user"; content: Content }[] } {
  return { messages: contents.map((content) => ({ role: "user" as const, content })) };
}

/** The one that changes. */
export function registerPrompts(server: McpServer): RegisteredPrompt {
  const simple = server.registerPrompt("test_simple_prompt", { description: SIMPLE_PROMPT.text }, async () =>
    say(text("A simple prompt")),
  );
  server.registerPrompt(
    "test_prompt_with_arguments",
    {
      description: "Two arguments",
      argsSchema: z.object({
        arg1: completable(z.string(), (begun) =>
          ["test1", "test2", "other"].filter((one) => one.startsWith(begun)),
        ),
        arg2: z.string(),
      }),
    },
    async ({ arg1, arg2 }) => say(text(`arg1='${arg1}', arg2='${arg2}'`)),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "Carries a resource", argsSchema: z.object({ resourceUri: z.string() }) },
    async ({ resourceUri }) => say(embedded(resourceUri, "A resource within a prompt"), text("Read it")),
  );
  server.registerPrompt("test_prompt_with_image", { description: "Carries an image" }, async () =>
    say(IMAGE, text("Look at it")),
  );
  server.registerPrompt(
    "test_input_required_result_prompt",
    { description: "Needs an input" },
    async (ctx) => {
      const given = acceptedContent(ctx.mcpReq.inputResponses, "user_context");
      return given === undefined
        ? inputRequired({
            inputRequests: {
              user_context: elicitation("What is it about?", { context: { type: "string" } }),
            },
          })
        : say(text(`It is about ${JSON.stringify(given)}`));
    },
  );
  return simple;
}
