/**
 * The official conformance suite against the reference server: by itself, and behind the proxy. What counts is that
 * each check has the same verdict both ways.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import type { SessionGrant } from "../../policies/session-policy.ts";
import { type Rig, startRig, TOKEN } from "../proxy/rig.ts";
import {
  type ConformanceServer,
  conformanceCommand,
  startConformanceServer,
} from "../support/mcp-conformance-server.ts";
import { listAllowed, type Transport } from "./allowed-differences.ts";
import { compareVerdicts, findLastingDifferences, scenarioOf } from "./comparison.ts";
import { findLeaks, listOfferedNames } from "./offered-names.ts";
import { type Revision, runSuite, type Verdicts } from "./suite.ts";
import { type Forwarder, startForwarder } from "./token-forwarder.ts";

const REVISIONS: readonly Revision[] = ["2025-11-25", "2026-07-28"];
const TRANSPORTS: readonly Transport[] = ["http", "stdio"];
const EVERYTHING: Omit<SessionGrant, "rule" | "server"> = {
  tools: ["*"],
  resources: ["test://*"],
  prompts: ["*"],
  asks: ["sampling", "elicitation", "roots", "logging"],
};
/** The suite waits much, and starts a process for each session over stdio. */
const SUITE_MS = 180_000;

const require = createRequire(import.meta.url);
const Requirements = z.object({ server: z.array(z.string()) });

let server: ConformanceServer;
let granting: Rig;
let refusing: Rig;

beforeAll(async () => {
  server = await startConformanceServer();
  const servers = {
    http: { transport: "http", url: server.url },
    stdio: { transport: "stdio", command: conformanceCommand(), env: {}, start: "eager" },
  } as const;
  granting = await startRig({
    servers,
    grants: TRANSPORTS.map((transport) => ({ server: transport, ...EVERYTHING })),
  });
  refusing = await startRig({ servers, policy: { servers: { http: {}, stdio: {} } } });
});

afterAll(async () => {
  await granting.close();
  await refusing.close();
  await server.close();
});

function startAgent(rig: Rig, transport: Transport): Promise<Forwarder> {
  return startForwarder(`${rig.url}/mcp/${transport}`, TOKEN);
}

describe.each(REVISIONS)("revision %s", (revision) => {
  let direct: Verdicts;

  beforeAll(async () => {
    direct = await runSuite(server.url, revision);
  }, SUITE_MS);

  it("the reference server meets every requirement by itself", async () => {
    const file = require.resolve("@modelcontextprotocol/conformance/package.json");
    const listed = await readFile(new URL(`requirements/${revision}.yaml`, `file://${file}`), "utf8");
    const required = Requirements.parse(parse(listed)).server;
    const ran = new Set([...direct.keys()].map(scenarioOf));
    expect(required.filter((scenario) => !ran.has(scenario))).toEqual([]);
    expect([...direct].filter(([, verdict]) => !/^(?:INFO|SUCCESS(?: SUCCESS)*)$/.test(verdict))).toEqual([]);
  });

  it.each(TRANSPORTS)(
    "behind the proxy over %s, with everything granted, every check has the verdict of the server itself",
    async (transport) => {
      await using agent = await startAgent(granting, transport);
      const verdicts = await runSuite(agent.url, revision);
      const allowed = listAllowed(revision, transport);
      const differences = await findLastingDifferences(
        [
          { url: server.url, verdicts: direct },
          { url: agent.url, verdicts },
        ],
        revision,
        allowed,
      );
      expect(differences).toEqual(allowed);
      expect(findLeaks(agent.exchanges, await listOfferedNames(server.url))).not.toEqual([]);
    },
    SUITE_MS,
  );

  // A process for each session: the gate is the same, and the time is better spent.
  const refused = TRANSPORTS.filter((transport) => transport === "http" || revision === "2026-07-28");
  it.each(refused)(
    "behind the proxy over %s, with nothing granted, no name of the server is in any answer",
    async (transport) => {
      await using agent = await startAgent(refusing, transport);
      await runSuite(agent.url, revision);
      const names = await listOfferedNames(server.url);
      expect(names.length).toBeGreaterThan(30);
      expect(agent.exchanges.length).toBeGreaterThan(50);
      expect(findLeaks(agent.exchanges, names)).toEqual([]);
    },
    SUITE_MS,
  );

  it(
    "a port where nobody listens has other verdicts in every scenario",
    async () => {
      const gone = await startConformanceServer();
      await gone.close();
      const differences = compareVerdicts(direct, await runSuite(gone.url, revision));
      expect(new Set(Object.keys(differences).map(scenarioOf))).toEqual(
        new Set([...direct.keys()].map(scenarioOf)),
      );
    },
    SUITE_MS,
  );
});
