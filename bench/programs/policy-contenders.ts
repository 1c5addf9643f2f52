/**
 * The rules of the policy bench in each contender's own language, and what decides them.
 * Each is used the way its makers would have it used for speed: policies are read once, requests are plain data.
 */
import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import { newEnforcer, newModelFromString } from "casbin";
import { compilePolicy } from "../../policies/compilation.ts";
import type { Call, Usage } from "../../policies/decision.ts";
import { prefixOf } from "../../policies/tool-pattern.ts";
import type { PolicyContender } from "../program-contract.ts";
import { claims, rules, type SampleRule, type Test } from "./policy-rules.ts";

/** Whether a call is allowed. */
export type Decide = (call: Call) => boolean;

const run = { repository_owner: "acme", repository_name: "payments" };
const quote = (text: string): string => JSON.stringify(text);
const quoteAll = (texts: readonly string[]): string => texts.map(quote).join(", ");

export const contenders: Readonly<Record<PolicyContender, () => Promise<Decide>>> = {
  lanyard: decideWithLanyard,
  table: async () => decideByTable(),
  cedar: async () => decideWithCedar(),
  casbin: decideWithCasbin,
};

async function decideWithLanyard(): Promise<Decide> {
  const grants = rules.map(({ server, tool, test }, index) => ({
    rule: `sample#${index + 1}`,
    server,
    tools: [tool],
    when: writeCel(test),
  }));
  const servers = Object.fromEntries(rules.map(({ server }) => [server, {}]));
  const policy = await compilePolicy(
    { v: 1, robot: "acme/payments/sample", roles: ["sample"], mode: "enforce", grants, flow: [], servers },
    { claims },
  );
  const usage: Usage = { calls: 1, callsOf: () => 0, labels: new Set() };
  return (call) => policy.decide(call, usage).effect === "allow";
}

function writeCel(test: Test): string {
  switch (test.kind) {
    case "own_repository":
      return "args.owner == run.repository_owner && args.repo == run.repository_name";
    case "under":
      return `args.path.startsWith(${quote(test.folder)})`;
    case "quiet":
      return `args.channel == ${quote(test.channel)} && !args.notify`;
    case "at_most":
      return `args.count <= ${test.count}`;
    case "own_issue":
      return "args.issue.author == run.repository_owner";
    case "labels":
      return `args.labels.all(label, label in [${quoteAll(test.labels)}])`;
  }
}

/** What a programmer would write who knows these rules, and no others. */
function decideByTable(): Decide {
  type Predicate = (args: Call["args"]) => boolean;
  interface Server {
    readonly exact: Map<string, Predicate[]>;
    readonly prefixes: { readonly prefix: string; readonly holds: Predicate }[];
  }
  const servers = new Map<string, Server>();
  for (const { server: name, tool, test } of rules) {
    const server: Server = servers.get(name) ?? { exact: new Map(), prefixes: [] };
    servers.set(name, server);
    const prefix = prefixOf(tool);
    if (prefix === undefined) server.exact.set(tool, [...(server.exact.get(tool) ?? []), writeCode(test)]);
    else server.prefixes.push({ prefix, holds: writeCode(test) });
  }
  return ({ server: name, name: tool, args }) => {
    const server = servers.get(name);
    if (server === undefined) return false;
    for (const holds of server.exact.get(tool) ?? []) if (holds(args)) return true;
    for (const { prefix, holds } of server.prefixes) if (tool.startsWith(prefix) && holds(args)) return true;
    return false;
  };
}

function writeCode(test: Test): (args: Call["args"]) => boolean {
  switch (test.kind) {
    case "own_repository":
      return (args) => args["owner"] === run.repository_owner && args["repo"] === run.repository_name;
    case "under": {
      const { folder } = test;
      return ({ path }) => typeof path === "string" && path.startsWith(folder);
    }
    case "quiet": {
      const { channel } = test;
      return (args) => args["channel"] === channel && args["notify"] === false;
    }
    case "at_most": {
      const most = test.count;
      return ({ count }) => typeof count === "number" && count <= most;
    }
    case "own_issue":
      return ({ issue }) =>
        typeof issue === "object" &&
        issue !== null &&
        "author" in issue &&
        issue.author === run.repository_owner;
    case "labels": {
      const known = new Set<unknown>(test.labels);
      return ({ labels }) => Array.isArray(labels) && labels.every((label) => known.has(label));
    }
  }
}

function decideWithCedar(): Decide {
  const name = "sample";
  const parsed = preparsePolicySet(name, { staticPolicies: rules.map(writeCedar).join("\n") });
  if (parsed.type === "failure") throw new Error(parsed.errors.map(({ message }) => message).join("\n"));
  const principal = { type: "Robot", id: "sample" };
  return (call) => {
    const answer = statefulIsAuthorized({
      principal,
      action: { type: "Action", id: "call" },
      resource: { type: "Server", id: call.server },
      // Cedar has no type for what it cannot express: the arguments are the ones that are looked at, all are of these.
      context: { tool: call.name, args: call.args as Record<string, string>, run },
      preparsedPolicySetId: name,
      entities: [],
    });
    if (answer.type === "failure") throw new Error(answer.errors.map(({ message }) => message).join("\n"));
    return answer.response.decision === "allow";
  };
}

function writeCedar({ server, tool, test }: SampleRule): string {
  const prefix = prefixOf(tool);
  const named =
    prefix === undefined ? `context.tool == ${quote(tool)}` : `context.tool like ${quote(`${prefix}*`)}`;
  const head = `permit (principal, action == Action::"call", resource == Server::${quote(server)})`;
  return `${head} when { ${named} && ${writeCedarTest(test)} };`;
}

function writeCedarTest(test: Test): string {
  switch (test.kind) {
    case "own_repository":
      return "context.args.owner == context.run.repository_owner && context.args.repo == context.run.repository_name";
    case "under":
      return `context.args.path like ${quote(`${test.folder}*`)}`;
    case "quiet":
      return `context.args.channel == ${quote(test.channel)} && !context.args.notify`;
    case "at_most":
      return `context.args.count <= ${test.count}`;
    case "own_issue":
      return "context.args.issue.author == context.run.repository_owner";
    case "labels":
      return `[${quoteAll(test.labels)}].containsAll(context.args.labels)`;
  }
}

/** Casbin's conditions are evaluated for each policy line that the matcher reaches: the names are compared first. */
async function decideWithCasbin(): Promise<Decide> {
  const model = newModelFromString(`
[request_definition]
r = server, tool, args, run
[policy_definition]
p = server, tool, condition
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.server == p.server && named(r.tool, p.tool) && eval(p.condition)
`);
  const enforcer = await newEnforcer(model);
  await enforcer.addFunction("named", (tool: string, pattern: string) => {
    const prefix = prefixOf(pattern);
    return prefix === undefined ? tool === pattern : tool.startsWith(prefix);
  });
  await enforcer.addFunction(
    "under",
    (path: unknown, folder: string) => typeof path === "string" && path.startsWith(folder),
  );
  await enforcer.addFunction(
    "among",
    (labels: unknown, ...known: unknown[]) =>
      Array.isArray(labels) && labels.every((label) => known.includes(label)),
  );
  for (const { server, tool, test } of rules) await enforcer.addPolicy(server, tool, writeCasbin(test));
  return ({ server, name, args }) => enforcer.enforceSync(server, name, args, run);
}

function writeCasbin(test: Test): string {
  switch (test.kind) {
    case "own_repository":
      return "r.args.owner == r.run.repository_owner && r.args.repo == r.run.repository_name";
    case "under":
      return `under(r.args.path, ${quote(test.folder)})`;
    case "quiet":
      return `r.args.channel == ${quote(test.channel)} && r.args.notify == false`;
    case "at_most":
      return `r.args.count <= ${test.count}`;
    case "own_issue":
      return "r.args.issue.author == r.run.repository_owner";
    case "labels":
      return `among(r.args.labels, ${quoteAll(test.labels)})`;
  }
}
