/** Servers that die, hang and grow, beside one that goes on: what the agent hears, the log says, and is left running. */
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { Limits } from "../../../../proxy/limits.ts";
import type { ServerLimits } from "../../../../policies/server-limits.ts";
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

const MIB = 1024 * 1024;
const open: Rig[] = [];
afterEach(async () => {
  for (const rig of open.splice(0)) {
    await rig.close();
  }
});

interface Started {
  readonly rig: Rig;
  readonly url: string;
  /** That the other server answers as if nothing were wrong, in the session that it had before. */
  readonly checkOther: () => Promise<void>;
}

interface Settings {
  readonly start?: "eager" | "lazy";
  readonly limits?: Partial<Limits>;
  readonly own?: ServerLimits;
}

/** A bystander is in use before the other one is touched. */
async function startBeside(
  command: readonly string[],
  { start = "lazy", limits = {}, own = {} }: Settings = {},
): Promise<Started> {
  const env = { LEAKED: SECRET };
  const rig = await startRig({
    servers: {
      one: { transport: "stdio", command, env, start, limits: own },
      other: { transport: "stdio", command: scriptedCommand("plain"), env: {}, start: "eager" },
    },
    grants: [
      { server: "one", tools: ["echo", "wait"], resources: ["note://*"] },
      { server: "other", tools: ["echo"] },
    ],
    limits: { restartDelayMs: 20, ...limits },
  });
  open.push(rig);
  const other = `${rig.url}/mcp/other`;
  const headers = await shakeHands(other);
  let id = 0;
  const checkOther = async (): Promise<void> => {
    id++;
    expect(textOf(await send(other, { headers, body: call(id, "echo", { id }) }))).toBe(
      `called echo with {"id":${id}}`,
    );
    expect(
      rig.recorder.records.filter((record) => record.kind === "event" && isAbout(record, "other")),
    ).toEqual([]);
  };
  await checkOther();
  return { rig, url: `${rig.url}/mcp/one`, checkOther };
}

const isAbout = ({ event, detail }: { event: string; detail: Said }, server: string): boolean =>
  event !== "client_attached" && detail.server === server;
const textOf = (got: { json: Said; events: Said[] }): string =>
  (got.json ?? got.events.at(-1)).result.content[0].text;

const pidsOf = (rig: Rig, what = "started"): number[] =>
  [...(rig.stderr.get("one") ?? "").matchAll(new RegExp(`${what} (\\d+)`, "g"))].map(([, pid]) =>
    Number(pid),
  );

/** Nobody may reap a fork whose parent is gone. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const eventsOf = (rig: Rig, name: string): Said[] =>
  rig.recorder
    .events(name)
    .filter(({ detail }) => detail["server"] === "one")
    .map(({ severity, detail }) => ({ severity, ...detail }));

const waitForEvent = (rig: Rig, name: string): Promise<Said> =>
  rig.recorder.waitFor(() => eventsOf(rig, name)[0]);

describe("a crash-looping server", () => {
  it.each(["eager", "lazy"] as const)("(%s) is started again so often, and is then down", async (start) => {
    const { rig, url, checkOther } = await startBeside(scriptedCommand("crash-loop"), {
      start,
      own: { restarts: 2 },
    });
    if (start === "eager") {
      await waitForEvent(rig, "server_down");
    } else {
      for (let tries = 0; tries < 3; tries++) {
        expect((await send(url, { body: INITIALIZE })).json.error.message).toBe(
          'The server "one" gave no answer (exited: exit code 7)',
        );
      }
    }
    const { json } = await send(url, { body: INITIALIZE });
    expect(json.error.message).toBe(
      'The server "one" gave no answer (down: restarted 2 times in 10 minutes)',
    );
    expect(eventsOf(rig, "server_exited")).toHaveLength(3);
    expect(eventsOf(rig, "server_exited")[0]).toMatchObject({
      ...{ severity: "warning", server: "one", code: "exited", detail: "exit code 7" },
      stderr: expect.stringMatching(/^started \d+\nno such configuration$/),
    });
    expect(eventsOf(rig, "server_restarted")).toEqual([
      { severity: "info", server: "one", restart: 1, of: 2 },
      { severity: "info", server: "one", restart: 2, of: 2 },
    ]);
    expect(eventsOf(rig, "server_down")).toEqual([
      { severity: "warning", server: "one", detail: "restarted 2 times in 10 minutes" },
    ]);
    await send(url, { body: INITIALIZE });
    expect(pidsOf(rig)).toHaveLength(3);
    await checkOther();
  });

  it("that is down tells an agent in a session so, in the words of a tool that failed", async () => {
    const { rig, url } = await startBeside(scriptedCommand("die"), { own: { restarts: 0 } });
    const headers = await shakeHands(url);
    expect((await send(url, { headers, body: call(1, "echo") })).json.error.message).toContain("exit code 3");
    const { status, json } = await send(url, { headers, body: call(2, "echo") });
    expect(status).toBe(200);
    expect(json.result).toEqual({
      isError: true,
      content: [
        {
          type: "text",
          text: 'The server "one" is down for the rest of this session (never restarted): calling it again is of no use.',
        },
      ],
    });
    expect(
      rig.recorder
        .of("result")
        .slice(-2)
        .map(({ outcome }) => outcome),
    ).toEqual(["error", "error"]);
    const stream = await send(url, { method: "GET", headers: { ...headers, accept: "text/event-stream" } });
    expect([stream.status, stream.text]).toEqual([502, expect.stringContaining("never restarted")]);
    const listing = { jsonrpc: "2.0", id: 3, method: "tools/list" };
    expect((await send(url, { headers, body: listing })).json.error.message).toContain("never restarted");
  });

  it("without a handshake is down in the same words", async () => {
    const { rig, url } = await startBeside(wrapped(referenceCommand()), { own: { restarts: 0 } });
    await send(url, stateless(call(1, "echo", { text: "here" })));
    pidsOf(rig).forEach((pid) => process.kill(-pid, "SIGKILL"));
    await waitForEvent(rig, "server_down");
    const { json } = await send(url, stateless(call(2, "echo", { text: "there" })));
    expect(json.result).toMatchObject({ isError: true, resultType: "complete" });
    expect(json.result.content[0].text).toContain("is down for the rest of this session");
  });
});

/** So that its process can be found. */
const wrapped = (command: readonly string[]): string[] => [
  ...["/bin/sh", "-c", 'echo "started $$" >&2; exec "$@"', "sh"],
  ...command,
];

describe("a server that dies mid-answer", () => {
  it("fails the call at once, and the log has what it said last, redacted and without what a terminal obeys", async () => {
    const { rig, url, checkOther } = await startBeside(scriptedCommand("dies-in-the-middle"));
    const headers = await shakeHands(url);
    const { json } = await send(url, { headers, body: call(1, "echo") });
    expect(json.error.message).toBe('The server "one" gave no answer (exited: SIGKILL)');
    expect(rig.recorder.of("result").at(-1)?.outcome).toBe("error");
    const [{ stderr }] = eventsOf(rig, "server_exited");
    expect(stderr.split("\n").slice(1)).toEqual([
      "not enough memory",
      "::error::this is no command",
      "key [redacted:bearer:canary]",
    ]);
    await checkOther();
  });

  it("is ready again before anybody asks, and an agent whose session it was begins another", async () => {
    const { rig, url } = await startBeside(scriptedCommand("die"), { start: "eager" });
    const headers = await shakeHands(url);
    await send(url, { headers, body: call(1, "echo") });
    await waitForEvent(rig, "server_restarted");
    await expect.poll(() => pidsOf(rig)).toHaveLength(2);
    expect((await send(url, { headers, body: call(2, "echo") })).status).toBe(404);
    const again = await shakeHands(url);
    expect(
      (await send(url, { headers: again, body: { jsonrpc: "2.0", id: 1, method: "tools/list" } })).status,
    ).toBe(200);
    expect(pidsOf(rig)).toHaveLength(2);
  });

  it("takes no other session with it", async () => {
    const { rig, url } = await startBeside(scriptedCommand("die"));
    const [first, second] = [await shakeHands(url), await shakeHands(url)];
    await send(url, { headers: first, body: call(1, "echo") });
    const body = { jsonrpc: "2.0", id: 1, method: "tools/list" };
    expect((await send(url, { headers: second, body })).json.result.tools).toHaveLength(1);
    expect(rig.recorder.events("server_exited")).toHaveLength(1);
  });

  it("is waited for by whoever asks meanwhile, without a handshake", async () => {
    const { rig, url, checkOther } = await startBeside(wrapped(referenceCommand()), {
      limits: { restartDelayMs: 500 },
    });
    expect(textOf(await send(url, stateless(call(1, "echo", { text: "here" }))))).toBe("here");
    const waiting = send(url, stateless(call(2, "wait")));
    await rig.recorder.waitFor(() => rig.recorder.of("call").at(-1)?.tool === "wait" || undefined);
    pidsOf(rig).forEach((pid) => process.kill(-pid, "SIGKILL"));
    const failed = await waiting;
    expect((failed.json ?? failed.events.at(-1)).error.message).toContain("exited: SIGKILL");
    const answers = await Promise.all(
      [1, 2, 3].map((text) => send(url, stateless(call(text, "echo", { text: `${text}` })))),
    );
    expect(answers.map(textOf)).toEqual(["1", "2", "3"]);
    expect(pidsOf(rig)).toHaveLength(2);
    expect(eventsOf(rig, "server_restarted")).toHaveLength(1);
    await checkOther();
  });
});

describe("a server that forks and ignores SIGTERM", () => {
  it("is stopped with its forks before it is started again", async () => {
    const { rig, url, checkOther } = await startBeside(scriptedCommand("forks"), {
      start: "eager",
      limits: { restartDelayMs: 1, stopGraceMs: 300 },
    });
    await shakeHands(url);
    const [first = 0] = pidsOf(rig);
    const [fork = 0] = pidsOf(rig, "fork");
    expect(isRunning(fork)).toBe(true);
    process.kill(first, "SIGKILL");
    await waitForEvent(rig, "server_restarted");
    await expect.poll(() => isRunning(fork)).toBe(false);
    await expect.poll(() => pidsOf(rig)).toHaveLength(2);
    await checkOther();
    await rig.close();
    await expect.poll(() => [...pidsOf(rig), ...pidsOf(rig, "fork")].filter(isRunning)).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("a server that eats memory", () => {
  it("is stopped with all that it forked, on the log, and started again", async () => {
    const { rig, url, checkOther } = await startBeside(scriptedCommand("eats-memory"), {
      start: "eager",
      own: { memory_bytes: 300 * MIB },
      limits: { memoryCheckMs: 50 },
    });
    const headers = await shakeHands(url);
    expect(textOf(await send(url, { headers, body: call(1, "echo") }))).toBe("hungry");
    await waitForEvent(rig, "server_restarted");
    expect(eventsOf(rig, "server_exited")[0]).toMatchObject({
      code: "out_of_memory",
      detail: `more than ${300 * MIB} bytes`,
    });
    expect(eventsOf(rig, "limit_reached")).toEqual([
      { severity: "warning", server: "one", limit: "memory", count: 1 },
    ]);
    const [first = 0] = pidsOf(rig);
    await expect.poll(() => [first, ...pidsOf(rig, "fork")].filter(isRunning)).toEqual([]);
    await checkOther();
    expect((await send(url, { headers, body: call(2, "echo") })).status).toBe(404);
    await shakeHands(url);
  });

  it("goes before the proxy where the machine has none left", async () => {
    const { rig, url } = await startBeside(scriptedCommand("plain"));
    await shakeHands(url);
    const [pid = 0] = pidsOf(rig);
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim()).toBe("500");
  });
});

describe("a server that hangs", () => {
  it("is found by a ping once nothing is asked of it, stopped and started again", async () => {
    const { rig, url, checkOther } = await startBeside(scriptedCommand("hangs"), {
      start: "eager",
      limits: { pingIntervalMs: 100, pingTimeoutMs: 4_000 },
    });
    const headers = await shakeHands(url);
    await expect.poll(() => rig.stderr.get("one")).toContain("pinged");
    expect(textOf(await send(url, { headers, body: call(1, "echo") }))).toBe("for the last time");
    await waitForEvent(rig, "server_restarted");
    expect(eventsOf(rig, "server_exited")[0]).toMatchObject({
      code: "unresponsive",
      detail: "no answer to a ping within 4000 ms",
    });
    const [first = 0] = pidsOf(rig);
    await expect.poll(() => isRunning(first)).toBe(false);
    await checkOther();
    await shakeHands(url);
  });

  it("without a handshake is asked what it speaks instead, and is found as well", async () => {
    const { rig, url } = await startBeside(wrapped(referenceCommand()), {
      limits: { pingIntervalMs: 100, pingTimeoutMs: 4_000 },
    });
    await send(url, stateless(call(1, "echo", { text: "here" })));
    pidsOf(rig).forEach((pid) => process.kill(pid, "SIGSTOP"));
    await waitForEvent(rig, "server_exited");
    expect(eventsOf(rig, "server_exited")[0]).toMatchObject({ code: "unresponsive" });
    const there = await send(url, stateless(call(2, "echo", { text: "there" })));
    expect(there.text).toContain('"text":"there"');
  });

  it.each(["handshake", "stateless"])(
    "in a call only (%s) is not pinged: the call has its own time",
    async (era) => {
      const isStateless = era === "stateless";
      const { rig, url } = await startBeside(isStateless ? referenceCommand() : scriptedCommand("silent"), {
        own: { call_seconds: 2 },
        limits: { pingIntervalMs: 50, pingTimeoutMs: 300 },
      });
      const body = call(1, isStateless ? "wait" : "echo");
      const { json, events } = await send(
        url,
        isStateless ? stateless(body) : { headers: await shakeHands(url), body },
      );
      expect((json ?? events.at(-1)).error.message).toBe("The call took too long");
      expect(eventsOf(rig, "limit_reached")).toEqual([
        { severity: "warning", server: "one", limit: "call_time", count: 1 },
      ]);
    },
  );

  it("is found as well where it never answered a ping, once it leaves a call unanswered", async () => {
    const { rig, url } = await startBeside(scriptedCommand("ignores-pings"), {
      own: { call_seconds: 4 },
      limits: { pingIntervalMs: 50, pingTimeoutMs: 50 },
    });
    const headers = await shakeHands(url);
    const pings = (): number => rig.stderr.get("one")?.match(/pinged/g)?.length ?? 0;
    await expect.poll(pings).toBeGreaterThan(2);
    expect(textOf(await send(url, { headers, body: call(1, "echo", { answer: true }) }))).toBe("after all");
    expect(eventsOf(rig, "server_exited")).toEqual([]);
    await send(url, { headers, body: call(2, "echo") });
    await waitForEvent(rig, "server_exited");
    expect(eventsOf(rig, "server_exited")[0]).toMatchObject({ code: "unresponsive" });
  });

  it("is not what a healthy one is taken for, however long nobody asks it", async () => {
    const { rig, url } = await startBeside(wrapped(referenceCommand()), {
      limits: { pingIntervalMs: 20, pingTimeoutMs: 20_000 },
    });
    await send(url, stateless(call(1, "echo", { text: "here" })));
    const headers = await shakeHands(url);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(textOf(await send(url, { headers, body: call(2, "echo", { text: "there" }) }))).toBe("there");
    expect(eventsOf(rig, "server_exited")).toEqual([]);
    expect(eventsOf(rig, "server_message_dropped")).toEqual([]);
  });
});

describe("clients whose server died", () => {
  const requestInit = { headers: { Authorization: `Bearer ${TOKEN}` } };
  const echo = { name: "echo", arguments: { text: "hi" } };
  const startReference = (): Promise<Started> => startBeside(wrapped(referenceCommand()), { start: "eager" });
  const kill = async ({ rig }: Started): Promise<void> => {
    const pids = pidsOf(rig);
    pids.filter(isRunning).forEach((pid) => process.kill(-pid, "SIGKILL"));
    await expect.poll(() => pidsOf(rig).length).toBeGreaterThan(pids.length);
  };

  it("of the first SDK are told that their session is over, and begin another", async () => {
    const started = await startReference();
    const client = new ClientV1({ name: "v1", version: "1.0.0" });
    const connect = async (): Promise<void> => {
      // The SDK's own transport does not fit its own interface under exactOptionalPropertyTypes.
      const transport: Said = new TransportV1(new URL(started.url), { requestInit });
      await client.connect(transport);
    };
    await connect();
    expect(await client.callTool(echo)).toMatchObject({ content: [{ text: "hi" }] });
    await kill(started);
    await expect(client.callTool(echo)).rejects.toMatchObject({ code: 404 });
    await client.close();
    await connect();
    expect(await client.callTool(echo)).toMatchObject({ content: [{ text: "hi" }] });
    await client.close();
  });

  it("of the second SDK with a handshake, too", async () => {
    const started = await startReference();
    const connect = async (): Promise<ClientV2> => {
      const client = new ClientV2({ name: "v2", version: "2" }, { versionNegotiation: { mode: "legacy" } });
      await client.connect(new TransportV2(new URL(started.url), { requestInit }));
      return client;
    };
    const client = await connect();
    await kill(started);
    await expect(client.callTool(echo)).rejects.toThrow("Session not found");
    await client.close();
    const again = await connect();
    expect(await again.callTool(echo)).toMatchObject({ content: [{ text: "hi" }] });
    await again.close();
  });

  it("of the second SDK without one just go on", async () => {
    const started = await startReference();
    const client = new ClientV2(
      { name: "v2", version: "2" },
      { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    await client.connect(new TransportV2(new URL(started.url), { requestInit }));
    await kill(started);
    expect(await client.callTool(echo)).toMatchObject({ content: [{ text: "hi" }] });
    await client.close();
  });
});
