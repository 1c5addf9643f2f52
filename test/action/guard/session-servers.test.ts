import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { placeServers, selectServers } from "../../../action/guard/session-servers.ts";
import type { SessionServer } from "../../../broker/contract.ts";

const servers: Record<string, SessionServer> = {
  github: { transport: "http", url: "https://mcp.example/{workspace}" },
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
  const placed = placeServers(servers, { runnerTemp: "/temp/{workspace}", workspace: "/project", directory });
  expect(placed["github"]).toEqual({ transport: "http", url: "https://mcp.example/{workspace}" });
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
  placeServers(servers, { runnerTemp: "/temp", workspace: "/project", directory });
  expect(existsSync(join(directory, "servers", "memory"))).toBe(true);
});
