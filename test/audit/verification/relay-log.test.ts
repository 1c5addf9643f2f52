/** The relay's log beside the runner's: whatever is in one alone, or differs, is told. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Entry, EntryOf } from "../../../audit/record.ts";
import {
  SessionWriter,
  callOf,
  genesisOf,
  resultOf,
  rewrite,
  robot,
  sealOf,
  tell,
  verify,
  workload,
} from "../stored-session.ts";

const SESSION = "s-1";

const relayGenesis = (session = SESSION): EntryOf<"relay_genesis"> => ({
  kind: "relay_genesis",
  session,
  broker: "https://lanyard.acme.dev",
  version: "0.1.0",
  robot,
  roles: ["triager"],
  workload,
  policy: "a".repeat(64),
  servers: ["github"],
});

const pairOf = (id: string, change: Partial<EntryOf<"call">> = {}): Entry[] => [
  callOf(id, change),
  resultOf(id),
];

let runnerCalls: Entry[];
let relayCalls: Entry[];

beforeEach(() => {
  runnerCalls = [
    ...pairOf("one"),
    ...pairOf("two"),
    callOf("denied", { decision: "deny", reason: "no_grant" }),
  ];
  relayCalls = [...pairOf("one"), ...pairOf("two")];
});

/** As the broker leaves it once both logs are sealed. */
async function storeBoth(how: "sealed" | "unsealed" | "relay alone" = "sealed") {
  const runner = new SessionWriter(SESSION);
  const relay = new SessionWriter(SESSION);
  await runner.store([
    genesisOf(SESSION, { relayed: ["github"] }),
    ...runnerCalls,
    ...(how === "sealed" ? [sealOf(runnerCalls)] : []),
  ]);
  const checkpoint = await relay.store([relayGenesis(), ...relayCalls.slice(0, 2)], "relay");
  await relay.store([checkpoint, ...relayCalls.slice(2), sealOf(relayCalls)], "relay");
  if (how !== "unsealed") await relay.writeManifest("relay", { runner: [], relay: relay.relay });
  if (how === "sealed") await runner.writeManifest("sealed", { relay: relay.relay });
  return new Map([...runner.objects, ...relay.objects]);
}

describe("two logs that agree", () => {
  test("a sealed session of both is complete, and the relay's records are counted", async () => {
    const verdict = await verify(await storeBoth());
    expect(verdict).toMatchObject({ status: "complete", problems: [], relayCount: 7 });
  });

  test("what a server asked is as each side has it: cleaned on the way, refused by the proxy, or told to it before", async () => {
    const asked = { method: "elicitation/create" };
    const told = { method: "notifications/message" };
    runnerCalls.push(
      ...pairOf("asked", { ...asked, arguments_digest: "1".repeat(64) }),
      ...pairOf("a", told),
    );
    relayCalls.push(...pairOf("asked", { ...asked, arguments_digest: "2".repeat(64) }), ...pairOf("b", told));
    relayCalls.push(callOf("refused", asked), resultOf("refused", { outcome: "timeout" }));
    expect(await verify(await storeBoth())).toMatchObject({ status: "complete", problems: [] });
  });

  test("the relay alone names what calls were sent with: by stream, and by call", async () => {
    const credential = { id: "notes", digest: "1".repeat(64), expires_at: "2026-11-22T13:00:00.000Z" };
    relayCalls = [...pairOf("one", { credential }), ...pairOf("two", { credential })];
    const verdict = await verify(await storeBoth());
    expect(verdict).toMatchObject({ status: "complete", problems: [] });
    expect(verdict.credentials).toMatchObject([{ id: "notes", stream: "relay", calls: 2, callsAfterEnd: 0 }]);
    expect([...verdict.relayedWith]).toEqual([
      ["one", credential],
      ["two", credential],
    ]);
  });

  test("a session whose runner never sealed is incomplete, with nothing against the relay", async () => {
    const verdict = await verify(await storeBoth("relay alone"));
    expect(verdict.status).toBe("incomplete");
    expect(tell(verdict)).toEqual(["manifest.json: manifest_missing"]);
  });

  test("while the relay's log is still in the database, calls that it lacks are no finding", async () => {
    const objects = await storeBoth("unsealed");
    [...objects.keys()].filter((name) => name.startsWith("relay/")).forEach((name) => objects.delete(name));
    expect(tell(await verify(objects))).toEqual(["manifest.json: manifest_missing"]);
  });
});

describe("an answer of the agent's side that is in one log alone", () => {
  test.each([
    ["relay_call_unrecorded", (): unknown => relayCalls.push(...pairOf("asked", { method: "roots/list" }))],
    ["relay_call_missing", (): unknown => runnerCalls.push(...pairOf("asked", { method: "roots/list" }))],
  ])("is told: %s", async (code, add) => {
    add();
    const verdict = await verify(await storeBoth());
    expect(verdict.problems.map((problem) => problem.code)).toEqual([code]);
  });
});

describe("what one log has and the other has not", () => {
  test("a call past the proxy: with its key, straight to the relay", async () => {
    relayCalls.push(...pairOf("stolen", { tool: "merge_pull_request" }));
    const verdict = await verify(await storeBoth());
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toEqual(["relay/000002.jsonl.zst record 6: relay_call_unrecorded"]);
    expect(verdict.problems[0]?.message).toContain("the runner's log does not have the call stolen");
  });

  test("the same where the runner's log was never sealed is told, and may be what the runner lost", async () => {
    relayCalls.push(...pairOf("lost"));
    const verdict = await verify(await storeBoth("relay alone"));
    expect(verdict.status).toBe("incomplete");
    expect(tell(verdict)).toContain("relay/000002.jsonl.zst record 6: relay_call_unrecorded");
  });

  test("an answered call that the relay never had", async () => {
    runnerCalls.push(...pairOf("invented"));
    const verdict = await verify(await storeBoth());
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toEqual(["runner/000001.jsonl.zst record 6: relay_call_missing"]);
  });

  test("a call that never reached the broker is no difference", async () => {
    runnerCalls.push(callOf("unreached"), resultOf("unreached", { outcome: "error" }));
    expect((await verify(await storeBoth())).status).toBe("complete");
  });
});

describe("a call that is another one on the other side", () => {
  test.each([
    ["arguments", { arguments_digest: "9".repeat(64) }],
    ["server", { server: "gitlab" }],
    ["agent", { agent: "other" }],
    ["method", { method: "resources/read" }],
    ["tool with the same arguments", { tool: "merge_pull_request" }],
    ["resource", { resource: "repo://acme/payments" }],
    ["prompt", { prompt: "triage" }],
  ] as const)("another %s under the same id", async (_, change) => {
    relayCalls[2] = callOf("two", change);
    const verdict = await verify(await storeBoth());
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toContain("relay/000002.jsonl.zst record 4: relay_call_differs");
  });

  test("a name in which one side replaced a secret is told, and breaks nothing", async () => {
    relayCalls[2] = callOf("two", { tool: "echo-[redacted:credential:notes]" });
    const verdict = await verify(await storeBoth());
    expect(verdict.status).toBe("complete");
    expect(tell(verdict)).toEqual(["relay/000002.jsonl.zst record 4: relay_call_differs"]);
  });

  test.each([
    ["another credential", { id: "notes", digest: "2".repeat(64) }],
    ["another end", { id: "notes", digest: "1".repeat(64), expires_at: "2026-11-22T13:00:00.000Z" }],
    ["none", undefined],
  ])("the runner's log names a credential for a call that the relay sent with %s", async (_, relayed) => {
    runnerCalls[2] = callOf("two", { credential: { id: "notes", digest: "1".repeat(64) } });
    relayCalls[2] = callOf("two", relayed && { credential: relayed });
    const verdict = await verify(await storeBoth());
    expect(verdict.status).toBe("broken");
    expect(verdict.problems[0]).toMatchObject({
      code: "relay_call_differs",
      message: expect.stringMatching(/differs in credential$/),
    });
  });

  test("what the runner's log says was denied went through the relay", async () => {
    relayCalls.push(...pairOf("denied"));
    expect(tell(await verify(await storeBoth()))).toEqual([
      "relay/000002.jsonl.zst record 6: relay_call_differs",
    ]);
  });

  test("what the broker refused is told and leaves the log whole", async () => {
    runnerCalls.push(callOf("late"), resultOf("late", { outcome: "tool_error" }));
    relayCalls.push(callOf("late", { decision: "deny", reason: "limit_reached" }));
    const verdict = await verify(await storeBoth());
    expect(verdict.status).toBe("complete");
    expect(tell(verdict)).toEqual(["relay/000002.jsonl.zst record 6: relay_call_refused"]);
  });
});

describe("the relay's objects", () => {
  test("one byte changed in a relay record", async () => {
    const objects = await storeBoth();
    await rewrite(objects, "relay/000001.jsonl.zst", (lines) =>
      lines.map((line) => line.replace('"acme"', '"acne"')),
    );
    expect((await verify(objects)).status).toBe("broken");
  });

  test.each(["relay/000001.jsonl.zst", "relay/000002.jsonl.zst"])("%s deleted", async (name) => {
    const objects = await storeBoth();
    objects.delete(name);
    const verdict = await verify(objects);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toContain(`${name}: segment_missing`);
  });

  test("the whole relay log deleted, its manifest with it", async () => {
    const objects = await storeBoth();
    [...objects.keys()].filter((name) => name.startsWith("relay/")).forEach((name) => objects.delete(name));
    expect((await verify(objects)).status).toBe("broken");
  });

  test("a segment of the relay that no manifest lists", async () => {
    const objects = await storeBoth();
    const segment = objects.get("relay/000001.jsonl.zst") ?? Buffer.alloc(0);
    objects.set("relay/000003.jsonl.zst", segment);
    expect(tell(await verify(objects))).toContain("relay/000003.jsonl.zst: segment_unlisted");
  });

  test("the relay's manifest in the place of the log's own does not make an empty log complete", async () => {
    const objects = await storeBoth("relay alone");
    objects.set("manifest.json", objects.get("relay/manifest.json") ?? Buffer.alloc(0));
    [...objects.keys()].filter((name) => name.startsWith("runner/")).forEach((name) => objects.delete(name));
    expect((await verify(objects)).status).toBe("broken");
  });

  test("one byte changed in the relay's manifest", async () => {
    const objects = await storeBoth("relay alone");
    const text = objects.get("relay/manifest.json")?.toString("utf8") ?? "";
    objects.set("relay/manifest.json", Buffer.from(text.replace("12:30", "12:31")));
    expect((await verify(objects)).status).toBe("broken");
  });

  test("the runner's stream in the place of the relay's", async () => {
    const objects = await storeBoth("unsealed");
    const segment = objects.get("runner/000001.jsonl.zst") ?? Buffer.alloc(0);
    objects.set("relay/000001.jsonl.zst", segment);
    objects.delete("relay/000002.jsonl.zst");
    expect(tell(await verify(objects))).toContain("relay/000001.jsonl.zst record 0: genesis_missing");
  });
});
