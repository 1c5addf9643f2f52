import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, it, vi } from "vitest";
import { HttpFailed, createHttp } from "../../../action/wire/http-request.ts";
import { PatienceExhausted, retry } from "../../../action/wire/retry.ts";
import { listen, startLocalServer } from "../local-server.ts";

const http = createHttp({});
const get = (url: string, timeoutMs = 2_000) => http({ method: "GET", url, headers: {}, timeoutMs });

it("an answer is returned whatever its status, and redirects are not followed", async () => {
  const { url, asked } = await startLocalServer(() => ({ status: 302, body: "elsewhere" }));
  expect(await get(`${url}/a?b=c`)).toMatchObject({ status: 302, body: "elsewhere" });
  expect(asked.map(({ path }) => path)).toEqual(["/a?b=c"]);
});

it("a body goes out with its length, not in chunks", async () => {
  const { url, asked } = await startLocalServer(() => ({ status: 200 }));
  await http({ method: "PUT", url, headers: { "x-a": "b" }, body: Buffer.from("größe"), timeoutMs: 2_000 });
  expect(asked[0]).toMatchObject({
    method: "PUT",
    body: "größe",
    headers: { "x-a": "b", "content-length": "7" },
  });
  expect(asked[0]?.headers["transfer-encoding"]).toBeUndefined();
});

it("a server that never answers costs the time limit and no more", async () => {
  const { url } = await startLocalServer(() => undefined);
  await expect(get(url, 100)).rejects.toThrow(/no answer within 0.1 s/);
});

it("a server that begins an answer and stops costs the same", async () => {
  const { url } = await listen([], (_, response) => void response.write("begin"));
  await expect(get(url, 100)).rejects.toBeInstanceOf(HttpFailed);
});

it("an answer without end is not read to its end", async () => {
  const { url } = await listen([], (_, response) => {
    const more = (): void =>
      void (response.write(Buffer.alloc(1024 * 1024)) ? setImmediate(more) : response.once("drain", more));
    more();
  });
  await expect(get(url, 5_000)).rejects.toThrow(/more than 4194304 bytes/);
});

it("nobody listening is an HttpFailed that names host and reason", async () => {
  await expect(get("http://127.0.0.1:1/secret-path")).rejects.toThrow(/^127\.0\.0\.1:1: ECONNREFUSED$/);
});

it("an https address is spoken to in TLS, and in nothing else", async () => {
  const { url, asked } = await startLocalServer(() => ({ status: 200 }));
  await expect(get(url.replace("http:", "https:"))).rejects.toThrow(/EPROTO|ERR_SSL|SSL/);
  expect(asked).toEqual([]);
});

it("goes through the HTTP proxy of the environment, and past it on loopback", async () => {
  const through = Promise.withResolvers<string>();
  const tunnel = createServer((socket) => {
    socket.once("data", (head) => {
      through.resolve(head.toString("utf8").split("\r\n")[0] ?? "");
      socket.destroy();
    });
  }).listen(0, "127.0.0.1");
  await once(tunnel, "listening");
  const proxied = createHttp({ HTTP_PROXY: `http://127.0.0.1:${(tunnel.address() as AddressInfo).port}` });
  const { url } = await startLocalServer(() => ({ status: 200 }));
  expect((await proxied({ method: "GET", url, headers: {}, timeoutMs: 2_000 })).status).toBe(200);
  await expect(
    proxied({ method: "GET", url: "http://broker.example/x", headers: {}, timeoutMs: 2_000 }),
  ).rejects.toBeInstanceOf(HttpFailed);
  expect(await through.promise).toContain("broker.example");
  tunnel.close();
});

it("retrying stops with the last reason when time is up", async () => {
  let attempts = 0;
  const outcome = retry(async () => ({ settled: false, reason: `attempt ${(attempts += 1)}` }), {
    untilMs: performance.now() + 80,
    firstPauseMs: 10,
    maxPauseMs: 20,
  });
  await expect(outcome).rejects.toBeInstanceOf(PatienceExhausted);
  await expect(outcome).rejects.toThrow(`attempt ${attempts}`);
  expect(attempts).toBeGreaterThan(2);
});

it("retrying ends in time on a machine whose clock is set back", async () => {
  const realNow = Date.now;
  const behind = vi.spyOn(Date, "now").mockImplementation(() => realNow() - 3_600_000);
  const outcome = retry(async () => ({ settled: false, reason: "away" }), {
    untilMs: performance.now() + 40,
    firstPauseMs: 5,
    maxPauseMs: 5,
  });
  await expect(outcome).rejects.toBeInstanceOf(PatienceExhausted);
  behind.mockRestore();
});

it("retrying stops at once when it is told to", async () => {
  const stopped = new AbortController();
  const outcome = retry(async () => ({ settled: false, reason: "away" }), {
    untilMs: Number.POSITIVE_INFINITY,
    firstPauseMs: 60_000,
    maxPauseMs: 60_000,
    signal: stopped.signal,
    onRetry: () => queueMicrotask(() => stopped.abort()),
  });
  await expect(outcome).rejects.toThrow("away");
});
