/** The relay's ledger beside a database that fails, lies about a commit, or is asked by two at once. */
import { beforeEach, expect, test } from "vitest";
import { ChainVerifier, splitLines } from "../../../audit/verification/chain-verification.ts";
import { RecordOrder } from "../../../audit/verification/record-order.ts";
import type { AuditRecord } from "../../../audit/record.ts";
import { RelayLedger } from "../../../broker/relay/relay-ledger.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import type { Queries } from "../../../broker/storage/schema.ts";
import { DatabaseUnavailable } from "../../../broker/storage/unavailable.ts";
import { compilePolicy } from "../../../policies/compilation.ts";
import { SessionUsage } from "../../../policies/usage.ts";
import { callOf, resultOf, robot, workload } from "../../audit/stored-session.ts";
import { describeOnBoth } from "../../support/both-databases.ts";
import { claimsOf, insertSession } from "../review/session-rows.ts";

const SESSION = `ses_${"1".repeat(32)}`;
const POLICY = {
  ...{ v: 1, robot, roles: ["triager"], mode: "enforce", flow: [], servers: { github: {} } },
  grants: [{ rule: "triager#1", server: "github", tools: ["echo"], limit: 3 }],
} as const;
const CALL = { server: "github", kind: "tool", name: "echo", args: {}, agent: "agent" } as const;

describeOnBoth((create) => {
  let database: Queries;
  /** What becomes of the next transaction. */
  let fault: "none" | "before" | "after the commit";
  let failing: Queries;

  beforeEach(async () => {
    database = await openDatabase(await create());
    const facts = { id: SESSION, robot, claims: claimsOf(), agents: [], startedAt: Date.now() };
    await insertSession({ database } as Parameters<typeof insertSession>[0], facts, "audit/v1/x/");
    fault = "none";
    failing = new Proxy(database, {
      get: (target, name) => {
        const transaction = target.transaction.bind(target);
        if (name !== "transaction") return Reflect.get(target, name, target);
        return () => ({
          execute: async <T>(work: (db: Queries) => Promise<T>): Promise<T> => {
            const now = fault;
            fault = "none";
            if (now === "before") throw new DatabaseUnavailable("it is gone");
            const outcome = await transaction().execute(work);
            if (now === "after the commit") throw new DatabaseUnavailable("no answer");
            return outcome;
          },
        });
      },
    });
    return async () => database.destroy();
  });

  async function open(on: Queries) {
    const policy = await compilePolicy(structuredClone(POLICY) as never, { claims: claimsOf() });
    const usage = new SessionUsage(policy);
    const ledger = new RelayLedger({
      ...{ database: on, session: SESSION, usage, now: Date.now },
      genesis: {
        ...{ kind: "relay_genesis", session: SESSION, broker: "b", version: "1", robot, roles: [] },
        ...{ workload, policy: "a".repeat(64), servers: ["github"] },
      },
      labelsGained: () => undefined,
      sessionRead: () => undefined,
      written: () => undefined,
      onError: () => undefined,
    });
    /** As the gate does it; whether the call was let through. */
    const ask = async (id: string): Promise<boolean | "failed"> =>
      new Promise((resolve) => {
        let isAllowed = false;
        ledger.submit({
          decide: () => {
            const decision = policy.decide(CALL, usage);
            isAllowed = decision.effect === "allow";
            ledger.record(callOf(id, { decision: decision.effect, reason: decision.reason }));
            usage.count(CALL, decision);
          },
          settle: (isRecorded) => resolve(isRecorded ? isAllowed : "failed"),
        });
      });
    return { ledger, ask };
  }

  async function readLog(): Promise<AuditRecord[]> {
    const rows = await database.selectFrom("relay_records").selectAll().orderBy("first_seq").execute();
    const verifier = new ChainVerifier();
    const order = new RecordOrder("relay_genesis");
    return [...splitLines(Buffer.from(rows.map(({ lines }) => lines).join("")))].map((line) => {
      const reading = verifier.verifyLine(line);
      if (!reading.ok) throw new Error(reading.message);
      expect(order.add(reading.record)).toEqual([]);
      return reading.record;
    });
  }

  test("calls of two replicas at once: one chain, and no more than the limit", async () => {
    const [one, two] = [await open(database), await open(database)];
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => (index % 2 === 0 ? one : two).ask(`call-${index}`)),
    );
    expect(answers.filter((answer) => answer === true)).toHaveLength(3);
    expect((await readLog()).filter(({ kind }) => kind === "call")).toHaveLength(20);
  });

  test("a database that is gone lets nothing through and counts nothing", async () => {
    const { ask } = await open(failing);
    fault = "before";
    expect(await ask("lost")).toBe("failed");
    expect([await ask("a"), await ask("b"), await ask("c"), await ask("d")]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(JSON.stringify(await readLog())).not.toContain("lost");
  });

  test("how a call ended is kept until the database is back", async () => {
    const { ledger, ask } = await open(failing);
    expect(await ask("one")).toBe(true);
    fault = "before";
    ledger.record(resultOf("one"));
    await expect.poll(async () => (await readLog()).map(({ kind }) => kind)).toContain("result");
  });

  test("a commit without an answer: the call does not leave, and nothing is on the log twice", async () => {
    const { ledger, ask } = await open(failing);
    expect(await ask("one")).toBe(true);
    fault = "after the commit";
    ledger.record(resultOf("one"));
    expect(await ask("two")).toBe("failed");
    expect(await ask("three")).toBe(true);
    await ledger.flush();
    const log = await readLog();
    expect(log.filter(({ kind }) => kind === "result")).toHaveLength(1);
    expect(log.flatMap((record) => (record.kind === "call" ? [record.id] : []))).toEqual([
      "one",
      "two",
      "three",
    ]);
    expect(await ask("four")).toBe(false);
  });
});
