/**
 * The part of CEL that a condition may use, as a closed list, and what of the arguments it looks at.
 * No regular expressions, no map literals, no nested iteration: evaluation is bounded by its input, whoever wrote that.
 */
import type { ASTNode } from "@marcbachmann/cel-js";
import { suggestNames } from "../documents/nearest-name.ts";
import { RUN_FACT_TYPES } from "../run-facts.ts";

export const CONDITION_VARIABLES = ["args", "tool", "server", "run", "robot", "agent"] as const;

const runFacts = new Set(Object.keys(RUN_FACT_TYPES));
const functions = new Set(["has", "size", "string"]);
const methods = new Set(["startsWith", "endsWith", "contains", "size"]);
/** They iterate over a list, or over the keys of a map, with a variable of their own. */
const iterations = new Set(["all", "exists", "exists_one", "filter", "map"]);
/** Work whose cost grows with the length of a text: repeated for every element, it wants shorter texts. */
const textWork = new Set(["contains", "size", "string", "+"]);

export interface Syntax {
  /** The arguments that are looked at; undefined: all of them. */
  readonly args: ReadonlySet<string> | undefined;
  readonly iteratesOverText: boolean;
}

export class SyntaxFault extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Throws `SyntaxFault` at the first thing that is not on the list. */
export function readSyntax(root: ASTNode): Syntax {
  const args = new Set<string>();
  let wholeArgs = false;
  let iteratesOverText = false;

  const visit = (node: ASTNode, variable: string | undefined): void => {
    const fail = (message: string): never => {
      throw new SyntaxFault(message, node.start);
    };
    const visitAll = (nodes: readonly ASTNode[], bound = variable): void => {
      for (const each of nodes) {
        visit(each, bound);
      }
    };
    iteratesOverText ||= variable !== undefined && textWork.has(node.op);
    switch (node.op) {
      case "value":
        if (typeof node.args === "object" && node.args !== null) {
          fail("bytes and unsigned numbers do not exist in a call: write text or a plain number");
        }
        return;
      case "id":
        wholeArgs ||= node.args === "args";
        if (node.args !== variable && !isVariable(node.args)) {
          fail(`unknown variable "${node.args}": ${suggestNames(node.args, CONDITION_VARIABLES)}`);
        }
        return;
      case ".":
      case "[]": {
        const [from, field] = node.args;
        const name = typeof field === "string" ? field : field.op === "value" ? field.args : undefined;
        if (from.op === "id" && from.args === "args" && typeof name === "string") {
          args.add(name);
          return;
        }
        if (from.op === "id" && from.args === "run" && typeof name === "string" && !runFacts.has(name)) {
          fail(`a run has no "${name}": ${suggestNames(name, runFacts)}`);
        }
        visitAll(typeof field === "string" ? [from] : [from, field]);
        return;
      }
      case "call": {
        const [name, given] = node.args;
        if (!functions.has(name)) {
          fail(`there is no function ${name}(): ${suggestNames(name, functions)}`);
        }
        iteratesOverText ||= variable !== undefined && textWork.has(name);
        visitAll(given);
        return;
      }
      case "rcall": {
        const [name, receiver, given] = node.args;
        visit(receiver, variable);
        if (iterations.has(name)) {
          const [own, ...bodies] = given;
          if (own?.op !== "id" || isVariable(own.args)) {
            return fail(`${name}() wants a variable of its own first: list.${name}(item, …)`);
          }
          if (variable !== undefined) {
            fail(`${name}() cannot stand inside another iteration: its cost would multiply`);
          }
          visitAll(bodies, own.args);
          return;
        }
        if (!methods.has(name)) {
          fail(`there is no method .${name}(): ${suggestNames(name, [...methods, ...iterations])}`);
        }
        iteratesOverText ||= variable !== undefined && textWork.has(name);
        visitAll(given);
        return;
      }
      case "list":
        visitAll(node.args);
        return;
      case "!_":
      case "-_":
        visit(node.args, variable);
        return;
      case "map":
        return fail("map literals are not available: compare single fields");
      case ".?":
      case "[?]":
        return fail("optional access is not available: use has()");
      default:
        visitAll(node.args);
    }
  };

  visit(root, undefined);
  return { args: wholeArgs ? undefined : args, iteratesOverText };
}

function isVariable(name: string): boolean {
  return CONDITION_VARIABLES.some((variable) => variable === name);
}
