/**
 * `roles.yaml` as a schema: roles, and the grants that they consist of.
 * Strict: an unknown key is an error. What needs more than one value to judge is checked when loading.
 */
import * as z from "zod/mini";
import { nameOf } from "./document-fields.ts";
import { ToolPattern } from "../tool-pattern.ts";

export const Grant = z.strictObject({
  server: nameOf("a server in servers.yaml"),
  tools: z.array(ToolPattern).check(z.minLength(1), z.describe("The tools that are granted.")),
  when: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.describe(
          "A CEL expression over args, tool, server, run, robot and agent; unless it is true, the call is denied.",
        ),
      ),
  ),
});
export type Grant = z.infer<typeof Grant>;

export const Role = z.strictObject({
  grants: z.array(Grant).check(z.minLength(1), z.describe("What the role allows: any one grant is enough.")),
});
export type Role = z.infer<typeof Role>;

export const RolesDocument = z.strictObject({
  roles: z.record(nameOf("a role"), Role).check(z.describe("The roles that bindings may give, by name.")),
});
