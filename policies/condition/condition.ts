/**
 * `when`: a CEL expression over one call. It holds only if it evaluates to `true`; whatever cannot be evaluated does not.
 * Numbers of a call are doubles, as JSON has them; whole numbers in an expression mix with them.
 */
import { Environment, EvaluationError, ParseError, type ParseResult, TypeError } from "@marcbachmann/cel-js";
import { readSyntax, type Syntax, SyntaxFault } from "./condition-syntax.ts";
import { convertArguments, sizePlainArguments, type ValueLimits } from "./condition-values.ts";
import { isBounded, type Size } from "./condition-work.ts";
import { compilePlain } from "./plain-evaluation.ts";
import { RUN_FACT_TYPES, type RunFacts } from "../run-facts.ts";

export interface ConditionFacts {
  readonly args: Readonly<Record<string, unknown>>;
  readonly tool: string;
  readonly server: string;
  readonly run: RunFacts;
  readonly robot: string;
  readonly agent: string;
  /** Calls of the session so far. */
  readonly calls: number;
}

export type Outcome = "true" | "false" | "error";

export interface Condition {
  readonly source: string;
  /** Never throws. */
  evaluate(facts: ConditionFacts): Outcome;
}

export type CompiledCondition =
  | { readonly ok: true; readonly condition: Condition }
  /** `offset` is a place in the source. */
  | { readonly ok: false; readonly message: string; readonly offset: number };

const maxSourceLength = 2_000;
const parserLimits = { maxAstNodes: 250, maxDepth: 32, maxListElements: 200 };
/** Nested types are remembered by the evaluator for good: their number doubles with each level. */
const maxDepth = 8;
const maxValues = 5_000;
/** Of all texts that are looked at, with every copy of them that an addition makes. */
const maxTextLength = 1024 * 1024;

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
    return { ok: true, condition: { source, evaluate: createEvaluator(expression, syntax) } };
  } catch (error) {
    const refused = refuse(error);
    return error instanceof ParseError && source[refused.offset] === "="
      ? { ...refused, message: "one = compares nothing: write ==" }
      : refused;
  }
}

/** What is plain is decided at once, by the same limits; the evaluator, twenty times slower, decides the rest. */
function createEvaluator(
  expression: ParseResult,
  { args: names, work }: Syntax,
): (facts: ConditionFacts) => Outcome {
  const limits: ValueLimits = {
    maxDepth,
    maxValues,
    maxTextLength: Math.floor(maxTextLength / (1 + work.additions)),
  };
  const isUsable = (size: Size): boolean =>
    size.values <= limits.maxValues && size.textLength <= limits.maxTextLength && isBounded(work, size);
  const evaluatePlain = compilePlain(expression.ast);

  const evaluateAny = (facts: ConditionFacts): Outcome => {
    const { args, size } = convertArguments({ args: facts.args, names }, limits);
    if (!isUsable(withTool(size, facts))) {
      return "error";
    }
    const { tool, server, run, robot, agent, calls } = facts;
    const session = new Map([["calls", calls]]);
    const result: unknown = expression(
      new Map<string, unknown>(Object.entries({ args, tool, server, run, robot, agent, session })),
    );
    return result === true ? "true" : result === false ? "false" : "error";
  };
  return (facts) => {
    try {
      const size = names && sizePlainArguments(facts.args, names);
      const plain = size && isUsable(withTool(size, facts)) ? evaluatePlain(facts) : undefined;
      return plain ?? evaluateAny(facts);
    } catch {
      // What an agent sends decides what goes wrong here, down to a stack overflow: all of it denies.
      return "error";
    }
  };
}

/** The name of what is asked for is the agent's text, too. */
function withTool({ values, textLength }: Size, { tool }: ConditionFacts): Size {
  return { values, textLength: textLength + tool.length };
}

function refuse(error: unknown): Extract<CompiledCondition, { ok: false }> {
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
    .registerVariable({ name: "run", schema: { ...RUN_FACT_TYPES } })
    .registerVariable({ name: "session", schema: { calls: "double" } });
  for (const name of ["tool", "server", "robot", "agent"]) {
    created.registerVariable(name, "string");
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
  // Exact, where a conversion would round; and no number equals one that is none.
  const equals = (a: bigint | number, b: bigint | number) => a <= b && a >= b;
  created.registerOperator("double == int: bool", equals);
  return created.registerOperator("double % double: double", arithmetic["%"]);
}
