/**
 * A harness that runs the steps of one job by the rules of GitHub's runner: the inputs, the files of each step, state,
 * masks, post steps in reverse order whatever happened, cancellation, and the end of everything that was left running.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type Action, inputVariables, readAction } from "./runner/action-file.ts";
import { type Leftover, endLeftovers } from "./runner/leftovers.ts";
import { type Collected, createStepFiles } from "./runner/step-files.ts";
import { type Annotation, Masks, StepOutput } from "./runner/step-output.ts";
import { runProcess } from "./runner/step-process.ts";

interface StepBase {
  readonly id?: string;
  /** For this step alone. */
  readonly env?: Readonly<Record<string, string>>;
  readonly continueOnError?: boolean;
}
/** `uses`: the folder of an action. */
export interface ActionStep extends StepBase {
  readonly uses: string;
  readonly with?: Readonly<Record<string, string>>;
}
/** `run`: a command and its arguments, without a shell. */
interface CommandStep extends StepBase {
  readonly run: (job: JobContext) => readonly string[];
}
/** `call`: work in this process, in a step's place. Throwing fails the step. */
interface CallStep extends StepBase {
  readonly call: (job: JobContext) => Promise<void>;
}
export type Step = ActionStep | CommandStep | CallStep;

/** What a step can refer to. */
interface JobContext {
  /** Of an earlier step; empty when there is none of this id. */
  readonly outputs: (step: string) => Readonly<Record<string, string>>;
  /** What a step's process is started with. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly runnerTemp: string;
}

export interface JobOptions {
  readonly steps: readonly Step[];
  /** The runner's work folder: `_temp`, which is emptied first, and the workspace are made in it. */
  readonly folder: string;
  /** Of the job: see `variablesOfJob`; with `id-token: write` the two of the OIDC endpoint; PATH, HOME. */
  readonly environment: Readonly<Record<string, string>>;
  /** Each line as the job's log shows it, with the step it is of. */
  readonly onLine?: (line: string, step: string) => void;
  /** Cancels the job: the running step is interrupted, the others are skipped, post steps run. */
  readonly signal?: AbortSignal;
}

export interface StepResult {
  readonly step: string;
  readonly phase: "main" | "post";
  readonly outcome: "success" | "failure" | "cancelled" | "skipped";
  readonly exitCode: number | null;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly annotations: readonly Annotation[];
  /** With masks applied. */
  readonly output: string;
  readonly outputHeld: boolean;
  readonly durationMs: number;
}

export interface JobResult {
  readonly conclusion: "success" | "failure" | "cancelled";
  /** In the order they ran. */
  readonly steps: readonly StepResult[];
  /** Processes that had to be ended after the last step. */
  readonly leftovers: readonly Leftover[];
}

export async function runJob(options: JobOptions): Promise<JobResult> {
  const runner = await Runner.start(options);
  return runner.run();
}

/** The id of the first use of this action in a job, to look its result up. */
export function findStep(result: JobResult, step: string, phase: StepResult["phase"] = "main"): StepResult {
  const found = result.steps.find((candidate) => candidate.step === step && candidate.phase === phase);
  if (found === undefined) throw new Error(`no ${phase} of step ${step} ran`);
  return found;
}

interface Post {
  readonly step: ActionStep;
  readonly name: string;
  readonly action: Action;
  state: Readonly<Record<string, string>>;
}

class Runner {
  readonly #options: JobOptions;
  readonly #masks = new Masks();
  readonly #trackingId = `github_${randomUUID()}`;
  readonly #results: StepResult[] = [];
  readonly #posts: Post[] = [];
  readonly #outputs = new Map<string, Readonly<Record<string, string>>>();
  readonly #places: { readonly runnerTemp: string; readonly workspace: string };
  #added: Record<string, string> = {};
  #paths: string[] = [];
  #failed = false;

  private constructor(options: JobOptions, places: { runnerTemp: string; workspace: string }) {
    this.#options = options;
    this.#places = places;
  }

  static async start(options: JobOptions): Promise<Runner> {
    const runnerTemp = join(options.folder, "_temp");
    const workspace = join(options.folder, "workspace");
    await rm(runnerTemp, { recursive: true, force: true });
    await mkdir(runnerTemp, { recursive: true });
    await mkdir(workspace, { recursive: true });
    return new Runner(options, { runnerTemp, workspace });
  }

  async run(): Promise<JobResult> {
    for (const [index, step] of this.#options.steps.entries()) {
      const name = step.id ?? `step-${index + 1}`;
      if (this.#failed || this.#isCancelled) this.#results.push(skipped(name));
      else await this.#runMain(name, step);
    }
    for (const post of this.#posts.reverse()) await this.#runPost(post);
    const leftovers = await endLeftovers(this.#trackingId);
    const conclusion = this.#isCancelled ? "cancelled" : this.#failed ? "failure" : "success";
    return { conclusion, steps: this.#results, leftovers };
  }

  get #isCancelled(): boolean {
    return this.#options.signal?.aborted === true;
  }

  async #runMain(name: string, step: Step): Promise<void> {
    if (!("uses" in step)) {
      await this.#runStep({ name, step, phase: "main", execute: (run) => this.#execute(step, run) });
      return;
    }
    const action = await readAction(step.uses);
    const post: Post = { step, name, action, state: {} };
    // Before main runs: post comes after a main that failed, too.
    if (action.post !== undefined) this.#posts.push(post);
    const { state } = await this.#runNode({ post, phase: "main", file: action.main });
    post.state = state;
  }

  async #runPost(post: Post): Promise<void> {
    if (post.action.post !== undefined) await this.#runNode({ post, phase: "post", file: post.action.post });
  }

  #runNode({ post, phase, file }: { post: Post; phase: StepResult["phase"]; file: string }) {
    const { step, name, action } = post;
    const state = Object.fromEntries(
      Object.entries(post.state).map(([key, value]) => [`STATE_${key}`, value]),
    );
    const variables = {
      ...inputVariables(action, step.with ?? {}),
      ...state,
      GITHUB_ACTION: name,
      GITHUB_ACTION_PATH: action.directory,
    };
    const execute = (run: StepRun) =>
      this.#runCommand([process.execPath, file], {
        ...run,
        environment: { ...run.environment, ...variables },
      });
    return this.#runStep({ name, step, phase, execute });
  }

  async #execute(step: CommandStep | CallStep, run: StepRun): Promise<Execution> {
    const { environment } = run;
    const context: JobContext = {
      ...this.#places,
      environment,
      outputs: (id) => this.#outputs.get(id) ?? {},
    };
    if ("run" in step) return this.#runCommand(step.run(context), run);
    await step.call(context);
    return { exitCode: 0, outputHeld: false };
  }

  #runCommand(command: readonly string[], { environment, output, signal }: StepRun): Promise<Execution> {
    const onLine = (line: string): void => output.addLine(line);
    return runProcess({ command, cwd: this.#places.workspace, environment, onLine, signal });
  }

  async #runStep({ name, step, phase, execute }: StepPlan): Promise<Collected> {
    const files = await createStepFiles(this.#places.runnerTemp);
    const output = new StepOutput(this.#masks, (line) => this.#options.onLine?.(line, name));
    const environment = { ...this.#environment(), ...step.env, ...files.variables };
    // A post step is not interrupted by the cancellation that it follows.
    const signal = phase === "main" ? this.#options.signal : undefined;
    const startedAt = performance.now();
    let execution: Execution;
    try {
      execution = await execute({ environment, output, signal });
    } catch (cause) {
      output.addLine(`::error::${cause instanceof Error ? cause.message : "the step failed"}`);
      execution = { exitCode: 1, outputHeld: false };
    }
    const durationMs = performance.now() - startedAt;
    const collected = await files.collect();
    for (const error of collected.errors) output.addLine(`::error::${error}`);
    const failed = execution.exitCode !== 0;
    const outcome = failed ? (signal?.aborted === true ? "cancelled" : "failure") : "success";
    if (failed && step.continueOnError !== true) this.#failed = true;
    if (phase === "main") this.#outputs.set(name, collected.outputs);
    this.#added = { ...this.#added, ...collected.environment };
    this.#paths = [...collected.paths, ...this.#paths];
    this.#results.push({
      step: name,
      phase,
      outcome,
      ...execution,
      outputs: collected.outputs,
      state: collected.state,
      summary: collected.summary,
      annotations: output.annotations,
      output: output.text,
      durationMs,
    });
    return collected;
  }

  #environment(): Record<string, string> {
    const { runnerTemp, workspace } = this.#places;
    const environment: Record<string, string> = {
      ...this.#options.environment,
      ...this.#added,
      GITHUB_WORKSPACE: workspace,
      RUNNER_TEMP: runnerTemp,
      RUNNER_TRACKING_ID: this.#trackingId,
    };
    const path = [...this.#paths, environment["PATH"] ?? ""].filter((part) => part !== "");
    return { ...environment, PATH: path.join(delimiter) };
  }
}

interface StepRun {
  readonly environment: Readonly<Record<string, string>>;
  readonly output: StepOutput;
  readonly signal: AbortSignal | undefined;
}

interface Execution {
  readonly exitCode: number | null;
  readonly outputHeld: boolean;
}

interface StepPlan {
  readonly name: string;
  readonly step: Step;
  readonly phase: StepResult["phase"];
  readonly execute: (run: StepRun) => Promise<Execution>;
}

function skipped(step: string): StepResult {
  return {
    step,
    phase: "main",
    outcome: "skipped",
    exitCode: null,
    outputs: {},
    state: {},
    summary: "",
    annotations: [],
    output: "",
    outputHeld: false,
    durationMs: 0,
  };
}
