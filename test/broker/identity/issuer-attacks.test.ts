/** Who signs, and where the broker goes for the keys: every attack is made at a listening broker, over HTTP. */
import { randomBytes } from "node:crypto";
import type { LookupAddress } from "node:dns";
import type { ServerResponse } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestBroker, type TestBrokerOptions, claimsOfJob } from "../../support/broker.ts";
import { createIssuerKey, startScriptedIssuer } from "../../support/scripted-issuer.ts";
import { attempt, newJob, startTarget } from "./attempts.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let on: TestBroker;
let open: TestBroker[] = [];

const start = async (options?: TestBrokerOptions): Promise<TestBroker> => {
  const target = await startTarget(options);
  open.push(target);
  return target;
};
beforeEach(async () => {
  on = await start();
});
afterEach(async () => {
  await Promise.all(open.map(async (target) => target.close()));
  open = [];
});

const tryOut = async (overrides: Record<string, unknown> = {}, target = on) =>
  attempt(target, await target.subjectToken({ ...newJob(), ...overrides }));
const resolveAs =
  (...addresses: string[]) =>
  async (): Promise<LookupAddress[]> =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

describe("the forms of an issuer", () => {
  /** A server under each of GitHub's names, on this machine. */
  const forms = [
    ["github.com", { host: "token.actions.githubusercontent.com" }],
    ["an enterprise's slug", { host: "token.actions.githubusercontent.com", path: "/acme-enterprise" }],
    ["GHE.com", { host: "token.actions.acme.ghe.com" }],
    [
      "GitHub Enterprise Server",
      { host: "github.acme.internal", path: "/_services/token", keysPath: "/.well-known/jwks" },
    ],
  ] as const;
  const startAs = async (options: (typeof forms)[number][1]): Promise<TestBroker> => {
    const issuer = await startScriptedIssuer(options);
    return start({
      issuer,
      // Policies name issuers by https; what is under test here is reached before them.
      files: { "robots/acme/payments.yaml": elsewhere },
      config: (url) => ({ privateIssuers: [url] }),
      resolve: resolveAs("127.0.0.1"),
    });
  };

  test.each(forms)("%s: its tokens verify with the keys below its own address", async (_, options) => {
    const target = await startAs(options);
    const { code, detail } = await tryOut({}, target);
    expect([code, detail]).toEqual(["robot_refused", expect.stringContaining("repository_unknown")]);
    expect(target.issuer.fetched).toEqual({ discovery: 1, keys: 1 });
  });

  test.each(forms)(
    "%s: whatever is written otherwise is refused, and nothing is fetched",
    async (_, options) => {
      const target = await startAs(options);
      const { url, port } = target.issuer;
      const { host, pathname } = new URL(url);
      for (const [attack, iss] of [
        ["issuer with trailing slash", `${url}/`],
        ["two slashes", url.replace(host, `${host}/`)],
        ["other case", url.replace("token", "Token").replace("github.acme", "GitHub.acme")],
        ["other case of the scheme", url.replace("http:", "HTTP:")],
        ["https for http", url.replace("http:", "https:")],
        ["suffix domain", url.replace(`:${port}`, `.attacker.example:${port}`)],
        ["prefix domain", url.replace("://", "://attacker-")],
        ["trailing dot", url.replace(`:${port}`, `.:${port}`)],
        ["userinfo", url.replace("://", "://github@")],
        ["ours as userinfo", `http://${host}@attacker.example${pathname}`],
        ["port", url.replace(String(port), "1")],
        ["no port", url.replace(`:${port}`, "")],
        ["homoglyph", url.replace("a", "а")],
        ["full-width digit", url.replace(String(port), String(port).replace(/\d/, "１"))],
        ["percent-encoded", url.replace("a", "%61")],
        ["another enterprise's slug", url.endsWith("prise") ? `${url}-2` : `${url}/evil-enterprise`],
        ["the slug in another case", `${url}/ACME-enterprise`],
        ["without the slug", `http://${host}/acme`],
        ["another GHES host", "https://github.evil.internal/_services/token"],
        ["a path that climbs", `${url}/../${pathname.slice(1)}`],
        ["query", `${url}?x=1`],
        ["fragment", `${url}#x`],
        ["trailing newline", `${url}\n`],
        ["leading space", ` ${url}`],
        ["NUL", `${url}\u0000`],
        ["NUL and a suffix", `${url}\u0000.attacker.example`],
        ["iss as array", [url]],
        ["iss as object", { url }],
        ["missing", undefined],
        ["null", null],
        ["number", 1],
        ["empty", ""],
        ["__proto__", "__proto__"],
        ["the broker itself", target.url],
        ["a file", "file:///etc/passwd"],
      ] as const) {
        expect((await tryOut({ iss }, target)).code, attack).toBe("issuer_unknown");
      }
      expect(target.issuer.fetched).toEqual({ discovery: 0, keys: 0 });
    },
  );

  test("GHES beside github.com: the same ids from a second configured issuer are another job of another repository", async () => {
    const second = await startScriptedIssuer({ path: "/_services/token", keysPath: "/.well-known/jwks" });
    const both = await start({ config: (url) => ({ issuers: [url, second.url] }) });
    const job = newJob();
    const claims = { ...claimsOfJob(both.issuer.url, both.url, both.now()), ...job };
    expect((await attempt(both, await both.issuer.sign(claims))).code).toBe("accepted");
    const other = await attempt(both, await second.sign({ ...claims, iss: second.url }));
    expect([other.code, other.detail]).toEqual([
      "robot_refused",
      expect.stringContaining("repository_unknown"),
    ]);
    // What the second issuer says in the name of the first one is signed by nobody who may.
    const { privateKey } = await createIssuerKey();
    expect((await attempt(both, await second.sign(claims, { key: privateKey }))).code).toBe(
      "signature_invalid",
    );
    await second.close();
  });

  test("GHES beside github.com, each with policies of its own: neither job can claim the other's session", async () => {
    const second = await startScriptedIssuer({ path: "/_services/token", keysPath: "/.well-known/jwks" });
    const robots = (iss: string, name: string): string =>
      `issuer: ${iss}\nrepository: ${name}\nrepository_id: "456789"\nrepository_owner_id: "123456"\nrobots: { triager: { bindings: [{ workflow: .github/workflows/triage.yml, events: [schedule], ref: refs/heads/main, roles: [reader] }] } }\n`;
    const both = await start({
      files: (url) => ({
        "robots/acme/payments.yaml": robots(url, "acme/payments"),
        "robots/acme/internal.yaml": robots(second.url, "acme/internal"),
      }),
      config: (url) => ({ issuers: [url, second.url] }),
    });
    const claims = { ...claimsOfJob(both.issuer.url, both.url, both.now()), ...newJob() };
    const first = await attempt(both, await both.issuer.sign(claims));
    const other = await attempt(both, await second.sign({ ...claims, iss: second.url }));
    expect([first.code, first.body.scope]).toEqual(["accepted", expect.stringContaining("acme/payments/")]);
    // Whatever name the job gives its repository, the robot is the one of its issuer's documents.
    expect([other.code, other.body.scope]).toEqual(["accepted", expect.stringContaining("acme/internal/")]);
    await second.close();
  });
});

describe("what the issuer answers", () => {
  const unreachable = async (target = on): Promise<string> => {
    const { code, detail, status } = await tryOut({}, target);
    expect([code, status]).toEqual(["issuer_unreachable", 503]);
    return detail;
  };

  test.each([
    ["another issuer", { issuer: "https://attacker.example" }],
    ["a slash more", { issuer: "SLASH" }],
    ["an array", { issuer: ["x"] }],
    ["nothing", { issuer: undefined }],
  ])("discovery document whose issuer differs: %s", async (_, members) => {
    on.issuer.discovery = members.issuer === "SLASH" ? { issuer: `${on.issuer.url}/` } : members;
    expect(await unreachable()).toContain("discovery document");
    expect(on.issuer.fetched.keys).toBe(0);
  });

  test.each([
    ["169.254.169.254", "http://169.254.169.254/latest/meta-data"],
    ["another port of the same host", "http://127.0.0.1:1/keys"],
    ["a file", "file:///etc/passwd"],
    ["a data URL", "data:application/json,{}"],
    ["a name with the issuer's as userinfo", "http://127.0.0.1@attacker.example/keys"],
    ["a path without a host", "/keys"],
    ["nothing", undefined],
    ["an array", ["http://127.0.0.1/keys"]],
  ])("jwks_uri to %s", async (_, jwks_uri) => {
    on.issuer.discovery = { jwks_uri };
    await unreachable();
    expect(on.issuer.fetched.keys).toBe(0);
  });

  test("jwks_uri to a name that resolves there: the issuer's own name, which is rebound after discovery", async () => {
    const issuer = await startScriptedIssuer({ host: "issuer.example" });
    const answers = ["127.0.0.1", "169.254.169.254"];
    const target = await start({
      issuer,
      files: { "robots/acme/payments.yaml": elsewhere },
      config: (url) => ({ privateIssuers: [url] }),
      resolve: async () => [{ address: answers.shift() ?? "169.254.169.254", family: 4 }],
    });
    expect(await unreachable(target)).toContain(
      "issuer.example is 169.254.169.254, which is a link-local address",
    );
    expect(issuer.fetched).toEqual({ discovery: 1, keys: 0 });
  });

  test.each([
    ["169.254.169.254", "link-local"],
    ["127.0.0.1", "loopback"],
    ["10.0.0.1", "private"],
    ["::ffff:10.0.0.1", "private"],
    ["0.0.0.0", "reserved"],
  ])(
    "an issuer whose name resolves to %s, and which nobody said is in a private network",
    async (address, range) => {
      const issuer = await startScriptedIssuer({ host: "issuer.example" });
      const target = await start({
        issuer,
        files: { "robots/acme/payments.yaml": elsewhere },
        resolve: resolveAs(address),
      });
      expect(await unreachable(target)).toContain(`${range} address: nothing is fetched there`);
      expect(issuer.fetched).toEqual({ discovery: 0, keys: 0 });
    },
  );

  test("discovery or jwks_uri behind a redirect", async () => {
    const other = await startScriptedIssuer();
    const redirect = (path: string) => (response: ServerResponse) =>
      void response.writeHead(302, { location: `${other.url}${path}` }).end();
    on.issuer.answerDiscovery = redirect("/.well-known/openid-configuration");
    expect(await unreachable()).toContain("the answer is 302");
    on.issuer.answerDiscovery = undefined;
    on.issuer.answerKeys = redirect("/keys");
    on.advance(MINUTE);
    expect(await unreachable()).toContain("the answer is 302");
    expect(other.fetched).toEqual({ discovery: 0, keys: 0 });
    await other.close();
  });

  test.each([
    ["empty", '{"keys":[]}'],
    ["of no keys at all", "{}"],
    ["empty as a file", ""],
    ["5 MB", `{"keys":[],"x":"${"x".repeat(5_000_000)}"}`],
    [
      "1,000-key",
      JSON.stringify({ keys: Array.from({ length: 1000 }, () => ({ kty: "RSA", kid: "key-1" })) }),
    ],
    ["an array", "[]"],
    ["one with a name twice", '{"keys":[],"keys":[]}'],
    ["HTML", "<html>"],
  ])("a JWKS that is %s", async (_, body) => {
    on.issuer.answerKeys = (response) => void response.end(body);
    await unreachable();
  });

  test("discovery or JWKS with another content type", async () => {
    on.issuer.answerKeys = (response) =>
      void response.setHeader("content-type", "text/plain").end(JSON.stringify({ keys: on.issuer.keys }));
    expect(await unreachable()).toContain("text/plain");
  });

  test("gzip bomb in JWKS, gzip bomb in discovery", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, " "));
    const answer = (response: ServerResponse) =>
      void response.setHeader("content-encoding", "gzip").end(bomb);
    on.issuer.answerKeys = answer;
    await unreachable();
    on.issuer.answerKeys = undefined;
    on.issuer.answerDiscovery = answer;
    on.advance(MINUTE);
    await unreachable();
  });

  test("slow JWKS: a very slow drip is given up after five seconds, and meanwhile nobody asks again", async () => {
    on.issuer.answerKeys = (response) => {
      const drip = setInterval(() => response.write(" "), 100);
      response.once("close", () => clearInterval(drip));
    };
    const details = await Promise.all(Array.from({ length: 10 }, async () => unreachable()));
    expect(new Set(details).size).toBe(1);
    expect(details[0]).toContain("longer than 5000 ms");
    expect(on.issuer.fetched.keys).toBe(1);
  });
});

describe("an issuer that is down", () => {
  const down = (response: ServerResponse): void => void response.writeHead(503).end();

  test("known keys are good for a day, then no more", async () => {
    expect((await tryOut()).code).toBe("accepted");
    on.issuer.answerDiscovery = down;
    on.advance(23 * HOUR);
    expect((await tryOut()).code).toBe("accepted");
    expect(on.logged.findLast(({ msg }) => msg === "the issuer's keys are old")).toMatchObject({
      iss: on.issuer.url,
      reason: expect.stringContaining("the answer is 503"),
    });
    const told = (): number => on.logged.filter(({ msg }) => msg === "the issuer's keys are old").length;
    expect(told()).toBe(1);
    for (let count = 0; count < 3; count += 1) expect((await tryOut()).code).toBe("accepted");
    expect(told()).toBe(1);
    on.advance(2 * HOUR);
    expect((await tryOut()).code).toBe("issuer_unreachable");
    expect(told()).toBe(2);
    on.issuer.answerDiscovery = undefined;
    on.advance(MINUTE);
    expect((await tryOut()).code).toBe("accepted");
  });

  test("key rotation while the issuer is down: tokens of the new key are told to come again, and then pass", async () => {
    expect((await tryOut()).code).toBe("accepted");
    const rotated = await createIssuerKey("RS256", "rotated");
    const byRotated = async () => {
      const claims = { ...claimsOfJob(on.issuer.url, on.url, on.now()), ...newJob() };
      const options = { key: rotated.privateKey, header: { kid: "rotated" } };
      return attempt(on, await on.issuer.sign(claims, options));
    };
    on.issuer.keys = [rotated.jwk];
    on.issuer.answerKeys = down;
    on.advance(MINUTE);
    expect((await byRotated()).code).toBe("issuer_unreachable");
    expect((await tryOut()).code).toBe("accepted");
    on.issuer.answerKeys = undefined;
    on.advance(MINUTE);
    expect((await byRotated()).code).toBe("accepted");
    expect((await tryOut()).code).toBe("key_unknown");
  });

  test("a thousand invented kids leave nothing behind in memory", async () => {
    const { createIssuerKeys } = await import("../../../broker/identity/issuer-keys.ts");
    let fetches = 0;
    const keys = createIssuerKeys({
      now: () => 0,
      fetchKeys: async () => {
        fetches += 1;
        return { keys: [{ kty: "RSA", kid: "key-1" }], algorithms: undefined };
      },
    });
    await keys.find("key-1");
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 1_000; count += 1) {
      expect((await keys.find(randomBytes(8_000).toString("hex"))).keys).toEqual([]);
    }
    collectGarbage();
    // A thousand of them would be 16 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000);
    expect(fetches).toBe(1);
  });
});

const elsewhere = `issuer: https://token.actions.githubusercontent.com
repository: acme/payments
repository_id: "1"
repository_owner_id: "1"
robots: { triager: { bindings: [{ workflow: .github/workflows/a.yml, events: [push], ref: refs/heads/main, roles: [reader] }] } }
`;
