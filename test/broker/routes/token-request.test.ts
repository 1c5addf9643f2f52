/** Attacks on the form of a token request: what is said twice, in the wrong place, or to somebody else. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { Holder, exchange, readAnswer } from "../../support/session-holder.ts";
import { sendRaw } from "./raw-request.ts";

let on: TestBroker;
let holder: Holder;
/** Every test is a job of its own. */
let job: { run_id: string };
let jobs = 2500;

beforeAll(async () => {
  on = await startTestBroker();
});
afterAll(async () => {
  await on.close();
});
beforeEach(async () => {
  holder = await Holder.create();
  jobs += 1;
  job = { run_id: String(jobs) };
});

const token = async (overrides: Record<string, unknown> = {}): Promise<string> =>
  on.subjectToken({ ...job, ...overrides });

describe("the request", () => {
  const post = async (body: string, headers: Record<string, string> = {}, path = "/token") =>
    readAnswer(
      await fetch(`${on.url}${path}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      }),
    );
  const form = async (): Promise<URLSearchParams> =>
    new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: await token(),
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      resource: on.url,
      scope: "robot:acme/payments/triager",
    });

  test.each([
    ["grant_type", "invalid_request"],
    ["subject_token", "invalid_request"],
    ["subject_token_type", "invalid_request"],
    ["scope", "invalid_request"],
    ["something_unknown", "invalid_request"],
    ["resource", "invalid_target"],
    ["audience", "invalid_target"],
  ])("duplicated parameter: %s", async (name, error) => {
    const body = await form();
    body.append(name, body.get(name) ?? on.url);
    if (body.getAll(name).length < 2) body.append(name, on.url);
    const answer = await post(body.toString(), {
      dpop: await holder.prove({ method: "POST", url: `${on.url}/token`, now: on.now() }),
    });
    expect(answer).toMatchObject({ status: 400, body: { error } });
  });

  test("several resources: this broker and another one", async () => {
    const body = await form();
    body.append("resource", "https://api.example");
    expect(await post(body.toString())).toMatchObject({ status: 400, body: { error: "invalid_target" } });
  });

  test.each(["grant_type", "subject_token", "subject_token_type"])("missing or empty: %s", async (name) => {
    const body = await form();
    body.set(name, "");
    expect(await post(body.toString())).toMatchObject({ status: 400, body: { error: "invalid_request" } });
    body.delete(name);
    expect(await post(body.toString())).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  test("no resource at all", async () => {
    const body = await form();
    body.delete("resource");
    expect(await post(body.toString())).toMatchObject({ status: 400, body: { error: "invalid_target" } });
  });

  test("JSON body", async () => {
    const answer = await post(JSON.stringify(Object.fromEntries(await form())), {
      "content-type": "application/json",
    });
    expect(answer).toMatchObject({ status: 415, body: { error: "invalid_request" } });
  });

  test("token in the query", async () => {
    const answer = await post("", {}, `/token?${(await form()).toString()}`);
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  test.each([
    ["Basic eDp5", 'Basic realm="lanyard"'],
    ["Bearer x", 'Bearer realm="lanyard"'],
    ["dpop x", 'DPoP realm="lanyard"'],
    ['x", evil="y', 'Basic realm="lanyard"'],
  ])("another authentication besides the proof: %s", async (authorization, challenge) => {
    const answer = await post((await form()).toString(), { authorization });
    expect(answer).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    expect(answer.headers.get("www-authenticate")).toBe(challenge);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test.each(["client_secret", "client_assertion", "client_assertion_type"])(
    "a client authentication in the body: %s",
    async (name) => {
      const body = await form();
      body.set(name, "x");
      const answer = await post(body.toString());
      expect(answer).toMatchObject({ status: 401, body: { error: "invalid_client" } });
      expect(answer.headers.get("www-authenticate")).not.toBeNull();
    },
  );

  test("two authentications at once", async () => {
    const body = await form();
    body.set("client_secret", "x");
    expect(await post(body.toString(), { authorization: "Basic eDp5" })).toMatchObject({
      status: 400,
      body: { error: "invalid_request" },
    });
    body.set("client_assertion", "x");
    expect(await post(body.toString())).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  test("two Authorization headers at once", async () => {
    const body = (await form()).toString();
    const { status, answered } = await sendRaw(
      `${on.url}/token`,
      [
        ["Authorization", "Basic eDp5"],
        ["Authorization", "Basic eDp6"],
        ["Content-Type", "application/x-www-form-urlencoded"],
      ],
      body,
    );
    expect([status, JSON.parse(answered).error]).toEqual([400, "invalid_request"]);
  });

  test.each(["actor_token", "actor_token_type", "authorization_details", "assertion"])(
    "a parameter that would change the meaning, and is not offered: %s",
    async (name) => {
      const body = await form();
      body.append(name, "x");
      expect(await post(body.toString())).toMatchObject({ status: 400, body: { error: "invalid_request" } });
    },
  );

  test("another type of token is asked for", async () => {
    const body = await form();
    body.set("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token");
    expect(await post(body.toString())).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  test("what the protocol does not know is ignored, and so is a client_id that nobody registered", async () => {
    const answer = await exchange(on, holder, {
      subjectToken: await token(),
      form: { client_id: "agent", nonsense: "x", audience: on.url, scope: "" },
    });
    // Two robots, and an empty scope names none.
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_request" } });
    expect(on.lastRefusal().detail).toContain("robot_unnamed");
    expect(
      await exchange(on, holder, {
        subjectToken: await token(),
        form: {
          client_id: "agent",
          nonsense: "x",
          requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
        },
      }),
    ).toMatchObject({ status: 200 });
  });

  test("a parameter repeated under another spelling of its name", async () => {
    for (const name of ["grant%5Ftype", "grant%5ftype", "%67rant_type"]) {
      const body = `${(await form()).toString()}&${name}=client_credentials`;
      expect(await post(body)).toMatchObject({ status: 400, body: { error: "invalid_request" } });
      expect(on.lastRefusal().detail).toContain("grant_type is repeated");
    }
  });

  test.each([
    "__proto__=x",
    "constructor=x",
    "toString=x",
    "__proto__[grant_type]=x",
    "%ff%fe=%ff",
    "=",
    "&&&",
  ])("a parameter that is none of ours changes nothing: %s", async (odd) => {
    const headers = { dpop: await holder.prove({ method: "POST", url: `${on.url}/token`, now: on.now() }) };
    expect((await post(`${odd}&${(await form()).toString()}`, headers)).status).toBe(200);
    expect(({} as Record<string, unknown>)["grant_type"]).toBeUndefined();
  });

  test("another grant type", async () => {
    const body = await form();
    body.set("grant_type", "client_credentials");
    expect(await post(body.toString())).toMatchObject({
      status: 400,
      body: { error: "unsupported_grant_type" },
    });
  });

  test("a body of 25 KiB", async () => {
    expect(await post(`subject_token=${"x".repeat(25 * 1024)}`)).toMatchObject({ status: 413 });
  });

  test("GET", async () => {
    expect((await fetch(`${on.url}/token`)).status).toBe(404);
  });
});

test.each([
  "/..",
  "/%2f",
  "%2f",
  "/",
  "#fragment",
  "#",
  "?x",
  "?",
  ".attacker.example",
  ":443",
  " ",
  "\u0000",
])("resource with %j", async (suffix) => {
  const answer = await exchange(on, holder, {
    subjectToken: await token(),
    form: { resource: `${on.url}${suffix}` },
  });
  expect(answer).toMatchObject({ status: 400, body: { error: "invalid_target" } });
});

test.each(["http://x@", "http://x:y@", "HTTP://", "https://", "//", ""])(
  "resource with userinfo, another scheme or another spelling: %j",
  async (start) => {
    const resource = on.url.replace("http://", start);
    const answer = await exchange(on, holder, { subjectToken: await token(), form: { resource } });
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_target" } });
  },
);
