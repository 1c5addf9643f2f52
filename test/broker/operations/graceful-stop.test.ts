/** Stopping a broker: what began is answered, nothing new begins, and whoever cannot wait says so twice. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type Socket, connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { compileCache } from "../../support/compile-cache.ts";
import { Holder } from "../../support/session-holder.ts";

let on: TestBroker;
beforeEach(async () => {
  on = await startTestBroker();
});
afterEach(async () => {
  await on.close();
});

interface HeldExchange {
  readonly socket: Socket;
  /** Everything that came back, once the connection is closed. */
  readonly answer: Promise<string>;
  finish(): void;
}

/** An exchange whose last byte is not sent yet, at `port`. */
async function holdExchange(port: number): Promise<HeldExchange> {
  const holder = await Holder.create();
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: await on.subjectToken(),
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    resource: on.url,
    scope: "robot:acme/payments/triager",
  }).toString();
  const dpop = await holder.prove({ method: "POST", url: `${on.url}/token`, now: on.now() });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const answer = once(socket, "close").then(() => Buffer.concat(chunks).toString());
  const head = [
    "POST /token HTTP/1.1",
    "host: broker",
    "content-type: application/x-www-form-urlencoded",
    `content-length: ${form.length}`,
    `dpop: ${dpop}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${form.slice(0, -1)}`);
  return { socket, answer, finish: () => void socket.write(form.slice(-1)) };
}
/** Until the broker has seen what was sent before: its answers on one machine come in order of arrival. */
const settle = async (url: string): Promise<void> => {
  for (let round = 0; round < 3; round += 1) await (await fetch(`${url}/healthz`)).text();
};

test("an exchange that began is answered and stored; the connection closes after it, no new one is taken", async () => {
  const held = await holdExchange(on.broker.address.port);
  await settle(on.url);
  const closing = on.broker.close();
  await expect(fetch(`${on.url}/healthz`)).rejects.toThrow();
  held.finish();
  const answer = await held.answer;
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  expect(answer).toContain('"access_token"');
  await closing;
  const database = await openDatabase(on.config.database);
  expect(await database.selectFrom("sessions").select("state").execute()).toEqual([{ state: "active" }]);
  await database.destroy();
});

test("connections that wait for nothing are closed at once", async () => {
  const socket = connect(on.broker.address.port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET /healthz HTTP/1.1\r\nhost: broker\r\n\r\n");
  await once(socket, "data");
  const closed = once(socket, "close");
  await on.broker.close();
  await closed;
});

test("a request that comes on an open connection while the broker stops is answered; it is not ready any more", async () => {
  const held = await holdExchange(on.broker.address.port);
  const open = connect(on.broker.address.port, "127.0.0.1");
  await once(open, "connect");
  open.write("GET /readyz HTTP/1.1\r\nhost: bro");
  await settle(on.url);
  const closing = on.broker.close();
  const closed = once(open, "close");
  open.write("ker\r\n\r\n");
  const [answer] = (await once(open, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 503/);
  expect(answer.toString()).toMatch(/\r\nretry-after: 2\r\n/i);
  await closed;
  held.finish();
  expect(await held.answer).toMatch(/^HTTP\/1\.1 200/);
  await closing;
});

/** `lanyard serve` as its own process, on what the test's broker has. */
async function serve(): Promise<{
  child: ChildProcess;
  port: number;
  said: () => string;
  until(text: string): Promise<void>;
}> {
  const folder = join(on.directory, "served");
  await mkdir(folder);
  await writeFile(join(folder, "empty"), "");
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../../bin/lanyard.js"), "serve"], {
    env: {
      PATH: process.env["PATH"],
      ...compileCache,
      LANYARD_PUBLIC_URL: on.url,
      LANYARD_LISTEN: "127.0.0.1:0",
      LANYARD_POLICIES: on.config.policies,
      LANYARD_DATABASE: `file:${join(folder, "broker.sqlite")}`,
      LANYARD_AUDIT: `file:${join(folder, "audit")}`,
      LANYARD_KEYS: `file:${join(folder, "keys.json")}`,
      LANYARD_ISSUERS: on.issuer.url,
      LANYARD_PRIVATE_ISSUERS: on.issuer.url,
      LANYARD_METRICS_LISTEN: "127.0.0.1:0",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const { stderr } = child;
  let said = "";
  stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const until = async (text: string): Promise<void> => {
    while (!said.includes(text)) {
      if (child.exitCode !== null) throw new Error(`serve ended: ${said}`);
      await Promise.race([once(stderr, "data"), once(child, "exit")]);
    }
  };
  await until("listening on");
  await until("Metrics: http://127.0.0.1:");
  return { child, port: Number(/listening on [\d.]+:(\d+)/.exec(said)?.[1]), said: () => said, until };
}

test("serve: the first signal lets an exchange end, and the process ends well", async () => {
  const { child, port, until } = await serve();
  const held = await holdExchange(port);
  await settle(`http://127.0.0.1:${port}`);
  child.kill("SIGTERM");
  await until("Stopping when the requests in progress are answered");
  held.finish();
  expect(await held.answer).toMatch(/^HTTP\/1\.1 200/);
  const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
  expect(code).toBe(0);
});

test.each([
  ["the same one", "SIGINT", "SIGINT"],
  ["another one", "SIGTERM", "SIGINT"],
] as const)("serve: a second signal does not wait: %s", async (_, first, second) => {
  const { child, port, until } = await serve();
  const held = await holdExchange(port);
  await settle(`http://127.0.0.1:${port}`);
  child.kill(first);
  await until("Stopping");
  child.kill(second);
  const [code] = await once(child, "exit");
  expect(code).toBe(1);
  expect(await held.answer).toBe("");
});
