/**
 * What a schema cannot say about credentials: each can be presented by the servers that name it, where it is used, and
 * nothing that lives long is sent to a runner.
 */
import { deliveryOf, isLongLived } from "../delivery.ts";
import type { CredentialEntry } from "../documents/credential-entry.ts";
import type { PolicyDocument } from "../documents/document.ts";
import { secondsOf } from "../documents/duration.ts";
import { suggestNames } from "../documents/nearest-name.ts";
import type { Path, Problem } from "../documents/problem.ts";
import type { ServerEntry, ServersDocument } from "../documents/servers-document.ts";
import { isForbiddenHeader } from "./header-names.ts";

/** Of AssumeRole; a role may have a lower limit of its own, which only AWS knows. */
const MIN_STS_SECONDS = 15 * 60;
const MAX_STS_SECONDS = 12 * 60 * 60;

type Document = PolicyDocument<ServersDocument>;

export function* checkCredentials(document: Document): Generator<Problem> {
  const credentials = new Map(Object.entries(document.value.credentials ?? {}));
  for (const [name, entry] of credentials) {
    yield* checkEntry(document, ["credentials", name], entry);
  }
  for (const [name, server] of Object.entries(document.value.servers)) {
    yield* checkServer(document, { name, server, credentials });
  }
}

/** A credential that no server names is stored, refreshed and presented to nobody. */
export function* findCredentialWarnings(document: Document): Generator<Problem> {
  const named = new Set(Object.values(document.value.servers).map(({ credential }) => credential));
  for (const name of Object.keys(document.value.credentials ?? {})) {
    if (!named.has(name)) {
      const message = "no server has this credential: name it at one (credential), or remove it";
      yield document.problemAtKey(["credentials", name], message);
    }
  }
}

function* checkEntry(document: Document, path: Path, entry: CredentialEntry): Generator<Problem> {
  if (deliveryOf(entry) === "runner" && isLongLived(entry)) {
    yield document.problemAt(
      [...path, "delivery"],
      `a credential of the kind ${entry.kind} lives long and is never sent to a runner: remove delivery, and the broker relays the calls`,
    );
  }
  if (entry.kind === "headers") {
    yield* checkHeaders(document, [...path, "headers"], entry.headers);
  }
  if (
    (entry.kind === "client-credentials" || entry.kind === "token-exchange") &&
    (entry.issuer === undefined) === (entry.token_url === undefined)
  ) {
    const message =
      "write either the issuer, whose metadata say where tokens are given out, or the token_url where it has none";
    yield document.problemAtKey(entry.issuer === undefined ? path : [...path, "token_url"], message);
  }
  if (entry.kind === "oauth" && entry.client_id !== undefined && entry.issuer === undefined) {
    const message =
      "a client is registered at one issuer, and the server could name another: write that issuer beside it";
    yield document.problemAtKey([...path, "client_id"], message);
  }
  if (entry.kind === "github-app") {
    yield* checkRepositories(document, [...path, "repositories"], entry.repositories);
  }
  if (entry.kind === "aws-role") {
    yield* checkRole(document, path, entry);
  }
}

function* checkRepositories(
  document: Document,
  path: Path,
  repositories: readonly string[] = [],
): Generator<Problem> {
  for (const [index, name] of repositories.entries()) {
    // They would climb out of their place in the addresses of GitHub's API.
    if (name === "." || name === "..") {
      const message = `"${name}" is a place and no repository: write the repository's name, or leave repositories out for the run's own`;
      yield document.problemAt([...path, index], message);
    }
  }
}

function* checkRole(
  document: Document,
  path: Path,
  { ttl, session_policy: policy }: Extract<CredentialEntry, { kind: "aws-role" }>,
): Generator<Problem> {
  if (ttl !== undefined && !isTtlOfSts(ttl)) {
    const message = "STS gives sessions of 15 minutes to 12 hours: write 15m to 12h, or leave ttl out for 1h";
    yield document.problemAt([...path, "ttl"], message);
  }
  if (policy !== undefined && !isJsonObject(policy)) {
    const message = 'this is no JSON object: write an IAM policy, { "Version": …, "Statement": … }';
    yield document.problemAt([...path, "session_policy"], message);
  }
}

function isTtlOfSts(ttl: string): boolean {
  const seconds = secondsOf(ttl);
  return seconds >= MIN_STS_SECONDS && seconds <= MAX_STS_SECONDS;
}

function* checkHeaders(
  document: Document,
  path: Path,
  headers: Readonly<Record<string, string>>,
): Generator<Problem> {
  const seen = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const first = seen.get(name.toLowerCase());
    if (first !== undefined) {
      yield document.problemAtKey([...path, name], `${first} is the same header: remove one of them`);
    }
    seen.set(name.toLowerCase(), first ?? name);
    if (isForbiddenHeader(name)) {
      yield document.problemAtKey([...path, name], "a credential cannot set this header: remove it");
    }
    for (const { 0: written, 1: variable = "", index } of value.matchAll(/\{([a-z][a-z_]*)(?::[^}]*)?\}/g)) {
      if (written !== "{secret}") {
        const fix = suggestNames(variable, ["secret"]);
        yield document.problemIn([...path, name], index, `unknown variable ${written}: ${fix}`);
      }
    }
  }
  if (!Object.values(headers).some((value) => value.includes("{secret}"))) {
    yield document.problemAtKey(
      path,
      'no header has the secret: write {secret} where it belongs, "Token {secret}"',
    );
  }
}

interface Named {
  readonly name: string;
  readonly server: ServerEntry;
  readonly credentials: ReadonlyMap<string, CredentialEntry>;
}

function* checkServer(document: Document, { name, server, credentials }: Named): Generator<Problem> {
  const path = ["servers", name];
  const places = findVariable(server);
  for (const [place, index] of places) {
    if (server.credential === undefined) {
      const message =
        "the server has no credential that {credential} could stand for: write credential, or remove it";
      yield document.problemIn([...path, ...place], index, message);
    } else if (place[0] === "command") {
      const message =
        'whoever lists processes reads their arguments: hand the credential over in a variable, env: { TOKEN: "{credential}" }';
      yield document.problemIn([...path, ...place], index, message);
    }
  }
  if (server.credential === undefined) {
    return;
  }
  const at = [...path, "credential"];
  const entry = credentials.get(server.credential);
  if (entry === undefined) {
    const known = suggestNames(server.credential, credentials.keys());
    const message = `there is no credential "${server.credential}" under credentials: ${known}`;
    yield document.problemAt(at, message);
  } else if (server.command === undefined) {
    if (entry.kind === "aws-role") {
      const message = "a server with a url cannot be shown AWS keys: aws-role is for servers with a command";
      yield document.problemAt(at, message);
    }
  } else {
    const message = checkCommand(entry, { isTaken: places.length > 0 });
    if (message !== undefined) {
      yield document.problemAt(at, message);
    }
  }
}

/** What is wrong with a credential for a server that the proxy starts; undefined: nothing. */
function checkCommand(entry: CredentialEntry, { isTaken }: { isTaken: boolean }): string | undefined {
  if (entry.kind === "none") {
    return "a server with a command needs no credential that presents nothing: remove it";
  }
  if (isLongLived(entry)) {
    return `a server with a command runs in the runner, where a credential of the kind ${entry.kind} is never sent: use one that is minted for each session, or a server with a url`;
  }
  if (deliveryOf(entry) === "broker") {
    return "a server with a command runs in the runner: its credential must say delivery: runner";
  }
  if (entry.kind === "aws-role") {
    return isTaken
      ? "{credential} stands for no value here: aws-role sets AWS_ACCESS_KEY_ID and the variables beside it by itself"
      : undefined;
  }
  return isTaken ? undefined : 'nothing takes the credential: write env: { TOKEN: "{credential}" }';
}

function findVariable({ command = [], env = {} }: ServerEntry): [place: Path, index: number][] {
  const texts: [Path, string][] = [
    ...command.map((text, index): [Path, string] => [["command", index], text]),
    ...Object.entries(env).map(([key, text]): [Path, string] => [["env", key], text]),
  ];
  return texts.flatMap(([place, text]): [Path, number][] =>
    text.includes("{credential}") ? [[place, text.indexOf("{credential}")]] : [],
  );
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
