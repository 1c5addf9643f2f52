/** The metrics as Prometheus reads them: what happened is counted once, and no caller can make a series. */
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { METRICS } from "../../../broker/operations/metric-definitions.ts";
import { StartFailed, startBroker } from "../../../broker/server.ts";
import { revokeSession } from "../../../broker/sessions/revocation.ts";
import { keepSecret } from "../../../broker/storage/credentials/credential-secrets.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { Holder, LogWriter, SEAL, announce, call, exchange, upload } from "../../support/session-holder.ts";

let on: TestBroker;
beforeAll(async () => {
  on = await startTestBroker({ config: () => ({ metrics: { host: "127.0.0.1", port: 0 } }) });
});
afterAll(async () => {
  await on.close();
});

const metricsUrl = (path = "/metrics"): string =>
  `http://${on.broker.metricsAddress?.host}:${on.broker.metricsAddress?.port}${path}`;
const scrape = async (): Promise<Map<string, number>> => {
  const text = await (await fetch(metricsUrl())).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(" ")),
      Number(line.slice(line.lastIndexOf(" ") + 1)),
    ]),
  );
};
/** What changed between two scrapes, of the broker's own counters. */
const changesOf = async (action: () => Promise<unknown>): Promise<Record<string, number>> => {
  const before = await scrape();
  await action();
  const after = await scrape();
  const own = [...after].filter(
    ([series]) => /^lanyard_\w+_(total|count)\b/.test(series) && !/_(gc|process|nodejs)_/.test(series),
  );
  return Object.fromEntries(
    own
      .map(([series, value]) => [series, value - (before.get(series) ?? 0)])
      .filter(([, change]) => change !== 0),
  );
};

test("an exchange", async () => {
  expect(await changesOf(async () => exchange(on, await Holder.create()))).toEqual({
    'lanyard_exchanges_total{outcome="issued"}': 1,
    'lanyard_exchange_duration_seconds_count{outcome="issued"}': 1,
    'lanyard_sessions_total{state="active"}': 1,
    [`lanyard_jwks_fetches_total{issuer="${on.issuer.url}",outcome="fetched"}`]: 1,
  });
});

test("an exchange that is refused, by the code of the refusal", async () => {
  const wrongAudience = async () =>
    exchange(on, await Holder.create(), {
      subjectToken: await on.subjectToken({ aud: "sts.amazonaws.com" }),
    });
  expect(await changesOf(wrongAudience)).toEqual({
    'lanyard_exchanges_total{outcome="audience_wrong"}': 1,
    'lanyard_exchange_duration_seconds_count{outcome="refused"}': 1,
    'lanyard_refusals_total{code="audience_wrong"}': 1,
  });
});

test("an attempted takeover", async () => {
  const job = { run_id: "7001" };
  await exchange(on, await Holder.create(), { subjectToken: await on.subjectToken(job) });
  const takeover = async () =>
    exchange(on, await Holder.create(), { subjectToken: await on.subjectToken(job) });
  expect(await changesOf(takeover)).toMatchObject({
    lanyard_takeovers_total: 1,
    'lanyard_exchanges_total{outcome="workload_taken"}': 1,
  });
});

test("a log: announced, sealed too early, sealed", async () => {
  const holder = await Holder.create();
  await exchange(on, holder, { subjectToken: await on.subjectToken({ run_id: "7002" }) });
  const segment = await new LogWriter(on.now).segment([SEAL]);
  const { segment: segments, last_seq, head } = segment.request;
  const seal = async () => call(on, holder, "POST /session/seal", { segments, last_seq, head });
  expect(await changesOf(seal)).toMatchObject({ 'lanyard_seals_total{outcome="refused"}': 1 });
  let announced: Awaited<ReturnType<typeof announce>> | undefined;
  expect(
    await changesOf(async () => {
      announced = await announce(on, holder, segment);
    }),
  ).toEqual({ 'lanyard_segments_announced_total{outcome="countersigned"}': 1 });
  expect(await changesOf(seal)).toEqual({ 'lanyard_seals_total{outcome="segments_missing"}': 1 });
  await upload(announced?.body.upload, segment.body);
  expect(await changesOf(seal)).toEqual({
    'lanyard_seals_total{outcome="sealed"}': 1,
    'lanyard_sessions_total{state="sealed"}': 1,
  });
});

test("renewal, recovery, revocation, expiry", async () => {
  const job = { run_id: "7003" };
  const holder = await Holder.create();
  await exchange(on, holder, { subjectToken: await on.subjectToken(job) });
  const renew = async () =>
    call(on, holder, "POST /session/renew", { subject_token: await on.subjectToken(job) });
  expect(await changesOf(renew)).toMatchObject({ 'lanyard_renewals_total{outcome="renewed"}': 1 });
  expect(await changesOf(async () => call(on, holder, "DELETE /session"))).toMatchObject({
    'lanyard_sessions_total{state="revoked"}': 1,
  });
  expect(
    await changesOf(async () =>
      fetch(`${on.url}/session/recover`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ session: "ses_x", subject_token: await on.subjectToken(job), tail: "" }),
      }),
    ),
  ).toMatchObject({ 'lanyard_recoveries_total{outcome="refused"}': 1 });
  await exchange(on, await Holder.create(), { subjectToken: await on.subjectToken({ run_id: "7004" }) });
  on.advance(16 * 60_000);
  const expired = await changesOf(async () => on.broker.sweep());
  expect(expired['lanyard_sessions_total{state="expired"}']).toBeGreaterThan(0);
});

test("revocations of every way: the token's endpoint and the session's are counted once, a command shows in the gauge", async () => {
  const open = async (run_id: string) => {
    const holder = await Holder.create();
    await exchange(on, holder, { subjectToken: await on.subjectToken({ run_id }) });
    return holder;
  };
  const [one, two] = [await open("7101"), await open("7102")];
  const once = { 'lanyard_sessions_total{state="revoked"}': 1 };
  const gauge = async () => (await scrape()).get("lanyard_revoked_sessions") ?? 0;
  const before = await gauge();
  expect(await changesOf(async () => call(on, one, "DELETE /session"))).toEqual(once);
  expect(await changesOf(async () => call(on, one, "DELETE /session"))).toEqual({});
  const url = `${on.url}/revoke`;
  const revoke = async () =>
    fetch(url, {
      method: "POST",
      headers: { dpop: await two.prove({ method: "POST", url, now: on.now() }) },
      body: new URLSearchParams({ token: two.accessToken }),
    });
  expect(await changesOf(revoke)).toEqual(once);
  expect(await changesOf(revoke)).toEqual({});

  const three = await open("7103");
  const { session } = (await call(on, three, "GET /session")).body as { session: string };
  const database = await openDatabase(on.config.database);
  const command = async () => revokeSession(database, session, { at: on.now(), by: "alice" });
  expect(await changesOf(command)).toEqual({});
  expect(await gauge()).toBe(before + 3);
  await database.destroy();
});

test("an issuer that is down", async () => {
  on.issuer.answerKeys = (response) => void response.writeHead(500).end();
  on.advance(11 * 60_000);
  const failed = await changesOf(async () => exchange(on, await Holder.create()));
  expect(failed).toMatchObject({
    [`lanyard_jwks_fetches_total{issuer="${on.issuer.url}",outcome="failed"}`]: 1,
  });
  on.issuer.answerKeys = undefined;
});

test("nothing that a caller sends makes a series: no path, method, claim or code of its own", async () => {
  const names = async () =>
    [...(await scrape()).keys()].filter((series) => !/_nodejs_|_process_/.test(series)).sort();
  const before = await names();
  for (let index = 0; index < 30; index += 1) {
    await fetch(`${on.url}/canary-${index}`, { headers: { "user-agent": `canary-${index}` } });
    await fetch(`${on.url}/token?canary=${index}`, { method: "POST", body: "canary=1" });
    const claims = {
      iss: `https://canary-${index}.example`,
      repository: `canary/${index}`,
      event_name: `canary${index}`,
    };
    await exchange(on, await Holder.create(), { subjectToken: await on.subjectToken(claims) });
  }
  expect(await names()).toEqual(before);
  expect(await (await fetch(metricsUrl())).text()).not.toContain("canary");
});

test("every metric of the documentation is there from the start, and what is there has the prefix", async () => {
  // Of credentials there is a series for each: here is one.
  const database = await openDatabase(on.config.database);
  await keepSecret(database, {
    ...{ name: "linear", owner: "", version: 1, kind: "bearer", sealed: "sealed", digest: "d" },
    ...{ created_at: 1, created_by: "ann", expires_at: 1_900_000_000_000, valid_until: null },
    ...{ last_used_at: null, erased_at: null, erased_by: null },
  });
  await database.destroy();
  const text = await (await fetch(metricsUrl())).text();
  const expiry = 'lanyard_credential_expiry_timestamp_seconds{credential="linear",owner=""} 1900000000\n';
  expect(text).toContain(expiry);
  for (const [name, { kind }] of Object.entries(METRICS)) {
    expect(text).toContain(`# TYPE ${name} ${kind}\n`);
    expect(text).toMatch(new RegExp(`^${name}(_bucket)?(\\{| )`, "m"));
  }
  const names = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name ?? "");
  expect(names.filter((name) => !name.startsWith("lanyard_"))).toEqual([]);
});

test("they are on their own listener and nowhere else, and it answers nothing else", async () => {
  expect((await fetch(`${on.url}/metrics`)).status).toBe(404);
  expect((await fetch(metricsUrl("/"))).status).toBe(404);
  expect((await fetch(metricsUrl("/token"), { method: "POST", body: "x" })).status).toBe(404);
  expect((await fetch(metricsUrl(), { method: "POST" })).status).toBe(404);
});

test("by default there is no such listener", async () => {
  const other = await startTestBroker();
  expect(other.broker.metricsAddress).toBeUndefined();
  await other.close();
});

test("a port that is taken is named with its variable", async () => {
  const taken = createServer();
  const listening = Promise.withResolvers<void>();
  taken.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const directory = await mkdtemp(join(tmpdir(), "lanyard-metrics-"));
  const config = {
    ...on.config,
    database: { kind: "sqlite" as const, path: join(directory, "broker.sqlite") },
    metrics: { host: "127.0.0.1", port },
  };
  const failure: unknown = await startBroker({ config }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StartFailed);
  expect(failure).toMatchObject({
    problems: [expect.stringContaining("LANYARD_METRICS_LISTEN: cannot listen")],
  });
  taken.close();
});
