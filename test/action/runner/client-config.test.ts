import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writeClaudeConfig } from "../../../action/runner/client-config.ts";

it("every server has its type, its address and the agent's token, in a file for this user alone", () => {
  const directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
  const agent = { name: "planner", token: "lanyard_agent_x" };
  const path = writeClaudeConfig(directory, agent, {
    url: "http://127.0.0.1:4",
    servers: ["github", "memory"],
  });
  const headers = { Authorization: "Bearer lanyard_agent_x" };
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
    mcpServers: {
      github: { type: "http", url: "http://127.0.0.1:4/mcp/github", headers },
      memory: { type: "http", url: "http://127.0.0.1:4/mcp/memory", headers },
    },
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
