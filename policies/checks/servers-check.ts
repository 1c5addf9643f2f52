/**
 * What a schema cannot say about `servers.yaml`: a url or a command, only variables that exist, and words that say something.
 */
import type { PolicyDocument } from "../documents/document.ts";
import { checkRepeated } from "./list-check.ts";
import { PROCESS_LIMITS } from "../documents/limits-fields.ts";
import { suggestNames } from "../documents/nearest-name.ts";
import type { Path, Problem } from "../documents/problem.ts";
import type { ServerEntry, ServersDocument } from "../documents/servers-document.ts";

/** What the proxy fills in, in `command` and `env` alike. */
const SERVER_VARIABLES = ["runner_temp", "workspace", "credential"];

/** One by one: whoever asks for a few pays for no more. */
export function* checkServers(document: PolicyDocument<ServersDocument>): Generator<Problem> {
  for (const [name, entry] of Object.entries(document.value.servers)) {
    yield* checkTransport(document, name, entry);
    yield* checkVariables(document, name, entry);
    yield* checkLabels(document, ["servers", name], entry);
    for (const [tool, facts] of Object.entries(entry.tools ?? {})) {
      const path = ["servers", name, "tools", tool];
      if (Object.values(facts).every((fact) => fact === undefined)) {
        const message = "it says nothing of the tool: write read_only, reads or writes, or remove it";
        yield document.problemAtKey(path, message);
      }
      if (facts.read_only === true && (facts.writes ?? []).length > 0) {
        const message = "a tool that changes nothing writes nowhere: remove writes, or read_only";
        yield document.problemAtKey([...path, "writes"], message);
      }
      yield* checkLabels(document, path, facts);
    }
  }
}

function checkLabels(
  document: PolicyDocument<unknown>,
  path: Path,
  { reads = [], writes = [] }: Pick<ServerEntry, "reads" | "writes">,
): Problem[] {
  return [
    ...checkRepeated(document, [...path, "reads"], reads),
    ...checkRepeated(document, [...path, "writes"], writes),
  ];
}

function checkTransport(document: PolicyDocument<unknown>, name: string, entry: ServerEntry): Problem[] {
  const path = ["servers", name];
  if (entry.url === undefined && entry.command === undefined) {
    return [
      document.problemAtKey(
        path,
        "write a url (a server elsewhere) or a command (a server the proxy starts)",
      ),
    ];
  }
  if (entry.url === undefined) {
    return [];
  }
  const misplaced = (["command", "env", "start"] as const)
    .filter((key) => entry[key] !== undefined)
    .map((key) =>
      document.problemAtKey([...path, key], `a server with a url has no ${key}: remove one of them`),
    );
  const ofProcesses = PROCESS_LIMITS.filter((key) => entry.limits?.[key] !== undefined).map((key) =>
    document.problemAtKey(
      [...path, "limits", key],
      `a server with a url has no process here that ${key} could limit: remove ${key}`,
    ),
  );
  return [...misplaced, ...ofProcesses];
}

function checkVariables(document: PolicyDocument<unknown>, name: string, entry: ServerEntry): Problem[] {
  const texts: [Path, string][] = [
    ...(entry.command ?? []).map((text, index): [Path, string] => [
      ["servers", name, "command", index],
      text,
    ]),
    ...Object.entries(entry.env ?? {}).map(([key, text]): [Path, string] => [
      ["servers", name, "env", key],
      text,
    ]),
  ];
  return texts.flatMap(([path, text]) =>
    [...text.matchAll(/\{([a-z][a-z_]*)(?::[^}]*)?\}/g)]
      .filter(([, variable]) => variable !== undefined && !SERVER_VARIABLES.includes(variable))
      .map(({ 0: written, 1: variable = "", index }) =>
        document.problemIn(
          path,
          index,
          `unknown variable ${written}: ${suggestNames(variable, SERVER_VARIABLES)}`,
        ),
      ),
  );
}
