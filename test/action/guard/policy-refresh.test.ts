/** How a running proxy learns that its session lost something: by every answer, by asking, and never by guessing. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startPolicyRefresh } from "../../../action/guard/policy-refresh.ts";
import type { Reply, SessionClient } from "../../../action/wire/broker-client.ts";
import { PatienceExhausted } from "../../../action/wire/retry.ts";
import type { SessionDocument } from "../../../broker/contract.ts";
import { compilePolicy } from "../../../policies/compilation.ts";
import type { CompiledPolicy } from "../../../policies/decision.ts";
import { digestPolicy, type SessionGrant } from "../../../policies/session-policy.ts";
import { sessionDocument } from "../session-document.ts";

const documentOf = (tools: string[]): SessionDocument => {
  const { policy, ...rest } = sessionDocument();
  const grants: SessionGrant[] = tools.map((tool, index) => ({
    ...{ rule: `reader#${index + 1}`, server: "files", tools: [tool] },
  }));
  const source = { ...policy.source, grants, servers: { files: {} } };
  return sessionDocument({ ...rest, policy: { digest: digestPolicy(source), source } });
};
const BEFORE = documentOf(["read", "write"]);
const AFTER = documentOf(["read"]);

let answer: () => Promise<Reply<SessionDocument>>;
let reads = 0;
let applied: CompiledPolicy[] = [];
let noted: unknown[] = [];
let ended: string[] = [];
let stop: AbortController;
beforeEach(() => {
  [reads, applied, noted, ended] = [0, [], [], []];
  answer = async () => ({ ok: true, value: AFTER });
  stop = new AbortController();
});
afterEach(() => stop.abort());

const start = (pollMs = 3_600_000) => {
  const notOfThisTest = async (): Promise<never> => {
    throw new Error("not of this test");
  };
  const client: SessionClient = {
    ...{ renew: notOfThisTest, announceSegment: notOfThisTest, seal: notOfThisTest },
    read: async () => {
      reads += 1;
      return answer();
    },
  };
  return startPolicyRefresh({
    client,
    document: BEFORE,
    compile: async ({ policy: { source, digest }, claims }) => {
      if (digestPolicy(source) !== digest) throw new Error("its digest differs");
      return compilePolicy(source, { claims });
    },
    apply: (policy) => applied.push(policy),
    note: (event) => noted.push(event),
    isActive: () => ended.length === 0,
    end: (reason) => ended.push(reason),
    signal: stop.signal,
    pollMs,
  });
};
const until = async (check: () => boolean): Promise<void> => {
  await vi.waitUntil(check, { timeout: 10_000, interval: 5 });
};

it("an answer with another digest: the policy is fetched, put in force, and the log says what was lost", async () => {
  const { hear } = start();
  hear(AFTER.policy.digest);
  await until(() => applied.length === 1);
  expect(applied[0]?.digest).toBe(AFTER.policy.digest);
  expect(noted).toEqual([
    {
      kind: "event",
      event: "policy_changed",
      severity: "warning",
      detail: { from: BEFORE.policy.digest, to: AFTER.policy.digest, lost: ["reader#2"] },
    },
  ]);
  hear(AFTER.policy.digest);
  hear(AFTER.policy.digest);
  expect(reads).toBe(1);
});

it("an answer with the digest that is known asks for nothing; several at once ask once", async () => {
  const { hear } = start();
  hear(BEFORE.policy.digest);
  expect(reads).toBe(0);
  hear(AFTER.policy.digest);
  hear(AFTER.policy.digest);
  await until(() => applied.length === 1);
  expect(reads).toBe(1);
});

it("an idle session asks by itself, and hears of a change that way", async () => {
  start(5);
  await until(() => applied.length === 1);
  expect(ended).toEqual([]);
});

it("an idle session that was revoked is over when it asks", async () => {
  answer = async () => ({ ok: false, status: 401, error: "session_over", sentence: "It is over." });
  start(5);
  await until(() => ended.length === 1);
  expect(ended).toEqual(["the broker ended the session: It is over."]);
});

it("a broker that does not answer changes nothing, and is asked again", async () => {
  answer = async () => {
    throw new PatienceExhausted("it could not be reached");
  };
  start(5);
  await until(() => reads > 2);
  expect([applied, ended]).toEqual([[], []]);
  answer = async () => ({ ok: true, value: AFTER });
  await until(() => applied.length === 1);
});

it("a policy that was changed on the way ends the session: neither the old nor the new one is granted", async () => {
  answer = async () => ({
    ok: true,
    value: { ...AFTER, policy: { ...AFTER.policy, source: BEFORE.policy.source } },
  });
  start().hear(AFTER.policy.digest);
  await until(() => ended.length === 1);
  expect(ended).toEqual(["its policy changed and could not be taken over: its digest differs"]);
  expect(applied).toEqual([]);
});

it("after the end nothing is asked or put in force any more", async () => {
  const given = Promise.withResolvers<void>();
  answer = async () => {
    await given.promise;
    return { ok: true, value: AFTER };
  };
  const { hear } = start(5);
  await until(() => reads === 1);
  stop.abort();
  given.resolve();
  hear(AFTER.policy.digest);
  await new Promise(setImmediate);
  expect([reads, applied, noted, ended]).toEqual([1, [], [], []]);
});
