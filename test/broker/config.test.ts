/** The environment of `serve`: every problem at once, each with its variable and what to write. */
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { listVariables, readConfig, readDatabaseConfig, readPoliciesDirectory } from "../../broker/config.ts";

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

  test("LANYARD_DATABASE and LANYARD_KEYS are files", () => {
    expect(parsed({ LANYARD_DATABASE: "file:x.sqlite" })).toMatchObject({
      database: { path: resolve("x.sqlite") },
    });
    for (const wrong of ["x.sqlite", "file:", "file://host/x", "postgres://host/db"]) {
      expect(problemsOf({ LANYARD_DATABASE: wrong }), wrong).toHaveLength(1);
      expect(problemsOf({ LANYARD_KEYS: wrong }), wrong).toHaveLength(1);
    }
  });
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
    "LANYARD_KEYS",
  ]);
  expect(variables.filter((each) => each.default === undefined).map(({ name }) => name)).toEqual([
    "LANYARD_PUBLIC_URL",
    "LANYARD_POLICIES",
  ]);
  expect(readConfig(Object.fromEntries(variables.map(({ name, example }) => [name, example])))).toMatchObject(
    { ok: true },
  );
});
