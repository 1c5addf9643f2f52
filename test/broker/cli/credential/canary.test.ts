/** A secret that is planted with `lanyard credential set` is in nothing that the command writes, keeps or is started with. */
import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { robotsDocument } from "../../../support/broker.ts";
import { Canaries } from "../../../support/canary.ts";
import { compileCache } from "../../../support/compile-cache.ts";
import { createVault } from "../../../../broker/credentials/vault/vault.ts";
import { loadSealingKey } from "../../../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../../../broker/storage/database.ts";

const COMMAND = join(import.meta.dirname, "../../../../bin/lanyard.js");
/** Several commands, one after the other. */
const COMMANDS = { timeout: 90_000 };
const CANARIES = ["canary-one-5f1d0c2b9a", "canary-two-7e3a9c4d11", "canary-bad 0a1b2c3d4e"];
const canaries = new Canaries();
for (const canary of CANARIES) canaries.plant(canary, canary);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-canary-"));
  await mkdir(join(directory, "policies", "robots", "acme"), { recursive: true });
  const servers =
    'servers:\n  linear: { url: "https://linear.example/mcp", credential: linear }\ncredentials:\n  linear: { kind: bearer }\n';
  await writeFile(join(directory, "policies", "servers.yaml"), servers);
  const roles =
    "roles:\n  reader: { grants: [{ server: linear, tools: [list] }] }\n  writer: { grants: [{ server: linear, tools: [add] }] }\n";
  await writeFile(join(directory, "policies", "roles.yaml"), roles.replace("list", '"list"'));
  const robots = robotsDocument("https://issuer.example");
  await writeFile(join(directory, "policies", "robots", "acme", "payments.yaml"), robots);
  await loadSealingKey(join(directory, "sealing-key.json"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const environment = (): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  ...compileCache,
  LANYARD_DATABASE: `file:${join(directory, "broker.sqlite")}`,
  LANYARD_KEYS: `file:${join(directory, "sealing-key.json")}`,
  LANYARD_POLICIES: join(directory, "policies"),
});

/** The arguments and the environment of the process are looked at while it waits for the secret. */
async function lanyard(secret: string, ...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args], { env: environment(), cwd: directory });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stdin.write(secret);
  if (process.platform === "linux") {
    for (const name of ["cmdline", "environ"]) {
      said += (await readFile(`/proc/${child.pid}/${name}`)).toString("latin1");
    }
  } else {
    said += (await promisify(execFile)("ps", ["-p", String(child.pid), "-o", "args"])).stdout;
  }
  child.stdin.end("\n");
  return { code: await ended, said };
}

test(
  "not in outputs, errors, arguments, environments, nor any byte of the database's files",
  COMMANDS,
  async () => {
    const [one = "", two = "", bad = ""] = CANARIES;
    const outcomes = [
      await lanyard(one, "credential", "set", "linear"),
      await lanyard(two, "credential", "rotate", "linear", "--json"),
      await lanyard(bad, "credential", "rotate", "linear"),
      await lanyard(one, "credential", "set", "nothing"),
      await lanyard("", "credential", "list"),
      await lanyard("", "credential", "remove", "linear"),
    ];
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 2, 2, 0, 1]);

    // Opened, so that the write-ahead log is there, and what was planted is.
    const database = await openDatabase({ kind: "sqlite", path: join(directory, "broker.sqlite") });
    try {
      const sealingKey = await loadSealingKey(join(directory, "sealing-key.json"));
      const vault = createVault({ database, sealingKey, now: Date.now });
      const opened = await vault.open({ name: "linear", owner: "", kind: "bearer" });
      expect(opened.map(({ secret }) => Buffer.from(secret).toString())).toEqual([two, one]);
      await vault.set({ name: "linear", owner: "", kind: "bearer", secret: Buffer.from(one), by: "ann" });

      const files = await readdir(directory, { recursive: true });
      expect(files).toContain("broker.sqlite-wal");
      expect(outcomes.flatMap(({ said }, index) => canaries.findIn(`outcome ${index}`, said))).toEqual([]);
      expect(await canaries.findInFiles(directory)).toEqual([]);
    } finally {
      await database.destroy();
    }
  },
);

/** A terminal of its own: what it shows is what a person sees. */
async function typeAtPrompt(typed: string): Promise<{ code: number | null; shown: string }> {
  const command = [process.execPath, COMMAND, "credential", "set", "linear"].map((word) => `'${word}'`);
  const child = spawn("script", ["-qec", command.join(" "), "/dev/null"], {
    env: environment(),
    cwd: directory,
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const wasAsked = shown.includes("word Bearer: ");
    shown += chunk.toString();
    if (!wasAsked && shown.includes("word Bearer: ")) {
      child.stdin.write(typed);
    }
  });
  return { code: await ended, shown };
}

// `script` of other systems takes other arguments.
test.skipIf(process.platform !== "linux")(
  "what is typed at the prompt is not shown, and what was taken back is not stored",
  async () => {
    const [one = ""] = CANARIES;
    const { code, shown } = await typeAtPrompt(`${one}x\u007f\r`);
    expect([code, shown]).toEqual([0, expect.stringContaining("Stored version 1")]);
    expect(shown).not.toContain(one.slice(0, 6));
    const database = await openDatabase({ kind: "sqlite", path: join(directory, "broker.sqlite") });
    const sealingKey = await loadSealingKey(join(directory, "sealing-key.json"));
    const [opened] = await createVault({ database, sealingKey, now: Date.now }).open({
      name: "linear",
      owner: "",
      kind: "bearer",
    });
    await database.destroy();
    expect(Buffer.from(opened?.secret ?? []).toString()).toBe(one);
  },
);
