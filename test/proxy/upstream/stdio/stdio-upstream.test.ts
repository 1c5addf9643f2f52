import { readFileSync } from "node:fs";
import { request as requestHttp } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { Limits } from "../../../../proxy/limits.ts";
import { referenceCommand } from "../../../support/mcp-reference-server.ts";
import { scriptedCommand } from "../../../support/mcp-scripted-stdio-server.ts";
import {
  call,
  INITIALIZE,
  type Rig,
  type Said,
  SECRET,
  send,
  shakeHands,
  startRig,
  stateless,
  TOKEN,
} from "../../rig.ts";

const open: Rig[] = [];
afterEach(async () => {
  for (const rig of open.splice(0)) {
    await rig.close();
  }
});

async function startWith(
  command: readonly string[],
  { start = "lazy", limits = {} }: { start?: "eager" | "lazy"; limits?: Partial<Limits> } = {},
): Promise<{ rig: Rig; url: string }> {
  const rig = await startRig({
    servers: { one: { transport: "stdio", command, env: { LISTED: "yes" }, start } },
    grants: [{ server: "one", tools: ["echo", "count", "wait", "ask"] }],
    limits,
  });
  open.push(rig);
  return { rig, url: `${rig.url}/mcp/one` };
}

const FLOOD_MS = 120_000;

const textOf = (got: { json: Said; events: Said[] }): string =>
  (got.json ?? got.events.at(-1)).result.content[0].text;

async function waitForStderr(rig: Rig, pattern: RegExp, timeout = 20_000): Promise<RegExpExecArray> {
  let found: RegExpExecArray | null = null;
  await expect
    .poll(() => (found = pattern.exec(rig.stderr.get("one") ?? "")), { timeout, interval: 20 })
    .not.toBeNull();
  if (found === null) {
    throw new Error("not on stderr");
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a stdio server with a handshake", () => {
  it("has a process for each session, and the one that was started early goes to the first", async () => {
    const { rig, url } = await startWith(scriptedCommand("plain"), { start: "eager" });
    await waitForStderr(rig, /started/);
    const first = await shakeHands(url);
    expect(rig.stderr.get("one")?.match(/started/g)).toHaveLength(1);
    const second = await shakeHands(url);
    expect(rig.stderr.get("one")?.match(/started/g)).toHaveLength(2);
    expect(first["mcp-session-id"]).not.toBe(second["mcp-session-id"]);
    expect(textOf(await send(url, { headers: first, body: call(1, "echo", { a: 1 }) }))).toBe(
      'called echo with {"a":1}',
    );
    const list = await send(url, { headers: second, body: { jsonrpc: "2.0", id: 1, method: "tools/list" } });
    expect(list.json.result.tools).toHaveLength(1);
  });

  it("tells clients that know both eras at once that it has a handshake, in its process for the first session", async () => {
    const { rig, url } = await startWith(scriptedCommand("plain"));
    const discover = stateless({ jsonrpc: "2.0", id: 4, method: "server/discover", params: {} });
    expect(await send(url, discover)).toMatchObject({
      status: 404,
      json: { id: 4, error: { code: -32601 } },
    });
    await shakeHands(url);
    expect(rig.stderr.get("one")?.match(/started/g)).toHaveLength(1);
  });

  it("that is silent when it is asked for its era is asked no longer than its time", async () => {
    const { url } = await startWith(scriptedCommand("silent-discover"), { limits: { probeTimeoutMs: 300 } });
    const discover = stateless({ jsonrpc: "2.0", id: 4, method: "server/discover", params: {} });
    expect((await send(url, discover)).status).toBe(404);
    expect((await send(url, { headers: await shakeHands(url), body: call(1, "echo") })).status).toBe(200);
  });

  it("that exits when it is asked for its era gets a process of its own for the session", async () => {
    const { url } = await startWith(scriptedCommand("exits-at-discover"), { start: "eager" });
    expect((await send(url, { headers: await shakeHands(url), body: call(1, "echo") })).status).toBe(200);
  });

  it("needs a session for everything else", async () => {
    const { url } = await startWith(scriptedCommand("plain"));
    expect((await send(url, { body: { jsonrpc: "2.0", id: 1, method: "ping" } })).status).toBe(400);
    expect((await send(url, { headers: { "mcp-session-id": "x" }, body: call(1, "echo") })).status).toBe(404);
    expect((await send(url, { method: "GET" })).status).toBe(405);
  });

  it("ends with its session, its process with it", async () => {
    const { rig, url } = await startWith(scriptedCommand("plain"));
    const headers = await shakeHands(url);
    const [, pid] = await waitForStderr(rig, /started (\d+)/);
    expect((await send(url, { method: "DELETE", headers })).status).toBe(200);
    expect(isAlive(Number(pid))).toBe(false);
    expect((await send(url, { headers, body: call(1, "echo") })).status).toBe(404);
  });

  it("has one stream for what it says unasked", async () => {
    const { url } = await startWith(scriptedCommand("plain"));
    const headers = await shakeHands(url);
    const first = requestHttp(url, { headers: { ...headers, accept: "text/event-stream" } });
    first.on("error", () => undefined);
    const opened = new Promise((resolve) => first.on("response", resolve));
    first.end();
    await opened;
    expect((await send(url, { method: "GET", headers })).status).toBe(409);
    first.destroy();
  });

  it("does not wait for roots that nobody gives it", async () => {
    const { rig, url } = await startWith(scriptedCommand("roots"));
    const got = await send(url, { headers: await shakeHands(url), body: call(1, "echo") });
    expect(JSON.parse(textOf(got))).toEqual({ code: -32601, message: "Method not found" });
    expect(rig.recorder.events("server_request_refused")[0]?.detail).toMatchObject({ method: "roots/list" });
  });

  it("beyond the number of sessions is not started", async () => {
    const { rig, url } = await startWith(scriptedCommand("plain"), { limits: { maxSessions: 1 } });
    await shakeHands(url);
    expect((await send(url, { body: INITIALIZE })).status).toBe(503);
    expect(rig.recorder.events("limit_reached")[0]?.detail).toMatchObject({ limit: "sessions" });
  });
});

describe("a stdio server without a handshake", () => {
  it("serves everybody from one process, and nobody gets what another asked for", async () => {
    const { url } = await startWith(referenceCommand());
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => send(url, stateless(call(0, "echo", { text: `n${index}` })))),
    );
    expect(answers.map(textOf)).toEqual(Array.from({ length: 20 }, (_, index) => `n${index}`));
    expect(answers.every(({ json }) => json.id === 0)).toBe(true);
  });

  it.each(["2099-01-01", "2025-11-25", "v999.0.0"])(
    "is not asked in revision %s, which it does not speak, by whoever comes after others",
    async (revision) => {
      const { url } = await startWith(referenceCommand());
      expect(textOf(await send(url, stateless(call(0, "echo", { text: "here" }))))).toBe("here");
      const { headers = {}, body } = stateless(call(1, "echo", { text: "there" }), {
        "mcp-protocol-version": revision,
      });
      const message: Said = body;
      message.params._meta["io.modelcontextprotocol/protocolVersion"] = revision;
      expect(await send(url, { headers, body: message })).toMatchObject({
        status: 400,
        json: { id: 1, error: { code: -32022, data: { requested: revision, supported: ["2026-07-28"] } } },
      });
    },
  );

  it("tells progress to whoever asked for it, by the token that was chosen", async () => {
    const { url } = await startWith(referenceCommand());
    const ask = (token: string | number, to: number): ReturnType<typeof send> => {
      const { headers = {}, body } = stateless(call(0, "count", { to }));
      const message: Said = body;
      message.params._meta.progressToken = token;
      return send(url, { headers, body: message });
    };
    const [one, two] = await Promise.all([ask(0, 2), ask("mine", 3)]);
    expect(one?.events.slice(0, -1).map(({ params }) => params.progressToken)).toEqual([0, 0]);
    expect(two?.events.slice(0, -1).map(({ params }) => params.progressToken)).toEqual([
      "mine",
      "mine",
      "mine",
    ]);
  });

  it("cannot be made to start with a handshake", async () => {
    const { url } = await startWith(referenceCommand("--stateless-only"));
    const got = await send(url, { body: INITIALIZE });
    expect(got.json.error.code).toBe(-32022);
    expect(got.headers).not.toHaveProperty("mcp-session-id");
  });

  it("gives its errors the status that they have over HTTP", async () => {
    const { url } = await startWith(referenceCommand());
    const got = await send(url, stateless({ jsonrpc: "2.0", id: 3, method: "ping", params: {} }));
    expect(got).toMatchObject({ status: 404, json: { id: 3, error: { code: -32601 } } });
  });

  it("tells a subscription of its own id", async () => {
    const { url } = await startWith(referenceCommand(), { limits: { keepAliveMs: 50 } });
    const { headers, body } = stateless({
      ...{ jsonrpc: "2.0", id: "listen:0", method: "subscriptions/listen" },
      params: { notifications: { toolsListChanged: true } },
    });
    const request = requestHttp(url, {
      method: "POST",
      headers: {
        ...headers,
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
    });
    request.on("error", () => undefined);
    let text = "";
    request.on("response", (response) => response.on("data", (chunk: Buffer) => (text += chunk.toString())));
    request.end(JSON.stringify(body));
    await expect.poll(() => text).toContain('"io.modelcontextprotocol/subscriptionId":"listen:0"');
    await expect.poll(() => text).toContain(": keep-alive");
    request.destroy();
  });
});

describe("a stdio server that", () => {
  it("prints garbage is understood where it makes sense, and the rest is counted", async () => {
    const { rig, url } = await startWith(scriptedCommand("garbage"));
    expect(textOf(await send(url, { headers: await shakeHands(url), body: call(1, "echo") }))).toBe(
      "after garbage",
    );
    expect(rig.recorder.events("server_output_dropped")[0]?.detail).toEqual({ server: "one", count: 1 });
  });

  it(
    "prints 1 GB without a newline does not fill the memory",
    async () => {
      const { rig, url } = await startWith(scriptedCommand("flood"), {
        limits: { maxAnswerBytes: 8 * 1024 * 1024 },
      });
      const headers = await shakeHands(url);
      const before = process.memoryUsage().rss;
      expect(textOf(await send(url, { headers, body: call(1, "echo") }))).toBe("before the flood");
      // How long a gigabyte takes says nothing of the proxy.
      await waitForStderr(rig, /flooded/, FLOOD_MS);
      expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
      await rig.recorder.waitFor(() => rig.recorder.events("server_output_dropped")[0]);
      expect((await send(url, { headers, body: call(2, "echo") })).status).toBe(200);
    },
    2 * FLOOD_MS,
  );

  it("answers another request's id is not heard", async () => {
    const { rig, url } = await startWith(scriptedCommand("foreign-id"));
    expect(textOf(await send(url, { headers: await shakeHands(url), body: call(1, "echo") }))).toBe("yours");
    expect(rig.recorder.events("server_message_dropped")).toHaveLength(1);
  });

  it("answers twice is heard once", async () => {
    const { rig, url } = await startWith(scriptedCommand("twice"));
    expect(textOf(await send(url, { headers: await shakeHands(url), body: call(1, "echo") }))).toBe("first");
    await rig.recorder.waitFor(() => rig.recorder.events("server_message_dropped")[0]);
    expect(rig.recorder.of("result")).toHaveLength(1);
  });

  it("dies mid-answer gives the agent an error, the log an event, and ends the session", async () => {
    const { rig, url } = await startWith(scriptedCommand("die"));
    const headers = await shakeHands(url);
    const got = await send(url, { headers, body: call(1, "echo") });
    expect(got.json.error.message).toBe('The server "one" gave no answer (exited: exit code 3)');
    expect(rig.recorder.of("result")[0]?.outcome).toBe("error");
    expect(rig.recorder.events("server_exited")[0]?.detail).toMatchObject({
      server: "one",
      detail: "exit code 3",
    });
    expect((await send(url, { headers, body: call(2, "echo") })).status).toBe(404);
  });

  it("cannot be started gives the agent an error and the log an event, in both eras", async () => {
    const { rig, url } = await startWith(["/no/such/program"]);
    const message = 'The server "one" gave no answer (start_failed: ENOENT)';
    expect((await send(url, { body: INITIALIZE })).json.error.message).toBe(message);
    expect((await send(url, stateless(call(1, "echo")))).json.error.message).toBe(message);
    expect(rig.recorder.events("server_start_failed")[0]?.detail).toMatchObject({ detail: "ENOENT" });
  });

  it("is silent is given up, and told so", async () => {
    const { rig, url } = await startWith(scriptedCommand("silent"), { limits: { callTimeoutMs: 2_000 } });
    const headers = await shakeHands(url);
    expect((await send(url, { headers, body: call(1, "echo") })).json.error.message).toBe(
      "The call took too long",
    );
    expect(rig.recorder.of("result")[0]?.outcome).toBe("timeout");
  });

  it.each(["stdin", "stdout"])("closes its %s and lives on is one that was lost", async (pipe) => {
    const { rig, url } = await startWith(scriptedCommand(`closes-${pipe}`), {
      limits: { callTimeoutMs: 20_000 },
    });
    const headers = await shakeHands(url);
    const [, pid] = await waitForStderr(rig, /started (\d+)/);
    const first = send(url, { headers, body: call(1, "echo") });
    await rig.recorder.waitFor(() => rig.recorder.of("call")[0]);
    // A closed stdin is noticed by whoever writes to it.
    const next = async (): Promise<number> => (await send(url, { headers, body: notice })).status;
    const notice = { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1 } };
    await expect.poll(next, { timeout: 10_000 }).toBe(404);
    expect((await first).json.error.message).toContain(`(closed: ${pipe})`);
    await expect.poll(() => isAlive(Number(pid))).toBe(false);
  });

  it("ignores SIGTERM has no more processes at a time than sessions, whoever begins and leaves", async () => {
    const { rig, url } = await startWith(scriptedCommand("ignores-sigterm-and-handshakes"), {
      limits: { maxSessions: 2, stopGraceMs: 3_000, probeTimeoutMs: 1 },
    });
    for (let begun = 0; begun < 3; begun++) {
      const left = new AbortController();
      const asked = fetch(url, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        body: JSON.stringify(INITIALIZE),
        signal: left.signal,
      });
      await rig.recorder.waitFor(() => rig.recorder.events("client_attached")[begun]);
      await waitForStderr(rig, new RegExp(`(?:started \\d+\\s+){${begun + 1}}`));
      left.abort();
      await expect(asked).rejects.toThrow();
    }
    expect((await send(url, { body: INITIALIZE })).json.error.message).toContain("too_many_sessions");
  });

  it("ignores SIGTERM is killed", async () => {
    const { rig, url } = await startWith(scriptedCommand("ignores-sigterm"));
    await shakeHands(url);
    const [, pid] = await waitForStderr(rig, /started (\d+)/);
    await rig.close();
    await expect.poll(() => isAlive(Number(pid))).toBe(false);
  });

  it("forks takes its forks with it", async () => {
    const { rig, url } = await startWith(scriptedCommand("forks"));
    await shakeHands(url);
    const [, pid] = await waitForStderr(rig, /started (\d+)/);
    const [, fork] = await waitForStderr(rig, /fork (\d+)/);
    expect(isAlive(Number(fork))).toBe(true);
    await rig.close();
    await expect.poll(() => [isAlive(Number(pid)), isRunning(Number(fork))]).toEqual([false, false]);
  });

  it("looks into its environment finds what the registry lists, and no secret", async () => {
    const { url } = await startWith(scriptedCommand("environment"));
    const text = textOf(await send(url, { headers: await shakeHands(url), body: call(1, "echo") }));
    const environment = JSON.parse(text);
    expect(environment).toMatchObject({ LISTED: "yes", PATH: process.env["PATH"] });
    expect(environment).not.toHaveProperty("LANYARD_CANARY");
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(TOKEN);
  });
});

describe("an agent that leaves", () => {
  it("takes its call with it: the server is told, the log says cancelled", async () => {
    const { rig, url } = await startWith(referenceCommand());
    const { headers, body } = stateless(call(1, "wait"));
    await send(url, stateless(call(0, "echo", { text: "ready" })));
    const request = requestHttp(url, {
      method: "POST",
      headers: {
        ...headers,
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
    });
    request.on("error", () => undefined);
    request.end(JSON.stringify(body));
    await rig.recorder.waitFor(() => rig.recorder.of("call")[1]);
    request.destroy();
    const outcome = await rig.recorder.waitFor(() => rig.recorder.of("result")[1]?.outcome);
    expect(outcome).toBe("cancelled");
    expect((await send(url, stateless(call(2, "echo", { text: "still there" })))).status).toBe(200);
  });
});

/** A killed process whose parent is gone may stay as a zombie where nobody reaps. */
function isRunning(pid: number): boolean {
  return isAlive(pid) && !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

it("many handshakes at once start no more processes than there may be sessions", async () => {
  const { rig, url } = await startWith(scriptedCommand("plain"), { limits: { maxSessions: 2 } });
  const answers = await Promise.all(Array.from({ length: 6 }, () => send(url, { body: INITIALIZE })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 503, 503, 503, 503]);
  expect(rig.stderr.get("one")?.match(/started/g)).toHaveLength(2);
});
