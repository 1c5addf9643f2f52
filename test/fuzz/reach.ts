/** What a policy says of one name, in words of its own: which grants name it, what it reads and where it writes. */
import type { FuzzedGrant, FuzzedPolicy, FuzzedServerFacts } from "./policies.ts";

export type Kind = "tool" | "resource" | "prompt";

export interface Target {
  readonly server: string;
  readonly kind: Kind;
  readonly name: string;
}

/** Whether an agent may be shown a name at all, whatever was read and used up. */
export function mayBeShown(policy: FuzzedPolicy, target: Target): boolean {
  const isObserved =
    policy.mode === "observe" &&
    target.kind === "tool" &&
    ownFacts(policy.servers[target.server], target.name)?.read_only === true;
  return isObserved || policy.grants.some((grant) => names(grant, target));
}

export function names(grant: FuzzedGrant, { server, kind, name }: Target): boolean {
  const patterns = { tool: grant.tools, resource: grant.resources, prompt: grant.prompts }[kind] ?? [];
  return (
    grant.server === server &&
    patterns.some((written) => {
      const pattern = written.replace("{run.repository_owner}", "acme");
      const prefix = pattern.endsWith("*") ? pattern.slice(0, -1) : undefined;
      return prefix === undefined
        ? name === pattern
        : name.startsWith(prefix) && staysBelow(kind, prefix, name);
    })
  );
}

/** A URI is still below the prefix when everything that somebody could resolve in it is resolved. */
function staysBelow(kind: Kind, prefix: string, uri: string): boolean {
  if (kind !== "resource") {
    return true;
  }
  let decoded = uri.normalize("NFKC");
  for (let before = ""; before !== decoded; ) {
    before = decoded;
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  const [scheme = "", path = ""] = decoded.replaceAll("\\", "/").split("://", 2);
  const resolved: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") {
      resolved.pop();
    } else if (segment !== ".") {
      resolved.push(segment);
    }
  }
  return `${scheme}://${resolved.join("/")}`.startsWith(prefix);
}

export const has = (grant: FuzzedGrant, kind: Kind): boolean =>
  ({ tool: grant.tools, resource: grant.resources, prompt: grant.prompts })[kind] !== undefined;

export function ownFacts(known: FuzzedServerFacts | undefined, tool: string) {
  return known?.tools !== undefined && Object.hasOwn(known.tools, tool) ? known.tools[tool] : undefined;
}

export function readsOf({ servers }: FuzzedPolicy, { server, kind, name }: Target): readonly string[] {
  const known = servers[server];
  return (kind === "tool" ? ownFacts(known, name)?.reads : undefined) ?? known?.reads ?? [];
}

export function writesOf({ servers }: FuzzedPolicy, { server, kind, name }: Target) {
  const known = servers[server];
  return kind === "tool" ? (ownFacts(known, name)?.writes ?? known?.writes ?? []) : [];
}
