/** Sessions that run while the documents change: what they lose, what they keep, and what a reviewer sees of it. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OperatorAccounts } from "../../../broker/operators/accounts.ts";
import { listPolicyChanges } from "../../../broker/storage/sessions/policy-changes.ts";
import type { SessionRow } from "../../../broker/storage/schema.ts";
import { findSession } from "../../../broker/storage/sessions/sessions.ts";
import { holdToDocuments } from "../../../broker/sessions/document-changes.ts";
import { introspect } from "../../../broker/sessions/introspection.ts";
import { compilePolicy } from "../../../policies/compilation.ts";
import { digestPolicy } from "../../../policies/session-policy.ts";
import type { OpenedServices } from "../../../broker/start.ts";
import { type TestBroker, robotsDocument, startTestBroker } from "../../support/broker.ts";
import {
  Holder,
  LogWriter,
  announce,
  call,
  exchange,
  genesisOf,
  upload,
} from "../../support/session-holder.ts";
import { openReplica } from "../sessions/second-replica.ts";

const roles = (reader: string): string => `
roles:
  reader: { grants: [${reader}] }
  writer: { grants: [{ server: files, tools: ["write_*"], when: "args.path == 'a'", limit: { calls: 3 } }] }
  unused: { grants: [{ server: unused, tools: ["*"] }] }
`;
const READER = "{ server: everything, tools: [echo, add] }, { server: everything, prompts: [simple] }";
const revoking = (issuer: string): string =>
  robotsDocument(issuer).replace("max: 2h", "max: 2h, revoke_on_change: true");

let on: TestBroker;
let replica: OpenedServices;
let holder: Holder;
beforeEach(async () => {
  on = await startTestBroker({
    config: () => ({ metrics: { host: "127.0.0.1", port: 0 } }),
    files: (issuer) => ({ "roles.yaml": roles(READER), "robots/acme/payments.yaml": revoking(issuer) }),
  });
  replica = await openReplica(on);
  holder = await Holder.create();
});
afterEach(async () => {
  await replica.close();
  await on.close();
});

const edit = async (path: string, text: string): Promise<void> => {
  await writeFile(join(on.config.policies, path), text);
  await on.broker.reloadPolicies();
};
const open = async (): Promise<any> => {
  expect((await exchange(on, holder)).status).toBe(200);
  return (await call(on, holder, "GET /session")).body;
};
const rowOf = async (session: string): Promise<SessionRow> => {
  const row = await findSession(replica.services.database, session);
  if (row === undefined) throw new Error("there is no session");
  return row;
};
/** By the broker itself. */
const countedRevocations = async (): Promise<number> => {
  const { host, port } = on.broker.metricsAddress ?? { host: "", port: 0 };
  const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
  return Number(/^lanyard_sessions_total\{state="revoked"\} ([0-9]+)$/m.exec(text)?.[1]);
};
const rulesOf = (document: any): string[] => document.policy.source.grants.map((grant: any) => grant.rule);

describe("a session of a robot that says revoke_on_change", () => {
  test("loses a grant that is taken away, and every answer of the broker says so", async () => {
    const issued = await open();
    expect(rulesOf(issued)).toEqual(["reader#1", "reader#2", "writer#1"]);
    const log = new LogWriter(on.now);
    const first = await log.segment([genesisOf(on, issued)]);
    expect((await announce(on, holder, first)).body.policy).toBe(issued.policy.digest);

    await edit("roles.yaml", roles("{ server: everything, tools: [echo] }"));
    const { body: left } = await call(on, holder, "GET /session");
    expect(left.policy.digest).not.toBe(issued.policy.digest);
    expect(left.policy.digest).toBe(digestPolicy(left.policy.source));
    expect(left.policy.source.grants).toEqual([
      { rule: "reader#1", server: "everything", tools: ["echo"] },
      expect.objectContaining({ rule: "writer#1" }),
    ]);
    expect((await announce(on, holder, first)).body.policy).toBe(left.policy.digest);
    const renewed = await call(on, holder, "POST /session/renew", { subject_token: await on.subjectToken() });
    expect(renewed.body.policy).toBe(left.policy.digest);

    const row = await rowOf(issued.session);
    expect(row).toMatchObject({ policy: issued.policy.digest, narrowed_policy: left.policy.digest });
    expect(await listPolicyChanges(replica.services.database, issued.session)).toMatchObject([
      { policy: left.policy.digest, lost: '["reader#1 add","reader#2"]' },
    ]);
  });

  test("loses it as soon as the directory is read, before its proxy asks", async () => {
    const { session } = await open();
    await edit("roles.yaml", roles("{ server: everything, tools: [echo] }"));
    expect((await rowOf(session)).narrowed_policy).toMatch(/^[0-9a-f]{64}$/);
    expect(on.logged).toContainEqual(expect.objectContaining({ ended: 0, narrowed: 1 }));
  });

  test("does not get back what it lost, nor anything else that is given later", async () => {
    const issued = await open();
    await edit("roles.yaml", roles("{ server: everything, tools: [echo] }"));
    const { body: left } = await call(on, holder, "GET /session");
    await edit("roles.yaml", roles(`${READER}, { server: files, tools: ["*"] }`));
    expect((await call(on, holder, "GET /session")).body.policy).toEqual(left.policy);
    const policy = await compilePolicy(left.policy.source, { claims: issued.claims });
    expect(policy.reaches("files")).toBe(true);
    expect(policy.show({ server: "files", kind: "tool", name: "delete" }, new Set()).visible).toBe(false);
  });

  test("an edit that takes nothing away changes nothing, and asks for no write at the next request", async () => {
    const issued = await open();
    await edit("roles.yaml", roles(`{ server: unused, tools: [x] }, ${READER}`));
    expect((await call(on, holder, "GET /session")).body.policy).toEqual(issued.policy);
    expect(await listPolicyChanges(replica.services.database, issued.session)).toEqual([]);
  });

  test("loses a server whose address in the registry is another one by now", async () => {
    const issued = await open();
    expect(Object.keys(issued.servers)).toEqual(["everything", "files"]);
    await edit(
      "servers.yaml",
      `servers:
  everything: { url: "http://127.0.0.1:10/mcp", tools: { echo: { read_only: true } } }
  files: { command: [node, server.js, "{workspace}"], env: { HOME: "{runner_temp}" }, start: eager }
  unused: { url: "http://127.0.0.1:9/unused" }
`,
    );
    const { body: left } = await call(on, holder, "GET /session");
    expect(rulesOf(left)).toEqual(["writer#1"]);
    expect(Object.keys(left.policy.source.servers)).toEqual(["files"]);
  });

  test.each<[string, (document: string) => string]>([
    ["robot", (document) => document.replace("triager:", "another:")],
    ["binding", (document) => document.replace("triage.yml", "other.yml")],
    ["repository's id", (document) => document.replace("456789", "456780")],
  ])("ends when its %s is gone: at once, for every endpoint and for good", async (_what, change) => {
    const { session } = await open();
    await edit("robots/acme/payments.yaml", change(revoking(on.issuer.url)));
    expect((await rowOf(session)).state).toBe("revoked");
    expect(await introspect(holder.accessToken, replica.services)).toEqual({ active: false });
    for (const endpoint of ["GET /session", "POST /session/renew", "POST /session/segments"]) {
      expect(
        (await call(on, holder, endpoint, endpoint.startsWith("POST") ? {} : undefined)).body.error,
      ).toBe("session_over");
    }
    await edit("robots/acme/payments.yaml", revoking(on.issuer.url));
    expect((await call(on, holder, "GET /session")).body.error).toBe("session_over");
  });

  test("two replicas, each asked ten times at once: one of them ends it, says why, and counts it", async () => {
    const { session } = await open();
    const row = await rowOf(session);
    await writeFile(
      join(on.config.policies, "robots", "acme", "payments.yaml"),
      revoking(on.issuer.url).replace("triager:", "another:"),
    );
    const other = await openReplica(on);
    const third = await openReplica(on);
    let ended = 0;
    const onPolicyRevocation = (): void => void (ended += 1);
    const held = await Promise.all(
      [other, third].flatMap(({ services }) =>
        Array.from({ length: 10 }, async () => holdToDocuments(row, { ...services, onPolicyRevocation })),
      ),
    );
    expect(held.map(({ state }) => state)).toEqual(Array.from({ length: 20 }, () => "revoked"));
    expect(await rowOf(session)).toMatchObject({ revoked_by: null, revocation_cause: "policy_change" });
    await on.broker.reloadPolicies();
    // At most one more could have come from the broker itself, had it noticed first.
    const counted = await countedRevocations();
    expect(ended + counted).toBe(1);
    await other.close();
    await third.close();
  });

  test("its end is counted once, when the directory is read and for as many requests as come later", async () => {
    const { session } = await open();
    await edit("robots/acme/payments.yaml", revoking(on.issuer.url).replace("triager:", "another:"));
    for (let requests = 0; requests < 3; requests += 1) {
      expect((await call(on, holder, "GET /session")).body.error).toBe("session_over");
    }
    expect((await rowOf(session)).revocation_cause).toBe("policy_change");
    expect(await countedRevocations()).toBe(1);
  });

  test("two replicas, each asked ten times at once while it is renewed and its log comes in: one change", async () => {
    const issued = await open();
    const row = await rowOf(issued.session);
    const log = new LogWriter(on.now);
    const segment = await log.segment([genesisOf(on, issued)]);
    await writeFile(join(on.config.policies, "roles.yaml"), roles("{ server: everything, tools: [echo] }"));
    const [one, other] = [await openReplica(on), await openReplica(on)];
    const subjectToken = await on.subjectToken();
    const [held, renewed, announced] = await Promise.all([
      Promise.all(
        [one, other].flatMap(({ services }) =>
          Array.from({ length: 10 }, async () => holdToDocuments(row, services)),
        ),
      ),
      call(on, holder, "POST /session/renew", { subject_token: subjectToken }),
      announce(on, holder, segment),
    ]);
    expect([renewed.status, announced.status]).toEqual([200, 200]);
    expect(new Set(held.map(({ narrowed_policy }) => narrowed_policy)).size).toBe(1);
    const changes = async () => listPolicyChanges(replica.services.database, issued.session);
    expect(await changes()).toMatchObject([{ lost: '["reader#1 add","reader#2"]' }]);

    await edit("roles.yaml", roles("{ server: everything, tools: [none] }"));
    expect(rulesOf((await call(on, holder, "GET /session")).body)).toEqual(["writer#1"]);
    expect(await changes()).toHaveLength(2);
    // One that still has the edit before gives nothing back, and takes nothing twice.
    await holdToDocuments(await rowOf(issued.session), one.services);
    await call(on, holder, "GET /session");
    await holdToDocuments(await rowOf(issued.session), other.services);
    expect(await changes()).toHaveLength(2);
    await one.close();
    await other.close();
  });

  test("ends when the whole document is deleted", async () => {
    const { session } = await open();
    await rm(join(on.config.policies, "robots", "acme", "payments.yaml"));
    await on.broker.reloadPolicies();
    expect((await rowOf(session)).state).toBe("revoked");
  });

  test("a broken edit takes nothing from it", async () => {
    const issued = await open();
    await edit("roles.yaml", "roles: {");
    expect((await call(on, holder, "GET /session")).body.policy).toEqual(issued.policy);
  });

  test("a replica that still has the old documents gives nothing back", async () => {
    const issued = await open();
    await edit("roles.yaml", roles("{ server: everything, tools: [echo] }"));
    const { narrowed_policy: left } = await rowOf(issued.session);
    // It read the directory before the edit, and reads it no more.
    expect(replica.services.policies.current.policies.roles.get("reader")?.grants).toHaveLength(2);
    expect(await introspect(holder.accessToken, replica.services)).toMatchObject({ active: true });
    expect((await rowOf(issued.session)).narrowed_policy).toBe(left);
  });

  test("an exchange that is decided by the documents of before is held to those of now when its proxy asks", async () => {
    // The replica has not noticed the edit yet, and issues by what it knows.
    await edit("roles.yaml", roles("{ server: everything, tools: [echo] }"));
    const row = { documents: replica.services.policies.current.digest };
    const issued = await open();
    expect(rulesOf(issued)).toEqual(["reader#1", "writer#1"]);
    await replica.services.database
      .updateTable("sessions")
      .set({ checked_against: row.documents })
      .where("id", "=", issued.session)
      .execute();
    await edit("roles.yaml", roles("{ server: everything, prompts: [simple] }"));
    expect(rulesOf((await call(on, holder, "GET /session")).body)).toEqual(["writer#1"]);
  });

  test("on its run's page the log is whole, and what was lost stands under the grants", async () => {
    const issued = await open();
    await edit("roles.yaml", roles("{ server: everything, tools: [echo] }"));
    const { body: left } = await call(on, holder, "GET /session");
    // A proxy that starts again begins with what is left.
    const segment = await new LogWriter(on.now).segment([genesisOf(on, left)]);
    const { body: announced } = await announce(on, holder, segment);
    await upload(announced.upload, segment.body);
    const added = await new OperatorAccounts(replica.services.database, Date.now).add("reviewer");
    if (!added.ok) throw new Error(added.message);
    const review = await fetch(`${on.url}/api/runs/${(await rowOf(issued.session)).run}`, {
      headers: { authorization: `Bearer ${added.token}` },
    });
    const [session] = ((await review.json()) as any).sessions;
    expect(session).toMatchObject({
      status: "running",
      policy: issued.policy.digest,
      policy_changes: [{ policy: left.policy.digest, lost: ["reader#1 add", "reader#2"] }],
      integrity: { problems: [] },
    });
    expect(session.grants).toContainEqual({
      rule: "writer#1",
      server: "files",
      tools: ["write_*"],
      resources: [],
      prompts: [],
      asks: [],
      when: "args.path == 'a'",
      limit: 3,
      arguments: "full",
    });
  });
});

describe("a session of a robot that does not say it", () => {
  beforeEach(async () => {
    await edit("robots/acme/payments.yaml", robotsDocument(on.issuer.url));
  });

  test("keeps what it was given, also when its robot is gone", async () => {
    const issued = await open();
    await edit("roles.yaml", roles("{ server: everything, tools: [echo] }"));
    expect((await call(on, holder, "GET /session")).body.policy).toEqual(issued.policy);
    await edit("robots/acme/payments.yaml", robotsDocument(on.issuer.url).replace("triager:", "another:"));
    expect((await call(on, holder, "GET /session")).body.policy).toEqual(issued.policy);
  });

  test("is held to the documents by the edit that says it", async () => {
    await open();
    await writeFile(join(on.config.policies, "roles.yaml"), roles("{ server: everything, tools: [echo] }"));
    await edit("robots/acme/payments.yaml", revoking(on.issuer.url));
    expect(rulesOf((await call(on, holder, "GET /session")).body)).toEqual(["reader#1", "writer#1"]);
  });
});
