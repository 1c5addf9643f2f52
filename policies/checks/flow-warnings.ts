/**
 * Flow rules that can never take effect: nothing that the role's robots reach has such labels, so the rule protects nobody.
 */
import type { PolicyDocument } from "../documents/document.ts";
import type { Problem } from "../documents/problem.ts";
import type { Binding } from "../documents/robots-document.ts";
import type { Role, RolesDocument } from "../documents/roles-document.ts";
import type { ServerEntry } from "../documents/servers-document.ts";

export interface Reached {
  readonly servers: ReadonlyMap<string, ServerEntry>;
  readonly roles: ReadonlyMap<string, Role>;
  readonly bindings: readonly Binding[];
}

/** Nothing is said of a role that no binding gives: whoever binds it chooses what comes with it. */
export function* findFlowWarnings(
  document: PolicyDocument<RolesDocument>,
  reached: Reached,
): Generator<Problem> {
  const together = new Map<string, Binding[]>();
  for (const binding of reached.bindings) {
    for (const role of binding.roles) {
      const bindings = together.get(role) ?? [];
      together.set(role, bindings);
      bindings.push(binding);
    }
  }
  for (const [name, { flow = [] }] of Object.entries(document.value.roles)) {
    const bindings = together.get(name);
    if (flow.length === 0 || bindings === undefined) {
      continue;
    }
    const labels = collectLabels(bindings, reached);
    for (const [index, { after, deny }] of flow.entries()) {
      const path = ["roles", name, "flow", index];
      if (!after.some((label) => labels.has(`reads ${label}`))) {
        yield document.problemAt(
          [...path, "after"],
          `this never takes effect: nothing that its robots reach has reads: [${after.join(", ")}] in servers.yaml, label it there`,
        );
      } else if (!deny.some((label) => labels.has(`writes ${label}`))) {
        yield document.problemAt(
          [...path, "deny"],
          `this never takes effect: nothing that its robots reach has writes: [${deny.join(", ")}] in servers.yaml, label it there`,
        );
      }
    }
  }
}

/** Of all servers that sessions of these bindings reach, through whichever of their roles. */
function collectLabels(bindings: readonly Binding[], { servers, roles }: Reached): ReadonlySet<string> {
  const reached = bindings.some(({ mode }) => mode === "observe")
    ? new Set(servers.keys())
    : new Set(
        [...new Set(bindings.flatMap((binding) => binding.roles))].flatMap((each) =>
          (roles.get(each)?.grants ?? []).map(({ server }) => server),
        ),
      );
  const labels = new Set<string>();
  for (const server of reached) {
    const entry = servers.get(server);
    for (const { reads = [], writes = [] } of entry === undefined
      ? []
      : [entry, ...Object.values(entry.tools ?? {})]) {
      for (const label of [
        ...reads.map((each) => `reads ${each}`),
        ...writes.map((each) => `writes ${each}`),
      ]) {
        labels.add(label);
      }
    }
  }
  return labels;
}
