/**
 * Whether what an agent was answered is what a proxy may answer: one answer to each request and to no other, nothing
 * that a server asks of agents, and of its lists nothing that no grant names.
 */
import type { Json } from "../../audit/canonical.ts";
import type { Reaction } from "./agent.ts";
import { parse, readObject } from "./oracle.ts";
import type { FuzzedPolicy } from "./policies.ts";
import { mayBeShown } from "./reach.ts";

const STATUSES = new Set([
  200, 202, 204, 301, 400, 401, 403, 404, 405, 406, 408, 413, 415, 431, 500, 502, 503, 504,
]);
const PASSING = new Set([
  "notifications/progress",
  "notifications/resources/updated",
  "notifications/tools/list_changed",
  "notifications/resources/list_changed",
  "notifications/prompts/list_changed",
  "notifications/subscriptions/acknowledged",
]);
const LISTS = [
  { method: "tools/list", member: "tools", name: "name", kind: "tool" },
  { method: "resources/list", member: "resources", name: "uri", kind: "resource" },
  { method: "resources/templates/list", member: "resourceTemplates", name: "uriTemplate", kind: "resource" },
  { method: "prompts/list", member: "prompts", name: "name", kind: "prompt" },
] as const;

/** What is wrong, one sentence each. */
export function findReactionFaults(policy: FuzzedPolicy, reaction: Reaction): string[] {
  const { move, sent, status, text, ended } = reaction;
  if (move.how === "raw") {
    return ended === "answered" && !/^HTTP\/1\.1 [2-5]\d\d /.test(text)
      ? [`bytes were answered with ${text}`]
      : [];
  }
  const said = `${move.how} ${sent} was answered with ${status} ${text}`;
  if (status === undefined || ended !== "answered") {
    // Nobody who stays is left without an answer; a header that is too long is one that nobody reads to its end.
    return ended === "closed" &&
      move.leavesAfterMs === undefined &&
      status === undefined &&
      sent.length < 10_000
      ? [`closed without an answer: ${said}`]
      : [];
  }
  // A session has one stream of its own: whoever opens a second is told so.
  const isSecondStream = move.how === "GET" && status === 409;
  if (!STATUSES.has(status) && !isSecondStream) {
    return [`odd status: ${said}`];
  }
  const messages = readMessages(reaction);
  if (messages === undefined) {
    return [`no messages: ${said}`];
  }
  // A stream of a session can hold the answer to whatever was asked in it, and a refusal of the stream itself.
  const open = move.how === "GET" ? undefined : readAsked(sent);
  const faults = messages.flatMap((message) => findMessageFault(message, open) ?? []);
  return [...faults.map((fault) => `${fault}: ${said}`), ...findShown(policy, reaction, messages)];
}

/** `undefined` for what no client could read. */
function readMessages({ contentType, text }: Reaction): Json[] | undefined {
  const isEvents = contentType.startsWith("text/event-stream");
  const texts = isEvents ? text.split("\n\n").flatMap(readEvent) : text === "" ? [] : [text];
  const messages = texts.map(parse);
  return messages.every((message) => message !== undefined) ? messages : undefined;
}

/** The data of an event, where it has any. */
function readEvent(event: string): string[] {
  const data = event.split("\n").flatMap((line) => /^data: ?(.*)$/.exec(line)?.[1] ?? []);
  return data.some((line) => line !== "") ? [data.join("\n")] : [];
}

/** The ids of the requests, as often as they were sent. What is refused as a whole is refused without one. */
function readAsked(sent: string): unknown[] {
  const message = parse(sent);
  const members = Array.isArray(message) ? message : [message];
  return members.flatMap((member) => {
    const { method, id } = readObject(member) ?? {};
    return method !== undefined && id !== undefined ? [id] : [];
  });
}

/** Takes the id of an answer from those that are open. */
function findMessageFault(message: Json, open: unknown[] | undefined): string | undefined {
  const { id, method, jsonrpc } = readObject(message) ?? {};
  if (jsonrpc !== "2.0") {
    return "no message";
  }
  if (method !== undefined) {
    const passes = typeof method === "string" && PASSING.has(method) && id === undefined;
    return passes ? undefined : "the server's own word came through";
  }
  if (id === null || open === undefined) {
    return undefined;
  }
  const at = open.indexOf(id);
  if (at < 0) {
    return "an answer to nothing";
  }
  open.splice(at, 1);
  return undefined;
}

function findShown(policy: FuzzedPolicy, { move, sent }: Reaction, messages: readonly Json[]): string[] {
  const { method } = readObject(parse(sent)) ?? {};
  const list = LISTS.find((each) => each.method === method);
  return messages.flatMap((message) => {
    const shown = list === undefined ? undefined : readObject(readObject(message)?.["result"])?.[list.member];
    return (Array.isArray(shown) ? shown : []).flatMap((definition) => {
      const name = list === undefined ? undefined : readObject(definition)?.[list.name];
      const target = {
        server: move.server,
        kind: list?.kind ?? "tool",
        name: typeof name === "string" ? name : "",
      };
      return mayBeShown(policy, target) ? [] : [`${move.agent} was shown ${JSON.stringify(target)}`];
    });
  });
}
