/** What an operator reads of the relay: how calls ended, what was refused, what servers fail with, what is open. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { openEvents } from "../../support/mcp-scripted-http-server.ts";
import {
  type TokenServer,
  callTool,
  createStandIn,
  initialize,
  relayFiles,
  relayRobots,
  sendRelayed,
  startTokenServer,
} from "../../support/relay-desk.ts";
import { Holder, exchange } from "../../support/session-holder.ts";

let server: TokenServer;
let on: TestBroker;
let holder: Holder;
let session: string;
beforeAll(async () => {
  server = await startTokenServer();
  on = await startTestBroker({
    credentials: createStandIn(),
    files: (issuer) => ({ ...relayFiles(server.url), "robots/acme/payments.yaml": relayRobots(issuer) }),
    config: () => ({ metrics: { host: "127.0.0.1", port: 0 } }),
  });
  holder = await Holder.create();
  await exchange(on, holder);
  session = await initialize(on, holder);
});
afterAll(async () => {
  await on.close();
  await server.close();
});

const scrape = async (): Promise<Map<string, number>> => {
  const { host, port } = on.broker.metricsAddress ?? { host: "", port: 0 };
  const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
  const lines = text.split("\n").filter((line) => /^lanyard_relay/.test(line) && !line.includes("_bucket"));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
};
/** Counted within `action`, or soon after. */
async function expectChanges(expected: Record<string, number>, action: () => Promise<unknown>) {
  const before = await scrape();
  await action();
  const readChanges = async () => {
    const changes = [...(await scrape())]
      .map(([series, value]) => [series, value - (before.get(series) ?? 0)] as const)
      .filter(([series, change]) => change !== 0 && !series.endsWith("_sum"));
    return Object.fromEntries(changes);
  };
  await expect.poll(readChanges).toEqual(expected);
}

test("a call that is answered counts for its server by its end, and how much later it left for the relay", async () => {
  await expectChanges(
    {
      'lanyard_relayed_calls_total{server="vault",outcome="ok"}': 1,
      lanyard_relay_delay_seconds_count: 1,
    },
    async () => callTool(on, holder, { session, name: "echo" }),
  );
  expect((await scrape()).get("lanyard_relay_delay_seconds_sum")).toBeGreaterThan(0);
});

test("calls that are refused count by the reason, whatever a caller names", async () => {
  await expectChanges({ 'lanyard_relay_refusals_total{reason="no_grant"}': 2 }, async () => {
    await callTool(on, holder, { session, name: "hidden" });
    await callTool(on, holder, { session, name: `not_there"} ${randomUUID()}` });
  });
});

test("a server that fails counts by what it failed with, beside the call", async () => {
  server.answerWith((_, response) => void response.writeHead(503).end());
  await expectChanges(
    {
      'lanyard_relayed_calls_total{server="vault",outcome="error"}': 2,
      'lanyard_relay_upstream_failures_total{server="vault",failure="server_error"}': 1,
      'lanyard_relay_upstream_failures_total{server="vault",failure="unreachable"}': 1,
      lanyard_relay_delay_seconds_count: 2,
    },
    async () => {
      await callTool(on, holder, { session, name: "echo" });
      server.answerWith((_, response) => void response.destroy());
      await callTool(on, holder, { session, name: "echo" });
    },
  );
});

test("a stream counts while it is open, whoever ends it", async () => {
  const streams = async (): Promise<number | undefined> => (await scrape()).get("lanyard_relay_streams");
  server.answerWith((_, response) => void openEvents(response));
  expect(await streams()).toBe(0);
  const stream = await sendRelayed(on, holder, {
    ...{ session, method: "GET" },
    fields: { "lanyard-agent": "agent" },
  });
  await expect.poll(streams).toBe(1);
  await stream.body?.cancel();
  await expect.poll(streams).toBe(0);
  server.answerWith((_, response) => {
    openEvents(response);
    response.end();
  });
  await (await sendRelayed(on, holder, { session, method: "GET" })).text();
  await expect.poll(streams).toBe(0);
});
