/**
 * A call and the run it is made in, as somebody typed them: names and shapes are checked, what they mean is not.
 */
import { readFile } from "node:fs/promises";
import type { Call, Target } from "../../../policies/decision.ts";
import type { RunShape } from "../../../policies/authoring/run-fixture.ts";
import { parseStrictObject } from "../../identity/strict-json.ts";
import { NoAnswer } from "./answer.ts";

export interface CallOptions {
  readonly robot?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly resource?: string;
  readonly prompt?: string;
  readonly ask?: string;
  readonly args?: string;
  readonly agent: string;
  readonly after?: readonly string[];
  readonly binding?: string;
  readonly event?: string;
  readonly ref?: string;
  readonly baseRef?: string;
  readonly workflow?: string;
  readonly environment?: string;
  readonly runner?: string;
  readonly claims?: string;
  readonly roles?: string;
}

export interface AskedCall {
  readonly call: Call;
  readonly earlier: readonly { readonly call: Call; readonly times: number }[];
  readonly robot: string | undefined;
  readonly roles: readonly string[] | undefined;
  /** Counted from 1. */
  readonly binding: number;
  readonly run: { readonly [Key in keyof RunShape]?: RunShape[Key] | undefined };
  readonly claims: Readonly<Record<string, unknown>>;
}

const aboutCalls = [
  "args",
  "after",
  "binding",
  "event",
  "ref",
  "baseRef",
  "workflow",
  "environment",
  "runner",
  "claims",
  "roles",
] as const;

/** Undefined where no call is asked about. */
export async function readAskedCall(options: CallOptions): Promise<AskedCall | undefined> {
  const { robot, server, roles, agent } = options;
  const named = (["tool", "resource", "prompt", "ask"] as const).filter(
    (kind) => options[kind] !== undefined,
  );
  const [kind] = named;
  if (named.length > 1) {
    throw new NoAnswer(`--${named.join(" and --")}: name one of them`);
  }
  if (server === undefined || kind === undefined || (robot === undefined && roles === undefined)) {
    const stray = aboutCalls.find((key) => options[key] !== undefined);
    if (stray !== undefined) {
      const name = stray.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      throw new NoAnswer(
        `--${name} is about one call: name it with --robot (or --roles), --server and --tool (or --resource, --prompt, --ask)`,
      );
    }
    return undefined;
  }
  const { event, ref, workflow, environment, runner } = options;
  return {
    call: { server, kind, name: options[kind] ?? "", args: await readArguments(options.args), agent },
    earlier: (options.after ?? []).map((text) => parseEarlier(text, agent)),
    robot,
    roles: roles?.split(",").map((role) => role.trim()),
    binding: parseNumber(options.binding ?? "1"),
    run: { event, ref, workflow, environment, runner, base_ref: options.baseRef },
    claims: options.claims === undefined ? {} : await readObject("--claims", options.claims),
  };
}

async function readArguments(text: string | undefined): Promise<Record<string, unknown>> {
  if (text?.startsWith("@")) {
    return readObject("--args", text.slice(1));
  }
  return text === undefined ? {} : parseObject("--args", text);
}

async function readObject(option: string, file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new NoAnswer(
      `${option}: ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  return parseObject(option, text);
}

function parseObject(option: string, text: string): Record<string, unknown> {
  const value = parseStrictObject(text);
  if (value === undefined) {
    throw new NoAnswer(
      `${option}: expected one JSON object, {"name": "value"}, in which no name appears twice`,
    );
  }
  return value;
}

function parseNumber(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) {
    throw new NoAnswer("--binding: write its number, counted from 1");
  }
  return Number(text);
}

const earlierCall =
  /^(?:(?<times>[1-9][0-9]{0,3})x\s+)?(?<server>\S+)\s+(?<name>\S+)(?:\s+(?<args>\{.*\}))?$/s;

function parseEarlier(text: string, agent: string): { call: Call; times: number } {
  const found = earlierCall.exec(text.trim())?.groups;
  if (found === undefined) {
    throw new NoAnswer(
      `--after: write "SERVER TOOL", or "3x SERVER TOOL {…}" for three calls with arguments`,
    );
  }
  const { times = "1", server = "", name = "", args } = found;
  const kind: Target["kind"] = /^[a-z][a-z0-9+.-]*:\/\//.test(name) ? "resource" : "tool";
  return {
    call: { server, kind, name, args: args === undefined ? {} : parseObject("--after", args), agent },
    times: Number(times),
  };
}
