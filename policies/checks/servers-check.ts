/**
 * What a schema cannot say about `servers.yaml`: a url or a command, and only variables that exist.
 */
import type * as z from "zod/mini";
import type { PolicyDocument } from "../documents/document.ts";
import { suggestNames } from "../documents/nearest-name.ts";
import type { Path, Problem } from "../documents/problem.ts";
import type { ServerEntry, ServersDocument } from "../documents/servers-document.ts";

/** What the proxy fills in, in `command` and `env` alike. */
const SERVER_VARIABLES = ["runner_temp", "workspace"];

export function checkServers(document: PolicyDocument<z.infer<typeof ServersDocument>>): Problem[] {
  return Object.entries(document.value.servers).flatMap(([name, entry]) => [
    ...checkTransport(document, name, entry),
    ...checkVariables(document, name, entry),
  ]);
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
  return (["command", "env", "start"] as const)
    .filter((key) => entry[key] !== undefined)
    .map((key) =>
      document.problemAtKey([...path, key], `a server with a url has no ${key}: remove one of them`),
    );
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
