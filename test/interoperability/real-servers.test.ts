/**
 * Recorded sessions with real servers: each answer through the proxy is the one that comes without it, field by field,
 * except for what stands here with its reason; and with a narrow policy, except for what is not granted.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Rig, type Said, startRig, TOKEN } from "../proxy/rig.ts";
import { type EverythingServer, startEverythingServer } from "../support/mcp-everything-server.ts";
import { commandOf, EVERYTHING, FILESYSTEM, MEMORY, type RealServer } from "./real-servers.ts";
import { type Place, type Recorded, recordSession, type Step } from "./recorded-session.ts";

const SERVERS = { everything: EVERYTHING, files: FILESYSTEM, memory: MEMORY };
type Name = keyof typeof SERVERS;
const CASES = (["everything", "files", "memory"] as const).flatMap((name) =>
  (["v1", "v2"] as const).map((generation) => [generation, name] as const),
);

/** What policy changes of an answer though everything is granted. */
interface Difference {
  readonly because: string;
  readonly server: Name;
  readonly step: string;
  readonly change: (said: Said) => Said;
}

const DIFFERENCES: readonly Difference[] = [
  {
    because:
      "of what a server can do, an agent is told what a grant can reach: no grant here is for logging or tasks",
    server: "everything",
    step: "initialize",
    change: ({ result }) => {
      const { logging: _l, tasks: _t, ...capabilities } = result.capabilities;
      return { result: { ...result, capabilities } };
    },
  },
];

let folder: string;
let everything: EverythingServer;
let granting: Rig;
let narrow: Rig;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lanyard-real-"));
  await Promise.all(Object.values(SERVERS).map(({ reset }) => reset(folder)));
  everything = await startEverythingServer();
  const env = { MEMORY_FILE_PATH: join(folder, "memory.jsonl") };
  const servers = {
    everything: { transport: "http", url: everything.url },
    files: {
      transport: "stdio",
      command: commandOf("filesystem", join(folder, "files")),
      env: {},
      start: "lazy",
    },
    memory: { transport: "stdio", command: commandOf("memory"), env, start: "lazy" },
  } as const;
  granting = await startRig({
    servers,
    grants: Object.entries(SERVERS).map(([server, { resources }]) => ({
      ...{ server, tools: ["*"], prompts: ["*"], resources: [...resources] },
    })),
  });
  narrow = await startRig({
    servers,
    grants: Object.entries(SERVERS).map(([server, { narrow: granted }]) => ({
      server,
      ...Object.fromEntries(Object.entries(granted).filter(([, names]) => names.length > 0)),
    })),
  });
});
afterAll(async () => {
  await granting.close();
  await narrow.close();
  await everything.close();
  await rm(folder, { recursive: true });
});

function placeOf(name: Name): Place {
  switch (name) {
    case "everything":
      return { url: everything.url };
    case "files":
      return { command: commandOf("filesystem", join(folder, "files")), env: {} };
    case "memory":
      return { command: commandOf("memory"), env: { MEMORY_FILE_PATH: join(folder, "memory.jsonl") } };
  }
}

async function record(generation: "v1" | "v2", name: Name, place: Place): Promise<Recorded[]> {
  const { steps, reset } = SERVERS[name];
  await reset(folder);
  return (await recordSession(generation, place, steps(folder))).map(withoutTimes);
}

const through = (rig: Rig, name: Name): Place => ({
  url: `${rig.url}/mcp/${name}`,
  headers: { Authorization: `Bearer ${TOKEN}` },
});

/** What a server says of the moment: two sessions are not the same one. */
function withoutTimes({ step, said }: Recorded): Recorded {
  const text = JSON.stringify(said)
    .replaceAll(/\b(created|modified|accessed): [^\\]*GMT[^\\]*/g, "$1: then")
    .replaceAll(/\d{1,2}:\d{2}:\d{2}(?: [AP]M)?/g, "then");
  return { step, said: JSON.parse(text) };
}

const applies = ({ server, step }: Difference, name: Name, [method]: Step): boolean =>
  server === name && step === method;

describe.each(CASES)("the %s client with %s", (generation, name) => {
  let direct: Recorded[];

  beforeAll(async () => {
    direct = await record(generation, name, placeOf(name));
  });

  it("gets something for each step without the proxy, more results than errors", () => {
    expect(direct.map(({ said }) => said.length)).not.toContain(0);
    const last = direct.map(({ said }) => said.at(-1));
    const results = last.filter(({ result }) => result !== undefined && result.isError !== true);
    expect(results.length).toBeGreaterThan(direct.length / 2);
  });

  it("gets the same through the proxy with everything granted, field by field", async () => {
    const gated = await record(generation, name, through(granting, name));
    const expected = direct.map(({ step, said }) => {
      const differences = DIFFERENCES.filter((difference) => applies(difference, name, step));
      return { step, said: differences.reduce((before, { change }) => before.map(change), said) };
    });
    expect(gated).toEqual(expected);
    const changed = direct.filter(
      ({ said }, index) => JSON.stringify(said) !== JSON.stringify(expected[index]?.said),
    );
    expect(new Set(changed.map(({ step: [method] }) => method))).toEqual(
      new Set(DIFFERENCES.filter(({ server }) => server === name).map(({ step }) => step)),
    );
  });

  it("gets with a narrow policy what is granted as it is, and else what there is not", async () => {
    const gated = await record(generation, name, through(narrow, name));
    const { narrow: granted } = SERVERS[name];
    for (const [index, { step, said }] of gated.entries()) {
      expect({ step, said }).toEqual({ step, said: reduce(granted, step, direct[index]?.said ?? []) });
    }
  });
});

type Granted = RealServer["narrow"];

const covers = (patterns: readonly string[], name: string): boolean =>
  patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );

/** What of an answer is left where only this is granted. */
function reduce(
  { tools, resources, prompts }: Granted,
  [method, params = {}]: Step,
  said: readonly Said[],
): Said[] {
  const { name, uri, ref }: Said = params;
  const list = (member: string, naming: string, patterns: readonly string[]): Said[] =>
    patterns.length === 0
      ? [{ error: { code: -32601, message: "Method not found" } }]
      : said.map(({ result }) => ({
          result: {
            ...result,
            [member]: result[member].filter((entry: Said) => covers(patterns, entry[naming])),
          },
        }));
  const unknown = (kind: string, patterns: readonly string[]): Said[] =>
    patterns.length === 0 && kind !== "tool"
      ? [{ error: { code: -32601, message: "Method not found" } }]
      : [{ error: { code: -32602, message: `Unknown ${kind}: ${name ?? ref?.name}` } }];
  const missing = (of: string): Said[] =>
    resources.length === 0
      ? [{ error: { code: -32601, message: "Method not found" } }]
      : [{ error: { code: -32002, message: "Resource not found", data: { uri: of } } }];
  switch (method) {
    case "initialize":
      return said.map(({ result }) => {
        const {
          tools: ofTools,
          resources: ofResources,
          prompts: ofPrompts,
          completions,
        } = result.capabilities;
        const capabilities = {
          ...(ofTools && { tools: ofTools }),
          ...(ofResources && resources.length > 0 && { resources: ofResources }),
          ...(ofPrompts && prompts.length > 0 && { prompts: ofPrompts }),
          ...(completions && resources.length + prompts.length > 0 && { completions }),
        };
        return { result: { ...result, capabilities } };
      });
    case "tools/list":
      return list("tools", "name", tools);
    case "resources/list":
      return list("resources", "uri", resources);
    case "resources/templates/list":
      return list("resourceTemplates", "uriTemplate", resources);
    case "prompts/list":
      return list("prompts", "name", prompts);
    case "tools/call":
      return covers(tools, name) ? [...said] : unknown("tool", tools);
    case "resources/read":
      return covers(resources, uri) ? [...said] : missing(uri);
    case "prompts/get":
      return covers(prompts, name) ? [...said] : unknown("prompt", prompts);
    case "completion/complete":
      return covers([...prompts, ...resources], ref.name ?? ref.uri) ? [...said] : missing(ref.uri);
    default:
      return [...said];
  }
}
