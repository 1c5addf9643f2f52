/**
 * How much work a condition can be made to do, in characters looked at: known from its text and the size of what a call
 * sends, before anything is evaluated. A call that asks for more than the bound is not evaluated, and denied.
 */
import type { ASTNode } from "@marcbachmann/cel-js";

/** They iterate over a list, or over the keys of a map, with a variable of their own. */
export const ITERATIONS: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "filter", "map"]);

/** One or two tenths of a second, if every character is looked at and every step fails. */
const maxCharacters = 10_000_000;
/** A step of the evaluator that fails builds an error, with the place in the source. */
const charactersOfStep = 200;

/** What is seen of a condition alone. */
export interface Work {
  /** Each makes one more copy of what is sent. */
  readonly additions: number;
  /** Of all lists that the condition spells out. */
  readonly listItems: number;
  /** Of the bodies of all iterations. */
  readonly stepsOfItem: number;
  /** Those of them that look at arguments again for every item, however long they are. */
  readonly scansOfItem: number;
}

/** What is sent for it to look at. */
export interface Size {
  readonly values: number;
  /** All texts together, in UTF-16 code units. */
  readonly textLength: number;
}

export function measureWork(root: ASTNode): Work {
  const nodes = [...walkTree(root)];
  const bodies = nodes.flatMap((node) => [...walkBody(node)]);
  return {
    additions: nodes.filter(({ op }) => op === "+").length,
    listItems: nodes.reduce((sum, { op, args }) => sum + (op === "list" ? args.length : 0), 0),
    stepsOfItem: bodies.length,
    scansOfItem: bodies.filter((node) => scans.has(nameOf(node)) && looksAtArguments(node)).length,
  };
}

export function isBounded(work: Work, { values, textLength }: Size): boolean {
  const items = (values + work.listItems) * (1 + work.additions);
  const characters = work.stepsOfItem * charactersOfStep + work.scansOfItem * (values + textLength);
  return items * characters <= maxCharacters;
}

/** Operations whose cost grows with the length of what they are given. */
const scans: ReadonlySet<string> = new Set(["==", "!=", "in", "+", "size", "string", "contains"]);

function nameOf(node: ASTNode): string {
  return node.op === "call" || node.op === "rcall" ? node.args[0] : node.op;
}

/** An item of the list is looked at once; what comes from outside of the iteration, once for each item. */
function looksAtArguments(node: ASTNode): boolean {
  return walkTree(node).some(({ op, args }) => op === "id" && (args === "args" || args === "tool"));
}

function* walkBody(node: ASTNode): Generator<ASTNode> {
  if (node.op === "rcall" && ITERATIONS.has(node.args[0])) {
    for (const body of node.args[2].slice(1)) {
      yield* walkTree(body);
    }
  }
}

/** A node and everything below it. */
export function* walkTree(node: ASTNode): Generator<ASTNode> {
  yield node;
  const parts: readonly unknown[] = Array.isArray(node.args) ? node.args.flat() : [node.args];
  for (const part of parts) {
    if (isNode(part)) {
      yield* walkTree(part);
    }
  }
}

function isNode(part: unknown): part is ASTNode {
  return typeof part === "object" && part !== null && "op" in part && "args" in part;
}
