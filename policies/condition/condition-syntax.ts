/**
 * The part of CEL that a condition may use, as a closed list, and what of the arguments it looks at.
 * No regular expressions, no map literals, no nested iteration: evaluation is bounded by its input, whoever wrote that.
 */
import type { ASTNode } from "@marcbachmann/cel-js";
import { suggestNames } from "../documents/nearest-name.ts";
import { RUN_FACT_TYPES } from "../run-facts.ts";
import { ITERATIONS, measureWork, walkTree, type Work } from "./condition-work.ts";

const CONDITION_VARIABLES = ["args", "tool", "server", "run", "robot", "agent", "session"] as const;

const runFacts = new Set(Object.keys(RUN_FACT_TYPES));
const functions = new Set(["has", "size", "string"]);
const methods = new Set(["startsWith", "endsWith", "contains", "size"]);

export interface Syntax {
  /** The arguments that are looked at; undefined: all of them. */
  readonly args: readonly string[] | undefined;
  readonly work: Work;
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

  const visit = (node: ASTNode, variable: string | undefined): void => {
    const fail = (message: string): never => {
      throw new SyntaxFault(message, node.start);
    };
    const visitAll = (nodes: readonly ASTNode[], bound = variable): void => {
      for (const each of nodes) {
        visit(each, bound);
      }
    };
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
        visitAll(given);
        return;
      }
      case "rcall": {
        const [name, receiver, given] = node.args;
        visit(receiver, variable);
        if (ITERATIONS.has(name)) {
          const [own, ...bodies] = given;
          if (own?.op !== "id" || isVariable(own.args)) {
            return fail(`${name}() wants a variable of its own first: list.${name}(item, …)`);
          }
          if (variable !== undefined) {
            fail(`${name}() cannot stand inside another iteration: its cost would multiply`);
          }
          if (walkTree(receiver).some(isMap)) {
            fail(`${name}() cannot go over what map() makes: put both into one iteration`);
          }
          visitAll(bodies, own.args);
          return;
        }
        if (!methods.has(name)) {
          fail(`there is no method .${name}(): ${suggestNames(name, [...methods, ...ITERATIONS])}`);
        }
        if (name === "contains" && !given.every(isShort)) {
          fail("contains() looks for a text that is spelled out, or for a fact of the run: write it here");
        }
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
  return { args: wholeArgs ? undefined : [...args], work: measureWork(root) };
}

/** One could follow another, each making what the next one makes twice of. */
function isMap({ op, args }: ASTNode): boolean {
  return op === "rcall" && args[0] === "map";
}

/** To look for one text in another can cost the product of their lengths: who calls must not choose both. */
function isShort(node: ASTNode): boolean {
  const from = node.op === "." ? node.args[0] : node;
  return node.op === "value" || (from.op === "id" && ["run", "robot", "server"].includes(from.args));
}

function isVariable(name: string): boolean {
  return CONDITION_VARIABLES.some((variable) => variable === name);
}
