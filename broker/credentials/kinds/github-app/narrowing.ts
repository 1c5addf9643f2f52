/**
 * What an installation token is asked to reach, and the proof from GitHub's answer that it reaches nothing else: ids
 * decide wherever they are known, and what an answer does not say counts against it.
 */
import { z } from "zod";
import type { EntryOfKind, MintingSession } from "../../kind.ts";

/** Header-safe, and longer than any form of it so far (40, then about 520 characters). */
const Token = z.string().regex(/^[\x21-\x7e]{20,8192}$/);
const id = z.int().positive();

/** Of an answer that is not used: what can be sent back is revoked. */
export const TokenAlone = z.object({ token: z.string().regex(/^[\x21-\x7e]{1,8192}$/) });
export const InstallationToken = z.object({
  token: Token,
  expires_at: z.iso.datetime({ offset: true }),
  permissions: z.record(z.string(), z.string()),
  repository_selection: z.string(),
  repositories: z.array(z.object({ id, name: z.string(), owner: z.object({ id }) })),
});
export const Installation = z.object({
  id,
  account: z.object({ id }),
  permissions: z.record(z.string(), z.string()),
  suspended_at: z.string().nullish(),
});

type Permissions = Readonly<Record<string, string>>;

export interface Wanted {
  readonly permissions: Permissions;
  readonly ownerId: string;
  readonly owner: string;
  /** Of the run. */
  readonly runRepository: { readonly id: string; readonly name: string };
  /** Of the same owner; undefined: the run's repository alone. */
  readonly names: readonly string[] | undefined;
}

/** Undefined: the session does not say whose repository it is. */
export function wantedOf(
  { permissions, repositories }: EntryOfKind<"github-app">,
  { claims, repository, repositoryId, repositoryOwner }: MintingSession,
): Wanted | undefined {
  const ownerId = claims["repository_owner_id"];
  const [owner, name, ...rest] = repository.split("/");
  if (typeof ownerId !== "string" || owner !== repositoryOwner || name === undefined || rest.length > 0) {
    return undefined;
  }
  return {
    // None at all would mean all of them to GitHub; this one it gives with every other anyway.
    permissions: Object.keys(permissions).length === 0 ? { metadata: "read" } : permissions,
    ownerId,
    owner,
    runRepository: { id: repositoryId, name },
    names: repositories,
  };
}

/** The body of the request for it. */
export function askFor({ permissions, names, runRepository }: Wanted): Readonly<Record<string, unknown>> {
  return names === undefined
    ? { repository_ids: [Number(runRepository.id)], permissions }
    : { repositories: names, permissions };
}

/** `name: access` of what is wanted and was not granted to the installation. */
export function listUngranted(wanted: Permissions, granted: Permissions): string[] {
  return Object.entries(wanted)
    .filter(([name, access]) => rankOf(granted[name]) < rankOf(access))
    .map(([name, access]) => `${name}: ${access}`);
}

/** A part of a sentence; undefined: it reaches what is wanted and nothing else. */
export function findExcess(answer: z.infer<typeof InstallationToken>, wanted: Wanted): string | undefined {
  if (answer.repository_selection !== "selected") return "it is not limited to selected repositories";
  return findExcessPermission(answer.permissions, wanted.permissions) ?? findOtherRepository(answer, wanted);
}

function findExcessPermission(answered: Permissions, wanted: Permissions): string | undefined {
  const known: Permissions = { metadata: "read", ...wanted };
  for (const [name, access] of Object.entries(answered)) {
    const permitted = Object.hasOwn(known, name) ? known[name] : undefined;
    if (permitted === undefined) return "it has a permission that was not asked for";
    if (rankOf(access) === 0 || rankOf(access) > rankOf(permitted)) {
      return `its access by the permission ${name} is higher than asked for`;
    }
  }
  return undefined;
}

function findOtherRepository(
  { repositories }: z.infer<typeof InstallationToken>,
  { names, ownerId, runRepository }: Wanted,
): string | undefined {
  if (repositories.some(({ owner }) => String(owner.id) !== ownerId)) {
    return "it reaches a repository of another owner";
  }
  if (names === undefined) {
    const [only, ...others] = repositories;
    return only !== undefined && others.length === 0 && String(only.id) === runRepository.id
      ? undefined
      : `it is not for the repository with the id ${runRepository.id} alone`;
  }
  const runName = runRepository.name.toLowerCase();
  if (
    repositories.some((each) => each.name.toLowerCase() === runName && String(each.id) !== runRepository.id)
  ) {
    return "the name of the run's repository is another repository's by now";
  }
  const wantedNames = new Set(names.map((name) => name.toLowerCase()));
  const answered = new Set(repositories.map(({ name }) => name.toLowerCase()));
  const isSame =
    answered.size === repositories.length && answered.symmetricDifference(wantedNames).size === 0;
  return isSame ? undefined : "it is not for the listed repositories alone";
}

/** 0: none that is known. */
function rankOf(access: string | undefined): number {
  return ["read", "write", "admin"].indexOf(access ?? "") + 1;
}
