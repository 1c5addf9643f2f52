/**
 * A condition on plain arguments (texts, numbers, truth values and flat lists of them), decided without the evaluator.
 * Says nothing but what the evaluator would say: what it is not sure of, it leaves to that.
 */
import type { ASTNode } from "@marcbachmann/cel-js";
import type { ConditionFacts, Outcome } from "./condition.ts";

/** The evaluator throws here: something is asked for that is not there. */
const failed = Symbol("failed");
/** Only the evaluator knows. */
const unsure = Symbol("unsure");

/** `element` is the item of the list that is gone through, where there is one: iterations do not nest. */
type Evaluate = (facts: ConditionFacts, element: unknown) => unknown;

/** Undefined where the evaluator has to decide. The looked-at arguments have been found to be plain. */
export type EvaluatePlain = (facts: ConditionFacts) => Outcome | undefined;

export function compilePlain(root: ASTNode): EvaluatePlain {
  const evaluate = compileNode(root, undefined);
  return (facts) => {
    const value = evaluate(facts, undefined);
    return value === true ? "true" : value === false ? "false" : value === failed ? "error" : undefined;
  };
}

const leaveOpen: Evaluate = () => unsure;

function compileNode(node: ASTNode, variable: string | undefined): Evaluate {
  switch (node.op) {
    case "value":
      return compileLiteral(node.args);
    case "id":
      return compileVariable(node.args, variable);
    case ".":
      return compileField(node.args[0], node.args[1]);
    case "[]":
      return compileField(node.args[0], node.args[1].op === "value" ? node.args[1].args : undefined);
    case "!_": {
      const evaluate = compileNode(node.args, variable);
      return (facts, element) => {
        const value = evaluate(facts, element);
        return typeof value === "boolean" ? !value : value === failed ? failed : unsure;
      };
    }
    case "&&":
    case "||":
      return compileJunction(node.op === "||", node.args, variable);
    case "==":
      return compileComparison(node.args, variable, (left, right) => left === right);
    case "!=":
      return compileComparison(node.args, variable, (left, right) => left !== right);
    case "<":
      return compileOrder(node.args, variable, (left, right) => left < right);
    case "<=":
      return compileOrder(node.args, variable, (left, right) => left <= right);
    case ">":
      return compileOrder(node.args, variable, (left, right) => left > right);
    case ">=":
      return compileOrder(node.args, variable, (left, right) => left >= right);
    case "in":
      return compileMembership(node.args, variable);
    case "call":
      return compilePresence(node.args);
    case "rcall":
      return compileMethod(node.args, variable);
    default:
      return leaveOpen;
  }
}

/** A whole number that a double cannot hold is compared digit by digit: by the evaluator. */
function compileLiteral(value: unknown): Evaluate {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? () => number : leaveOpen;
  }
  return ["string", "number", "boolean"].includes(typeof value) ? () => value : leaveOpen;
}

function compileVariable(name: string, variable: string | undefined): Evaluate {
  switch (name) {
    case variable:
      return (_facts, element) => element;
    case "tool":
      return (facts) => facts.tool;
    case "server":
      return (facts) => facts.server;
    case "robot":
      return (facts) => facts.robot;
    case "agent":
      return (facts) => facts.agent;
    default:
      return leaveOpen;
  }
}

function compileField(from: ASTNode, name: unknown): Evaluate {
  if (from.op !== "id" || typeof name !== "string") {
    return leaveOpen;
  }
  switch (from.args) {
    case "args":
      return ({ args }) => (Object.hasOwn(args, name) ? args[name] : failed);
    case "run":
      return ({ run }) => run.get(name) ?? failed;
    case "session":
      return name === "calls" ? ({ calls }) => calls : leaveOpen;
    default:
      return leaveOpen;
  }
}

type Operands = readonly [ASTNode, ASTNode];

/** `decisive` is the value that settles it, whatever the other side is, even one that cannot be evaluated. */
function compileJunction(decisive: boolean, sides: Operands, variable: string | undefined): Evaluate {
  const left = compileNode(sides[0], variable);
  const right = compileNode(sides[1], variable);
  return (facts, element) => {
    const first = left(facts, element);
    if (first === decisive) {
      return decisive;
    }
    const second = right(facts, element);
    if (second === decisive) {
      return decisive;
    }
    if (typeof first === "boolean" && typeof second === "boolean") {
      return !decisive;
    }
    return isKnown(first) && isKnown(second) ? failed : unsure;
  };
}

const isKnown = (value: unknown): boolean => typeof value === "boolean" || value === failed;

function compileComparison(
  sides: Operands,
  variable: string | undefined,
  compare: (left: unknown, right: unknown) => boolean,
): Evaluate {
  const left = compileNode(sides[0], variable);
  const right = compileNode(sides[1], variable);
  return (facts, element) => {
    const first = left(facts, element);
    const second = right(facts, element);
    if (typeof first === typeof second && typeof first !== "object" && typeof first !== "symbol") {
      return compare(first, second);
    }
    return isFailure(first, second) ? failed : unsure;
  };
}

/** Both sides are always evaluated: one that fails is a failure, unless the other one is not known. */
function isFailure(first: unknown, second: unknown): boolean {
  return (first === failed || second === failed) && first !== unsure && second !== unsure;
}

function compileOrder(
  sides: Operands,
  variable: string | undefined,
  compare: <T extends string | number>(left: T, right: T) => boolean,
): Evaluate {
  const left = compileNode(sides[0], variable);
  const right = compileNode(sides[1], variable);
  return (facts, element) => {
    const first = left(facts, element);
    const second = right(facts, element);
    if (typeof first === "number" && typeof second === "number") {
      return compare(first, second);
    }
    if (typeof first === "string" && typeof second === "string") {
      return compare(first, second);
    }
    return isFailure(first, second) ? failed : unsure;
  };
}

/** A text in a list that the condition spells out. */
function compileMembership([item, list]: Operands, variable: string | undefined): Evaluate {
  const entries =
    list.op === "list" ? list.args.map((each) => (each.op === "value" ? each.args : unsure)) : [];
  if (list.op !== "list" || entries.some((entry) => typeof entry !== "string")) {
    return leaveOpen;
  }
  const known = new Set<unknown>(entries);
  const evaluate = compileNode(item, variable);
  return (facts, element) => {
    const value = evaluate(facts, element);
    return typeof value === "string" ? known.has(value) : value === failed ? failed : unsure;
  };
}

/** `has(args.name)` */
function compilePresence([name, [asked]]: readonly [string, readonly ASTNode[]]): Evaluate {
  if (name !== "has" || asked?.op !== "." || asked.args[0].op !== "id" || asked.args[0].args !== "args") {
    return leaveOpen;
  }
  const [, field] = asked.args;
  return ({ args }) => Object.hasOwn(args, field);
}

type MethodCall = readonly [string, ASTNode, readonly ASTNode[]];

function compileMethod(
  [name, receiver, [first, second]]: MethodCall,
  variable: string | undefined,
): Evaluate {
  const on = compileNode(receiver, variable);
  if (first === undefined) {
    return leaveOpen;
  }
  switch (name) {
    case "startsWith":
    case "endsWith":
    case "contains":
      return compileTextSearch(name, on, compileNode(first, variable));
    case "all":
    case "exists":
      return first.op === "id" && second !== undefined
        ? compileIteration(name === "exists", on, compileNode(second, first.args))
        : leaveOpen;
    default:
      return leaveOpen;
  }
}

const searches = {
  startsWith: (text: string, part: string) => text.startsWith(part),
  endsWith: (text: string, part: string) => text.endsWith(part),
  contains: (text: string, part: string) => text.includes(part),
};

function compileTextSearch(name: keyof typeof searches, on: Evaluate, part: Evaluate): Evaluate {
  const search = searches[name];
  return (facts, element) => {
    const text = on(facts, element);
    const wanted = part(facts, element);
    if (typeof text === "string" && typeof wanted === "string") {
      return search(text, wanted);
    }
    return isFailure(text, wanted) ? failed : unsure;
  };
}

/** `decisive` ends it; an item that fails matters only where none is decisive. */
function compileIteration(decisive: boolean, list: Evaluate, body: Evaluate): Evaluate {
  return (facts) => {
    const items = list(facts, undefined);
    if (!Array.isArray(items)) {
      return items === failed ? failed : unsure;
    }
    let outcome: unknown = !decisive;
    for (const item of items) {
      const value = body(facts, item);
      if (value === decisive) {
        return decisive;
      }
      if (value !== !decisive && outcome !== unsure) {
        outcome = value === failed ? failed : unsure;
      }
    }
    return outcome;
  };
}
