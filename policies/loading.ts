/**
 * Loads a policy directory: servers.yaml, roles.yaml and robots/OWNER/REPO.yaml, checked one by one and together.
 * All problems of all files are reported at once; a directory with one problem gives no policies at all.
 */
import type * as z from "zod/mini";
import { type PolicyDocument, type PolicyFile, readDocument } from "./documents/document.ts";
import { readPolicyFiles } from "./documents/directory.ts";
import { type Policies, repositoryKey, repositoryOf } from "./policies.ts";
import { orderProblems, type Problem } from "./documents/problem.ts";
import { checkRobots } from "./checks/robots-check.ts";
import { RobotsDocument } from "./documents/robots-document.ts";
import { checkRoles } from "./checks/roles-check.ts";
import { RolesDocument } from "./documents/roles-document.ts";
import { checkServers } from "./checks/servers-check.ts";
import { ServersDocument } from "./documents/servers-document.ts";
import { findWarnings } from "./checks/warnings.ts";

export type LoadedPolicies =
  | { readonly ok: true; readonly policies: Policies; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export async function loadPolicies(directory: string): Promise<LoadedPolicies> {
  const read = await readPolicyFiles(directory);
  return read.ok ? assemblePolicies(read.files, read.problems) : { ok: false, problems: read.problems };
}

/** The same, of files that are in memory already. `earlier` are problems that were found while reading them. */
export function assemblePolicies(
  files: readonly PolicyFile[],
  earlier: readonly Problem[] = [],
): LoadedPolicies {
  const problems: Problem[] = [...earlier];
  const read = <S extends z.ZodMiniType>(schema: S, file: PolicyFile | undefined) => {
    const result = file === undefined ? undefined : readDocument(schema, file);
    if (result?.ok === false) {
      problems.push(...result.problems);
    }
    return result?.ok === true ? result.document : undefined;
  };
  const servers = read(ServersDocument, findFile(files, "servers.yaml"));
  const roles = read(RolesDocument, findFile(files, "roles.yaml"));
  const robots = files
    .filter((file) => file.path.startsWith("robots/"))
    .flatMap((file) => read(RobotsDocument, file) ?? []);

  const serverMap = servers && new Map(Object.entries(servers.value.servers));
  const roleMap = roles && new Map(Object.entries(roles.value.roles));
  const known = serverMap && roleMap && { servers: serverMap, roles: roleMap };
  problems.push(
    ...(servers === undefined ? [] : checkServers(servers)),
    ...(roles === undefined ? [] : checkRoles(roles, serverMap && new Set(serverMap.keys()))),
    ...robots.flatMap((document) => checkRobots(document, known)),
    ...checkIdentities(robots),
  );
  if (known === undefined || problems.length > 0) {
    return { ok: false, problems: orderProblems(problems) };
  }
  const repositories = robots.map(repositoryOf);
  const byKey = new Map(repositories.map((each) => [repositoryKey(each.issuer, each.id), each]));
  const policies = { ...known, repositories: byKey };
  return {
    ok: true,
    policies,
    warnings: orderProblems(robots.flatMap((document) => findWarnings(document, known))),
  };
}

function findFile(files: readonly PolicyFile[], path: string): PolicyFile | undefined {
  return files.find((file) => file.path === path);
}

/** One repository, one document: of two, nobody could say which decides. */
function checkIdentities(documents: readonly PolicyDocument<RobotsDocument>[]): Problem[] {
  const seen = new Map<string, string>();
  return documents.flatMap((document) => {
    const key = repositoryKey(document.value.issuer, document.value.repository_id);
    const first = seen.get(key);
    if (first !== undefined) {
      return [
        document.problemAt(["repository_id"], `${first} has the same issuer and id: one of them is wrong`),
      ];
    }
    seen.set(key, document.path);
    return [];
  });
}
