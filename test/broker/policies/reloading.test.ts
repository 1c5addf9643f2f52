/** The policy directory while a broker runs: what is edited, deleted, broken or swapped, and what is put there to do harm. */
import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type TestBroker, ROLES, robotsDocument, startTestBroker } from "../../support/broker.ts";
import { Holder, call, exchange } from "../../support/session-holder.ts";

let on: TestBroker;
let jobs = 0;
beforeEach(async () => {
  on = await startTestBroker({ config: () => ({ metrics: { host: "127.0.0.1", port: 0 } }) });
});
afterEach(async () => {
  await on.close();
});

const inPolicies = (...path: string[]): string => join(on.config.policies, ...path);
const write = async (path: string, text: string): Promise<void> => {
  await writeFile(inPolicies(path), text);
  await on.broker.reloadPolicies();
};
const ready = async (): Promise<{ status: number; body: any }> => {
  const answer = await fetch(`${on.url}/readyz`);
  return { status: answer.status, body: await answer.json() };
};
const digest = async (): Promise<string> => String((await ready()).body.policies.digest);
const tryExchange = async (): Promise<number> => {
  jobs += 1;
  const subjectToken = await on.subjectToken({ run_id: String(20_000 + jobs) });
  return (await exchange(on, await Holder.create(), { subjectToken })).status;
};
const complaints = (): Record<string, unknown>[] =>
  on.logged.filter(({ msg }) => String(msg).includes("does not load"));
const waitFor = async (check: () => Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 19_000, interval: 100 });

const BROKEN = "roles:\n  reader: { grants: [{ server: nowhere, tools: [x] }] }\n";

describe("an edit", () => {
  test("counts from the next request on, and its digest is in /readyz", async () => {
    const before = await digest();
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    await write("robots/acme/payments.yaml", robotsDocument(on.issuer.url).replaceAll("triage.yml", "x.yml"));
    expect(await tryExchange()).toBe(400);
    expect(on.lastRefusal().code).toBe("robot_refused");
    expect(await digest()).not.toBe(before);
    await write("robots/acme/payments.yaml", robotsDocument(on.issuer.url));
    expect(await tryExchange()).toBe(200);
    expect(await digest()).toBe(before);
  });

  test("that deletes a document takes its robots away at once: no exchange and no renewal", async () => {
    const holder = await Holder.create();
    await exchange(on, holder);
    await rm(inPolicies("robots", "acme", "payments.yaml"));
    await on.broker.reloadPolicies();
    expect(await tryExchange()).toBe(400);
    expect(on.lastRefusal()).toMatchObject({
      code: "robot_refused",
      detail: expect.stringContaining("repository_unknown"),
    });
    const renewal = { subject_token: await on.subjectToken() };
    expect((await call(on, holder, "POST /session/renew", renewal)).status).toBe(400);
    // Without `revoke_on_change` the session keeps what it was given until its time is up.
    expect((await call(on, holder, "GET /session")).status).toBe(200);
  });

  test("is noticed by itself: written in place, renamed over, and swapped as Kubernetes swaps a ConfigMap", async () => {
    const document = robotsDocument(on.issuer.url);
    let last = await digest();
    const expectNoticed = async (): Promise<void> => {
      await waitFor(async () => expect(await digest()).not.toBe(last));
      last = await digest();
    };
    await writeFile(inPolicies("robots", "acme", "payments.yaml"), `# one\n${document}`);
    await expectNoticed();
    await writeFile(inPolicies("robots", "acme", ".payments.swp"), `# two\n${document}`);
    await rename(
      inPolicies("robots", "acme", ".payments.swp"),
      inPolicies("robots", "acme", "payments.yaml"),
    );
    await expectNoticed();

    // A directory of links into a hidden one, which is replaced in one step.
    const version = async (name: string, note: string): Promise<void> => {
      await cp(inPolicies("robots"), inPolicies(name, "robots"), { recursive: true });
      await writeFile(inPolicies(name, "roles.yaml"), `# ${note}\n${ROLES}`);
      await writeFile(inPolicies(name, "servers.yaml"), await readFile(inPolicies("servers.yaml")));
    };
    await version("..2026_1", "three");
    await version("..2026_2", "four");
    await symlink("..2026_1", inPolicies("..data"));
    for (const name of ["robots", "roles.yaml", "servers.yaml"]) {
      await symlink(join("..data", name), inPolicies(`..${name}`));
      await rm(inPolicies(name), { recursive: true });
      await rename(inPolicies(`..${name}`), inPolicies(name));
    }
    await expectNoticed();
    await waitFor(async () => expect((await ready()).body.status).toBe("ready"));
    last = await digest();
    await symlink("..2026_2", inPolicies("..data_tmp"));
    await rename(inPolicies("..data_tmp"), inPolicies("..data"));
    await expectNoticed();
    expect(await tryExchange()).toBe(200);
  }, 60_000);
});

describe("a broken edit", () => {
  test("keeps what was loaded, is said once with every problem, and makes the broker degraded until it is mended", async () => {
    const before = await digest();
    await write("roles.yaml", BROKEN);
    await on.broker.reloadPolicies();
    expect(await tryExchange()).toBe(200);
    expect(await ready()).toMatchObject({
      status: 200,
      body: {
        status: "degraded",
        reason: expect.stringContaining("what was loaded before stays in force"),
        policies: { digest: before, problems: expect.any(Number), since: expect.any(String) },
      },
    });
    expect(complaints()).toHaveLength(1);
    expect(complaints()[0]).toMatchObject({ level: 50, policies: before });
    expect(String(complaints()[0]?.["problems"])).toContain(
      "roles.yaml:2:32: roles.reader.grants[0].server: ",
    );
    expect(JSON.stringify((await ready()).body)).not.toContain("nowhere");

    await write("roles.yaml", `${BROKEN}# another\n  x: 1\n`);
    expect(complaints()).toHaveLength(2);
    await write("roles.yaml", ROLES);
    expect((await ready()).body).toEqual({
      status: "ready",
      policies: { digest: before, loaded_at: expect.any(String) },
    });
    await write("roles.yaml", BROKEN);
    expect(complaints()).toHaveLength(3);
  });

  test("is in the metrics, with the digest of what is in force", async () => {
    const { host, port } = on.broker.metricsAddress ?? { host: "", port: 0 };
    const scrape = async (): Promise<string> => (await fetch(`http://${host}:${port}/metrics`)).text();
    const before = await digest();
    expect(await scrape()).toContain("\nlanyard_policy_problems 0\n");
    await write("roles.yaml", BROKEN);
    const text = await scrape();
    expect(text).toMatch(/\nlanyard_policy_problems [1-9]\d*\n/);
    expect(text).toContain(`\nlanyard_policy_info{digest="${before}"} 1\n`);
    expect(text).toContain('\nlanyard_policy_loads_total{outcome="refused"} 1\n');
    expect(text).toMatch(/\nlanyard_policy_loaded_timestamp_seconds \d+/);
  });

  test("a directory that vanishes is one, and takes no robot away", async () => {
    await rename(on.config.policies, `${on.config.policies}-away`);
    await on.broker.reloadPolicies();
    expect((await ready()).body.status).toBe("degraded");
    expect(await tryExchange()).toBe(200);
    await rename(`${on.config.policies}-away`, on.config.policies);
    await on.broker.reloadPolicies();
    expect((await ready()).body.status).toBe("ready");
  });

  test("a link of robots/ that leads nowhere for a moment takes no robot away", async () => {
    await rename(inPolicies("robots"), inPolicies("..robots"));
    await symlink("..gone", inPolicies("robots"));
    await on.broker.reloadPolicies();
    expect((await ready()).body.status).toBe("degraded");
    expect(await tryExchange()).toBe(200);
  });
});

describe("what is put into the directory to do harm", () => {
  test.each<[string, () => Promise<unknown>]>([
    [
      "a FIFO that nobody writes to",
      async () => {
        await rm(inPolicies("roles.yaml"));
        execFileSync("mkfifo", [inPolicies("roles.yaml")]);
      },
    ],
    [
      "a device without an end",
      async () => {
        await rm(inPolicies("roles.yaml"));
        await symlink("/dev/zero", inPolicies("roles.yaml"));
      },
    ],
    [
      "a link to itself",
      async () => {
        await rm(inPolicies("roles.yaml"));
        await symlink("roles.yaml", inPolicies("roles.yaml"));
      },
    ],
    [
      "a directory that contains itself",
      async () => {
        await mkdir(inPolicies("robots", "loop.yaml"));
        await symlink("..", inPolicies("robots", "loop.yaml", "again.yaml"));
      },
    ],
    [
      "an enormous file",
      async () => writeFile(inPolicies("roles.yaml"), Buffer.alloc(64 * 1024 * 1024, "#")),
    ],
    ["a file of brackets", async () => writeFile(inPolicies("roles.yaml"), "[".repeat(200_000))],
    ["a file that is no text", async () => writeFile(inPolicies("roles.yaml"), Buffer.from([0xff, 0xfe, 0]))],
    [
      "a broken name in a document of somebody else",
      async () => writeFile(inPolicies("robots", "acme", "other.yml"), "robots: {}"),
    ],
  ])("%s: the broker answers as before and says what is wrong", async (_name, attack) => {
    await attack();
    await on.broker.reloadPolicies();
    expect((await ready()).body).toMatchObject({
      status: "degraded",
      policies: { problems: expect.any(Number) },
    });
    expect(await tryExchange()).toBe(200);
  });
});
