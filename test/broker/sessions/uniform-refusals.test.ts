/**
 * Refusals that must not be told apart: not by their bytes, and not by what they cost. Every query and every
 * cryptographic operation is counted, through the dependencies that the endpoint is given and in the platform below.
 */
import Fastify, { type FastifyInstance } from "fastify";
import type { KyselyPlugin } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { registerOAuthRoutes } from "../../../broker/routes/oauth-routes.ts";
import type { Services } from "../../../broker/services.ts";
import type { OpenedServices } from "../../../broker/start.ts";
import { decideGroup } from "../../../broker/storage/ledger/group.ts";
import { openLedger } from "../../../broker/storage/ledger/ledger.ts";
import { runnerOf } from "../../../broker/storage/ledger/runner.ts";
import type { Runner } from "../../../broker/storage/ledger/statements.ts";
import { inTransaction } from "../../../broker/storage/transactions.ts";
import { type TestBroker, robotsDocument, startTestBroker } from "../../support/broker.ts";
import { Holder } from "../../support/session-holder.ts";
import { openReplica } from "./second-replica.ts";

const CRYPTO = ["sign", "verify", "encrypt", "decrypt", "importKey", "generateKey", "wrapKey"] as const;

let on: TestBroker;
let replica: OpenedServices;
let app: FastifyInstance;
/** What the last request did, in order. */
let trace: string[];
let holder: Holder;
let run = 6000;

/** The robots that a caller must not be able to find out about. */
const otherRepository = (issuer: string): string =>
  robotsDocument(issuer)
    .replace("repository: acme/payments", "repository: acme/vault")
    .replace('"456789"', '"777777"');

beforeAll(async () => {
  on = await startTestBroker({
    files: (issuer) => ({ "robots/acme/vault.yaml": otherRepository(issuer) }),
  });
  replica = await openReplica(on);
  app = Fastify();
  await registerOAuthRoutes(app, instrument(replica.services));
  // The issuer's keys are fetched once, by whoever comes first.
  holder = await Holder.create();
  expect((await ask("robot:acme/payments/nobody")).seen.status).toBe(400);
});
afterAll(async () => {
  await app.close();
  await replica.close();
  await on.close();
});

beforeEach(async () => {
  trace = [];
  run += 1;
  holder = await Holder.create();
});
afterEach(() => {
  vi.restoreAllMocks();
});

function instrument(services: Services): Services {
  const counted: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => {
      trace.push(`query: ${services.database.getExecutor().compileQuery(node, queryId).sql}`);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const database = services.database.withPlugin(counted);
  return {
    ...services,
    database,
    ledger: openLedger(database, async (group) =>
      inTransaction(database, async (db) => decideGroup(count(runnerOf(db)), group)),
    ),
    subjectTokens: {
      verify: async (token) => {
        trace.push("dependency: subject token verified");
        return services.subjectTokens.verify(token);
      },
    },
    signingKeys: new Proxy(services.signingKeys, {
      get: (keys, name) => {
        trace.push(`dependency: signing keys: ${String(name)}`);
        return Reflect.get(keys, name) as unknown;
      },
    }),
  };
}

/** What the ledger runs: its statements are compiled once, and pass no plugin. */
function count(runner: Runner): Runner {
  return {
    write: async (statement, rows) => {
      trace.push(`query: ${statement.sqlite.sql}, rows: ${rows.length}`);
      return runner.write(statement, rows);
    },
    read: async (statement, rows) => {
      trace.push(`query: ${statement.sqlite.sql}, rows: ${rows.length}`);
      return runner.read(statement, rows);
    },
  };
}

async function ask(scope: string, overrides: Record<string, unknown> = {}) {
  const subjectToken = await on.subjectToken({ run_id: String(run), ...overrides });
  const proof = await holder.prove({ method: "POST", url: `${on.url}/token`, now: on.now() });
  const operations = CRYPTO.map((name) => vi.spyOn(crypto.subtle, name));
  trace = [];
  const answer = await app.inject({
    method: "POST",
    url: "/token",
    headers: { "content-type": "application/x-www-form-urlencoded", dpop: proof },
    payload: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: subjectToken,
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      resource: on.url,
      scope,
    }).toString(),
  });
  const counts = operations.map((spy, index) => `${CRYPTO[index]}: ${spy.mock.calls.length}`);
  vi.restoreAllMocks();
  const { reference: _, ...body } = JSON.parse(answer.body) as Record<string, unknown>;
  const { date: __, ...headers } = answer.headers;
  return { seen: { status: answer.statusCode, headers, body }, did: trace, counts };
}

const REFUSED: [string, string, Record<string, unknown>?][] = [
  ["an unknown robot", "robot:acme/payments/nobody"],
  ["a forbidden one", "robot:acme/payments/sleeper"],
  ["one of another repository", "robot:acme/vault/triager"],
  ["one of a repository that nobody provisioned", "robot:nobody/nothing/triager"],
  ["more scope than bound: a role that exists", "robot:acme/payments/triager role:unused"],
  ["more scope than bound: a role that does not", "robot:acme/payments/triager role:nothing"],
  ["more scope than bound: one role too many", "robot:acme/payments/triager role:reader role:unused"],
  ["another event", "robot:acme/payments/triager", { event_name: "push" }],
  [
    "a repository without robots",
    "robot:acme/payments/triager",
    { repository_id: "1", sub: "repo:acme/payments:x" },
  ],
];

describe.each([
  ["a job without a session", false],
  ["a job that has one, by the same key", true],
])("%s", (_name, hasSession) => {
  test("an unknown robot and a forbidden one: the same answer, the same queries, the same signature operations", async () => {
    if (hasSession) expect((await ask("robot:acme/payments/triager")).seen.status).toBe(200);
    const results = [];
    for (const [name, scope, overrides] of REFUSED) {
      results.push({ name, ...(await ask(scope, overrides)) });
    }
    const [first] = results;
    expect(first?.seen).toMatchObject({ status: 400, body: { error: "invalid_request" } });
    expect(first?.did.filter((step) => step.startsWith("query: insert")).length).toBeGreaterThanOrEqual(2);
    // The proof and the subject token; nothing is signed.
    expect(first?.counts).toEqual(expect.arrayContaining(["verify: 2", "sign: 0", "encrypt: 0"]));
    for (const { name, seen, did, counts } of results) {
      expect({ name, seen, did, counts }).toEqual({ ...first, name });
    }
  });
});

test("the counting sees a difference where there is one: a granted exchange signs and writes more", async () => {
  const refused = await ask("robot:acme/payments/nobody");
  const granted = await ask("robot:acme/payments/triager");
  expect(granted.seen.status).toBe(200);
  expect(granted.counts).toContain("sign: 1");
  expect(granted.did.length).toBeGreaterThan(refused.did.length);
  expect(granted.did).toContain("dependency: signing keys: token");
});
