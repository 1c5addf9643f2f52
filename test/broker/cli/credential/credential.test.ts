/** `lanyard credential`, on the database of a broker that is running or was. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { credentialCommand } from "../../../../broker/cli/credential/command.ts";
import { loadSealingKey } from "../../../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../../../broker/storage/database.ts";
import { admissionOf } from "../../../support/admissions.ts";
import { openLedger } from "../../../../broker/storage/ledger/ledger.ts";
import { robotsDocument } from "../../../support/broker.ts";
import { recordTerminal } from "../recorded-terminal.ts";

const CANARY = "canary0123456789abcdef";
const TRIAGER = "acme/payments/triager";
const SERVERS = `
servers:
  linear: { url: "https://linear.example/mcp", credential: linear, tools: { list: { read_only: true } } }
  pager: { url: "https://pager.example/mcp", credential: pager }
  notion: { url: "https://notion.example/mcp", credential: notion }
credentials:
  linear: { kind: bearer }
  pager: { kind: headers, owner: robot, headers: { X-Api-Key: "{secret}" } }
  notion: { kind: oauth }
`;
const ROLES = `
roles:
  reader: { grants: [{ server: linear, tools: [list] }] }
  writer: { grants: [{ server: pager, tools: [page] }, { server: notion, tools: [write] }] }
`;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-credential-"));
  vi.stubEnv("LANYARD_DATABASE", `file:${join(directory, "broker.sqlite")}`);
  vi.stubEnv("LANYARD_KEYS", `file:${join(directory, "sealing-key.json")}`);
  await loadSealingKey(join(directory, "sealing-key.json"));
  await mkdir(join(directory, "policies", "robots", "acme"), { recursive: true });
  await writeFile(join(directory, "policies", "servers.yaml"), SERVERS);
  await writeFile(join(directory, "policies", "roles.yaml"), ROLES);
  await writeFile(
    join(directory, "policies", "robots", "acme", "payments.yaml"),
    robotsDocument("https://issuer.example"),
  );
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

async function run(secret: string | undefined, ...args: string[]) {
  const terminal = recordTerminal();
  const prompts: string[] = [];
  const readSecret = async (prompt: string): Promise<Uint8Array> => {
    prompts.push(prompt);
    if (secret === undefined) throw new Error("nothing should be asked for");
    return Buffer.from(secret);
  };
  const command = credentialCommand({ policies: join(directory, "policies"), terminal, readSecret });
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({ writeErr: (text) => terminal.writeError(text) });
  }
  await command.parseAsync(args, { from: "user" });
  if (secret !== undefined && secret !== "") expect(terminal.out + terminal.err).not.toContain(secret);
  return { code: terminal.code, out: terminal.out, err: terminal.err, prompts };
}
const list = async (): Promise<Record<string, any>[]> =>
  JSON.parse((await run(undefined, "list", "--json")).out).credentials;
const find = async (name: string): Promise<Record<string, any> | undefined> =>
  (await list()).find(({ credential }) => credential === name);

test("stores what was read, says what it is, and lists it", async () => {
  const stored = await run(CANARY, "set", "linear", "--by", "ann", "--expires", "2999-01-01");
  expect(stored).toMatchObject({ code: 0, err: "", prompts: ["linear: the token, without the word Bearer"] });
  expect(stored.out).toMatch(/^Stored version 1 of linear \(bearer\), digest [0-9a-f]{12}…\.\n$/);
  expect(await find("linear")).toMatchObject({
    kind: "bearer",
    owner: "shared",
    delivery: "broker",
    servers: ["linear"],
    roles: ["reader"],
    version: 1,
    set_by: "ann",
    expires_at: "2999-01-01T23:59:59.000Z",
    last_used_at: null,
    health: "good",
  });
  const shown = await run(undefined, "list");
  expect(shown.out).toContain("linear  bearer, shared, used at the broker  good\n");
  expect(shown.out).toContain("notion  oauth, shared, used at the broker  not set\n");
});

test("as JSON, too", async () => {
  const { code, out } = await run(CANARY, "set", "linear", "--by", "ann", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({
    ok: true,
    credential: "linear",
    kind: "bearer",
    owner: "shared",
    version: 1,
    digest: expect.stringMatching(/^[0-9a-f]{12}$/),
    by: "ann",
    message: expect.any(String),
  });
});

test.each([
  ["an empty secret", "", ["set", "linear"], /It is empty\. Nothing was stored/],
  ["a malformed one", "two\nlines", ["set", "linear"], /more than one line/],
  [
    "an unknown name",
    undefined,
    ["set", "linaer"],
    /no credential "linaer" in servers.yaml: did you mean "linear"/,
  ],
  ["a robot where it is shared", undefined, ["set", "linear", "--robot", TRIAGER], /linear is shared/],
  ["no robot where each has its own", undefined, ["set", "pager"], /Each robot has a pager of its own/],
  [
    "a robot that does not reach it",
    undefined,
    ["set", "pager", "--robot", "acme/payments/trigger"],
    /did you mean/,
  ],
  ["a kind that nobody types in", undefined, ["set", "notion"], /lanyard credential connect notion/],
])("refuses %s", async (_, secret, args, message) => {
  const refused = await run(secret, ...args);
  expect(refused.code).toBe(2);
  expect(refused.err).toMatch(message);
  expect(await find("linear")).toMatchObject({ health: "not set" });
});

test("a second set is refused, a rotation is not, and says when it changes nothing", async () => {
  expect((await run(undefined, "rotate", "linear")).err).toMatch(/is not set/);
  await run(CANARY, "set", "linear");
  expect(await run(undefined, "set", "linear")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/rotate/),
  });
  expect(await run(CANARY, "rotate", "linear")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/this is the secret/),
  });
  expect((await run("next-secret", "rotate", "linear", "--overlap", "2h")).code).toBe(0);
  expect(await find("linear")).toMatchObject({ version: 2, fallback_until: expect.any(String) });
  expect((await run(undefined, "rotate", "linear", "--end")).code).toBe(0);
  expect(await find("linear")).toMatchObject({ version: 2, fallback_until: null });
  expect((await run("third-secret", "rotate", "linear", "--now")).code).toBe(0);
  expect(await find("linear")).toMatchObject({ version: 3, fallback_until: null });
});

test("each robot has its own, and what left the documents is listed until it is removed", async () => {
  expect((await run(CANARY, "set", "pager", "--robot", TRIAGER)).code).toBe(0);
  expect(await find("pager")).toMatchObject({ owner: TRIAGER, health: "good" });
  await writeFile(
    join(directory, "policies", "servers.yaml"),
    SERVERS.replace("credential: pager", "").replace(/ {2}pager: \{ kind.*\n/, ""),
  );
  expect(await find("pager")).toMatchObject({ owner: TRIAGER, health: "not in the documents", servers: [] });
  expect((await run(undefined, "remove", "pager")).err).toContain(`say --robot ${TRIAGER}`);
  expect(await run(undefined, "remove", "pager", "--robot", TRIAGER)).toMatchObject({ code: 0 });
  expect(await find("pager")).toBeUndefined();
});

test("says what a removal breaks, and does it with --yes alone; who did what stays", async () => {
  await run(CANARY, "set", "linear", "--by", "ann");
  const database = await openDatabase({ kind: "sqlite", path: join(directory, "broker.sqlite") });
  try {
    const admission = admissionOf();
    if (admission.draft === undefined) throw new Error("nothing was granted");
    const servers = JSON.stringify({
      linear: { transport: "relay", url: "https://linear.example/mcp", credential: "linear" },
    });
    const session = {
      ...admission.draft.session,
      servers,
      created_at: Date.now(),
      expires_at: Date.now() + 900_000,
    };
    await openLedger(database).admit({ ...admission, draft: { ...admission.draft, session } });

    const refused = await run(undefined, "remove", "linear", "--json");
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.out).breaks).toEqual({
      servers: ["linear"],
      roles: ["reader"],
      robots: [TRIAGER, "acme/payments/sleeper"],
      sessions: [session.id],
    });
    expect(await find("linear")).toMatchObject({ health: "good" });

    expect(await run(undefined, "remove", "linear", "--yes", "--by", "bob")).toMatchObject({ code: 0 });
    expect(await find("linear")).toMatchObject({ health: "not set", version: null });
    expect(await database.selectFrom("credential_secrets").selectAll().execute()).toMatchObject([
      { version: 1, created_by: "ann", erased_by: "bob", sealed: null },
    ]);
  } finally {
    await database.destroy();
  }
  expect(await run(undefined, "remove", "linear")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/is not set/),
  });
  expect(await run(undefined, "remove", "nothing")).toMatchObject({ code: 2 });
  expect((await run(undefined, "remove", "linaer")).err).toContain('did you mean "linear"');
  expect((await run(undefined, "remove", "pager")).err).toContain("Each robot has a pager of its own");
});

test("refuses a day that is over, and one that is none", async () => {
  for (const day of ["2020-01-01", "2999-13-01", "tomorrow"]) {
    await expect(run(undefined, "set", "linear", "--expires", day)).rejects.toThrow(/date|day/);
  }
});

test("every command has help with an example", () => {
  const command = credentialCommand({
    policies: ".",
    terminal: recordTerminal(),
    readSecret: async () => Buffer.of(),
  });
  for (const each of command.commands) {
    let help = "";
    each
      .configureOutput({
        writeOut: (text) => {
          help += text;
        },
      })
      .outputHelp();
    expect(help).toContain(`lanyard credential ${each.name()} `);
    expect(help).toContain("--json");
  }
});
