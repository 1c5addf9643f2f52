import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { placeServers, selectServers } from "../../../action/guard/session-servers.ts";
import type { KeptCredentials } from "../../../action/guard/kept-credentials.ts";
import type { RelayTarget } from "../../../action/wire/relay-authority.ts";
import { createRedactor } from "../../../audit/redaction/redaction.ts";
import type { SessionServer } from "../../../broker/contract.ts";

const relayTo = (server: string): RelayTarget => ({
  url: `https://lanyard.example/mcp/${server}`,
  authority: { authorize: async () => ({}), replace: async () => false },
});
const httpProxies = { https_proxy: "http://proxy.example:3128" };
const credentials: KeptCredentials = {
  authorityOf: () => undefined,
  environmentOf: () => undefined,
  provenanceOf: () => undefined,
  known: createRedactor([]),
};
const servers: Record<string, SessionServer> = {
  github: { transport: "http", url: "https://mcp.example/{workspace}", limits: { calls_per_minute: 60 } },
  memory: {
    transport: "stdio",
    command: ["npx", "-y", "server-memory", "--in", "{workspace}/x", "{other}", '{"a":1}'],
    env: { MEMORY_FILE_PATH: "{runner_temp}/memory.json", TWICE: "{workspace}{workspace}" },
    start: "eager",
  },
};

it("no name asks for all servers, names for these", () => {
  expect(selectServers(servers, [])).toEqual({ ok: true, servers });
  expect(selectServers(servers, ["memory"])).toEqual({ ok: true, servers: { memory: servers["memory"] } });
});

it.each(["slack", "constructor", "__proto__"])(
  "the unknown name %s ends with a list of those there are",
  (name) => {
    expect(selectServers(servers, ["github", name])).toEqual({
      ok: false,
      message: `The input \`servers\` names ${name}, which this session does not reach. Available: github, memory.`,
    });
  },
);

it("only the two variables are filled in, what is filled in is not looked at again", () => {
  const directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
  const placed = placeServers(servers, {
    ...{ runnerTemp: "/temp/{workspace}", workspace: "/project", directory },
    ...{ relayTo, credentials, httpProxies },
  });
  expect(placed["github"]).toEqual({ ...servers["github"], httpProxies });
  expect(placed["memory"]).toEqual({
    transport: "stdio",
    command: ["npx", "-y", "server-memory", "--in", "/project/x", "{other}", '{"a":1}'],
    env: { MEMORY_FILE_PATH: "/temp/{workspace}/memory.json", TWICE: "/project/project" },
    cwd: join(directory, "servers", "memory"),
    start: "eager",
  });
});

it("a stdio server starts in an empty directory of its own, not in what was checked out", () => {
  const directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
  placeServers(servers, {
    runnerTemp: "/temp",
    workspace: "/project",
    directory,
    relayTo,
    credentials,
    httpProxies,
  });
  expect(existsSync(join(directory, "servers", "memory"))).toBe(true);
});

it("a server behind the relay is reached at the broker, with what the session proves itself by", () => {
  const directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
  const relayed = { vault: { transport: "relay", limits: { calls_per_minute: 60 } } } as const;
  const placed = placeServers(relayed, {
    runnerTemp: "/t",
    workspace: "/p",
    directory,
    relayTo,
    credentials,
    httpProxies,
  });
  expect(placed["vault"]).toMatchObject({
    ...{ transport: "http", url: "https://lanyard.example/mcp/vault", limits: { calls_per_minute: 60 } },
    ...{ isRelayed: true, httpProxies },
    authority: { replace: expect.any(Function) },
  });
});
