/** The environment of `serve`: every problem at once, each with its variable and what to write. */
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import {
  listVariables,
  readConfig,
  readDatabaseConfig,
  readGithubConfig,
  readKeysConfig,
  readPoliciesDirectory,
} from "../../broker/config.ts";

const GOOD = { LANYARD_PUBLIC_URL: "https://lanyard.acme.dev", LANYARD_POLICIES: "/etc/lanyard/policies" };
const problemsOf = (environment: Record<string, string>): string[] => {
  const read = readConfig({ ...GOOD, ...environment });
  return read.ok ? [] : read.problems.map(({ variable, message }) => `${variable}: ${message}`);
};

test("the least that has to be set; the rest has defaults", () => {
  expect(readConfig(GOOD)).toEqual({
    ok: true,
    config: {
      publicUrl: "https://lanyard.acme.dev",
      listen: { host: "127.0.0.1", port: 8484 },
      policies: "/etc/lanyard/policies",
      database: { kind: "sqlite", path: resolve(".lanyard/serve/broker.sqlite") },
      audit: { kind: "folder", path: resolve(".lanyard/serve/audit") },
      issuers: ["https://token.actions.githubusercontent.com"],
      keys: resolve(".lanyard/serve/sealing-key.json"),
      privateIssuers: [],
      trustedProxies: [],
      retentionDays: 400,
      metrics: undefined,
      limits: { addressPerMinute: 600, repositoryPerMinute: 600 },
    },
  });
});

test("all problems are reported at once, and no value is repeated", () => {
  const read = readConfig({
    LANYARD_PUBLIC_URL: "ftp://canary",
    LANYARD_LISTEN: "canary",
    LANYARD_DATABASE: "mysql://user:canary@host/db",
    LANYARD_AUDIT: "gs://canary",
    LANYARD_ISSUERS: "http://canary",
    LANYARD_KEYS: "canary",
    LANYARD_PRIVATE_ISSUERS: "canary",
    LANYARD_TRUSTED_PROXIES: "canary",
    LANYARD_ADDRESS_LIMIT: "canary",
    LANYARD_REPOSITORY_LIMIT: "canary",
    LANYARD_RETENTION_DAYS: "canary",
    LANYARD_METRICS_LISTEN: "canary",
  });
  expect(read.ok).toBe(false);
  const problems = read.ok ? [] : read.problems;
  expect(problems.map(({ variable }) => variable).sort()).toEqual(
    listVariables()
      .map(({ name }) => name)
      .sort(),
  );
  expect(JSON.stringify(problems)).not.toContain("canary");
  for (const { message } of problems) expect(message).toMatch(/write|missing/);
});

test("an empty variable is a missing one", () => {
  expect(problemsOf({ LANYARD_PUBLIC_URL: "" })).toEqual([
    expect.stringContaining("LANYARD_PUBLIC_URL: it is missing"),
  ]);
  expect(problemsOf({ LANYARD_LISTEN: "" })).toEqual([]);
});

describe("values", () => {
  const parsed = (environment: Record<string, string>) => {
    const read = readConfig({ ...GOOD, ...environment });
    return read.ok ? read.config : read.problems;
  };

  test.each([
    "https://a.example",
    "https://a.example/",
    "https://a.example:8443",
    "http://127.0.0.1:8484",
    "http://localhost",
  ])("LANYARD_PUBLIC_URL=%s", (url) => {
    expect(parsed({ LANYARD_PUBLIC_URL: url })).toMatchObject({ publicUrl: new URL(url).origin });
  });

  test.each([
    "http://a.example",
    "https://a.example/path",
    "https://u@a.example",
    "https://a.example?x",
    "https://A.example",
    "https://a.example:443",
    "a.example",
    "http://127.0.0.1.attacker.example",
  ])("not LANYARD_PUBLIC_URL=%s", (url) => {
    expect(problemsOf({ LANYARD_PUBLIC_URL: url })).toHaveLength(1);
  });

  test("LANYARD_LISTEN", () => {
    expect(parsed({ LANYARD_LISTEN: "0.0.0.0:80" })).toMatchObject({ listen: { host: "0.0.0.0", port: 80 } });
    expect(parsed({ LANYARD_LISTEN: "[::1]:8484" })).toMatchObject({ listen: { host: "::1", port: 8484 } });
    for (const wrong of ["8484", ":8484", "::1:8484", "a:b", "a:70000", "[zz]:1"]) {
      expect(problemsOf({ LANYARD_LISTEN: wrong }), wrong).toHaveLength(1);
    }
  });

  test("LANYARD_RETENTION_DAYS: never less than a job may last", () => {
    expect(parsed({ LANYARD_RETENTION_DAYS: "40" })).toMatchObject({ retentionDays: 40 });
    expect(parsed({ LANYARD_RETENTION_DAYS: "off" })).toMatchObject({
      retentionDays: Number.POSITIVE_INFINITY,
    });
    for (const wrong of ["0", "39", "-1", "1.5", "1e3", "040", "Infinity", "never", "123456", " 400"]) {
      expect(problemsOf({ LANYARD_RETENTION_DAYS: wrong }), wrong).toHaveLength(1);
    }
  });

  test("LANYARD_AUDIT", () => {
    expect(parsed({ LANYARD_AUDIT: "file:/var/audit" })).toMatchObject({
      audit: { kind: "folder", path: "/var/audit" },
    });
    expect(parsed({ LANYARD_AUDIT: "file:///var/audit" })).toMatchObject({
      audit: { kind: "folder", path: "/var/audit" },
    });
    expect(
      parsed({
        LANYARD_AUDIT:
          "s3://bucket-name/a/b/?endpoint=http://127.0.0.1:9000&region=eu-central-1&path_style=true",
      }),
    ).toMatchObject({
      audit: {
        kind: "s3",
        bucket: "bucket-name",
        prefix: "a/b",
        endpoint: "http://127.0.0.1:9000",
        region: "eu-central-1",
        pathStyle: true,
      },
    });
    expect(parsed({ LANYARD_AUDIT: "s3://bucket-name" })).toMatchObject({
      audit: { prefix: "", pathStyle: false },
    });
    for (const wrong of [
      "file:",
      "s3://",
      "s3://B/x",
      "s3://bucket/x?secret=1",
      "s3://bucket?endpoint=x",
      "s3://bucket?region=a&region=b",
      "s3://bucket?path_style=yes",
      "s3://bucket/a b",
      "s3://bucket#x",
    ]) {
      expect(problemsOf({ LANYARD_AUDIT: wrong }), wrong).toHaveLength(1);
    }
  });

  test("LANYARD_PRIVATE_ISSUERS is a part of LANYARD_ISSUERS", () => {
    const server = "https://github.acme.internal/_services/token";
    const both = { LANYARD_ISSUERS: `https://token.actions.githubusercontent.com,${server}` };
    expect(parsed({ ...both, LANYARD_PRIVATE_ISSUERS: server })).toMatchObject({ privateIssuers: [server] });
    for (const wrong of [
      { LANYARD_PRIVATE_ISSUERS: server },
      { ...both, LANYARD_PRIVATE_ISSUERS: `${server}/` },
    ]) {
      expect(problemsOf(wrong)).toEqual([expect.stringContaining("LANYARD_PRIVATE_ISSUERS")]);
    }
  });

  test("LANYARD_ISSUERS: exactly as iss says them, http only on loopback", () => {
    expect(
      parsed({ LANYARD_ISSUERS: "https://token.actions.githubusercontent.com/acme, http://127.0.0.1:1" }),
    ).toMatchObject({
      issuers: ["https://token.actions.githubusercontent.com/acme", "http://127.0.0.1:1"],
    });
    for (const wrong of [
      "",
      " ",
      "https://a.example/",
      "http://a.example",
      "https://a.example?x",
      "https://u@a.example",
      "HTTPS://a.example",
      "https://a.example,",
      "https://a.example/x/../y",
    ]) {
      expect(wrong === "" ? [1] : problemsOf({ LANYARD_ISSUERS: wrong }), wrong).toHaveLength(1);
    }
  });

  test("LANYARD_DATABASE may be PostgreSQL; a password in it stands in no message", () => {
    const url = "postgres://lanyard:p%40ss@db.acme.dev:5432/lanyard?sslmode=verify-full";
    expect(parsed({ LANYARD_DATABASE: url })).toMatchObject({ database: { kind: "postgres", url } });
    expect(parsed({ LANYARD_DATABASE: "postgresql://db/lanyard" })).toMatchObject({
      database: { kind: "postgres" },
    });
    for (const wrong of [
      "postgres://lanyard:canary@db.acme.dev",
      "postgres://lanyard:canary@db.acme.dev/",
      "postgres://lanyard:canary@db.acme.dev/a/b",
      "postgres:///canary",
      "postgres://canary@db.acme.dev/a#b",
      "postgres:canary",
    ]) {
      const problems = problemsOf({ LANYARD_DATABASE: wrong });
      expect(problems, wrong).toHaveLength(1);
      expect(JSON.stringify(problems)).not.toContain("canary");
    }
  });

  test("LANYARD_DATABASE and LANYARD_KEYS are files", () => {
    expect(parsed({ LANYARD_DATABASE: "file:x.sqlite" })).toMatchObject({
      database: { path: resolve("x.sqlite") },
    });
    for (const wrong of ["x.sqlite", "file:", "file://host/x", "mysql://host/db"]) {
      expect(problemsOf({ LANYARD_DATABASE: wrong }), wrong).toHaveLength(1);
      expect(problemsOf({ LANYARD_KEYS: wrong }), wrong).toHaveLength(1);
    }
  });

  test("LANYARD_KEYS can be a key of KMS: an ARN, an id or an alias", () => {
    const id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    for (const kms of [
      `arn:aws:kms:eu-central-1:111122223333:key/${id}`,
      id,
      "alias/lanyard",
      `mrk-${"0a".repeat(16)}`,
    ]) {
      expect(parsed({ LANYARD_KEYS: `kms:${kms}` })).toMatchObject({ keys: { kms } });
    }
    for (const wrong of ["kms:", "kms:key", "kms:arn:aws:s3:::bucket", `KMS:${id}`, `kms:${id}?x`]) {
      expect(problemsOf({ LANYARD_KEYS: wrong }), wrong).toHaveLength(1);
    }
  });
});

describe("limits and addresses", () => {
  const configOf = (environment: Record<string, string>) => {
    const read = readConfig({ ...GOOD, ...environment });
    return read.ok ? read.config : read.problems;
  };

  test("LANYARD_TRUSTED_PROXIES", () => {
    const trusted = "10.0.0.0/8, 192.0.2.7,fd00::/8, ::1";
    expect(configOf({ LANYARD_TRUSTED_PROXIES: trusted })).toMatchObject({
      trustedProxies: ["10.0.0.0/8", "192.0.2.7", "fd00::/8", "::1"],
    });
    for (const wrong of [
      "true",
      "loopback",
      "10.0.0.0/33",
      "0.0.0.0/0",
      "::/0",
      "10.0.0",
      "host.example",
      "10.0.0.1,",
      "10.0.0.1/x",
    ]) {
      expect(problemsOf({ LANYARD_TRUSTED_PROXIES: wrong }), wrong).toHaveLength(1);
    }
  });

  test("LANYARD_ADDRESS_LIMIT and LANYARD_REPOSITORY_LIMIT", () => {
    expect(configOf({ LANYARD_ADDRESS_LIMIT: "off", LANYARD_REPOSITORY_LIMIT: "20000" })).toMatchObject({
      limits: { addressPerMinute: Number.POSITIVE_INFINITY, repositoryPerMinute: 20_000 },
    });
    for (const wrong of ["0", "-1", "1.5", "1e3", "ten", "10/s", " 10"]) {
      expect(problemsOf({ LANYARD_ADDRESS_LIMIT: wrong }), wrong).toHaveLength(1);
      expect(problemsOf({ LANYARD_REPOSITORY_LIMIT: wrong }), wrong).toHaveLength(1);
    }
  });

  test("LANYARD_METRICS_LISTEN", () => {
    expect(configOf({ LANYARD_METRICS_LISTEN: "127.0.0.1:9464" })).toMatchObject({
      metrics: { host: "127.0.0.1", port: 9464 },
    });
    for (const wrong of ["9464", "on", "127.0.0.1"]) {
      expect(problemsOf({ LANYARD_METRICS_LISTEN: wrong }), wrong).toEqual([
        expect.stringContaining("write ADDRESS:PORT or [IPV6]:PORT, or off"),
      ]);
    }
  });
});

test("commands that open what the broker sealed", () => {
  expect(readKeysConfig({ LANYARD_KEYS: "file:/k" })).toEqual({ ok: true, keys: "/k" });
  const several = "kms:alias/lanyard  file:/a key/file.json kms:1234abcd-12ab-34cd-56ef-1234567890ab";
  expect(readKeysConfig({ LANYARD_KEYS: several })).toEqual({
    ok: true,
    keys: [{ kms: "alias/lanyard" }, "/a key/file.json", { kms: "1234abcd-12ab-34cd-56ef-1234567890ab" }],
  });
  expect(readKeysConfig({ LANYARD_KEYS: "kms:alias/lanyard kms:" })).toMatchObject({ ok: false });
  expect(readKeysConfig({ LANYARD_KEYS: "k" })).toMatchObject({
    ok: false,
    problems: [{ variable: "LANYARD_KEYS" }],
  });
});

test("commands that ask GitHub", () => {
  expect(readGithubConfig({})).toEqual({ token: undefined, apiUrl: "https://api.github.com" });
  const set = { GITHUB_TOKEN: "t", GITHUB_API_URL: "https://ghes.example/api/v3" };
  expect(readGithubConfig(set)).toEqual({ token: "t", apiUrl: "https://ghes.example/api/v3" });
  expect(readGithubConfig({ GITHUB_TOKEN: "" }).token).toBeUndefined();
});

test("commands that need the database only are not told about the rest", () => {
  expect(readDatabaseConfig({ LANYARD_DATABASE: "file:/x" })).toEqual({
    ok: true,
    database: { kind: "sqlite", path: "/x" },
  });
  expect(readDatabaseConfig({})).toMatchObject({ ok: true });
  expect(readDatabaseConfig({ LANYARD_DATABASE: "x" })).toMatchObject({
    ok: false,
    problems: [{ variable: "LANYARD_DATABASE" }],
  });
});

test("the policy directory of commands", () => {
  expect(readPoliciesDirectory({ LANYARD_POLICIES: "/p" })).toBe("/p");
  expect(readPoliciesDirectory({ LANYARD_POLICIES: "" })).toBe("policies");
});

test("every variable is documented, and every example is a value that is accepted", () => {
  const variables = listVariables();
  expect(variables.map(({ name }) => name)).toEqual([
    "LANYARD_PUBLIC_URL",
    "LANYARD_LISTEN",
    "LANYARD_POLICIES",
    "LANYARD_DATABASE",
    "LANYARD_AUDIT",
    "LANYARD_ISSUERS",
    "LANYARD_PRIVATE_ISSUERS",
    "LANYARD_KEYS",
    "LANYARD_TRUSTED_PROXIES",
    "LANYARD_ADDRESS_LIMIT",
    "LANYARD_REPOSITORY_LIMIT",
    "LANYARD_RETENTION_DAYS",
    "LANYARD_METRICS_LISTEN",
  ]);
  expect(variables.filter((each) => each.default === undefined).map(({ name }) => name)).toEqual([
    "LANYARD_PUBLIC_URL",
    "LANYARD_POLICIES",
  ]);
  expect(readConfig(Object.fromEntries(variables.map(({ name, example }) => [name, example])))).toMatchObject(
    { ok: true },
  );
});
