/**
 * A suggestion, written into the documents: the role, the bindings of the robot that only observed, and a test for
 * each grant. What is there already stays as it is; a role that exists is never replaced. Nothing goes to disk here.
 */
import { GRANTED_KINDS } from "../checks/coverage.ts";
import { Document, isCollection, isSeq, parseDocument } from "yaml";
import type { PolicyFile } from "../documents/document.ts";
import type { RefusedName, SuggestedGrant, Suggestion } from "./suggestion.ts";

export interface SuggestedRole {
  /** `OWNER/REPO/NAME`. */
  readonly robot: string;
  readonly role: string;
  readonly suggestion: Suggestion;
  /** How many it was learned from. */
  readonly sessions: number;
}

export interface AdoptionRequest extends SuggestedRole {
  readonly files: readonly PolicyFile[];
  /** Leave the bindings as they are: they go on to observe, with the role. */
  readonly keepObserving: boolean;
}

export type Adoption =
  | { readonly ok: true; readonly files: readonly PolicyFile[] }
  /** One sentence. */
  | { readonly ok: false; readonly message: string };

const format = { lineWidth: 0, flowCollectionPadding: false };
const MAX_REFUSED = 10;
const MAX_NAME_LENGTH = 100;

export function adoptSuggestion(request: AdoptionRequest): Adoption {
  const { files, robot, role } = request;
  const roles = files.find(({ path }) => path === "roles.yaml");
  const [owner = "", repository = "", name = ""] = robot.split("/");
  const path = `robots/${owner}/${repository}.yaml`;
  const robots = files.find((file) => file.path === path);
  if (roles === undefined || robots === undefined) {
    return { ok: false, message: `there is no ${roles === undefined ? "roles.yaml" : path} to write to` };
  }
  const test = `tests/${role}.yaml`;
  if (parseDocument(roles.text).hasIn(["roles", role])) {
    return { ok: false, message: `roles.yaml has a role "${role}" already: choose another name with --role` };
  }
  if (files.some((file) => file.path === test)) {
    return { ok: false, message: `${test} exists already: choose another name with --role` };
  }
  const bound = bindRole(robots, name, request);
  return bound === undefined
    ? { ok: false, message: `${path} has no robot "${name}" with a binding that observes` }
    : {
        ok: true,
        files: [
          { path: "roles.yaml", text: addRole(roles.text, request) },
          { path, text: bound },
          { path: test, text: writeTests(request) },
        ],
      };
}

/** The role as it stands in roles.yaml, with its comments, indented by two. */
export function writeRole({ role, robot, sessions, suggestion }: SuggestedRole): string {
  const document = new Document({ [role]: { grants: suggestion.grants.map(describeGrant) } });
  for (const [index, { isIncomplete }] of suggestion.grants.entries()) {
    const grant = document.getIn([role, "grants", index], true);
    if (isIncomplete && isCollection(grant)) {
      grant.commentBefore =
        " Not all arguments of these calls are in the logs: look at what it should not be called with.";
    }
    for (const kind of GRANTED_KINDS) {
      const names = document.getIn([role, "grants", index, kind], true);
      if (isCollection(names)) {
        names.flow = true;
      }
    }
  }
  const comments = [
    `What ${showName(robot)} did in ${count(sessions, "session")}, and no more.`,
    ...describeRefused(suggestion.refused),
  ];
  const text = comments.map((line) => `# ${line}\n`).join("") + document.toString(format);
  return text.replace(/^(?=.)/gm, "  ");
}

function describeGrant({ server, kind, names, when }: SuggestedGrant): Record<string, unknown> {
  return { server, [`${kind}s`]: [...names], ...(when !== undefined && { when }) };
}

function describeRefused(refused: readonly RefusedName[]): string[] {
  if (refused.length === 0) {
    return [];
  }
  const more = refused.length > MAX_REFUSED ? `, and ${refused.length - MAX_REFUSED} more` : "";
  const names = refused.slice(0, MAX_REFUSED).map(({ server, name }) => `${showName(name)} of ${server}`);
  return [`Asked for and refused: ${names.join(", ")}${more}.`];
}

/** Agents make names up: in a comment nothing of one begins a line or hides. */
function showName(name: string): string {
  const plain = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "·");
  return plain.length > MAX_NAME_LENGTH ? `${plain.slice(0, MAX_NAME_LENGTH)}…` : plain;
}

/** At the end of the roles that are there, whose bytes stay as they are. */
function addRole(text: string, request: AdoptionRequest): string {
  return `${text.trimEnd()}\n\n${writeRole(request)}`;
}

function bindRole(
  { text }: PolicyFile,
  name: string,
  { role, keepObserving }: AdoptionRequest,
): string | undefined {
  const document = parseDocument(text);
  const bindings: unknown = document.getIn(["robots", name, "bindings"], true);
  const observing = isSeq(bindings)
    ? bindings.items
        .map((_, index) => ["robots", name, "bindings", index])
        .filter((path) => document.getIn([...path, "mode"]) === "observe")
    : [];
  for (const path of observing) {
    const roles = document.createNode([role]);
    roles.flow = true;
    document.setIn([...path, "roles"], roles);
    if (!keepObserving) {
      document.deleteIn([...path, "mode"]);
    }
  }
  return observing.length === 0 ? undefined : document.toString(format);
}

function writeTests({ robot, role, suggestion }: AdoptionRequest): string {
  const granted = suggestion.grants.map(({ server, kind, names, example }) => ({
    server,
    [`${kind}s`]: names.map((name) => name.replaceAll("{run.repository}", robotRepository(robot))),
    ...(Object.keys(example.args).length > 0 && { args: example.args }),
    ...(Object.keys(example.claims).length > 0 && { claims: example.claims }),
    expect: "allow",
  }));
  const isGranted = ({ server, kind, name }: RefusedName): boolean =>
    suggestion.grants.some(
      (grant) => grant.server === server && grant.kind === kind && grant.names.includes(name),
    );
  // What was refused for its arguments alone is a name that is granted.
  const refused = suggestion.refused
    .filter((each) => !isGranted(each))
    .slice(0, MAX_REFUSED)
    .map(({ server, kind, name }) => ({
      server,
      [`${kind}s`]: [name],
      expect: "deny",
    }));
  const document = new Document({ robot, tests: [...granted, ...refused] });
  document.commentBefore = ` What ${showName(role)} is for, and what it is not: from what ${showName(robot)} asked for while it was observed.`;
  return document.toString(format);
}

function robotRepository(robot: string): string {
  return robot.slice(0, robot.lastIndexOf("/"));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
