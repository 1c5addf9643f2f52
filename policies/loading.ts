/**
 * Loads a policy directory: servers.yaml, roles.yaml, robots/OWNER/REPO.yaml and lanyard.lock, each checked by itself
 * and all of them together.
 * All problems of all files are reported at once; a directory with one problem gives no policies at all.
 */
import type { PolicyDocument, PolicyFile, ReadDocument } from "./documents/document.ts";
import { readDocument } from "./documents/document.ts";
import { LOCK_FILE, readPolicyFiles } from "./documents/directory.ts";
import { digestLock, type Lock, readLock } from "./lock/lock.ts";
import { type Policies, repositoryKey, repositoryOf } from "./policies.ts";
import { limitProblems, orderProblems, type Problem } from "./documents/problem.ts";
import { checkRobots } from "./checks/robots-check.ts";
import { RobotsDocument } from "./documents/robots-document.ts";
import { checkRoles } from "./checks/roles-check.ts";
import { RolesDocument } from "./documents/roles-document.ts";
import { checkCredentials, findCredentialWarnings } from "./checks/credentials-check.ts";
import { checkServers } from "./checks/servers-check.ts";
import { findWrittenSecrets } from "./checks/written-secrets.ts";
import { ServersDocument } from "./documents/servers-document.ts";
import { collectKnown } from "./checks/known.ts";
import { findFlowWarnings } from "./checks/flow-warnings.ts";
import { findLockWarnings } from "./checks/lock-warnings.ts";
import { findRobotsWarnings } from "./checks/robots-warnings.ts";
import { findRolesWarnings } from "./checks/roles-warnings.ts";
import { findUnused } from "./checks/unused.ts";

export type LoadedPolicies =
  | {
      readonly ok: true;
      readonly policies: Policies;
      /** What loads, and still should be looked at. */
      readonly warnings: readonly Problem[];
      /** What nobody gets: worth tidying up, of no weight for security. */
      readonly unused: readonly Problem[];
    }
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
  const { documents, problems } = readDocuments(files, earlier);
  const { servers, roles, robots, lock } = documents;
  const serverMap = servers && new Map(Object.entries(servers.value.servers));
  const roleMap = roles && new Map(Object.entries(roles.value.roles));
  const known = serverMap && roleMap && collectKnown(serverMap, roleMap);
  problems.push(
    ...(servers === undefined ? [] : limitProblems(checkServers(servers))),
    ...(servers === undefined ? [] : limitProblems(checkCredentials(servers))),
    ...(roles === undefined ? [] : limitProblems(checkRoles(roles, serverMap && new Set(serverMap.keys())))),
  );
  for (const document of robots) {
    problems.push(...limitProblems(checkRobots(document, known)));
  }
  problems.push(...checkIdentities(robots));
  if (known === undefined || servers === undefined || roles === undefined || problems.length > 0) {
    return { ok: false, problems: orderProblems(problems) };
  }
  const repositories = robots.map(repositoryOf);
  const byKey = new Map(repositories.map((each) => [repositoryKey(each.issuer, each.id), each]));
  const locked = lock === undefined ? undefined : digestLock(lock.value);
  const policies = {
    servers: known.servers,
    credentials: new Map(Object.entries(servers.value.credentials ?? {})),
    roles: known.roles,
    repositories: byKey,
    lock: locked,
  };
  const bindings = repositories.flatMap((each) =>
    [...each.robots.values()].flatMap((robot) => robot.bindings),
  );
  const warnings = [
    ...robots.flatMap((document) => limitProblems(findRobotsWarnings(document, known))),
    ...limitProblems(findCredentialWarnings(servers)),
    ...limitProblems(findRolesWarnings(roles, known.servers)),
    ...limitProblems(findFlowWarnings(roles, { ...known, bindings })),
    ...(lock === undefined ? [] : limitProblems(findLockWarnings({ servers, roles, lock }))),
  ];
  return {
    ok: true,
    policies,
    warnings: orderProblems(warnings),
    unused: orderProblems(limitProblems(findUnused({ servers, roles, bindings }))),
  };
}

interface Documents {
  readonly servers: PolicyDocument<ServersDocument> | undefined;
  readonly roles: PolicyDocument<RolesDocument> | undefined;
  readonly robots: readonly PolicyDocument<RobotsDocument>[];
  readonly lock: PolicyDocument<Lock> | undefined;
}

function readDocuments(
  files: readonly PolicyFile[],
  earlier: readonly Problem[],
): { documents: Documents; problems: Problem[] } {
  const problems: Problem[] = [...earlier];
  const keep = <T>(read: ReadDocument<T>): PolicyDocument<T> | undefined => {
    if (!read.ok) {
      problems.push(...read.problems);
    }
    return read.ok ? read.document : undefined;
  };
  const findFile = (path: string) => files.find((file) => file.path === path);
  const [servers, roles, lock] = [findFile("servers.yaml"), findFile("roles.yaml"), findFile(LOCK_FILE)];
  const documents = {
    servers: servers && keep(readServers(servers)),
    roles: roles && keep(readDocument(RolesDocument, roles)),
    lock: lock && keep(readLock(lock)),
    robots: files
      .filter((file) => file.path.startsWith("robots/"))
      .flatMap((file) => keep(readDocument(RobotsDocument, file)) ?? []),
  };
  return { documents, problems };
}

/** Where a secret stands in it, nothing else is said: another message could repeat it. */
function readServers(file: PolicyFile): ReadDocument<ServersDocument> {
  const secrets = limitProblems(findWrittenSecrets(file));
  return secrets.length > 0 ? { ok: false, problems: secrets } : readDocument(ServersDocument, file);
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
