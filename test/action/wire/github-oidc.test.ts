/** GitHub's OIDC endpoint as it is on bad days: real servers that hang, refuse, redirect, answer half. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { fetchSubjectToken } from "../../../action/wire/github-oidc.ts";
import { createHttp, type Http, HttpFailed } from "../../../action/wire/http-request.ts";
import { type Attempt, PatienceExhausted, retry } from "../../../action/wire/retry.ts";
import { listen, startLocalServer } from "../local-server.ts";

/** What was slept where a test stops the clock: nothing of it is waited for. */
const stopped = vi.hoisted(() => ({ isUsed: false, nowMs: 0, pauses: [] as number[] }));
vi.mock("node:timers/promises", async (original) => {
  const real = await original<typeof import("node:timers/promises")>();
  const sleep: typeof real.setTimeout = async (ms = 0, value, options) => {
    if (!stopped.isUsed) return real.setTimeout(ms, value, options);
    stopped.pauses.push(ms);
    stopped.nowMs += ms;
    return value as NonNullable<typeof value>;
  };
  return { ...real, setTimeout: sleep };
});
/** Time goes by as the test says, and by what is slept: how fast the machine is makes no difference. */
function stopClock(): { pass(ms: number): void } {
  Object.assign(stopped, { isUsed: true, nowMs: 0, pauses: [] });
  const clock = vi.spyOn(performance, "now").mockImplementation(() => stopped.nowMs);
  onTestFinished(() => {
    stopped.isUsed = false;
    clock.mockRestore();
  });
  return { pass: (ms) => (stopped.nowMs += ms) };
}
/** Of each pause, where between half and one and a half of it is slept. */
function spreadBy(random: number): void {
  const spread = vi.spyOn(Math, "random").mockReturnValue(random);
  onTestFinished(() => spread.mockRestore());
}

const http = createHttp({});
const audience = "https://lanyard.acme.dev";

it("asks with the request token for a token whose audience is the broker", async () => {
  const server = await startLocalServer(() => ({ status: 200, body: { count: 1, value: "the.jwt.here" } }));
  const oidc = { url: `${server.url}/idtoken?api-version=2.0`, token: "request-token" };
  expect(await fetchSubjectToken({ http, oidc, audience })).toBe("the.jwt.here");
  const [asked] = server.asked;
  const query = new URL(asked?.path ?? "", server.url).searchParams;
  expect(query.get("api-version")).toBe("2.0");
  expect(query.getAll("audience")).toEqual([audience]);
  expect(asked?.headers.authorization).toBe("bearer request-token");
});

it("an audience that the address names already is replaced", async () => {
  const server = await startLocalServer(() => ({ status: 200, body: { value: "t" } }));
  const oidc = { url: `${server.url}/idtoken?audience=sts.amazonaws.com`, token: "x" };
  await fetchSubjectToken({ http, oidc, audience });
  expect(new URL(server.asked[0]?.path ?? "", server.url).searchParams.getAll("audience")).toEqual([
    audience,
  ]);
});

it("403 while the job is pending, and errors that pass, are tried again", async () => {
  const answers = [403, 500, 429];
  const server = await startLocalServer((_, count) => {
    const status = answers[count - 1];
    return status === undefined ? { status: 200, body: { value: "t" } } : { status };
  });
  const oidc = { url: server.url, token: "x" };
  expect(await fetchSubjectToken({ http, oidc, audience })).toBe("t");
  expect(server.asked).toHaveLength(4);
});

it("403 for good: a job that is never admitted is told so, in bounded time", async () => {
  const clock = stopClock();
  const server = await startLocalServer(() => {
    clock.pass(100);
    return { status: 403 };
  });
  const oidc = { url: server.url, token: "x" };
  await expect(fetchSubjectToken({ http, oidc, audience, patienceMs: 500 })).rejects.toThrow(
    /it answered with status 403/,
  );
  expect(server.asked.length).toBeGreaterThan(1);
});

describe("an endpoint that hangs", () => {
  it("once: the attempt is given up and the next one succeeds", async () => {
    const server = await startLocalServer((_, count) =>
      count === 1 ? undefined : { status: 200, body: { value: "t" } },
    );
    const oidc = { url: server.url, token: "x" };
    expect(await fetchSubjectToken({ http, oidc, audience, attemptTimeoutMs: 2_000 })).toBe("t");
    expect(server.asked).toHaveLength(2);
  });

  it("for good: all attempts together have an end, that of the last one included", async () => {
    const clock = stopClock();
    spreadBy(1);
    const allowed: number[] = [];
    const hanging: Http = async ({ timeoutMs }) => {
      allowed.push(timeoutMs);
      clock.pass(timeoutMs);
      throw new HttpFailed("the endpoint", `no answer within ${timeoutMs / 1000} s`);
    };
    const oidc = { url: "https://oidc.example", token: "x" };
    const options = { http: hanging, oidc, audience, patienceMs: 1_200, attemptTimeoutMs: 500 };
    await expect(fetchSubjectToken(options)).rejects.toThrow(/no answer within 0.5 s/);
    // After the first one and the longest pause there is no time for a whole one.
    expect(allowed).toEqual([500, 400]);
  });

  it.each([
    ["before it accepts anything", () => undefined],
    ["after its status line", (socket: Socket) => socket.write("HTTP/1.1 200 OK\r\n")],
    [
      "in the middle of its answer",
      (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"value":"can'),
    ],
    [
      "with a byte now and then",
      (socket: Socket) => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
        const timer = setInterval(() => socket.write(" "), 50);
        socket.once("close", () => clearInterval(timer));
      },
    ],
  ])("%s", async (_, answer) => {
    const clock = stopClock();
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("data", () => {
        clock.pass(200);
        answer(socket);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const oidc = {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path`,
      token: "x",
    };
    const failed = fetchSubjectToken({ http, oidc, audience, patienceMs: 600, attemptTimeoutMs: 200 });
    await expect(failed).rejects.toThrow(/gave no token for this job: no answer within/);
    expect(sockets.size).toBeGreaterThan(1);
  });
});

it("what does not pass is said at once", async () => {
  const server = await startLocalServer(() => ({ status: 401, body: "bad credentials" }));
  const failed = fetchSubjectToken({ http, oidc: { url: server.url, token: "x" }, audience });
  await expect(failed).rejects.toThrow(/gave no token for this job: it answered with status 401/);
  expect(server.asked).toHaveLength(1);
});

it("a redirect is not followed: the request token goes nowhere else", async () => {
  const other = await startLocalServer(() => ({ status: 200, body: { value: "t" } }));
  const server = await listen([], (_, response) => {
    response.writeHead(302, { location: `${other.url}/idtoken` }).end();
  });
  const failed = fetchSubjectToken({ http, oidc: { url: server.url, token: "x" }, audience });
  await expect(failed).rejects.toThrow(/status 302/);
  expect(other.asked).toHaveLength(0);
});

it.each([
  ["no JSON", "canary-answer"],
  ["no value", { canary: "canary-answer" }],
  ["an empty value", { value: "" }],
  ["a value that is no text", { value: { canary: "canary-answer" } }],
  ["a value of 17 KiB", { value: "canary".repeat(3_000) }],
])("an answer that is no token is not quoted: %s", async (_, body) => {
  const server = await startLocalServer(() => ({ status: 200, body }));
  const failed = fetchSubjectToken({ http, oidc: { url: server.url, token: "x" }, audience });
  await expect(failed).rejects.toThrow(/holds no token/);
  await expect(failed).rejects.not.toThrow(/canary/);
});

describe("no message names the address or the request token", () => {
  const canary = "canary-request-token";
  const everythingOf = (error: unknown): string => {
    if (!(error instanceof Error)) return String(error);
    const own = Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name)));
    return [...own, everythingOf(error.cause ?? "")].join("\n");
  };
  const failureOf = async (url: string, patience: object = {}): Promise<string> =>
    fetchSubjectToken({ http, oidc: { url, token: canary }, audience, ...patience }).then(
      () => "it did not fail",
      (error: unknown) => everythingOf(error),
    );

  it.each([401, 403, 500, 302])("status %i", async (status) => {
    const clock = stopClock();
    const server = await startLocalServer(() => {
      clock.pass(60_000);
      return { status, body: canary };
    });
    const failure = await failureOf(`${server.url}/canary-path?canary=1`);
    expect(failure).toContain(`status ${status}`);
    expect(failure).not.toMatch(/canary|127\.0\.0\.1/);
  });

  it.each([
    ["nobody listens", "http://127.0.0.1:1/canary-path"],
    ["a name that does not resolve", "http://canary.invalid/canary-path"],
    ["no URL", "canary no url"],
    ["another protocol", "ftp://canary.example/x"],
  ])("%s", async (_, url) => {
    const failure = await failureOf(url, { patienceMs: 300 });
    expect(failure).toContain("gave no token for this job");
    expect(failure).not.toMatch(/canary/);
  });

  it("it hangs", async () => {
    const server = await startLocalServer(() => undefined);
    const failure = await failureOf(`${server.url}/canary-path`, { patienceMs: 300, attemptTimeoutMs: 100 });
    expect(failure).toContain("no answer within");
    expect(failure).not.toMatch(/canary|127\.0\.0\.1/);
  });
});

describe("the pauses between attempts", () => {
  const pausesOf = async (random: number): Promise<number[]> => {
    stopClock();
    spreadBy(random);
    const patience = { untilMs: 300, firstPauseMs: 20, maxPauseMs: 80 };
    const failing = retry<never>(async () => ({ settled: false, reason: "no" }), patience);
    await expect(failing).rejects.toBeInstanceOf(PatienceExhausted);
    return stopped.pauses;
  };

  it("double up to their maximum", async () => {
    expect(await pausesOf(0.5)).toEqual([20, 40, 80, 80, 80]);
  });

  it("are spread at random between half and one and a half", async () => {
    expect((await pausesOf(0)).slice(0, 4)).toEqual([10, 20, 40, 40]);
    expect((await pausesOf(1)).slice(0, 3)).toEqual([30, 60, 120]);
  });

  it("end when the caller gives up", async () => {
    const giveUp = new AbortController();
    const waiting = retry<never>(
      async (): Promise<Attempt<never>> => {
        setImmediate(() => giveUp.abort());
        return { settled: false, reason: "no" };
      },
      {
        untilMs: performance.now() + 60_000,
        firstPauseMs: 50_000,
        maxPauseMs: 50_000,
        signal: giveUp.signal,
      },
    );
    await expect(waiting).rejects.toThrow("no");
  });
});
