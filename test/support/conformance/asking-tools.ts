/**
 * Tools that need the agent's side: in a session they ask it (sampling, elicitation), without one they answer with
 * what they still need and go on when they are called again with it.
 */
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  type McpServer,
  type RequestStateCodec,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { text } from "./contents.ts";

const NOTHING = z.object({});

const Envelope = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({
    elicitation: z.unknown().optional(),
    sampling: z.unknown().optional(),
  }),
});

/** What a tool hands out to be given back. */
export interface State {
  readonly round: number;
}

const name = elicitation("What is your name?", { name: { type: "string" } });
const confirmation = elicitation("Please confirm", { ok: { type: "boolean" } });
const colour = elicitation("What is your favourite colour?", { color: { type: "string" } });

type Properties = Parameters<typeof inputRequired.elicit>[0]["requestedSchema"] extends infer Schema
  ? Extract<Schema, { properties: unknown }>["properties"]
  : never;

export function elicitation(
  message: string,
  properties: Properties,
): ReturnType<typeof inputRequired.elicit> {
  const requestedSchema = { type: "object" as const, properties, required: Object.keys(properties) };
  return inputRequired.elicit({ message, requestedSchema });
}

function sampling(prompt: string): ReturnType<typeof inputRequired.createMessage> {
  return inputRequired.createMessage({
    messages: [{ role: "user", content: text(prompt) }],
    maxTokens: 100,
  });
}

const DEFAULTS = {
  name: { type: "string", default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
  verified: { type: "boolean", default: true },
} as const;

const OPTIONS = ["option1", "option2", "option3"];
const TITLED = ["value1", "value2", "value3"].map((value) => ({ const: value, title: `The ${value}` }));

const CHOICES = {
  untitledSingle: { type: "string" as const, enum: OPTIONS },
  titledSingle: { type: "string" as const, oneOf: TITLED },
  legacyEnum: { type: "string" as const, enum: ["opt1", "opt2", "opt3"], enumNames: ["One", "Two", "Three"] },
  untitledMulti: { type: "array" as const, items: { type: "string" as const, enum: OPTIONS } },
  titledMulti: { type: "array" as const, items: { anyOf: TITLED } },
};

export function registerAskingTools(server: McpServer, states: RequestStateCodec<State>): void {
  registerSessionTools(server);
  registerSingleInputs(server);
  registerStatefulInputs(server, states);
}

function registerSessionTools(server: McpServer): void {
  server.registerTool(
    "test_sampling",
    { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, ctx) => {
      const { content } = await ctx.mcpReq.requestSampling({
        messages: [{ role: "user", content: text(prompt) }],
        maxTokens: 100,
      });
      return { content: [text(`The model said ${JSON.stringify(content)}`)] };
    },
  );
  const forms = {
    test_elicitation_sep1034_defaults: DEFAULTS,
    test_elicitation_sep1330_enums: CHOICES,
  };
  for (const [tool, properties] of Object.entries(forms)) {
    server.registerTool(
      tool,
      { description: "Asks for a form", inputSchema: NOTHING },
      async (_args, ctx) => {
        const answer = await ctx.mcpReq.elicitInput({
          message: "Please fill this in",
          requestedSchema: { type: "object", properties, required: [] },
        });
        return { content: [text(JSON.stringify(answer))] };
      },
    );
  }
  server.registerTool(
    "test_elicitation",
    { description: "Asks the user", inputSchema: z.object({ message: z.string() }) },
    async ({ message }, ctx) => {
      const answer = await ctx.mcpReq.elicitInput({
        message,
        requestedSchema: {
          type: "object",
          properties: { response: { type: "string" } },
          required: ["response"],
        },
      });
      return { content: [text(JSON.stringify(answer))] };
    },
  );
}

function registerSingleInputs(server: McpServer): void {
  const inputs = {
    test_input_required_result_elicitation: { user_name: name },
    test_input_required_result_sampling: { capital_question: sampling("What is the capital of France?") },
    test_input_required_result_list_roots: { client_roots: inputRequired.listRoots() },
    test_streaming_elicitation: { user_name: name },
    test_missing_capability: { question: sampling("Are you there?") },
  };
  for (const [tool, inputRequests] of Object.entries(inputs)) {
    server.registerTool(tool, { description: "Needs an input", inputSchema: NOTHING }, async (_args, ctx) => {
      const [key = ""] = Object.keys(inputRequests);
      return isAnswered(ctx.mcpReq.inputResponses, key)
        ? { content: [text(`${key} is there`)] }
        : inputRequired({ inputRequests });
    });
  }
  server.registerTool(
    "test_input_required_result_capabilities",
    { description: "Needs what the client can give", inputSchema: NOTHING },
    async (_args, ctx) => {
      const can = Envelope.parse(ctx.mcpReq.envelope)[CLIENT_CAPABILITIES_META_KEY];
      return inputRequired({
        inputRequests: {
          ...(can.elicitation !== undefined && { user_name: name }),
          ...(can.sampling !== undefined && { greeting: sampling("Say hello") }),
        },
      });
    },
  );
}

function registerStatefulInputs(server: McpServer, states: RequestStateCodec<State>): void {
  for (const tool of [
    "test_input_required_result_request_state",
    "test_input_required_result_tampered_state",
  ]) {
    server.registerTool(
      tool,
      { description: "Hands a state out", inputSchema: NOTHING },
      async (_args, ctx) => {
        const isBack = ctx.mcpReq.requestState<State>()?.round === 1;
        return isBack && isAnswered(ctx.mcpReq.inputResponses, "confirm")
          ? { content: [text("state-ok")] }
          : inputRequired({
              inputRequests: { confirm: confirmation },
              requestState: await states.mint({ round: 1 }),
            });
      },
    );
  }
  server.registerTool(
    "test_input_required_result_multiple_inputs",
    { description: "Needs several inputs at once", inputSchema: NOTHING },
    async (_args, ctx) => {
      const inputRequests = {
        user_name: name,
        greeting: sampling("Say hello"),
        client_roots: inputRequired.listRoots(),
      };
      return Object.keys(inputRequests).every((key) => isAnswered(ctx.mcpReq.inputResponses, key))
        ? { content: [text("all are there")] }
        : inputRequired({ inputRequests, requestState: await states.mint({ round: 1 }) });
    },
  );
  server.registerTool(
    "test_input_required_result_multi_round",
    { description: "Needs one input after the other", inputSchema: NOTHING },
    async (_args, ctx) => {
      const { round } = ctx.mcpReq.requestState<State>() ?? { round: 0 };
      const responses = ctx.mcpReq.inputResponses;
      if (round === 2 && acceptedContent(responses, "step2") !== undefined) {
        return { content: [text("both are there")] };
      }
      return round === 1 && acceptedContent(responses, "step1") !== undefined
        ? inputRequired({
            inputRequests: { step2: colour },
            requestState: await states.mint({ round: 2 }),
          })
        : inputRequired({ inputRequests: { step1: name }, requestState: await states.mint({ round: 1 }) });
    },
  );
}

function isAnswered(responses: Record<string, unknown> | undefined, key: string): boolean {
  const answer = responses?.[key];
  return typeof answer === "object" && answer !== null;
}
