/**
 * Finds the schema of one place in a document, for what a message wants to tell about it.
 */
import * as z from "zod/mini";
import type { Path } from "./problem.ts";

type Schema = z.core.$ZodType;

function unwrapOptional(schema: Schema | undefined): Schema | undefined {
  return schema instanceof z.ZodMiniOptional ? schema.def.innerType : schema;
}

/** The schema at a path, `optional` removed; undefined where the document has no such place. */
export function findSchema(root: Schema, path: Path): Schema | undefined {
  return path.reduce<Schema | undefined>((schema, step) => {
    if (schema instanceof z.ZodMiniObject) {
      const shape = new Map<string, Schema>(Object.entries(schema.def.shape));
      return unwrapOptional(shape.get(String(step)));
    }
    if (schema instanceof z.ZodMiniRecord) {
      return unwrapOptional(schema.def.valueType);
    }
    if (schema instanceof z.ZodMiniArray) {
      return unwrapOptional(schema.def.element);
    }
    return undefined;
  }, root);
}

/** The keys that exist there. */
export function listKeys(schema: Schema | undefined): string[] {
  return schema instanceof z.ZodMiniObject ? Object.keys(schema.def.shape) : [];
}

export function findDescription(schema: Schema | undefined): string | undefined {
  return schema === undefined ? undefined : z.globalRegistry.get(schema)?.description;
}
