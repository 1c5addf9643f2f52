/** Writes a policy directory as it grows with an organisation: one document for each repository, as provision writes them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { provisionRobot } from "../../policies/provisioning.ts";
import { readOptions, serveParent } from "./parent.ts";

const { repositories } = readOptions(z.strictObject({ repositories: z.int().positive() }));
const directory = mkdtempSync(join(tmpdir(), "lanyard-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

write("servers.yaml", "servers:\n  tickets:\n    url: https://mcp.example.com/mcp\n");
write("roles.yaml", "roles:\n  reader:\n    grants:\n      - server: tickets\n        tools: [get_*]\n");
for (let number = 1; number <= repositories; number += 1) {
  const provisioned = provisionRobot({
    issuer: "https://token.actions.githubusercontent.com",
    repository: `acme-${number % 10}/service-${number}`,
    repositoryId: String(number),
    repositoryOwnerId: String(1_000_000 + (number % 10)),
    name: "triager",
    bindings: [
      {
        workflow: ".github/workflows/triage.yml",
        events: ["schedule", "workflow_dispatch"],
        ref: "refs/heads/main",
        roles: ["reader"],
      },
    ],
    session: { ttl: "15m", max: "2h" },
  });
  if (!provisioned.ok) throw new Error(provisioned.message);
  write(provisioned.path, provisioned.text);
}

await serveParent({ directory });
