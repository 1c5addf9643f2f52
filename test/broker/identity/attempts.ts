/**
 * Attempts at a listening broker with a subject token: what came of it, as the caller and as the operator see it.
 * Whatever an attempt is about, it also checks that a refusal tells the caller one public sentence and a reference,
 * and that the token stands in no log line.
 */
import { expect } from "vitest";
import { REFUSALS } from "../../../broker/refusals.ts";
import { type TestBroker, type TestBrokerOptions, startTestBroker } from "../../support/broker.ts";
import { Holder, exchange } from "../../support/session-holder.ts";

export interface Attempt {
  readonly status: number;
  /** `accepted`, or the code in the log. */
  readonly code: string;
  readonly detail: string;
  readonly body: any;
}

export interface AttemptOptions {
  readonly robot?: string;
  /** Who makes the attempt; by default somebody new. */
  readonly holder?: Holder;
  readonly proof?: string | null;
}

const robots = (issuer: string): string => `
issuer: ${issuer}
repository: acme/payments
repository_id: "456789"
repository_owner_id: "123456"
robots:
  triager:
    bindings:
      - { workflow: .github/workflows/triage.yml, events: [schedule, workflow_dispatch], ref: refs/heads/main, roles: [reader, writer] }
  reviewer:
    bindings:
      - { workflow: .github/workflows/review.yml, events: [pull_request], pull_request: { base_ref: main }, roles: [reader] }
  deployer:
    bindings:
      - { workflow: .github/workflows/triage.yml, events: [schedule], ref: refs/heads/main, environment: agents, roles: [reader] }
  borrower:
    bindings:
      - workflow: .github/workflows/triage.yml
        events: [schedule]
        ref: refs/heads/main
        job_workflow_ref: acme/flows/.github/workflows/agent.yml@${"a".repeat(40)}
        roles: [reader]
  resident:
    bindings:
      - { workflow: .github/workflows/triage.yml, events: [schedule], ref: refs/heads/main, runner: self-hosted, roles: [reader] }
  answerer:
    bindings:
      - { workflow: .github/workflows/answer.yml, events: [issue_comment], ref: refs/heads/main, roles: [reader] }
`;

/** A broker with a robot for every kind of binding, and without a limit: how often is the test's to say. */
export async function startTarget({ config, ...options }: TestBrokerOptions = {}): Promise<TestBroker> {
  const limits = {
    addressPerMinute: Number.POSITIVE_INFINITY,
    repositoryPerMinute: Number.POSITIVE_INFINITY,
  };
  return startTestBroker({
    files: (issuer) => ({ "robots/acme/payments.yaml": robots(issuer) }),
    config: (issuer) => ({ limits, ...config?.(issuer) }),
    ...options,
  });
}

export async function attempt(
  on: TestBroker,
  subjectToken: string,
  { robot = "triager", holder, proof }: AttemptOptions = {},
): Promise<Attempt> {
  const { status, body } = await exchange(on, holder ?? (await Holder.create()), {
    subjectToken,
    form: { scope: `robot:acme/payments/${robot}` },
    ...(proof === undefined ? {} : { proof }),
  });
  const log = JSON.stringify(on.logged);
  if (subjectToken.length > 100) expect(log).not.toContain(subjectToken.slice(-80));
  if (status === 200) return { status, body, code: "accepted", detail: "" };

  const entry = on.logged.find((line) => line["reference"] === body.reference);
  const code = String(entry?.["code"]) as keyof typeof REFUSALS;
  expect(body).toEqual({
    error: REFUSALS[code].error,
    error_description: REFUSALS[code].sentence,
    reference: expect.stringMatching(/^[0-9a-f]{12}$/),
  });
  expect(status).toBe(REFUSALS[code].status);
  return { status, body, code, detail: String(entry?.["detail"]) };
}

/** Every job is one of its own. */
let jobs = 70_000;
export function newJob(): { run_id: string; check_run_id: string } {
  jobs += 1;
  return { run_id: String(jobs), check_run_id: String(jobs + 1_000_000) };
}
