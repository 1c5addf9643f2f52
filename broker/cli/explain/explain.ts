/**
 * `lanyard explain`: why a job gets its robot or does not, from its token, its claims, or the reference it was given.
 * A token is read from a file or the standard input, never from an argument, which every process of a machine can see.
 */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { text as readStream } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { Command } from "commander";
import { loadPolicies } from "../../../policies/loading.ts";
import { type IssuerKeys, createIssuerKeys } from "../../identity/issuer-keys.ts";
import { fetchPublishedKeys, parseKeySet } from "../../identity/published-keys.ts";
import { parseStrictObject } from "../../identity/strict-json.ts";
import { explainBinding } from "./explained-binding.ts";
import { findReference } from "./explained-reference.ts";
import { renderMatch, renderReference, renderSteps } from "./explained-text.ts";
import { type Trust, explainClaims, explainToken } from "./explained-token.ts";
import { reportProblem, showControls } from "../problem-report.ts";
import { type Terminal, openTerminal } from "../terminal.ts";

export interface ExplainDefaults {
  readonly policies: string;
  readonly issuers: readonly string[];
  readonly privateIssuers: readonly string[];
  readonly audience: string | undefined;
}

export interface ExplainIo {
  readonly terminal: Terminal;
  readonly input: Readable;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Options {
  readonly policies: string;
  readonly robot?: string;
  readonly role?: string[];
  readonly issuer?: string[];
  readonly audience?: string;
  readonly keys?: string;
  readonly fetch?: true;
  readonly at?: string;
  readonly reference?: string;
  readonly log?: string;
  readonly json?: true;
}

/** A call that cannot be answered, with what to change. */
class WrongCall extends Error {}

export function explainCommand(defaults: ExplainDefaults, io: ExplainIo = openIo()): Command {
  return new Command("explain")
    .description("explain which binding a job's token matches, or which field did not")
    .argument("[file]", "a subject token, or its claims as JSON; absent or -: the standard input", "-")
    .option("--policies <directory>", "the policy documents", defaults.policies)
    .option("--robot <name>", "the robot that is asked for")
    .option("--role <name>", "a role to ask for, when fewer than all are wanted; can be repeated", collect)
    .option(
      "--issuer <url>",
      "an issuer that is trusted, in place of LANYARD_ISSUERS; can be repeated",
      collect,
    )
    .option("--audience <url>", "the broker's public URL, in place of LANYARD_PUBLIC_URL")
    .option("--keys <file>", "the issuer's keys (JWKS), to verify the signature with")
    .option("--fetch", "fetch the issuer's keys from the issuer")
    .option("--at <time>", "judge as of then: 2026-11-22T18:00:00Z")
    .option("--reference <reference>", "explain the refusal that a caller was given this reference for")
    .option("--log <file>", "the broker's log, to look for the reference in; -: the standard input")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExit code: 0 when a binding matches and no step refuses, or when the reference was found; 1 when not; 2 when it was called wrongly.",
    )
    .action(async (file: string, options: Options) => {
      try {
        await (options.reference === undefined
          ? explain(file, options, { defaults, io })
          : look(options, io));
      } catch (error) {
        if (!(error instanceof WrongCall)) throw error;
        fail(error.message, options, io.terminal);
      }
    });
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

function openIo(): ExplainIo {
  return { terminal: openTerminal(), input: process.stdin, now: Date.now };
}

function fail(message: string, { json }: Options, terminal: Terminal): void {
  if (json) terminal.write(`${JSON.stringify({ ok: false, message })}\n`);
  else terminal.writeError(`${showControls(message)}\n`);
  terminal.exit(2);
}

async function explain(
  file: string,
  options: Options,
  { defaults, io }: { defaults: ExplainDefaults; io: ExplainIo },
): Promise<void> {
  const { terminal } = io;
  const trust = await readTrust(options, defaults, io.now);
  const given = await readGiven(file, io.input);
  const loaded = await loadPolicies(options.policies);
  if (!loaded.ok) {
    const from = { directory: options.policies, files: [] };
    if (!options.json)
      for (const each of loaded.problems) terminal.writeError(reportProblem(each, from, "error"));
    throw new WrongCall(`${options.policies}: the policies do not load: see lanyard policy check`);
  }
  const claims = parseStrictObject(given);
  const token = claims === undefined ? await explainToken(given, trust) : explainClaims(claims, trust);
  const request = { robot: options.robot, roles: options.role };
  const match = token.claims && explainBinding(loaded.policies, token.claims, request);
  const ok = match?.decision.ok === true && token.steps.every(({ outcome }) => outcome !== "refused");
  if (options.json) {
    terminal.write(`${JSON.stringify({ ok, steps: token.steps, match: match ?? null })}\n`);
  } else {
    terminal.write(renderSteps(token.steps));
    terminal.write(
      match === undefined ? "Nothing matches: there are no claims to compare\n" : renderMatch(match),
    );
  }
  terminal.exit(ok ? 0 : 1);
}

const TOKEN = /^[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

async function readGiven(file: string, input: Readable): Promise<string> {
  if (TOKEN.test(file) || file.trimStart().startsWith("{")) {
    throw new WrongCall(
      "What stands on a command line is seen by every process: write the token or the claims to the standard input, or name a file. Do not use this token for anything else.",
    );
  }
  const text = file === "-" ? await readStream(input) : await readOrRefuse(file);
  const trimmed = text.trim();
  if (trimmed === "") throw new WrongCall("There is nothing to explain: give a token or its claims.");
  return trimmed;
}

async function readOrRefuse(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new WrongCall(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
}

async function readTrust(options: Options, defaults: ExplainDefaults, now: () => number): Promise<Trust> {
  const at = options.at === undefined ? now() : Date.parse(options.at);
  if (Number.isNaN(at)) throw new WrongCall("--at: write a time as 2026-11-22T18:00:00Z");
  const published = options.keys === undefined ? undefined : await readKeys(options.keys);
  const keysOf = (issuer: string): IssuerKeys =>
    createIssuerKeys({
      now,
      fetchKeys: async () =>
        published ?? fetchPublishedKeys(issuer, { privateIssuers: defaults.privateIssuers }),
    });
  return {
    issuers: new Map((options.issuer ?? defaults.issuers).map((issuer) => [issuer, keysOf(issuer)])),
    hasKeys: published !== undefined || options.fetch === true,
    audience: options.audience ?? defaults.audience,
    now: at,
  };
}

async function readKeys(file: string) {
  const keys = parseKeySet(parseStrictObject(await readOrRefuse(file)));
  if (keys === undefined) throw new WrongCall(`--keys: ${file} is not a key set (JWKS)`);
  return { keys, algorithms: undefined };
}

async function look({ reference = "", log, json }: Options, { terminal, input }: ExplainIo): Promise<void> {
  if (!/^[0-9a-f]{12}$/.test(reference))
    throw new WrongCall("--reference: write the twelve digits of a reference");
  if (log === undefined) throw new WrongCall("--log: name the broker's log, or - for the standard input");
  const found = await findReference(reference, log === "-" ? input : createReadStream(log)).catch(
    (error: unknown) => {
      throw new WrongCall(`${log} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    },
  );
  if (json)
    terminal.write(`${JSON.stringify(found === undefined ? { ok: false } : { ok: true, ...found })}\n`);
  else
    terminal.write(
      found === undefined ? `No line of ${log} has the reference ${reference}.\n` : renderReference(found),
    );
  terminal.exit(found === undefined ? 1 : 0);
}
