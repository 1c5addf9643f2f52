/**
 * `robots/OWNER/REPO.yaml` as a schema: the robots of one repository and the runs they are bound to.
 * Strict: no patterns, no empty field, no unknown key. What needs more than one value to judge is checked when loading.
 */
import * as z from "zod/mini";
import { atMost, nameOf, namesAtMost, textLike, textWithout } from "./document-fields.ts";
import { Duration } from "./duration.ts";
import { checkIssuer } from "./server-url.ts";

/** What git allows in the name of a branch or tag (git-check-ref-format), as far as one regular expression can say it. */
const branchOrTag = /^refs\/(?:heads|tags)\/(?!.*(?:\.\.|\/\/|@\{))[^\s~^:?*[\\/.][^\s~^:?*[\\]*(?<![/.])$/u;
const workflowFile = String.raw`\.github\/workflows\/[^/@*\s]+\.ya?ml`;
const ownerAndName = String.raw`[A-Za-z0-9][A-Za-z0-9_-]*\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+`;

const decimalId = (what: string) =>
  textLike(/^[1-9][0-9]{0,19}$/, "expected a decimal id", `${what}, in quotes: "456789".`);

const PullRequest = z.strictObject({
  base_ref: textLike(
    /^(?!refs\/)[^\s~^:?*[\\]+$/u,
    "expected the plain name of the target branch: main",
    "The branch that the pull request would be merged into: main.",
  ),
});

export const Binding = z
  .strictObject({
    workflow: textLike(
      new RegExp(`^${workflowFile}$`, "u"),
      "expected the path of one workflow file: .github/workflows/triage.yml",
      "The path of the workflow file: .github/workflows/triage.yml.",
    ),
    events: z
      .array(
        textLike(
          /^[a-z][a-z0-9_]{0,63}$/,
          "expected the name of an event: schedule",
          "The name of an event.",
        ),
      )
      .check(
        z.minLength(1),
        atMost(30, "events"),
        z.describe("The events that may have triggered the run: [schedule, workflow_dispatch]."),
      ),
    ref: z.optional(
      textLike(
        branchOrTag,
        "expected one branch or tag in full: refs/heads/main (for pull requests: pull_request: { base_ref: main })",
        "The branch or tag the run is on, in full: refs/heads/main.",
      ),
    ),
    pull_request: z.optional(
      PullRequest.check(
        z.describe("In place of ref: runs on the merge commit of a pull request into this branch."),
      ),
    ),
    runner: z.optional(
      z
        .enum(["github-hosted", "self-hosted"])
        .check(z.describe("Where the job runs: github-hosted unless it says self-hosted.")),
    ),
    environment: z.optional(
      z.string().check(z.minLength(1), z.describe("The deployment environment that the job must name.")),
    ),
    job_workflow_ref: z.optional(
      textLike(
        new RegExp(
          `^${ownerAndName}\\/${workflowFile}@(?:refs\\/(?:heads|tags)\\/[^\\s*]+|[0-9a-f]{40})$`,
          "u",
        ),
        "expected OWNER/REPO/.github/workflows/FILE.yml@ and then a commit, refs/tags/… or refs/heads/…",
        "The reusable workflow that the job runs in; without it, the job must be in the workflow itself.",
      ),
    ),
    roles: z
      .array(nameOf("a role in roles.yaml"))
      .check(atMost(100, "roles"), z.describe("The roles that the run gets; it may ask for fewer.")),
    mode: z.optional(
      z
        .enum(["enforce", "observe"])
        .check(
          z.describe(
            "observe: tools marked read_only pass without a grant, and the log says what the roles would have denied. To find a first policy.",
          ),
        ),
    ),
    accept_untrusted: z.optional(
      z
        .boolean()
        .check(
          z.describe(
            "true: outsiders who can cause one of the events may reach tools that are not read_only.",
          ),
        ),
    ),
  })
  .register(z.globalRegistry, {
    description: "Which runs get which roles: every field is exact, a list means any of.",
    oneOf: [{ required: ["ref"] }, { required: ["pull_request"] }],
  });
export type Binding = z.infer<typeof Binding>;

const SessionLimits = z.strictObject({
  ttl: z.optional(
    Duration.check(z.describe("How long a session lasts unless it is renewed: 15m by default.")),
  ),
  max: z.optional(Duration.check(z.describe("How long it can be renewed: 6h by default."))),
  revoke_on_change: z.optional(
    z
      .boolean()
      .check(
        z.describe(
          "true: a running session loses what an edit of the documents takes away; otherwise it keeps what it was given.",
        ),
      ),
  ),
});

export const Robot = z.strictObject({
  bindings: z
    .array(Binding)
    .check(z.minLength(1), atMost(50, "bindings"), z.describe("The first binding that matches decides.")),
  session: z.optional(SessionLimits.check(z.describe("How long the robot's sessions last."))),
});
export type Robot = z.infer<typeof Robot>;

export const RobotsDocument = z.strictObject({
  issuer: textWithout(checkIssuer, "The issuer of the tokens: https://token.actions.githubusercontent.com."),
  repository: textLike(
    new RegExp(`^${ownerAndName}$`, "u"),
    "expected OWNER/REPO",
    "OWNER/REPO, as in the path of this file. Names are for people: the ids decide.",
  ),
  repository_id: decimalId("The id of the repository"),
  repository_owner_id: decimalId("The id of the repository's owner"),
  robots: z.record(nameOf("a robot"), Robot).check(
    z.refine((robots) => Object.keys(robots).length > 0, "there is no robot: add one, or remove the file"),
    namesAtMost(100, "robots"),
    z.describe("The robots of this repository, by name."),
  ),
});
export type RobotsDocument = z.infer<typeof RobotsDocument>;
