/**
 * Finds the schema of one place in a document, for what a message wants to tell about it.
 */
import * as z from "zod/mini";
import type { Path } from "./problem.ts";

type Schema = z.core.$ZodType;

function unwrapOptional(schema: Schema | undefined): Schema | undefined {
  return schema instanceof z.ZodMiniOptional ? schema.def.innerType : schema;
}

/**
 * The schema at a path, `optional` removed; undefined where the document has no such place. Of several that one member
 * tells apart, it is the one that `data` says.
 */
export function findSchema(root: Schema, path: Path, data: unknown): Schema | undefined {
  let [schema, value]: [Schema | undefined, unknown] = [root, data];
  for (const step of path) {
    schema = findInner(chooseOption(schema, value), step);
    value = memberOf(value, step);
  }
  return chooseOption(schema, value) ?? schema;
}

/** Undefined where there is none. */
export function memberOf(data: unknown, step: string | number): unknown {
  return new Map<string, unknown>(typeof data === "object" && data !== null ? Object.entries(data) : []).get(
    String(step),
  );
}

/** What the member can say that tells the schemas of a union apart; none where it is no such union. */
export function listOptions(schema: Schema | undefined): string[] {
  const union = unionOf(schema);
  return union === undefined ? [] : union.options.flatMap((option) => namesOf(option, union.discriminator));
}

interface Union {
  readonly options: readonly Schema[];
  readonly discriminator: string;
}

function unionOf(schema: Schema | undefined): Union | undefined {
  return schema instanceof z.core.$ZodDiscriminatedUnion
    ? { options: schema._zod.def.options, discriminator: schema._zod.def.discriminator }
    : undefined;
}

function chooseOption(schema: Schema | undefined, data: unknown): Schema | undefined {
  const union = unionOf(schema);
  if (union === undefined) {
    return schema;
  }
  const said = memberOf(data, union.discriminator);
  return union.options.find(
    (option) => typeof said === "string" && namesOf(option, union.discriminator).includes(said),
  );
}

function namesOf(option: Schema, discriminator: string): string[] {
  const literal = findInner(option, discriminator);
  return literal instanceof z.ZodMiniLiteral ? [...literal.def.values].map(String) : [];
}

function findInner(schema: Schema | undefined, step: string | number): Schema | undefined {
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
}

/** The keys that exist there. */
export function listKeys(schema: Schema | undefined): string[] {
  return schema instanceof z.ZodMiniObject ? Object.keys(schema.def.shape) : [];
}

export function findDescription(schema: Schema | undefined): string | undefined {
  return schema === undefined ? undefined : z.globalRegistry.get(schema)?.description;
}

/** Whether what stands there could be a secret, which no message repeats. */
export function isConcealed(schema: Schema | undefined): boolean {
  return schema !== undefined && z.globalRegistry.get(schema)?.["writeOnly"] === true;
}
