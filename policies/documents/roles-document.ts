/**
 * `roles.yaml` as a schema: roles, and the grants that they consist of.
 * Strict: an unknown key is an error. What needs more than one value to judge is checked when loading.
 */
import * as z from "zod/mini";
import { Ask } from "../asks.ts";
import { atMost, nameOf, namesAtMost } from "./document-fields.ts";
import { ReadLabel, WriteLabel } from "../labels.ts";
import { ResourcePattern } from "../resource-pattern.ts";
import { ArgumentsInLog, SecretsInResult, TextInResult } from "../session-policy.ts";
import { ToolPattern } from "../tool-pattern.ts";

/** One of these at least; that is checked when loading. */
const Named = {
  tools: z.optional(
    z
      .array(ToolPattern)
      .check(
        z.minLength(1),
        atMost(1_000, "tools"),
        z.describe("The tools that are granted: [get_issue, list_*]."),
      ),
  ),
  resources: z.optional(
    z
      .array(ResourcePattern)
      .check(
        z.minLength(1),
        atMost(1_000, "resources"),
        z.describe('The resources that are granted: ["repo://{run.repository}/*"].'),
      ),
  ),
  prompts: z.optional(
    z
      .array(ToolPattern)
      .check(
        z.minLength(1),
        atMost(1_000, "prompts"),
        z.describe("The prompts that are granted: [review, fix_*]."),
      ),
  ),
  asks: z.optional(
    z
      .array(Ask)
      .check(
        z.minLength(1),
        z.describe(
          "What the server may ask of the agent, or tell it: sampling, elicitation, roots, logging; nothing of it by default.",
        ),
      ),
  ),
};

const Limit = z.strictObject({
  calls: z
    .int()
    .check(
      z.minimum(1, "expected at least 1: a grant that allows no call is better removed"),
      z.maximum(1_000_000, "expected at most 1000000: a limit that nothing reaches is better removed"),
      z.describe("How many calls of a session this grant allows, of all agents together."),
    ),
});

export const Grant = z
  .strictObject({
    server: nameOf("a server in servers.yaml"),
    ...Named,
    when: z.optional(
      z
        .string()
        .check(
          z.minLength(1),
          z.describe(
            "A CEL expression over args, tool, server, run, robot, agent and session; unless it is true, the call is denied.",
          ),
        ),
    ),
    limit: z.optional(Limit.check(z.describe("How often the grant can be used."))),
    audit: z.optional(
      z
        .strictObject({
          arguments: ArgumentsInLog.check(
            z.describe(
              "full: with secrets replaced (default). redacted: the names of arguments alone. digest: neither, only their salted digest.",
            ),
          ),
        })
        .check(z.describe("How much of the calls the log holds, where it is not everything.")),
    ),
    inspect: z.optional(
      z
        .strictObject({
          secrets: z.optional(
            SecretsInResult.check(
              z.describe(
                "redact: what is or looks like a secret is replaced (default). pass: it reaches the agent.",
              ),
            ),
          ),
          text: z.optional(
            TextInResult.check(
              z.describe(
                "clean: without terminal escapes and characters that nobody sees (default). pass: as the server sent it.",
              ),
            ),
          ),
        })
        .check(
          z.describe("What is done with results before the agent has them, where it is not everything."),
        ),
    ),
  })
  .register(z.globalRegistry, {
    description: "What is granted on one server: tools, resources, prompts, or what it may ask of the agent.",
    anyOf: [
      { required: ["tools"] },
      { required: ["resources"] },
      { required: ["prompts"] },
      { required: ["asks"] },
    ],
  });
export type Grant = z.infer<typeof Grant>;

export const FlowRule = z.strictObject({
  after: z
    .array(ReadLabel)
    .check(
      z.minLength(1),
      atMost(10, "labels"),
      z.describe("Once the session has asked for content with one of these labels …"),
    ),
  deny: z
    .array(WriteLabel)
    .check(
      z.minLength(1),
      atMost(10, "labels"),
      z.describe("… what writes to one of these is gone, for all agents, until it ends."),
    ),
});
export type FlowRule = z.infer<typeof FlowRule>;

export const Role = z.strictObject({
  grants: z
    .array(Grant)
    .check(
      z.minLength(1),
      atMost(1_000, "grants"),
      z.describe("What the role allows: any one grant is enough."),
    ),
  flow: z.optional(
    z
      .array(FlowRule)
      .check(
        z.minLength(1),
        atMost(20, "flow rules"),
        z.describe("What a session that has this role loses by what it reads, whichever role granted it."),
      ),
  ),
});
export type Role = z.infer<typeof Role>;

export const RolesDocument = z.strictObject({
  roles: z
    .record(nameOf("a role"), Role)
    .check(namesAtMost(1_000, "roles"), z.describe("The roles that bindings may give, by name.")),
});
export type RolesDocument = z.infer<typeof RolesDocument>;
