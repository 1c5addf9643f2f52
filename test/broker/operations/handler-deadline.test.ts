/** Whatever an endpoint waits for, its caller is answered, and nothing of it is kept. */
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, expect, test } from "vitest";
import { limitDuration } from "../../../broker/operations/handler-deadline.ts";

let app: FastifyInstance;
afterEach(async () => {
  await app.close();
});

const never = async (): Promise<never> => new Promise(() => undefined);

async function listenWith(register: (app: FastifyInstance) => void, timeoutMs = 50): Promise<string> {
  app = Fastify({ forceCloseConnections: true });
  limitDuration(app, { timeoutMs, lookEveryMs: 5, isExempt: () => false });
  register(app);
  return app.listen({ host: "127.0.0.1", port: 0 });
}

test("a request whose endpoint waits for ever is answered, with what to do about it", async () => {
  const url = await listenWith((server) => server.get("/", never));
  const answer = await fetch(url);
  expect(answer.status).toBe(503);
  expect(answer.headers.get("connection")).toBe("close");
  expect(answer.headers.get("retry-after")).not.toBeNull();
  expect(await answer.json()).toMatchObject({
    error: "temporarily_unavailable",
    reference: expect.any(String),
  });
});

test("it is answered too while a hook waits for ever", async () => {
  const url = await listenWith((server) => {
    server.addHook("preHandler", never);
    server.get("/", async () => "done");
  });
  expect((await fetch(url)).status).toBe(503);
});

test("an answer that stopped on its way is cut off", async () => {
  const url = await listenWith((server) =>
    server.get("/", (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { "content-length": "10" }).write("begun");
    }),
  );
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  await expect(answer.text()).rejects.toThrow();
});

test("what the endpoint says after that goes nowhere, and breaks nothing", async () => {
  const late = Promise.withResolvers<string>();
  const url = await listenWith((server) => {
    server.get("/late", async () => late.promise);
    server.get("/", async () => "well");
  });
  expect((await fetch(`${url}/late`)).status).toBe(503);
  late.resolve("too late");
  expect(await (await fetch(url)).text()).toBe("well");
});

test("an answer in time is left alone", async () => {
  const url = await listenWith((server) => server.get("/", async () => "in time"), 60_000);
  expect(await (await fetch(url)).text()).toBe("in time");
});
