/**
 * What a policy directory holds and nobody gets: hints for whoever tidies up, of no weight for security.
 */
import type { PolicyDocument } from "../documents/document.ts";
import type { Problem } from "../documents/problem.ts";
import type { Binding } from "../documents/robots-document.ts";
import type { RolesDocument } from "../documents/roles-document.ts";
import type { ServersDocument } from "../documents/servers-document.ts";

/** Of a directory without robots nothing is said: there, nobody gets anything yet. */
export function* findUnused(from: {
  servers: PolicyDocument<ServersDocument>;
  roles: PolicyDocument<RolesDocument>;
  bindings: readonly Binding[];
}): Generator<Problem> {
  const { servers, roles, bindings } = from;
  if (bindings.length === 0) {
    return;
  }
  const bound = new Set(bindings.flatMap((binding) => binding.roles));
  for (const role of Object.keys(roles.value.roles)) {
    if (!bound.has(role)) {
      yield roles.problemAtKey(["roles", role], "no binding gives this role: bind it, or remove it");
    }
  }
  const granted = new Set(
    Object.values(roles.value.roles).flatMap(({ grants }) => grants.map(({ server }) => server)),
  );
  for (const [server, { tools = {} }] of Object.entries(servers.value.servers)) {
    const isObserved =
      bindings.some(({ mode }) => mode === "observe") &&
      Object.values(tools).some(({ read_only }) => read_only === true);
    if (!granted.has(server) && !isObserved) {
      yield servers.problemAtKey(
        ["servers", server],
        "no role grants anything of this server: grant something of it, or remove it",
      );
    }
  }
}
