/**
 * The ids inside a `sub` claim. It never authorises anything: but where it carries ids, they must agree with the id claims.
 * Forms: `repo:OWNER/REPO:…`, `repo:OWNER@ID/REPO@ID:…` (github.com since July 2026), and an owner's own templates.
 */
import type { Claims } from "../claims.ts";
import type { Mismatch } from "./mismatch.ts";

type SubjectClaims = Pick<Claims, "sub" | "repository_id" | "repository_owner_id">;

/** A value in a `sub` never holds a colon (GitHub writes `%3A`), so every part begins at the start or after one. */
const parts = /(?:^|:)(repo|repository|repository_owner|repository_id|repository_owner_id):([^:]*)/g;

export function findSubjectMismatch(claims: SubjectClaims): Mismatch | undefined {
  for (const [, name = "", value = ""] of claims.sub.matchAll(parts)) {
    const { ownerId, repositoryId } = readIds(name, value);
    if (ownerId !== undefined && ownerId !== claims.repository_owner_id) {
      return { field: "sub", expected: `repository_owner_id ${claims.repository_owner_id}`, got: ownerId };
    }
    if (repositoryId !== undefined && repositoryId !== claims.repository_id) {
      return { field: "sub", expected: `repository_id ${claims.repository_id}`, got: repositoryId };
    }
  }
  return undefined;
}

function readIds(
  name: string,
  value: string,
): { ownerId?: string | undefined; repositoryId?: string | undefined } {
  switch (name) {
    case "repository_id":
      return { repositoryId: value };
    case "repository_owner_id":
      return { ownerId: value };
    default: {
      const [owner = "", repository = ""] = value.split("/");
      return { ownerId: idBehindName(owner), repositoryId: idBehindName(repository) };
    }
  }
}

/** `@` can be in no name of GitHub's: what follows the first one is an id. */
function idBehindName(text: string): string | undefined {
  const at = text.indexOf("@");
  return at < 0 ? undefined : text.slice(at + 1);
}
