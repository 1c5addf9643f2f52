/** Who is told to wait, who is not, and how it is said: against a running broker. */
import { afterEach, describe, expect, test } from "vitest";
import type { BrokerConfig } from "../../../broker/config.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { Holder, exchange, readAnswer } from "../../support/session-holder.ts";

let on: TestBroker;
afterEach(async () => {
  await on.close();
});
const start = async (config: Partial<Omit<BrokerConfig, "keys">>): Promise<void> => {
  on = await startTestBroker({ config: () => config });
};
const garbage = async (headers: Record<string, string> = {}) =>
  readAnswer(await fetch(`${on.url}/token`, { method: "POST", body: "x", headers }));
const limited = {
  status: 429,
  body: {
    error: "temporarily_unavailable",
    error_description: expect.stringContaining("repeat the request"),
    reference: expect.stringMatching(/^[0-9a-f]{12}$/),
  },
};

describe("an address", () => {
  test("that sends too much garbage is told to wait, and when", async () => {
    await start({ limits: { addressPerMinute: 5 } });
    for (let count = 0; count < 5; count += 1) expect((await garbage()).status).toBe(415);
    const answer = await garbage();
    expect(answer).toMatchObject(limited);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(on.lastRefusal().code).toBe("address_limited");
    expect((await exchange(on, await Holder.create())).status).toBe(429);
    on.advance(12_000);
    expect((await exchange(on, await Holder.create())).status).toBe(200);
  });

  test("is not charged for what is accepted", async () => {
    await start({ limits: { addressPerMinute: 3 } });
    for (let job = 0; job < 10; job += 1) {
      const subjectToken = await on.subjectToken({ run_id: String(job) });
      expect((await exchange(on, await Holder.create(), { subjectToken })).status).toBe(200);
    }
  });

  test("that has to wait still sees whether the broker is well", async () => {
    await start({ limits: { addressPerMinute: 1 } });
    await garbage();
    expect((await garbage()).status).toBe(429);
    expect((await fetch(`${on.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${on.url}/readyz`)).status).toBe(200);
  });

  test("cannot call itself another one: X-Forwarded-For is not believed, and the operator is told once", async () => {
    await start({ limits: { addressPerMinute: 3 } });
    const statuses: number[] = [];
    for (let count = 0; count < 5; count += 1) {
      statuses.push((await garbage({ "x-forwarded-for": `192.0.2.${count}` })).status);
    }
    expect(statuses).toEqual([415, 415, 415, 429, 429]);
    const told = on.logged.filter(({ msg }) => String(msg).includes("LANYARD_TRUSTED_PROXIES"));
    expect(told).toHaveLength(1);
  });

  test("behind a load balancer that is trusted, each caller has its own limit, and cannot lengthen the list", async () => {
    await start({ limits: { addressPerMinute: 2 }, trustedProxies: ["127.0.0.1"] });
    const from = async (address: string) => (await garbage({ "x-forwarded-for": address })).status;
    expect([await from("192.0.2.1"), await from("192.0.2.1"), await from("192.0.2.1")]).toEqual([
      415, 415, 429,
    ]);
    expect(await from("192.0.2.2")).toBe(415);
    // What the caller wrote stands before what the load balancer added.
    expect(await from("198.51.100.7, 192.0.2.1")).toBe(429);
    expect(on.logged.filter(({ msg }) => String(msg).includes("LANYARD_TRUSTED_PROXIES"))).toEqual([]);
  });

  test("of IPv6 counts with its network", async () => {
    await start({ limits: { addressPerMinute: 1 }, trustedProxies: ["127.0.0.1"] });
    await garbage({ "x-forwarded-for": "2001:db8::1" });
    expect((await garbage({ "x-forwarded-for": "2001:db8::ffff:1" })).status).toBe(429);
    expect((await garbage({ "x-forwarded-for": "2001:db8:0:1::1" })).status).toBe(415);
  });
});

describe("a repository", () => {
  const job = async (run: number, claims: Record<string, unknown> = {}) =>
    exchange(on, await Holder.create(), {
      subjectToken: await on.subjectToken({ run_id: String(run), ...claims }),
    });

  test("that asks for too many sessions is told to wait; nothing is spent or stored for it", async () => {
    await start({ limits: { repositoryPerMinute: 3 } });
    for (let run = 0; run < 3; run += 1) expect((await job(run)).status).toBe(200);
    const holder = await Holder.create();
    const subjectToken = await on.subjectToken({ run_id: "9" });
    const answer = await exchange(on, holder, { subjectToken });
    expect(answer).toMatchObject(limited);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(on.lastRefusal().code).toBe("repository_limited");
    on.advance(21_000);
    expect((await exchange(on, holder, { subjectToken })).status).toBe(200);
  });

  test("cannot use up another's share, by its claims or by a token that is not signed by the issuer", async () => {
    await start({ limits: { repositoryPerMinute: 2 } });
    const stranger = {
      repository_id: "1",
      repository_owner_id: "2",
      repository: "evil/x",
      repository_owner: "evil",
    };
    for (let run = 0; run < 5; run += 1)
      await job(run, { ...stranger, sub: "repo:evil/x:ref:refs/heads/main" });
    expect(on.lastRefusal().code).toBe("repository_limited");
    const forged = (await on.subjectToken()).replace(/\.[^.]+$/, `.${"A".repeat(342)}`);
    for (let count = 0; count < 5; count += 1) {
      await exchange(on, await Holder.create(), { subjectToken: forged });
    }
    expect(on.lastRefusal().code).toBe("signature_invalid");
    expect((await job(1)).status).toBe(200);
    expect((await job(2)).status).toBe(200);
    expect((await job(3)).status).toBe(429);
  });
});
