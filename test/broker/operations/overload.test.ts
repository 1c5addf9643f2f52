/** More than a broker can take: it says so, stays within its memory, loses nothing that it accepted. */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { type Socket, connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import Fastify from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { shedLoad } from "../../../broker/operations/load-shedding.ts";
import { RELAY_ROUTE } from "../../../broker/routes/relay-route.ts";
import { startBroker } from "../../../broker/server.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { Holder, call, exchange, readAnswer } from "../../support/session-holder.ts";

let on: TestBroker;
afterEach(async () => {
  await on.close();
});

/** A request whose body does not come to its end. */
async function holdRequest(): Promise<Socket> {
  const { host, port } = on.broker.address;
  const socket = connect(port, host);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(
    "POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 9\r\n\r\nx=",
  );
  return socket;
}
const token = async (form = "x=1") =>
  readAnswer(
    await fetch(`${on.url}/token`, {
      method: "POST",
      body: form,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    }),
  );

test("with too much in progress new work is turned away, sessions go on, and it passes", async () => {
  on = await startTestBroker({ config: () => ({ limits: { maxInFlight: 8 } }) });
  const holder = await Holder.create();
  await exchange(on, holder);
  const held = await Promise.all(Array.from({ length: 4 }, holdRequest));
  const untilBusy = async () => {
    let answer = await token();
    while (answer.status !== 503) answer = await token();
    return answer;
  };
  const busy = await untilBusy();
  expect(busy.body).toMatchObject({ error: "temporarily_unavailable", reference: expect.any(String) });
  expect(busy.headers.get("retry-after")).toBe("2");
  expect(busy.headers.get("connection")).toBe("close");
  expect(on.lastRefusal().code).toBe("busy");
  expect((await call(on, holder, "GET /session")).status).toBe(200);
  expect((await fetch(`${on.url}/healthz`)).status).toBe(200);

  held.push(...(await Promise.all(Array.from({ length: 4 }, holdRequest))));
  // Those four were turned away: they hold no place.
  expect((await call(on, holder, "GET /session")).status).toBe(200);
  for (const socket of held) socket.destroy();
  let answer = await token();
  while (answer.status === 503) answer = await token();
  expect(answer.status).toBe(400);
});

test("a broker that is late turns new work away, and takes it again when it has caught up", async () => {
  on = await startTestBroker();
  const app = Fastify();
  const load = shedLoad(app, { maxInFlight: 100, maxDelayMs: 100 });
  app.post("/token", async () => "done");
  app.get("/session", async () => "done");
  const late = new Int32Array(new SharedArrayBuffer(4));
  while (load.delayMs() <= 100) {
    Atomics.wait(late, 0, 0, 300);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const refused = await app.inject({ method: "POST", url: "/token" });
  expect(refused.statusCode).toBe(503);
  expect(refused.headers["retry-after"]).toBe("2");
  expect(refused.json()).toMatchObject({ error: "temporarily_unavailable" });
  while (load.delayMs() > 100) await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await app.inject({ method: "POST", url: "/token" })).statusCode).toBe(200);
  await app.close();
});

test("streams that are relayed take the places of nobody, and have a bound of their own", async () => {
  on = await startTestBroker();
  const app = Fastify();
  const load = shedLoad(app, { maxInFlight: 4, maxDelayMs: 60_000 });
  const over = Promise.withResolvers<string>();
  app.get(RELAY_ROUTE, async () => over.promise);
  app.post("/token", async () => "done");
  app.get("/session", async () => "done");
  const relayed = () => app.inject({ method: "GET", url: "/mcp/vault" });
  const held = [relayed(), relayed(), relayed(), relayed()];
  await expect.poll(() => load.inFlight()).toBe(4);
  expect((await relayed()).statusCode).toBe(503);
  expect((await app.inject({ method: "POST", url: "/token" })).statusCode).toBe(200);
  expect((await app.inject({ method: "GET", url: "/session" })).statusCode).toBe(200);
  over.resolve("done");
  expect((await Promise.all(held)).map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
  await app.close();
});

describe("a flood", () => {
  const collect = (): number => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    gc();
    gc();
    return process.memoryUsage().heapUsed;
  };

  test("of 10,000 garbage requests leaves nothing behind in memory", async () => {
    on = await startTestBroker();
    const flooded = await startBroker({
      config: { ...on.config, trustedProxies: ["127.0.0.1"], limits: { addressPerMinute: 5 } },
      now: on.now,
      log: { level: "debug", write: () => undefined },
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    const { host, port } = flooded.address;
    const statuses = new Map<number, number>();
    const send = (index: number): Promise<void> =>
      new Promise((resolve, reject) => {
        // Every part of it is new each time: whatever kept one of them would keep 10,000.
        const noise = `${index}-${"n".repeat(2_000)}`;
        const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
        const forged = `${encode({ alg: "RS256", typ: "JWT", kid: noise })}.${encode({ iss: on.issuer.url, jti: noise })}.AAAA`;
        const form = new URLSearchParams({
          grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
          subject_token: forged,
          subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
          resource: flooded.url,
          scope: `robot:acme/${index}/x`,
        }).toString();
        const kinds = [
          { method: "POST", path: "/token", body: form, type: "application/x-www-form-urlencoded" },
          {
            method: "POST",
            path: "/session/recover",
            body: JSON.stringify({ session: noise }),
            type: "application/json",
          },
          { method: "GET", path: `/${noise}`, body: "", type: "text/plain" },
          { method: "POST", path: "/session/seal", body: noise, type: "application/json" },
        ];
        const { method, path, body, type } = kinds[index % kinds.length] ?? kinds[0]!;
        const headers = {
          "content-type": type,
          "x-forwarded-for": `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
          authorization: method === "POST" && path !== "/token" ? `DPoP ${forged}` : "",
          dpop: forged,
        };
        if (path === "/token") Reflect.deleteProperty(headers, "authorization");
        const sent = request({ host, port, agent, method, path, headers }, (response) => {
          statuses.set(response.statusCode ?? 0, (statuses.get(response.statusCode ?? 0) ?? 0) + 1);
          response.resume();
          response.once("end", resolve);
        });
        sent.once("error", reject);
        sent.end(body);
      });
    const flood = async (from: number, count: number): Promise<void> => {
      for (let index = from; index < from + count; index += 100) {
        await Promise.all(Array.from({ length: 100 }, async (_, offset) => send(index + offset)));
      }
    };
    await flood(0, 2_000);
    const before = collect();
    await flood(2_000, 10_000);
    const grown = collect() - before;
    agent.destroy();
    expect(
      [...statuses.keys()].filter((status) => status < 400 || (status >= 500 && status !== 503)),
    ).toEqual([]);
    // 10,000 addresses take about 2 MB; the garbage itself would be 20 MB and more.
    expect(grown).toBeLessThan(8 * 1024 * 1024);
    expect((await fetch(`${flooded.url}/healthz`)).status).toBe(200);
    await flooded.close();
  }, 60_000);

  test("of 2,000 exchanges over 200 connections loses none", async () => {
    on = await startTestBroker();
    const COUNT = 2_000;
    const agent = new Agent({ keepAlive: true, maxSockets: 200 });
    const holders = await Promise.all(Array.from({ length: 20 }, async () => Holder.create()));
    const prepared = await Promise.all(
      Array.from({ length: COUNT }, async (_, index) => {
        const holder = holders[index % holders.length] ?? (await Holder.create());
        const body = new URLSearchParams({
          grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
          subject_token: await on.subjectToken({ run_id: String(index) }),
          subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
          resource: on.url,
          scope: "robot:acme/payments/triager",
        }).toString();
        const dpop = await holder.prove({ method: "POST", url: `${on.url}/token`, now: on.now() });
        return { body, dpop };
      }),
    );
    const { host, port } = on.broker.address;
    const answers = await Promise.all(
      prepared.map(
        ({ body, dpop }) =>
          new Promise<{ status: number; text: string }>((resolve, reject) => {
            const headers = { "content-type": "application/x-www-form-urlencoded", dpop };
            const options = { host, port, agent, method: "POST", path: "/token", headers };
            const sent = request(options, (response) => {
              let text = "";
              response.setEncoding("utf8");
              response.on("data", (chunk: string) => (text += chunk));
              response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
            });
            sent.once("error", reject);
            sent.end(body);
          }),
      ),
    );
    agent.destroy();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const database = await openDatabase(on.config.database);
    const stored = await database.selectFrom("sessions").select(["id"]).execute();
    await database.destroy();
    const ids = new Set(stored.map(({ id }) => id));
    expect(ids.size).toBe(COUNT);
    const answered = answers.map(({ text }) => {
      const [, payload = ""] = JSON.parse(text).access_token.split(".");
      return JSON.parse(Buffer.from(payload, "base64url").toString()).sid;
    });
    expect(new Set(answered)).toEqual(ids);
  }, 60_000);
});
