/**
 * The limit per repository: counted where a subject token was verified, so that nobody can use up another's share, and
 * before anything is looked up or stored for it.
 */
import type { SubjectTokens } from "../identity/subject-token.ts";
import { refuse } from "../refusals.ts";
import { createTokenBuckets } from "./token-buckets.ts";

const MAX_REPOSITORIES = 50_000;

export interface RepositoryLimitOptions {
  readonly perMinute: number;
  readonly now: () => number;
}

/** The same verification, which refuses a repository that presents too many. */
export function limitRepositories(
  subjectTokens: SubjectTokens,
  { perMinute, now }: RepositoryLimitOptions,
): SubjectTokens {
  const buckets = createTokenBuckets({ perMinute, maxNames: MAX_REPOSITORIES, now });
  return {
    async verify(token) {
      const verified = await subjectTokens.verify(token);
      if (!verified.ok) return verified;
      const { iss, repository_id } = verified.claims;
      return buckets.take(`${iss} ${repository_id}`)
        ? verified
        : refuse(
            "repository_limited",
            `more than ${perMinute} a minute from repository ${repository_id} of ${iss}`,
          );
    },
  };
}
