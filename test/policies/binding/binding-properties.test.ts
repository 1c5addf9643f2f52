/**
 * The match of bindings against an oracle that decides in another way: it never compares a claim with a binding.
 * It writes down, for each binding, every workload that the binding lets in, out of a small world in which that can be
 * done, and then looks the workload up in the list. What it knows of a binding it knows from the documentation.
 */
import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { matchBinding } from "../../../policies/binding/binding.ts";
import { Claims } from "../../../policies/claims.ts";
import { assemblePolicies } from "../../../policies/loading.ts";
import type { Policies } from "../../../policies/policies.ts";
import { roles, servers } from "../fixtures.ts";

/** Everything that exists in this world. */
const WORLD = {
  issuers: ["https://token.actions.githubusercontent.com", "https://github.acme.dev/_services/token"],
  repositoryIds: ["1", "11"],
  ownerIds: ["7", "77"],
  names: ["acme/one", "acme/two"],
  files: [".github/workflows/a.yml", ".github/workflows/b.yml"],
  events: ["schedule", "push", "pull_request"],
  refs: [
    "refs/heads/main",
    "refs/heads/main-evil",
    "refs/tags/main",
    "refs/pull/7/merge",
    "refs/pull/8/merge",
  ],
  bases: ["", "main", "dev"],
  runners: ["github-hosted", "self-hosted"],
  environments: [undefined, "agents", "Agents"],
  flows: [
    undefined,
    "acme/flows/.github/workflows/x.yml@refs/tags/v1",
    `evil/flows/.github/workflows/x.yml@${"a".repeat(40)}`,
  ],
} as const;
const PULLS = ["refs/pull/7/merge", "refs/pull/8/merge"];

interface Workload {
  readonly iss: string;
  readonly repositoryId: string;
  readonly ownerId: string;
  readonly name: string;
  readonly file: string;
  /** The ref in `workflow_ref`; GitHub's is always the run's. */
  readonly fileRef: string;
  readonly event: string;
  readonly ref: string;
  readonly base: string;
  readonly runner: string;
  readonly environment: string | undefined;
  readonly flow: string | undefined;
}

interface WrittenBinding {
  readonly workflow: string;
  readonly events: readonly string[];
  readonly where: { readonly ref: string } | { readonly base: string };
  readonly runner: string | undefined;
  readonly environment: string | undefined;
  readonly flow: string | undefined;
}

interface WrittenDocument {
  readonly iss: string;
  readonly repositoryId: string;
  readonly ownerId: string;
  readonly name: string;
  readonly robots: Readonly<Record<string, readonly WrittenBinding[]>>;
}

const signatureOf = (workload: Workload): string =>
  Object.values({ ...workload, name: "" })
    .map(String)
    .join(" | ");

/** Every workload of the world that the binding lets in. */
function* listAdmitted(document: WrittenDocument, binding: WrittenBinding): Generator<string> {
  const { iss, repositoryId, ownerId } = document;
  const places: [string, string][] =
    "ref" in binding.where
      ? WORLD.bases.map((base) => ["ref" in binding.where ? binding.where.ref : "", base])
      : PULLS.map((pull) => [pull, "base" in binding.where ? binding.where.base : ""]);
  for (const event of binding.events)
    for (const [ref, base] of places)
      for (const environment of binding.environment === undefined
        ? WORLD.environments
        : [binding.environment])
        yield signatureOf({
          iss,
          repositoryId,
          ownerId,
          name: "",
          file: binding.workflow,
          fileRef: ref,
          event,
          ref,
          base,
          runner: binding.runner ?? "github-hosted",
          environment,
          flow: binding.flow,
        });
}

/** `robot#binding`, or nothing. */
function findByList(
  documents: readonly WrittenDocument[],
  workload: Workload,
  robot: string,
): string | undefined {
  for (const document of documents) {
    for (const [index, binding] of (document.robots[robot] ?? []).entries()) {
      if (new Set(listAdmitted(document, binding)).has(signatureOf(workload))) {
        return `${document.name}/${robot}#${index + 1}`;
      }
    }
  }
  return undefined;
}

function claimsOf(workload: Workload): Claims {
  const workflowRef = `${workload.name}/${workload.file}@${workload.fileRef}`;
  return Claims.parse({
    iss: workload.iss,
    sub: "templated",
    jti: "x",
    repository: workload.name,
    repository_id: workload.repositoryId,
    repository_owner: workload.name.split("/")[0],
    repository_owner_id: workload.ownerId,
    run_id: "1",
    run_attempt: "1",
    workflow_ref: workflowRef,
    job_workflow_ref: workload.flow ?? workflowRef,
    event_name: workload.event,
    ref: workload.ref,
    base_ref: workload.base,
    runner_environment: workload.runner,
    ...(workload.environment === undefined ? {} : { environment: workload.environment }),
  });
}

/** Through the same door as an operator's documents. */
function load(documents: readonly WrittenDocument[]): Policies | undefined {
  const loaded = assemblePolicies([
    { path: "servers.yaml", text: servers },
    { path: "roles.yaml", text: roles },
    ...documents.map((document) => ({
      path: `robots/${document.name}.yaml`,
      text: JSON.stringify({
        issuer: document.iss,
        repository: document.name,
        repository_id: document.repositoryId,
        repository_owner_id: document.ownerId,
        robots: Object.fromEntries(
          Object.entries(document.robots).map(([name, bindings]) => [
            name,
            { bindings: bindings.map(write) },
          ]),
        ),
      }),
    })),
  ]);
  return loaded.ok ? loaded.policies : undefined;
}

function write({ workflow, events, where, runner, environment, flow }: WrittenBinding): object {
  return {
    workflow,
    events,
    ...("ref" in where ? { ref: where.ref } : { pull_request: { base_ref: where.base } }),
    ...(runner === undefined ? {} : { runner }),
    ...(environment === undefined ? {} : { environment }),
    ...(flow === undefined ? {} : { job_workflow_ref: flow }),
    roles: ["reader"],
  };
}

const of = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** Only what loads: no event on a ref that it never runs on. */
const writtenBinding: fc.Arbitrary<WrittenBinding> = fc
  .record({
    workflow: of(WORLD.files),
    pull: fc.boolean(),
    events: fc.uniqueArray(of(["schedule", "push"]), { minLength: 1 }),
    ref: of(["refs/heads/main", "refs/heads/main-evil", "refs/tags/main"]),
    base: of(["main", "dev"]),
    runner: of([undefined, ...WORLD.runners]),
    environment: of(WORLD.environments),
    flow: of(WORLD.flows),
  })
  .map(({ pull, events, ref, base, ...rest }) =>
    pull ? { ...rest, events: ["pull_request"], where: { base } } : { ...rest, events, where: { ref } },
  );
const writtenDocuments: fc.Arbitrary<WrittenDocument[]> = fc
  .array(
    fc.record({
      iss: of(WORLD.issuers),
      repositoryId: of(WORLD.repositoryIds),
      ownerId: of(WORLD.ownerIds),
      robots: fc.record({
        r: fc.array(writtenBinding, { minLength: 1, maxLength: 3 }),
        s: fc.array(writtenBinding, { minLength: 1, maxLength: 2 }),
      }),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((documents) => documents.map((document, index) => ({ ...document, name: WORLD.names[index] ?? "" })));
const anyWorkload: fc.Arbitrary<Workload> = fc.record({
  iss: of(WORLD.issuers),
  repositoryId: of(WORLD.repositoryIds),
  ownerId: of(WORLD.ownerIds),
  name: of(WORLD.names),
  file: of(WORLD.files),
  fileRef: of(WORLD.refs),
  event: of(WORLD.events),
  ref: of(WORLD.refs),
  base: of(WORLD.bases),
  runner: of(WORLD.runners),
  environment: of(WORLD.environments),
  flow: of(WORLD.flows),
});
/** Near a binding, or a hit would be one in millions: each field is the binding's unless its number is zero. */
const visitor = fc.record({
  random: anyWorkload,
  strange: fc.array(fc.nat({ max: 9 }), { minLength: 12, maxLength: 12 }),
  /** The workflow's ref is the run's, as GitHub always has it. */
  together: fc.boolean(),
  robot: of(["r", "s"]),
  pick: fc.nat(),
});
type Visitor = typeof visitor extends fc.Arbitrary<infer V> ? V : never;

function nearBinding(
  documents: readonly WrittenDocument[],
  { random, strange, together, robot, pick }: Visitor,
): Workload {
  const document = documents[pick % documents.length];
  const binding = document?.robots[robot]?.[pick % (document.robots[robot]?.length ?? 1)];
  if (document === undefined || binding === undefined) return random;
  const ref = "ref" in binding.where ? binding.where.ref : (PULLS[pick % 2] ?? "");
  const meant: Workload = {
    iss: document.iss,
    repositoryId: document.repositoryId,
    ownerId: document.ownerId,
    name: document.name,
    file: binding.workflow,
    fileRef: ref,
    event: binding.events[0] ?? "",
    ref,
    base: "base" in binding.where ? binding.where.base : "",
    runner: binding.runner ?? "github-hosted",
    environment: binding.environment,
    flow: binding.flow,
  };
  const names = Object.keys(meant).filter((_, index) => strange[index] === 0);
  const workload = {
    ...meant,
    ...Object.fromEntries(Object.entries(random).filter(([name]) => names.includes(name))),
  };
  return together ? { ...workload, fileRef: workload.ref } : workload;
}

/** One binding, and a workload that it lets in. */
const ONLY: WrittenDocument = {
  iss: WORLD.issuers[0],
  repositoryId: "1",
  ownerId: "7",
  name: "acme/one",
  robots: {
    r: [
      {
        workflow: WORLD.files[0],
        events: ["schedule"],
        where: { ref: "refs/heads/main" },
        runner: undefined,
        environment: "agents",
        flow: undefined,
      },
    ],
  },
};
const LET_IN: Workload = {
  iss: WORLD.issuers[0],
  repositoryId: "1",
  ownerId: "7",
  name: "acme/one",
  file: WORLD.files[0],
  fileRef: "refs/heads/main",
  event: "schedule",
  ref: "refs/heads/main",
  base: "",
  runner: "github-hosted",
  environment: "agents",
  flow: undefined,
};

function loadOnly(): Policies {
  const policies = load([ONLY]);
  if (policies === undefined) throw new Error("the document does not load");
  return policies;
}

describe("the match of bindings", () => {
  it("is the one that a list of everything admitted gives", () => {
    const seen = { matched: 0, refused: 0 };
    fc.assert(
      fc.property(
        writtenDocuments,
        fc.array(visitor, { minLength: 12, maxLength: 12 }),
        (documents, visitors) => {
          const policies = load(documents);
          // Two documents of one repository do not load, and neither does a binding that can never decide.
          if (policies === undefined) return;
          for (const each of visitors) {
            const workload = nearBinding(documents, each);
            const match = matchBinding(policies, claimsOf(workload), { robot: each.robot });
            const expected = findByList(documents, workload, each.robot);
            expect(match.ok ? `${match.robot}#${match.binding}` : undefined).toBe(expected);
            seen[match.ok ? "matched" : "refused"] += 1;
          }
        },
      ),
      { numRuns: 400 },
    );
    // The oracle would agree with anything if nothing ever matched.
    expect(seen.matched).toBeGreaterThan(300);
    expect(seen.refused).toBeGreaterThan(300);
  });

  it("of a workload that matches stops at any change of a character in a claim that is compared", () => {
    const compared = [
      ...["iss", "repository_id", "repository_owner_id", "repository", "repository_owner", "workflow_ref"],
      ...["job_workflow_ref", "event_name", "ref", "runner_environment", "environment"],
    ] as const;
    const policies = loadOnly();
    const claims = claimsOf(LET_IN);
    expect(matchBinding(policies, claims, {})).toMatchObject({ ok: true });
    const edit = fc.record({
      name: of(compared),
      at: fc.nat(),
      kind: of(["insert", "delete", "replace", "case"]),
      with: fc.oneof(
        fc.string({ minLength: 1, maxLength: 1 }),
        of(["/", "@", ":", "\n", "\u0000", " ", ".", "*", "％", "а"]),
      ),
    });
    fc.assert(
      fc.property(edit, ({ name, at, kind, with: inserted }) => {
        const value = String(claims[name]);
        const index = at % value.length;
        const [before, char = "", after] = [value.slice(0, index), value[index], value.slice(index + 1)];
        const flipped = char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase();
        const changed = {
          insert: before + inserted + char + after,
          delete: before + after,
          replace: before + inserted + after,
          case: before + flipped + after,
        }[kind];
        if (changed === undefined || changed === value) return;
        expect(
          matchBinding(policies, { ...claims, [name]: changed }, {}),
          `${name}: ${changed}`,
        ).toMatchObject({ ok: false });
      }),
      { numRuns: 5_000 },
    );
  });

  it("is the same whatever else the token says", () => {
    const policies = loadOnly();
    const compared = new Set([
      "iss",
      "sub",
      "repository",
      "repository_id",
      "repository_owner",
      "repository_owner_id",
      "workflow_ref",
      "job_workflow_ref",
      "event_name",
      "ref",
      "runner_environment",
      "environment",
    ]);
    for (const event of ["schedule", "issues"]) {
      const claims = claimsOf({ ...LET_IN, event });
      const plain = matchBinding(policies, claims, {});
      expect(plain.ok).toBe(event === "schedule");
      fc.assert(
        fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (others) => {
          const rest = Object.fromEntries(Object.entries(others).filter(([name]) => !compared.has(name)));
          expect(matchBinding(policies, { ...rest, ...claims }, {})).toEqual(plain);
        }),
      );
    }
  });

  it("refuses a sub whose ids are not those of the id claims, in whatever form it carries them", () => {
    const id = of(["1", "7", "11", "77", "01", ""]);
    const policies = loadOnly();
    const claims = claimsOf(LET_IN);
    const form = fc.oneof(
      fc.tuple(id, id).map(([owner, repository]) => ({
        sub: `repo:acme@${owner}/one@${repository}:ref:refs/heads/main`,
        agrees: owner === "7" && repository === "1",
      })),
      id.map((repository) => ({
        sub: `repository_id:${repository}:environment:x`,
        agrees: repository === "1",
      })),
      id.map((owner) => ({ sub: `environment:x:repository_owner_id:${owner}`, agrees: owner === "7" })),
      id.map((owner) => ({ sub: `event_name:push:repository_owner:acme@${owner}`, agrees: owner === "7" })),
      of(["repo:acme/one:ref:refs/heads/main", "x", "environment:repository_id%3A11"]).map((sub) => ({
        sub,
        agrees: true,
      })),
    );
    fc.assert(
      fc.property(form, ({ sub, agrees }) => {
        expect(matchBinding(policies, { ...claims, sub }, {}).ok, sub).toBe(agrees);
      }),
      { numRuns: 500 },
    );
  });
});
