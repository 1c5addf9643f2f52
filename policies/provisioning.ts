/**
 * Writes a robot into the document of its repository: a new document, or one more robot in the one there is.
 * Comments of an existing document stay; a robot that exists is never replaced. Nothing is written to disk here.
 */
import { Document, isCollection, isMap, isScalar, type Node, parseDocument } from "yaml";
import { type PolicyFile, readDocument } from "./documents/document.ts";
import type { Problem } from "./documents/problem.ts";
import { type Binding, type Robot, RobotsDocument } from "./documents/robots-document.ts";

export interface ProvisionRequest {
  readonly issuer: string;
  /** OWNER/REPO. */
  readonly repository: string;
  readonly repositoryId: string;
  readonly repositoryOwnerId: string;
  /** The robot's own name, without the repository. */
  readonly name: string;
  readonly bindings: readonly Binding[];
  readonly session?: Robot["session"];
  /** The text of the repository's document, where there is one. */
  readonly existing?: string | undefined;
}

export type ProvisionResult =
  /** `path` is relative to the policy directory. */
  | { readonly ok: true; readonly path: string; readonly text: string }
  | {
      readonly ok: false;
      readonly code: Code;
      readonly message: string;
      readonly problems: readonly Problem[];
    };

/** Where the robots of a repository stand; undefined for what is no repository's name. */
export function robotsPathOf(repository: string): string | undefined {
  return RobotsDocument.shape.repository.safeParse(repository).success
    ? `robots/${repository}.yaml`
    : undefined;
}

/** Keys whose lists are short enough for one line. */
const inlineKeys = ["events", "roles", "pull_request"];
const format = { lineWidth: 0, flowCollectionPadding: false };

export function provisionRobot(request: ProvisionRequest): ProvisionResult {
  const { existing, name, repository } = request;
  const path = robotsPathOf(repository);
  if (path === undefined) {
    return refuse("request_invalid", `"${repository}" is no repository: expected OWNER/REPO`);
  }
  if (existing === undefined) {
    return checkText({ path, text: createText(request) });
  }
  const read = readDocument(RobotsDocument, { path, text: existing });
  if (!read.ok) {
    return refuse("document_invalid", `${path} has problems: correct them first`, read.problems);
  }
  const { value } = read.document;
  const differing = (
    [
      ["issuer", value.issuer, request.issuer],
      ["repository_id", value.repository_id, request.repositoryId],
      ["repository_owner_id", value.repository_owner_id, request.repositoryOwnerId],
    ] as const
  ).find(([, written, given]) => written !== given);
  if (differing !== undefined) {
    const [key, written, given] = differing;
    return refuse(
      "identity_differs",
      `${path} says ${key}: ${written}, you say ${given}: one of them is wrong`,
    );
  }
  if (Object.hasOwn(value.robots, name)) {
    return refuse("robot_exists", `${repository}/${name} exists in ${path}: change it there, by hand`);
  }
  return checkText({ path, text: insertRobot(existing, request) });
}

type Code = "request_invalid" | "robot_exists" | "identity_differs" | "document_invalid";

function refuse(code: Code, message: string, problems: readonly Problem[] = []): ProvisionResult {
  return { ok: false, code, message, problems };
}

/** What was asked for went into the document as it was: whatever does not fit shows here. */
function checkText(file: PolicyFile): ProvisionResult {
  const read = readDocument(RobotsDocument, file);
  return read.ok
    ? { ok: true, ...file }
    : refuse("request_invalid", "the robot does not fit into the document:", read.problems);
}

function createText(request: ProvisionRequest): string {
  const document = new Document({
    issuer: request.issuer,
    repository: request.repository,
    repository_id: request.repositoryId,
    repository_owner_id: request.repositoryOwnerId,
    robots: {},
  });
  document.commentBefore = " The robots of one repository. Names are for people: the ids decide.";
  document.setIn(["robots", request.name], createRobot(document, request));
  return document.toString(format);
}

/** Every byte of the existing text stays as it is: who reviews the change sees the new robot and nothing else. */
function insertRobot(existing: string, request: ProvisionRequest): string {
  const document = parseDocument(existing);
  const robots: unknown = document.get("robots", true);
  const first = isMap(robots) ? robots.items[0]?.key : undefined;
  if (!isMap(robots) || robots.flow || !robots.range || !isScalar(first) || !first.range) {
    document.setIn(["robots", request.name], createRobot(document, request));
    return document.toString(format);
  }
  const added = new Document({});
  added.set(request.name, createRobot(added, request));
  const margin = " ".repeat(first.range[0] - existing.lastIndexOf("\n", first.range[0]) - 1);
  const lines = added.toString(format).trimEnd().split("\n");
  const [, end] = robots.range;
  const lineEnd = existing.startsWith("\n", end - 1) ? end : existing.indexOf("\n", end) + 1;
  const head = lineEnd > 0 ? existing.slice(0, lineEnd) : `${existing}\n`;
  return `${head}${lines.map((line) => `${margin}${line}\n`).join("")}${existing.slice(head.length)}`;
}

function createRobot(document: Document, { bindings, session }: ProvisionRequest): Node {
  const node = document.createNode(session === undefined ? { bindings } : { bindings, session });
  for (const index of bindings.keys()) {
    for (const key of inlineKeys) {
      const value: unknown = node.getIn(["bindings", index, key], true);
      if (isCollection(value)) {
        value.flow = true;
      }
    }
  }
  return node;
}
