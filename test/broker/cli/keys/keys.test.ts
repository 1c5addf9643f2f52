/** `lanyard keys`, on the database of a broker that is running or was. */
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { keysCommand } from "../../../../broker/cli/keys/keys.ts";
import { openKeyFile } from "../../../../broker/keys/key-file.ts";
import { loadSealingKey } from "../../../../broker/keys/sealing-key.ts";
import { loadSigningKeys } from "../../../../broker/keys/signing-keys.ts";
import { openDatabase } from "../../../../broker/storage/database.ts";
import { recordTerminal } from "../recorded-terminal.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-keys-"));
  vi.stubEnv("LANYARD_DATABASE", `file:${join(directory, "broker.sqlite")}`);
  vi.stubEnv("LANYARD_KEYS", `file:${join(directory, "sealing-key.json")}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

const startOnce = async (): Promise<void> => {
  const database = await openDatabase({ kind: "sqlite", path: join(directory, "broker.sqlite") });
  const sealingKey = await loadSealingKey(join(directory, "sealing-key.json"));
  await loadSigningKeys({ database, sealingKey, now: Date.now });
  await database.destroy();
};
const run = async (...args: string[]) => runAnswering(undefined, ...args);
const runAnswering = async (answer: boolean | undefined, ...args: string[]) => {
  const terminal = recordTerminal(answer);
  const command = keysCommand(terminal).exitOverride();
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({ writeErr: (text) => terminal.writeError(text) });
  }
  await command.parseAsync(args, { from: "user" });
  return terminal;
};

test("rotates both keys, says from when they sign, and does not do it twice", async () => {
  await startOnce();
  const rotated = await run("rotate");
  expect([rotated.code, rotated.err]).toEqual([0, ""]);
  expect(rotated.out).toMatch(
    /^token: \S+ is published and signs from 2.+Z; \S+ stays published until 2.+Z\.$/m,
  );
  expect(rotated.out).toMatch(/^checkpoint: \S+ is published and signs from .+ stays published for ever\.$/m);
  const again = await run("rotate");
  expect(again.code).toBe(1);
  expect(again.err).toMatch(/^token: nothing was changed: \S+ is new already and signs from /m);
});

test("rotates only what is named", async () => {
  await startOnce();
  const { code, out } = await run("rotate", "--purpose", "checkpoint", "--json");
  expect(code).toBe(0);
  const { ok, rotations } = JSON.parse(out);
  expect(ok).toBe(true);
  expect(rotations).toMatchObject([
    {
      purpose: "checkpoint",
      ok: true,
      key: { phase: "pending" },
      previous: { phase: "signing", published_until: null },
    },
  ]);
  const listed = JSON.parse((await run("list", "--json")).out);
  expect(listed.keys.map(({ purpose, phase }: Record<string, string>) => `${purpose} ${phase}`)).toEqual([
    "token signing",
    "checkpoint signing",
    "checkpoint pending",
  ]);
});

test("lists the keys, and never a private half", async () => {
  await startOnce();
  await run("rotate");
  const { code, out } = await run("list");
  expect(code).toBe(0);
  expect(out.split("\n")).toHaveLength(5);
  expect(out).toMatch(/^token {7}\S{43} {2}signing {5}signs 2\S+ to 2\S+, published until 2/m);
  expect(out).toMatch(/^checkpoint {2}\S{43} {2}pending {5}signs from 2\S+$/m);
  expect(out).not.toContain("eyJ");
});

test("before the first start there is nothing to list and nothing to rotate", async () => {
  expect((await run("list")).out).toContain("There are no keys yet");
  await loadSealingKey(join(directory, "sealing-key.json"));
  const { code, err } = await run("rotate", "--purpose", "token");
  expect([code, err]).toEqual([
    1,
    "token: there is no key to rotate: `lanyard serve` makes the first at its first start.\n",
  ]);
});

test("a sealing key that is not there is not made", async () => {
  await startOnce();
  vi.stubEnv("LANYARD_KEYS", `file:${join(directory, "elsewhere.json")}`);
  const { code, err } = await run("rotate");
  expect([code, err]).toEqual([
    1,
    `LANYARD_KEYS: there is no sealing key in file:${join(directory, "elsewhere.json")}: name where the broker has it\n`,
  ]);
  expect(await readdir(directory)).not.toContain("elsewhere.json");
});

test("another sealing key changes nothing", async () => {
  await startOnce();
  await loadSealingKey(join(directory, "other.json"));
  vi.stubEnv("LANYARD_KEYS", `file:${join(directory, "other.json")}`);
  const { code, err } = await run("rotate");
  expect(code).toBe(1);
  expect(err).toContain("another sealing key");
  expect(JSON.parse((await run("list", "--json")).out).keys).toHaveLength(2);
});

test("variables that are no use are named, all of them", async () => {
  vi.stubEnv("LANYARD_DATABASE", "mysql://canary");
  const { code, err } = await run("list");
  expect(code).toBe(2);
  expect(err).toContain("LANYARD_DATABASE: write");
  expect(err).not.toContain("canary");
});

describe("distrust", () => {
  const kidOf = async (purpose: string): Promise<string> =>
    JSON.parse((await run("list", "--json")).out).keys.find(
      (key: Record<string, string>) => key["purpose"] === purpose && key["phase"] === "signing",
    ).kid;

  test("asks first, says what it means for jobs, and does it when told to", async () => {
    await startOnce();
    const kid = await kidOf("token");
    const refused = await runAnswering(false, "distrust", kid);
    expect([refused.code, refused.err]).toEqual([1, "Nothing was changed.\n"]);
    expect(refused.questions[0]).toContain("lose their session");
    expect(await kidOf("token")).toBe(kid);

    const { code, out } = await runAnswering(true, "distrust", kid);
    expect(code).toBe(0);
    const signing = await kidOf("token");
    expect(signing).not.toBe(kid);
    expect(out).toBe(
      `token: ${kid} is distrusted: it is published no more, and what it signed is refused. ` +
        `${signing} signs. Running brokers notice within 30 seconds.\n`,
    );
    expect((await run("list")).out).toMatch(
      new RegExp(`^token +${kid} +distrusted +distrusted since 2`, "m"),
    );
  });

  test("where nobody can be asked it needs --yes", async () => {
    await startOnce();
    const kid = await kidOf("checkpoint");
    expect(await run("distrust", kid)).toMatchObject({
      code: 2,
      err: "Nobody can be asked here: give --yes.\n",
    });
    const { code, out } = await run("distrust", kid, "--yes", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      purpose: "checkpoint",
      already: false,
      key: { kid, phase: "distrusted", published_until: null },
      signing: { phase: "signing" },
    });
    const again = await run("distrust", kid, "--yes");
    expect([again.code, again.out]).toEqual([0, expect.stringContaining("nothing was changed")]);
  });

  test("a key that is not there is told, and nobody is asked", async () => {
    await startOnce();
    const { code, err, questions } = await run("distrust", "nobody's");
    expect([code, questions]).toEqual([1, []]);
    expect(err).toBe('there is no key "nobody\'s": see `lanyard keys list`.\n');
    expect(JSON.parse((await run("distrust", "nobody's", "--json")).out)).toEqual({
      ok: false,
      code: "unknown",
    });
  });

  test("with another sealing key nothing is changed", async () => {
    await startOnce();
    const kid = await kidOf("token");
    await loadSealingKey(join(directory, "other.json"));
    vi.stubEnv("LANYARD_KEYS", `file:${join(directory, "other.json")}`);
    expect((await run("distrust", kid, "--yes")).code).toBe(1);
    expect(await kidOf("token")).toBe(kid);
  });
});

test("--help gives the times of the overlap", async () => {
  const rotate = keysCommand(recordTerminal()).commands.find((each) => each.name() === "rotate");
  let help = "";
  rotate?.configureOutput({ writeOut: (text) => (help += text) });
  rotate?.outputHelp();
  expect(help).toContain("published for 10 minutes before it signs");
  expect(help).toContain("26 hours");
});

test("changes the sealing key in three steps, and says when it is too early", async () => {
  await startOnce();
  const path = join(directory, "sealing-key.json");
  const added = await run("reseal", "--new", "--ahead", "1h", "--json");
  expect(added.code).toBe(0);
  const { keys } = JSON.parse(added.out);
  expect(keys).toMatchObject([
    { seals: true, seals_from: null, sealed: 2, sessions: 0 },
    { seals: false, seals_from: expect.any(String), sealed: 0 },
  ]);
  expect(await run("reseal", "--new")).toMatchObject({ code: 1, err: expect.stringMatching(/new already/) });
  expect(await run("reseal")).toMatchObject({ code: 1, err: expect.stringMatching(/too early/) });
  expect((await run("reseal", "--drop")).out).toMatch(/Nothing was dropped/);

  const sealsFrom = async (milliseconds: number): Promise<void> => {
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(/"seals_from":\d+/, `"seals_from":${milliseconds}`));
  };
  await sealsFrom(Date.now() - 1_000);
  expect(await run("reseal")).toMatchObject({ code: 0, out: expect.stringMatching(/^2 sealed anew with /) });
  expect(await run("reseal", "--drop")).toMatchObject({ code: 1, err: expect.stringMatching(/too early/) });
  await sealsFrom(Date.now() - 600_000);
  const dropped = await run("reseal", "--drop", "--json");
  expect(dropped.code).toBe(0);
  expect(JSON.parse(dropped.out).keys).toMatchObject([{ kid: keys[1].kid, seals: true, sealed: 2 }]);
  expect(await readFile(path, "utf8")).not.toContain(keys[0].kid);
});

test("does not drop a sealing key that something is sealed with", async () => {
  await startOnce();
  const path = join(directory, "sealing-key.json");
  await openKeyFile(path).add(Date.now() - 600_000);
  const refused = await run("reseal", "--drop");
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/Still in use/) });
  expect(JSON.parse(await readFile(path, "utf8")).keys).toHaveLength(2);
});

test("moves the sealing key to the place that is named first, and says where each is", async () => {
  await startOnce();
  const [before, next] = ["sealing-key.json", "next.json"].map((name) => join(directory, name));
  vi.stubEnv("LANYARD_KEYS", `file:${next} file:${before}`);
  const early = await run("reseal");
  expect(early.code).toBe(1);
  expect(early.err).toMatch(
    /^Nothing was changed: \S+ seals still, of file:\S+sealing-key\.json\. Run `lanyard keys reseal --new`/,
  );
  expect((await run("reseal", "--new", "--ahead", "1m")).code).toBe(0);
  const made = await readFile(next ?? "", "utf8");
  await writeFile(next ?? "", made.replace(/"seals_from":\d+/, `"seals_from":${Date.now() - 600_000}`));
  const { out, code } = await run("reseal");
  expect([code, out]).toEqual([0, expect.stringMatching(/^2 sealed anew with /)]);
  expect(out).toMatch(/file:\S+next\.json {2}seals {2}2 sealed with it/);
  expect((await run("reseal", "--drop")).code).toBe(0);
  expect(await readdir(directory)).not.toContain("sealing-key.json");
  vi.stubEnv("LANYARD_KEYS", `file:${next}`);
  expect((await run("rotate")).code).toBe(0);
});
