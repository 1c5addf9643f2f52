/**
 * A second opinion on what a policy allows, written without the code that decides: it reads the log from its start and
 * says of each call that was let through whether a grant really gives it, and of each message that reached a server
 * whether the log had it before.
 */
import { canonicalize, type Json } from "../../audit/canonical.ts";
import type { AuditRecord, RecordOf } from "../../audit/record.ts";
import { type FuzzedPolicy, holds } from "./policies.ts";
import { has, type Kind, names, ownFacts, readsOf, type Target, writesOf } from "./reach.ts";

/** A message as a server got it. */
export interface Arrival {
  readonly server: string;
  readonly text: string;
  /** Wall clock, for a server that is another process; the records that were there, for one that is not. */
  readonly seen: { readonly atMs: number } | { readonly records: number };
}

const NAMED = new Set([
  "tools/call",
  "resources/read",
  "resources/subscribe",
  "resources/unsubscribe",
  "prompts/get",
  "completion/complete",
]);
const FREE = new Set(["initialize", "server/discover", "ping", "tools/list"]);
const OF_KIND: Readonly<Record<string, Kind>> = {
  "resources/list": "resource",
  "resources/templates/list": "resource",
  "prompts/list": "prompt",
};
const NOTIFICATIONS = new Set([
  "notifications/initialized",
  "notifications/progress",
  "notifications/cancelled",
]);
const UNSUBSCRIBE = "resources/unsubscribe";
const LISTEN = "subscriptions/listen";

/** What is wrong, one sentence each. */
export function findFaults(
  policy: FuzzedPolicy,
  records: readonly AuditRecord[],
  arrivals: readonly Arrival[],
): string[] {
  return [...findUngranted(policy, records), ...findUnrecorded(policy, records, arrivals)];
}

/** Calls that the log says were let through, and that no grant gives at that point of the log. */
function findUngranted(policy: FuzzedPolicy, records: readonly AuditRecord[]): string[] {
  const used = new Map<string, number>();
  const labels = new Set<string>();
  let calls = 0;
  return records.flatMap((record) => {
    if (record.kind !== "call" || record.decision !== "allow") {
      return [];
    }
    const target = readTarget(record);
    const said = `${record.method} of ${JSON.stringify(target)} by rule ${record.rule} (${record.reason})`;
    if (target === undefined) {
      return [`let through without a name: ${said}`];
    }
    const isUse = record.method !== UNSUBSCRIBE;
    const args = readObject(record.arguments) ?? {};
    const why = findObjection(policy, {
      record,
      target,
      facts: { args, agent: record.agent, calls },
      used,
      labels,
    });
    if (isUse) {
      calls++;
      used.set(record.rule ?? "", (used.get(record.rule ?? "") ?? 0) + 1);
      readsOf(policy, target).forEach((label) => labels.add(label));
    }
    return why === undefined ? [] : [`${why}: ${said}`];
  });
}

interface Circumstances {
  readonly record: RecordOf<"call">;
  readonly target: Target;
  readonly facts: Parameters<typeof holds>[1];
  readonly used: ReadonlyMap<string, number>;
  readonly labels: ReadonlySet<string>;
}

function findObjection(policy: FuzzedPolicy, circumstances: Circumstances): string | undefined {
  const { record, target, facts, used, labels } = circumstances;
  const known = policy.servers[target.server];
  if (target.kind === "tool" && known?.lock !== undefined && known.lock[target.name] !== "reviewed") {
    return "not the reviewed definition";
  }
  if (record.reason === "observed") {
    const isReadOnly = target.kind === "tool" && ownFacts(known, target.name)?.read_only === true;
    return policy.mode === "observe" && isReadOnly ? undefined : "nothing to observe";
  }
  const [, number] = /^triager#(\d+)$/.exec(record.rule ?? "") ?? [];
  const grant = policy.grants[Number(number) - 1];
  if (grant === undefined || !names(grant, target)) {
    return "the rule does not name it";
  }
  const isTaken = policy.flow.some(
    ({ after, deny }) =>
      after.some((label) => labels.has(label)) &&
      writesOf(policy, target).some((label) => deny.includes(label)),
  );
  if (isTaken) {
    return "taken away by what was read";
  }
  if (record.method === UNSUBSCRIBE) {
    return undefined;
  }
  if (!holds(grant, facts)) {
    return "the condition does not hold";
  }
  return grant.limit !== undefined && (used.get(record.rule ?? "") ?? 0) >= grant.limit
    ? "over the limit"
    : undefined;
}

/** What a server got, and the log did not have before. */
function findUnrecorded(
  policy: FuzzedPolicy,
  records: readonly AuditRecord[],
  arrivals: readonly Arrival[],
): string[] {
  const taken = new Set<AuditRecord>();
  const take = (server: string, call: Wanted, { seen }: Arrival): boolean => {
    const found = records.find(
      (record, index) =>
        record.kind === "call" &&
        record.decision === "allow" &&
        !taken.has(record) &&
        ("records" in seen ? index < seen.records : Date.parse(record.time) <= seen.atMs) &&
        record.server === server &&
        keyOf({ method: record.method, target: readTarget(record), args: record.arguments }) === keyOf(call),
    );
    if (found !== undefined) {
      taken.add(found);
    }
    return found !== undefined;
  };
  return arrivals.flatMap((arrival) => {
    const { server, text } = arrival;
    const message = readObject(parse(text));
    const why = message === undefined ? "no JSON object" : findStray(policy, server, message);
    if (message === undefined || why !== undefined) {
      return [`reached ${server}, ${why}: ${text}`];
    }
    return listWanted(server, message)
      .filter((wanted) => !take(server, wanted, arrival))
      .map(() => `reached ${server} before or without its record: ${text}`);
  });
}

/** Why a message has no business at a server, whatever it names. */
function findStray(policy: FuzzedPolicy, server: string, message: Members): string | undefined {
  const { jsonrpc, id, method, params, ...rest } = message;
  if (jsonrpc !== "2.0") {
    return "not JSON-RPC";
  }
  if (method === undefined) {
    return isRefusal(rest) ? undefined : "an answer that nobody grants";
  }
  if (typeof method !== "string" || Object.keys(rest).length > 0) {
    return "not a message of MCP";
  }
  const given = readObject(params) ?? {};
  if (id === undefined) {
    return NOTIFICATIONS.has(method) ? undefined : "an unknown notification";
  }
  if (NAMED.has(method) && ("task" in given || "inputResponses" in given)) {
    return "members that nobody grants";
  }
  const offered = method === "initialize" ? given["capabilities"] : readClientCapabilities(given);
  if (offered !== undefined && Object.keys(readObject(offered) ?? {}).length > 0) {
    return "capabilities that nobody grants";
  }
  const kind = OF_KIND[method];
  const isReached =
    kind !== undefined && policy.grants.some((grant) => grant.server === server && has(grant, kind));
  return FREE.has(method) || NAMED.has(method) || method === LISTEN || isReached
    ? undefined
    : "an ungranted method";
}

function isRefusal({ result, error }: Members): boolean {
  const isPong = error === undefined && canonicalize(result ?? null) === "{}";
  return isPong || (result === undefined && readObject(error)?.["code"] === -32601);
}

interface Wanted {
  readonly method: string;
  readonly target: Target | undefined;
  readonly args: Json | undefined;
}

/** The records that a message needs. */
function listWanted(server: string, { id, method, params }: Members): Wanted[] {
  const given = readObject(params) ?? {};
  if (id === undefined || typeof method !== "string") {
    return [];
  }
  if (method === LISTEN) {
    const uris = readObject(given["notifications"])?.["resourceSubscriptions"] ?? [];
    return (Array.isArray(uris) ? uris : [null]).map((name) => ({
      ...{ method, args: undefined },
      target: typeof name === "string" ? { server, kind: "resource", name } : undefined,
    }));
  }
  if (!NAMED.has(method)) {
    return [];
  }
  const { name, uri, ref, argument, context } = given;
  if (method === "completion/complete") {
    const { type, name: prompt, uri: template } = readObject(ref) ?? {};
    const known = readObject(readObject(context)?.["arguments"]) ?? {};
    const { name: asked, value } = readObject(argument) ?? {};
    const kind = type === "ref/prompt" ? "prompt" : "resource";
    const named = kind === "prompt" ? prompt : template;
    return [
      {
        method,
        target: targetOf(server, kind, named),
        args: { ...known, [typeof asked === "string" ? asked : ""]: value ?? null },
      },
    ];
  }
  const isResource = method.startsWith("resources/");
  const kind = isResource ? "resource" : method === "tools/call" ? "tool" : "prompt";
  return [{ method, target: targetOf(server, kind, isResource ? uri : name), args: given["arguments"] }];
}

const targetOf = (server: string, kind: Kind, name: Json | undefined): Target | undefined =>
  typeof name === "string" ? { server, kind, name } : undefined;

const keyOf = ({ method, target, args }: Wanted): string =>
  canonicalize([method, target === undefined ? null : { ...target }, args ?? {}]);

function readTarget({ server, tool, resource, prompt }: RecordOf<"call">): Target | undefined {
  const named = { tool, resource, prompt };
  const kind = (["tool", "resource", "prompt"] as const).find((each) => named[each] !== undefined);
  return kind === undefined ? undefined : targetOf(server, kind, named[kind]);
}

type Members = { [name: string]: Json };

export function readObject(value: Json | undefined): Members | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
}

function readClientCapabilities(params: Members): Json | undefined {
  return readObject(params["_meta"])?.["io.modelcontextprotocol/clientCapabilities"];
}

export function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
