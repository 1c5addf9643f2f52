import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createHttp } from "../../../action/wire/http-request.ts";
import { createProofKey } from "../../../action/wire/proof-key.ts";
import { type Session, type SessionEvent, openSession } from "../../../action/guard/session.ts";
import { type Answer, type Asked, startLocalServer } from "../local-server.ts";
import { moveClock, movedPerformance } from "../../support/moved-clock.ts";
import { sessionDocument } from "../session-document.ts";

vi.mock("node:timers/promises", async (original) => {
  const { sleepByClock } = await import("../../support/moved-clock.ts");
  return sleepByClock(await original());
});

interface Script {
  readonly token?: (count: number) => Answer;
  readonly renew?: (count: number) => Answer;
  readonly announce?: (asked: Asked) => Answer;
}

/** What the broker says that the session has. */
const POLICY = "a".repeat(64);
const granted = (expiresIn: number, accessToken = "at-1"): Answer => ({
  status: 200,
  body: {
    access_token: accessToken,
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "DPoP",
    expires_in: expiresIn,
    scope: "robot:acme/payments/triager",
  },
});
const refused = (status: number, error: string): Answer => ({
  status,
  body: { error, error_description: "No robot is bound to this job.", reference: "R-1" },
});

/** The key that signed it is not trusted any more. */
const notAccepted = refused(401, "invalid_token");
const renewedFor = (expiresIn: number): Answer => ({
  status: 200,
  body: { access_token: "renewed", expires_in: expiresIn, policy: POLICY },
});
const replaced = granted(900, "at-2");
const keyOf = (asked: Asked | undefined): unknown => {
  const [header = ""] = String(asked?.headers["dpop"]).split(".");
  return JSON.parse(Buffer.from(header, "base64url").toString("utf8")).jwk;
};

async function open(script: Script, roles: string[] = [], servers: string[] = []) {
  const counts = new Map<string, number>();
  const broker = await startLocalServer((asked: Asked) => {
    const count = (counts.get(asked.path) ?? 0) + 1;
    counts.set(asked.path, count);
    if (asked.path === "/token") return script.token?.(count) ?? granted(900);
    if (asked.path === "/session/segments") return script.announce?.(asked) ?? { status: 500 };
    if (asked.path === "/session") return { status: 200, body: sessionDocument() };
    return (
      script.renew?.(count) ?? {
        status: 200,
        body: { access_token: `renewed-${count}`, expires_in: 900, policy: POLICY },
      }
    );
  });
  let tokens = 0;
  const subjectToken = async (): Promise<string> => `subject-${(tokens += 1)}`;
  const options = { http: createHttp({}), broker: broker.url, subjectToken };
  const exchange = { key: await createProofKey(), robot: "acme/payments/triager", roles, servers };
  return { broker, opening: openSession(options, exchange) };
}

describe("opening", () => {
  it("exchanges a subject token for a session, and reads its document with token and proof", async () => {
    const { broker, opening } = await open({}, ["reader"]);
    const session = await opening;
    expect(session.document.robot).toBe("acme/payments/triager");
    expect(session.state()).toEqual({ active: true });
    const [exchange, read] = broker.asked;
    const form = new URLSearchParams(exchange?.body);
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: "subject-1",
      resource: broker.url,
      scope: "robot:acme/payments/triager role:reader",
    });
    expect(exchange?.headers["dpop"]).toMatch(/^ey/);
    expect(read?.headers.authorization).toBe("DPoP at-1");
  });

  it.each([
    { servers: [], named: undefined },
    { servers: ["github", "memory"], named: "github,memory" },
  ])("says which servers the job uses each time that it asks for the document: $named", async (row) => {
    const { broker, opening } = await open({}, [], row.servers);
    const { client } = await opening;
    await client.read({ untilMs: performance.now(), firstPauseMs: 1, maxPauseMs: 1 }, "a".repeat(64));
    const named = broker.asked.filter(({ path }) => path === "/session").map(({ headers }) => headers);
    expect(named.map((headers) => headers["lanyard-servers"])).toEqual([row.named, row.named]);
  });

  it("a lost answer: the exchange is repeated with a fresh subject token and the same key", async () => {
    const { broker, opening } = await open({
      token: (count) => (count === 1 ? { status: 502 } : granted(900)),
    });
    await opening;
    const exchanges = broker.asked.filter(({ path }) => path === "/token");
    expect(exchanges.map(({ body }) => new URLSearchParams(body).get("subject_token"))).toEqual([
      "subject-1",
      "subject-2",
    ]);
    const keys = exchanges.map(({ headers }) => {
      const [header = ""] = String(headers["dpop"]).split(".");
      return JSON.parse(Buffer.from(header, "base64url").toString("utf8")).jwk;
    });
    expect(keys[0]).toEqual(keys[1]);
  });

  it("a refusal is final, and said in the broker's words with its reference", async () => {
    const { broker, opening } = await open({ token: () => refused(400, "invalid_request") });
    await expect(opening).rejects.toThrow(
      "The broker did not accept this job: No robot is bound to this job. Reference: R-1",
    );
    expect(broker.asked).toHaveLength(1);
  });

  it("an answer of another version is not guessed at", async () => {
    const { opening } = await open({ token: () => ({ status: 200, body: { hello: "world" } }) });
    await expect(opening).rejects.toThrow(/not one that this version of the Action knows/);
  });
});

/** Two thirds of the life of a session of 900 s, and a moment: it is to be renewed. */
const RENEWAL_MS = 601_000;

describe("keeping alive", () => {
  let ended: AbortController;
  beforeEach(() => {
    ended = new AbortController();
    vi.stubGlobal("performance", movedPerformance);
  });
  afterEach(() => {
    ended.abort();
    vi.unstubAllGlobals();
  });
  const attend = (session: Session) => {
    const events: SessionEvent[] = [];
    const over = session.keepAlive((event) => events.push(event), ended.signal);
    return { events, over };
  };

  it("renews before the session ends, and the next request carries the new token", async () => {
    const { broker, opening } = await open({});
    const session = await opening;
    const heard: string[] = [];
    session.onPolicy((digest) => heard.push(digest));
    const { events } = attend(session);
    moveClock(RENEWAL_MS);
    await expect.poll(() => events).toHaveLength(1);
    expect(heard).toEqual([POLICY]);
    expect(events[0]?.event).toBe("session_renewed");
    expect(session.state()).toEqual({ active: true });
    await session.client
      .seal(
        { segments: 1, last_seq: 0, head: "0".repeat(64) },
        { untilMs: 0, firstPauseMs: 1, maxPauseMs: 1 },
      )
      .catch(() => undefined);
    expect(broker.asked.at(-1)?.headers.authorization).toBe("DPoP renewed-1");
  });

  it("a revoked session is over at once", async () => {
    const { opening } = await open({ renew: () => refused(403, "session_over") });
    const session = await opening;
    const { events, over } = attend(session);
    moveClock(RENEWAL_MS);
    await over;
    expect(session.state()).toMatchObject({
      active: false,
      reason: expect.stringContaining("the broker ended the session"),
    });
    expect(events.map(({ event }) => event)).toEqual(["session_over"]);
  });

  it("an outage that outlasts the session ends it, and the reason says so", async () => {
    const { broker, opening } = await open({ renew: () => ({ status: 503 }) });
    const session = await opening;
    const { over } = attend(session);
    moveClock(RENEWAL_MS);
    await expect.poll(() => broker.asked.at(-1)?.path).toBe("/session/renew");
    moveClock(RENEWAL_MS);
    await over;
    expect(session.state()).toMatchObject({
      active: false,
      reason: expect.stringContaining("could not be renewed"),
    });
    expect(broker.asked.filter(({ path }) => path === "/session/renew").length).toBeGreaterThan(0);
  });

  it("a session whose maximum is reached is not asked for again and again", async () => {
    const { broker, opening } = await open({
      renew: () => ({ status: 200, body: { access_token: "last", expires_in: 1, policy: POLICY } }),
    });
    const session = await opening;
    const { over } = attend(session);
    moveClock(RENEWAL_MS);
    await over;
    expect(session.state()).toEqual({ active: false, reason: "the session has expired" });
    expect(broker.asked.filter(({ path }) => path === "/session/renew")).toHaveLength(1);
  });

  it("a proof that was too old when it arrived is made anew, once, and the session goes on", async () => {
    const { broker, opening } = await open({
      renew: (count) => (count === 1 ? refused(401, "invalid_dpop_proof") : renewedFor(900)),
    });
    const session = await opening;
    const { events } = attend(session);
    moveClock(RENEWAL_MS);
    await expect.poll(() => events.map(({ event }) => event)).toEqual(["session_renewed"]);
    expect(session.state()).toEqual({ active: true });
    const proofs = broker.asked.flatMap(({ path, headers }) =>
      path === "/session/renew" ? [headers["dpop"]] : [],
    );
    expect(new Set(proofs).size).toBe(2);
  });

  it("a token that is not accepted any more: its key gets another one of the same session, which goes on", async () => {
    const { broker, opening } = await open({
      token: (count) => (count === 1 ? granted(900) : replaced),
      renew: (count) => (count === 1 ? notAccepted : renewedFor(900)),
    });
    const session = await opening;
    const { events } = attend(session);
    moveClock(RENEWAL_MS);
    await expect.poll(() => events).toHaveLength(1);
    expect(events[0]?.event).toBe("session_renewed");
    expect(session.state()).toEqual({ active: true });
    const asked = broker.asked.map(({ path, headers }) => `${path} ${headers.authorization ?? ""}`);
    expect(asked).toEqual([
      "/token ",
      "/session DPoP at-1",
      "/session/renew DPoP at-1",
      "/token ",
      "/session/renew DPoP at-2",
    ]);
    const exchanges = broker.asked.filter(({ path }) => path === "/token");
    const [first, second] = exchanges.map(({ body }) => new URLSearchParams(body));
    expect(second?.get("scope")).toBe(first?.get("scope"));
    expect(second?.get("subject_token")).not.toBe(first?.get("subject_token"));
    expect(keyOf(exchanges[1])).toEqual(keyOf(exchanges[0]));
  });

  it("a token that is not accepted any more, and no other for this job: it is over, and asked for once", async () => {
    const { broker, opening } = await open({
      token: (count) => (count === 1 ? granted(900) : refused(400, "invalid_grant")),
      renew: () => notAccepted,
    });
    const session = await opening;
    const { over } = attend(session);
    moveClock(RENEWAL_MS);
    await over;
    expect(session.state()).toMatchObject({
      reason: expect.stringContaining("the broker ended the session"),
    });
    const reply = await session.client.renew({ untilMs: 0, firstPauseMs: 1, maxPauseMs: 1 });
    expect(reply).toMatchObject({ ok: false, error: "invalid_token" });
    expect(broker.asked.filter(({ path }) => path === "/token")).toHaveLength(2);
  });

  it("ten requests whose token is not accepted any more ask for one other, and all go on", async () => {
    const checkpoint = { checkpoint: "c", upload: { url: "http://x", headers: {} }, policy: POLICY };
    const { broker, opening } = await open({
      token: (count) => (count === 1 ? granted(900) : replaced),
      announce: ({ headers }) =>
        headers.authorization === "DPoP at-2" ? { status: 200, body: checkpoint } : notAccepted,
    });
    const { client } = await opening;
    const digest = "0".repeat(64);
    const segment = {
      bytes: 1,
      sha256: digest,
      md5: "x",
      first_seq: 0,
      last_seq: 0,
      prev: digest,
      head: digest,
    };
    const patience = { untilMs: performance.now() + 60_000, firstPauseMs: 1, maxPauseMs: 50 };
    const replies = await Promise.all(
      Array.from({ length: 10 }, async (_, index) =>
        client.announceSegment({ ...segment, segment: index + 1 }, patience),
      ),
    );
    expect(replies.every(({ ok }) => ok)).toBe(true);
    expect(broker.asked.filter(({ path }) => path === "/token")).toHaveLength(2);
  });

  it("replicas that notice one after the other that a key is distrusted: a token of the old key is no end", async () => {
    const { broker, opening } = await open({
      token: (count) => (count === 1 ? granted(900) : replaced),
      renew: (count) => (count < 4 ? notAccepted : renewedFor(900)),
    });
    const { client } = await opening;
    const patience = { untilMs: performance.now() + 60_000, firstPauseMs: 1, maxPauseMs: 50 };
    expect(await client.renew(patience)).toMatchObject({ ok: true });
    expect(broker.asked.filter(({ path }) => path === "/token")).toHaveLength(2);
  });

  it("a session that is over stays so when the rest of its log needs another token", async () => {
    const { broker, opening } = await open({
      token: (count) => (count === 1 ? granted(1) : replaced),
      renew: () => notAccepted,
    });
    const session = await opening;
    moveClock(1_000);
    expect(session.state().active).toBe(false);
    await session.client.renew({ untilMs: 0, firstPauseMs: 1, maxPauseMs: 1 }).catch(() => undefined);
    expect(broker.asked.filter(({ path }) => path === "/token")).toHaveLength(2);
    expect(session.state()).toEqual({ active: false, reason: "the session has expired" });
  });

  it("once ended for a reason it stays ended for that reason", async () => {
    const session = await (await open({})).opening;
    session.end("first");
    session.end("second");
    expect(session.state()).toEqual({ active: false, reason: "first" });
  });
});
