/**
 * Whose session a test is about: what the test says itself, and the file's word for what it leaves out.
 * A test that names another robot, other roles or another binding takes nothing from the file that was said of the run.
 */
import type { PolicyTest, TestDocument } from "../documents/test-document.ts";
import type { Policies, Repository } from "../policies.ts";
import type { Robot } from "../documents/robots-document.ts";

type Stated = Pick<PolicyTest, "robot" | "binding" | "run" | "claims" | "roles" | "server" | "agent">;

export interface TestSubject {
  readonly robot: string | undefined;
  readonly roles: readonly string[] | undefined;
  /** Counted from 1. */
  readonly binding: number;
  readonly run: NonNullable<Stated["run"]>;
  readonly claims: Readonly<Record<string, string>>;
  readonly server: string | undefined;
  readonly agent: string;
}

export function subjectOf(file: TestDocument, test: PolicyTest): TestSubject {
  const isOwn = test.robot !== undefined || test.roles !== undefined;
  const isOwnRun = isOwn || test.binding !== undefined;
  return {
    robot: isOwn ? test.robot : file.robot,
    roles: isOwn ? test.roles : file.roles,
    binding: test.binding ?? (isOwn ? undefined : file.binding) ?? 1,
    run: { ...(isOwnRun ? {} : file.run), ...test.run },
    claims: { ...(isOwnRun ? {} : file.claims), ...test.claims },
    server: test.server ?? file.server,
    agent: test.agent ?? file.agent ?? "agent",
  };
}

export interface FoundRobot {
  readonly repository: Repository;
  readonly name: string;
  readonly robot: Robot;
}

/** By `OWNER/REPO/NAME`, or by its own name where only one robot has that. */
export function findRobot({ repositories }: Policies, asked: string): FoundRobot | undefined {
  const found = [...repositories.values()].flatMap((repository) =>
    [...repository.robots].flatMap(([name, robot]) =>
      [name, `${repository.name}/${name}`].includes(asked) ? [{ repository, name, robot }] : [],
    ),
  );
  return found.length === 1 ? found[0] : undefined;
}

export function listRobots({ repositories }: Policies): string[] {
  return [...repositories.values()].flatMap(({ name, robots }) =>
    [...robots.keys()].map((robot) => `${name}/${robot}`),
  );
}
