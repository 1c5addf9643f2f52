/** GitHub's OIDC endpoint as it is on bad days: real servers that hang, refuse, redirect, answer half. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { fetchSubjectToken } from "../../../action/wire/github-oidc.ts";
import { createHttp } from "../../../action/wire/http-request.ts";
import { type Attempt, PatienceExhausted, retry } from "../../../action/wire/retry.ts";
import { listen, startLocalServer } from "../local-server.ts";

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
  const server = await startLocalServer(() => ({ status: 403 }));
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
    expect(await fetchSubjectToken({ http, oidc, audience, attemptTimeoutMs: 200 })).toBe("t");
    expect(server.asked).toHaveLength(2);
  });

  it("for good: all attempts together have an end, that of the last one included", async () => {
    const server = await startLocalServer(() => undefined);
    const oidc = { url: server.url, token: "x" };
    const startedAt = performance.now();
    const failed = fetchSubjectToken({ http, oidc, audience, patienceMs: 1_200, attemptTimeoutMs: 500 });
    await expect(failed).rejects.toThrow(/no answer within/);
    // One whole attempt later than it may, it would be 1.7 s.
    expect(performance.now() - startedAt).toBeLessThan(1_600);
    expect(server.asked.length).toBeGreaterThan(1);
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
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("data", () => answer(socket));
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
  const failureOf = async (url: string): Promise<string> =>
    fetchSubjectToken({
      http,
      oidc: { url, token: canary },
      audience,
      patienceMs: 300,
      attemptTimeoutMs: 100,
    }).then(
      () => "it did not fail",
      (error: unknown) => everythingOf(error),
    );

  it.each([401, 403, 500, 302])("status %i", async (status) => {
    const server = await startLocalServer(() => ({ status, body: canary }));
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
    const failure = await failureOf(url);
    expect(failure).toContain("gave no token for this job");
    expect(failure).not.toMatch(/canary/);
  });

  it("it hangs", async () => {
    const server = await startLocalServer(() => undefined);
    const failure = await failureOf(`${server.url}/canary-path`);
    expect(failure).toContain("no answer within");
    expect(failure).not.toMatch(/canary|127\.0\.0\.1/);
  });
});

describe("the pauses between attempts", () => {
  const pausesOf = async (random: number): Promise<number[]> => {
    const spread = vi.spyOn(Math, "random").mockReturnValue(random);
    onTestFinished(() => spread.mockRestore());
    const startedAt: number[] = [];
    const failing = retry<never>(
      async () => {
        startedAt.push(performance.now());
        return { settled: false, reason: "no" };
      },
      { untilMs: performance.now() + 600, firstPauseMs: 20, maxPauseMs: 80 },
    );
    await expect(failing).rejects.toBeInstanceOf(PatienceExhausted);
    return startedAt.slice(1).map((at, index) => at - (startedAt[index] ?? 0));
  };

  it("double up to their maximum", async () => {
    const pauses = await pausesOf(0.5);
    expect(pauses.length).toBeGreaterThan(4);
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThan(Math.min(20 * 2 ** index, 80) - 2);
    }
  });

  it("are spread at random between half and one and a half", async () => {
    const [shortest, longest] = [await pausesOf(0), await pausesOf(0.999)];
    expect(Math.min(...shortest)).toBeLessThan(20);
    for (const [index, pause] of longest.entries()) {
      expect(pause).toBeGreaterThan(Math.min(20 * 2 ** index, 80) * 1.4 - 2);
    }
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
