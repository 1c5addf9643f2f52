/** The log lines: every refusal with its code, its reference and what did not match; no token and no secret in any. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import {
  Holder,
  LogWriter,
  SEAL,
  announce,
  call,
  exchange,
  genesisOf,
  readAnswer,
  upload,
} from "../../support/session-holder.ts";

let on: TestBroker;
beforeEach(async () => {
  on = await startTestBroker();
});
afterEach(async () => {
  await on.close();
});

const refusalUnder = (reference: string) => {
  const lines = on.logged.filter((line) => line["reference"] === reference);
  expect(lines).toHaveLength(1);
  return lines[0];
};

test("the caller's reference leads to the claim that did not match, expected and got", async () => {
  const refused = async (claims: Record<string, unknown>) => {
    const { body } = await exchange(on, await Holder.create(), {
      subjectToken: await on.subjectToken(claims),
    });
    return refusalUnder(body.reference);
  };
  expect(await refused({ event_name: "issue_comment" })).toMatchObject({
    msg: "refused",
    code: "robot_refused",
    detail: expect.stringContaining("no_binding"),
    mismatches: [
      { binding: 1, field: "event_name", expected: "schedule or workflow_dispatch", got: "issue_comment" },
    ],
  });
  expect(
    await refused({ repository_owner_id: "1", sub: "repo:acme/payments:ref:refs/heads/main" }),
  ).toMatchObject({
    code: "robot_refused",
    mismatches: [{ field: "repository_owner_id", expected: "123456", got: "1" }],
  });
  expect(await refused({ aud: "sts.amazonaws.com" })).toMatchObject({
    code: "audience_wrong",
    mismatches: [{ field: "aud", expected: on.url, got: expect.stringContaining("sts.amazonaws.com") }],
  });
});

test("nothing of that reaches the caller", async () => {
  const { body } = await exchange(on, await Holder.create(), {
    subjectToken: await on.subjectToken({ event_name: "issue_comment" }),
  });
  expect(Object.keys(body).sort()).toEqual(["error", "error_description", "reference"]);
  expect(JSON.stringify(body)).not.toMatch(/issue_comment|schedule|binding/);
});

test("claims that a caller chose cannot forge a line or grow one without bound", async () => {
  const evil = `x\n{"level":50,"msg":"forged"}\n${"y".repeat(5_000)}`;
  const { body } = await exchange(on, await Holder.create(), {
    subjectToken: await on.subjectToken({ event_name: evil, environment: evil }),
  });
  expect(JSON.stringify(refusalUnder(body.reference)).length).toBeLessThan(16 * 1024);
  expect(on.logged.some(({ msg }) => msg === "forged")).toBe(false);
});

test("canary: no token, proof, key, salt or signed address in any line of any endpoint", async () => {
  const secrets = new Map<string, string>();
  const keep = (name: string, value: string | undefined): string => {
    if (value === undefined || value.length < 8) throw new Error(`there is no ${name}`);
    secrets.set(name, value);
    return value;
  };
  const holder = await Holder.create();
  const prove = holder.prove.bind(holder);
  holder.prove = async (...args) => keep(`proof ${secrets.size}`, await prove(...args));
  const subject = async (claims: Record<string, unknown> = {}): Promise<string> =>
    keep(`subject token ${secrets.size}`, await on.subjectToken(claims));

  keep("access token", (await exchange(on, holder, { subjectToken: await subject() })).body.access_token);
  const session = await call(on, holder, "GET /session");
  keep("salt", session.body.audit.salt);
  const renewed = await call(on, holder, "POST /session/renew", { subject_token: await subject() });
  holder.accessToken = keep("renewed access token", renewed.body.access_token);
  const log = new LogWriter(on.now);
  const segment = await log.segment([genesisOf(on, session.body), SEAL]);
  const announced = await announce(on, holder, segment);
  keep("upload address", new URL(announced.body.upload.url).search);
  await upload(announced.body.upload, Buffer.alloc(segment.body.length));
  await upload({ ...announced.body.upload, url: `${announced.body.upload.url}x` }, segment.body);
  await upload(announced.body.upload, segment.body);
  await upload(announced.body.upload, segment.body);

  // Each endpoint with what it refuses, too.
  const used = await subject();
  for (let time = 0; time < 2; time += 1) await exchange(on, holder, { subjectToken: used });
  await exchange(on, await Holder.create(), { subjectToken: await subject() });
  await exchange(on, holder, { subjectToken: await subject({ aud: "elsewhere" }) });
  await exchange(on, holder, { subjectToken: await subject({ event_name: "push" }) });
  await exchange(on, holder, { subjectToken: keep("garbled token", `${await subject()}x`) });
  await exchange(on, holder, {
    subjectToken: await subject(),
    form: { scope: keep("scope", "canary-in-the-scope x y") },
  });
  secrets.delete("scope");
  await exchange(on, holder, {
    subjectToken: await subject(),
    form: { subject_token: keep("odd token", "canary-token-of-no-form") },
  });
  await exchange(on, holder, {
    subjectToken: await subject(),
    proof: keep("odd proof", "canary-proof-of-no-form"),
  });
  const bearer = {
    authorization: `Bearer ${keep("bearer", "canary-bearer-token")}`,
    cookie: `lanyard=${keep("cookie", "canary-cookie-value")}`,
  };
  const basic = { authorization: `Basic ${keep("basic", "Y2FuYXJ5OmNhbmFyeQ==")}` };
  for (const path of [
    "/token",
    "/revoke",
    "/introspect",
    "/session",
    "/session/segments",
    "/session/seal",
    "/session/renew",
    "/session/recover",
    "/session/objects/x",
    "/runs",
    "/runs/x",
    "/api/runs",
    "/login",
    "/nowhere",
  ]) {
    const query = `?token=${keep(`query of ${path}`, `canary-in-the-query-of-${path.length}`)}&code=canary`;
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      for (const headers of [bearer, basic]) {
        const body = method === "GET" ? null : `token=${keep("form token", "canary-form-token")}`;
        await readAnswer(
          await fetch(`${on.url}${path}${query}`, {
            method,
            body,
            redirect: "manual",
            headers: {
              ...headers,
              "content-type": "application/x-www-form-urlencoded",
              dpop: keep("header proof", "canary-dpop-header"),
            },
          }),
        );
      }
    }
  }
  const end = { segments: 1, last_seq: segment.request.last_seq, head: segment.request.head };
  await call(on, holder, "POST /session/seal", { ...end, last_seq: 999 });
  await call(on, holder, "POST /session/seal", end);
  await call(on, holder, "GET /session", undefined, {
    accessToken: keep("other token", `${holder.accessToken.slice(0, -8)}AAAAAAAA`),
  });
  await call(on, holder, "DELETE /session");
  await fetch(`${on.url}/session/recover`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ session: session.body.session, subject_token: await subject(), tail: "" }),
  });

  const lines = on.logged.map((line) => JSON.stringify(line));
  expect(on.logged.filter(({ msg }) => msg === "refused").length).toBeGreaterThan(50);
  for (const [name, secret] of secrets) {
    // The signature is what makes a token one; its claims are what the log is about.
    const parts = secret.split(".");
    const telling = parts.length === 3 ? (parts[2] ?? "") : secret;
    expect(
      lines.filter((line) => line.includes(telling)),
      name,
    ).toEqual([]);
  }
});
