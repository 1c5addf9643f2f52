import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { renderJsonSchemas } from "../../policies/json-schema.ts";

const root = join(import.meta.dirname, "../..");

describe("the JSON Schemas of the policy documents", () => {
  it.each(renderJsonSchemas())(
    "$path is what the schemas say: `npm run generate` writes it",
    async ({ path, text }) => {
      expect(await readFile(join(root, path), "utf8")).toBe(text);
    },
  );

  it("describe every key and know no key beside those", () => {
    const Node = z.object({
      description: z.string().optional(),
      additionalProperties: z.unknown().optional(),
      properties: z.record(z.string(), z.unknown()).optional(),
      items: z.unknown().optional(),
    });
    const silent: string[] = [];
    const open: string[] = [];
    const visit = (value: unknown, path: string): void => {
      const node = Node.safeParse(value).data;
      if (node === undefined) {
        return;
      }
      if (node.properties !== undefined && node.additionalProperties !== false) {
        open.push(path);
      }
      for (const [key, inner] of Object.entries(node.properties ?? {})) {
        if (Node.parse(inner).description === undefined) {
          silent.push(`${path}.${key}`);
        }
        visit(inner, `${path}.${key}`);
      }
      visit(node.items, `${path}[]`);
      visit(node.additionalProperties, `${path}.*`);
    };
    for (const { path, text } of renderJsonSchemas()) {
      visit(JSON.parse(text), path);
    }
    expect(silent).toEqual([]);
    expect(open).toEqual([]);
  });
});
