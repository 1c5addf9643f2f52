/** The life of a session over HTTP, against a broker that really listens: from the exchange to a log that verifies. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifySession } from "../../audit/verification/verification.ts";
import { SessionDocument } from "../../broker/contract.ts";
import { openFolderBucket } from "../../broker/custody/folder-bucket.ts";
import { digestPolicy } from "../../policies/session-policy.ts";
import { type TestBroker, startTestBroker } from "../support/broker.ts";
import {
  Holder,
  LogWriter,
  SEAL,
  announce,
  call,
  exchange,
  genesisOf,
  note,
  upload,
} from "../support/session-holder.ts";

let on: TestBroker;
beforeAll(async () => {
  on = await startTestBroker();
});
afterAll(async () => {
  await on.close();
});

test("a job exchanges, reads its session, renews, ships two segments and seals; the log verifies with public keys", async () => {
  const holder = await Holder.create();
  const exchanged = await exchange(on, holder);
  expect(exchanged.status).toBe(200);
  expect(exchanged.headers.get("cache-control")).toBe("no-store");
  expect(exchanged.body).toMatchObject({
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "DPoP",
    expires_in: expect.closeTo(15 * 60, -1),
    scope: "robot:acme/payments/triager role:reader role:writer",
  });

  const session = await call(on, holder, "GET /session");
  expect(session.status).toBe(200);
  const document = SessionDocument.parse(session.body);
  expect(document.robot).toBe("acme/payments/triager");
  expect(document.policy.digest).toBe(digestPolicy(document.policy.source));
  expect(document.workload).toMatchObject({ repository_id: "456789", run_id: "1001", check_run_id: "5001" });
  expect(document.servers).toEqual({
    everything: { transport: "http", url: "http://127.0.0.1:9/mcp" },
    files: {
      transport: "stdio",
      command: ["node", "server.js", "{workspace}"],
      env: { HOME: "{runner_temp}" },
      start: "lazy",
    },
  });
  expect(document.audit).toMatchObject({ segment_bytes: 262_144, segment_interval_ms: 3000 });
  expect(Buffer.from(document.audit.salt, "base64url")).toHaveLength(32);
  expect(document.review_url).toMatch(new RegExp(`^${on.url}/runs/[0-9a-f]{20}$`));

  const renewed = await call(on, holder, "POST /session/renew", { subject_token: await on.subjectToken() });
  expect(renewed.status).toBe(200);
  expect(renewed.body.expires_in).toBeGreaterThan(895);
  holder.accessToken = renewed.body.access_token;

  const log = new LogWriter(() => on.now());
  const first = await log.segment([genesisOf(on, document), note("one")]);
  const announced = await announce(on, holder, first);
  expect(announced.status).toBe(200);
  expect((await upload(announced.body.upload, first.body)).status).toBe(200);
  const { segment, last_seq, head } = first.request;
  const second = await log.segment([
    { kind: "checkpoint", segment, last_seq, head, signature: announced.body.checkpoint },
    SEAL,
  ]);
  expect((await upload((await announce(on, holder, second)).body.upload, second.body)).status).toBe(200);

  const end = { segments: 2, last_seq: second.request.last_seq, head: second.request.head };
  const sealed = await call(on, holder, "POST /session/seal", end);
  expect(sealed).toMatchObject({ status: 200, body: { status: "sealed", review_url: document.review_url } });
  expect((await call(on, holder, "POST /session/seal", end)).status).toBe(200);
  expect((await call(on, holder, "GET /session")).body.error).toBe("session_over");

  const keys = await (await fetch(`${on.url}/.well-known/checkpoint-keys.json`)).json();
  const bucket = openFolderBucket({
    path: join(on.directory, "audit"),
    publicUrl: on.url,
    uploadSecrets: () => [Buffer.alloc(32)],
    now: Date.now,
  });
  const prefix =
    (await bucket.list("audit/v1/"))
      .find((key) => key.endsWith("/manifest.json"))
      ?.slice(0, -"manifest.json".length) ?? "";
  const date = new Date(on.now()).toISOString().slice(0, 10);
  expect(prefix).toBe(
    `audit/v1/repository_id=456789/date=${date}/robot=triager/run=1001/attempt=1/session=${document.session}/`,
  );
  const verdict = await verifySession(
    {
      list: async () => (await bucket.list(prefix)).map((key) => key.slice(prefix.length)),
      read: async (object: string) => readFile(join(on.directory, "audit", prefix, object)),
    },
    keys as { keys: [] },
    { location: prefix },
  );
  expect(verdict.problems).toEqual([]);
  expect(verdict).toMatchObject({
    status: "complete",
    session: document.session,
    checkpoints: 1,
    recordCount: 4,
  });
});
