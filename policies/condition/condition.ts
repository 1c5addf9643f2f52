/**
 * `when`: a CEL expression over one call. It holds only if it evaluates to `true`; whatever cannot be evaluated does not.
 * Numbers of a call are doubles, as JSON has them; whole numbers in an expression mix with them.
 */
import { Environment, EvaluationError, ParseError, TypeError } from "@marcbachmann/cel-js";
import { CONDITION_VARIABLES, readSyntax, SyntaxFault } from "./condition-syntax.ts";
import { convertArguments, type ValueLimits } from "./condition-values.ts";
import { RUN_FACT_TYPES, type RunFacts } from "../run-facts.ts";

interface ConditionFacts {
  readonly args: Readonly<Record<string, unknown>>;
  readonly tool: string;
  readonly server: string;
  readonly run: RunFacts;
  readonly robot: string;
  readonly agent: string;
}

export interface Condition {
  readonly source: string;
  /** Never throws. */
  evaluate(facts: ConditionFacts): "true" | "false" | "error";
}

export type CompiledCondition =
  | { readonly ok: true; readonly condition: Condition }
  /** `offset` is a place in the source. */
  | { readonly ok: false; readonly message: string; readonly offset: number };

const maxSourceLength = 2_000;
const parserLimits = { maxAstNodes: 250, maxDepth: 32, maxListElements: 200 };
/** Nested types are remembered by the evaluator for good: their number doubles with each level. */
const valueLimits: ValueLimits = { maxValues: 5_000, maxTextLength: 1024 * 1024, maxDepth: 8 };
const iterationLimits: ValueLimits = { ...valueLimits, maxTextLength: 64 * 1024 };

let environment: Environment | undefined;

export function compileCondition(source: string): CompiledCondition {
  if (source.length > maxSourceLength) {
    return { ok: false, message: `the condition is longer than ${maxSourceLength} characters`, offset: 0 };
  }
  environment ??= createEnvironment();
  try {
    const expression = environment.parse(source);
    const syntax = readSyntax(expression.ast);
    const checked = expression.check();
    if (checked.error !== undefined) {
      return refuse(checked.error);
    }
    if (checked.type !== "bool" && checked.type !== "dyn") {
      const message = `a condition is true or false, but this is of type ${checked.type}`;
      return { ok: false, message, offset: 0 };
    }
    const limits = syntax.iteratesOverText ? iterationLimits : valueLimits;
    const evaluate = (facts: ConditionFacts): "true" | "false" | "error" => {
      try {
        const args = convertArguments({ args: facts.args, names: syntax.args, limits });
        const variables = { ...facts, args };
        const result: unknown = expression(
          new Map(CONDITION_VARIABLES.map((name) => [name, variables[name]])),
        );
        return result === true ? "true" : result === false ? "false" : "error";
      } catch {
        // What an agent sends decides what goes wrong here, down to a stack overflow: all of it denies.
        return "error";
      }
    };
    return { ok: true, condition: { source, evaluate } };
  } catch (error) {
    return refuse(error);
  }
}

function refuse(error: unknown): CompiledCondition {
  if (error instanceof SyntaxFault) {
    return { ok: false, message: error.message, offset: error.offset };
  }
  if (error instanceof ParseError || error instanceof TypeError || error instanceof EvaluationError) {
    return { ok: false, message: error.summary, offset: error.range?.start ?? 0 };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { ok: false, message: `the condition cannot be compiled: ${reason}`, offset: 0 };
}

function createEnvironment(): Environment {
  const created = new Environment({ limits: parserLimits, homogeneousAggregateLiterals: false })
    .registerVariable("args", "map<string, dyn>")
    .registerVariable({ name: "run", schema: { ...RUN_FACT_TYPES } });
  for (const name of CONDITION_VARIABLES) {
    if (name !== "args" && name !== "run") {
      created.registerVariable(name, "string");
    }
  }
  const arithmetic = {
    "+": (a: number, b: number) => a + b,
    "-": (a: number, b: number) => a - b,
    "*": (a: number, b: number) => a * b,
    "/": (a: number, b: number) => a / b,
    "%": (a: number, b: number) => a % b,
  };
  for (const [sign, calculate] of Object.entries(arithmetic)) {
    const mixed = (a: bigint | number, b: bigint | number) => calculate(Number(a), Number(b));
    created.registerOperator(`int ${sign} double: double`, mixed);
    created.registerOperator(`double ${sign} int: double`, mixed);
  }
  return created.registerOperator("double % double: double", arithmetic["%"]);
}
