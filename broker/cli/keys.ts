/**
 * `lanyard keys`: the keys that sign tokens and checkpoints, listed and rotated. Works on the database directly, also
 * while brokers run: they notice by themselves, and nothing that was signed before is refused.
 */
import { Command, Option } from "commander";
import { readDatabaseConfig, readKeysConfig } from "../config.ts";
import {
  PUBLISH_AHEAD_MS,
  type ScheduledKey,
  TOKEN_KEY_KEPT_MS,
  scheduleKeys,
} from "../keys/key-schedule.ts";
import { type Rotation, rotateKey } from "../keys/rotation.ts";
import { SealingKeyUnusable, findSealingKey } from "../keys/sealing-key.ts";
import { DatabaseUnusable, openDatabase } from "../storage/database.ts";
import type { KeyPurpose, Queries } from "../storage/schema.ts";
import { listSigningKeys } from "../storage/signing-keys.ts";
import { type ExitCode, type Terminal, openTerminal } from "./terminal.ts";

const PURPOSES: readonly KeyPurpose[] = ["token", "checkpoint"];

interface Options {
  readonly json?: true;
}
interface RotateOptions extends Options {
  readonly purpose: KeyPurpose | "all";
}

export function keysCommand(terminal: Terminal = openTerminal()): Command {
  const command = new Command("keys").description(
    "list and rotate the keys that sign tokens and checkpoints",
  );
  command
    .command("list")
    .description("list the keys: which are published, which sign")
    .option("--json", "print one JSON object")
    .action(async (options: Options) => {
      await withDatabase(terminal, async (database) => list(database, options, terminal));
    });
  command
    .command("rotate")
    .description("make a new key, which is published at once and signs later")
    .addOption(
      new Option("--purpose <purpose>", "what the key signs").choices([...PURPOSES, "all"]).default("all"),
    )
    .option("--json", "print one JSON object")
    .addHelpText("after", `\n${describeSchedule()}\n`)
    .action(async (options: RotateOptions) => {
      await withDatabase(terminal, async (database) => rotate(database, options, terminal));
    });
  return command;
}

function describeSchedule(): string {
  const [aheadMinutes, keptHours] = [PUBLISH_AHEAD_MS / 60_000, TOKEN_KEY_KEPT_MS / 3_600_000];
  return [
    `A new key is published for ${aheadMinutes} minutes before it signs: by then every replica and every cache has it.`,
    `A token key stays published for ${keptHours} hours after the next one began to sign, a checkpoint key for ever.`,
    "Give the database and the sealing key as to `lanyard serve`: LANYARD_DATABASE and LANYARD_KEYS.",
  ].join("\n");
}

async function withDatabase(
  terminal: Terminal,
  action: (database: Queries) => Promise<ExitCode>,
): Promise<void> {
  const read = readDatabaseConfig();
  if (!read.ok) {
    for (const { variable, message } of read.problems) terminal.writeError(`${variable}: ${message}\n`);
    return terminal.exit(2);
  }
  try {
    const database = await openDatabase(read.database);
    try {
      terminal.exit(await action(database));
    } finally {
      await database.destroy();
    }
  } catch (error) {
    const isKey = error instanceof SealingKeyUnusable;
    if (!isKey && !(error instanceof DatabaseUnusable)) throw error;
    terminal.writeError(`${isKey ? "LANYARD_KEYS" : "LANYARD_DATABASE"}: ${error.message}\n`);
    terminal.exit(1);
  }
}

async function list(database: Queries, { json }: Options, terminal: Terminal): Promise<ExitCode> {
  const now = Date.now();
  const keys: (ListedKey & { readonly purpose: KeyPurpose })[] = [];
  for (const purpose of PURPOSES) {
    const schedule = scheduleKeys(purpose, await listSigningKeys(database, purpose), now);
    keys.push(...schedule.map((key) => ({ purpose, ...describeKey(key) })));
  }
  if (json) {
    writeJson({ ok: true, keys }, terminal);
    return 0;
  }
  if (keys.length === 0)
    terminal.write("There are no keys yet: `lanyard serve` makes them at its first start.\n");
  for (const { purpose, kid, phase, signs_from, signs_until, published_until } of keys) {
    const signs = signs_until === null ? `signs from ${signs_from}` : `signs ${signs_from} to ${signs_until}`;
    const published = published_until === null ? "" : `, published until ${published_until}`;
    terminal.write(`${purpose.padEnd(10)}  ${kid}  ${phase.padEnd(9)}  ${signs}${published}\n`);
  }
  return 0;
}

async function rotate(
  database: Queries,
  { purpose: asked, json }: RotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const keys = readKeysConfig();
  if (!keys.ok) {
    for (const { variable, message } of keys.problems) terminal.writeError(`${variable}: ${message}\n`);
    return 2;
  }
  const sealingKey = await findSealingKey(keys.keys);
  const rotations: { readonly purpose: KeyPurpose; readonly rotation: Rotation }[] = [];
  for (const purpose of PURPOSES.filter((each) => asked === "all" || asked === each)) {
    rotations.push({
      purpose,
      rotation: await rotateKey(purpose, { database, sealingKey, now: Date.now() }),
    });
  }
  const ok = rotations.every(({ rotation }) => rotation.ok);
  if (json) {
    writeJson({ ok, rotations: rotations.map(describeRotation) }, terminal);
  } else {
    for (const { purpose, rotation } of rotations) {
      const sentence = `${purpose}: ${tellRotation(rotation)}\n`;
      if (rotation.ok) terminal.write(sentence);
      else terminal.writeError(sentence);
    }
  }
  return ok ? 0 : 1;
}

function tellRotation(rotation: Rotation): string {
  if (rotation.ok) {
    const { key, previous } = rotation;
    const until =
      previous.publishedUntil === undefined ? "for ever" : `until ${timestampOf(previous.publishedUntil)}`;
    return `${key.kid} is published and signs from ${timestampOf(key.signsFrom)}; ${previous.kid} stays published ${until}.`;
  }
  switch (rotation.code) {
    case "none":
      return "there is no key to rotate: `lanyard serve` makes the first at its first start.";
    case "pending":
      return `nothing was changed: ${rotation.key.kid} is new already and signs from ${timestampOf(rotation.key.signsFrom)}.`;
  }
}

function describeRotation({ purpose, rotation }: { purpose: KeyPurpose; rotation: Rotation }): unknown {
  if (rotation.ok) {
    const { key, previous } = rotation;
    return { purpose, ok: true, key: describeKey(key), previous: describeKey(previous) };
  }
  const { code } = rotation;
  return { purpose, ok: false, code, ...(code === "pending" ? { key: describeKey(rotation.key) } : {}) };
}

interface ListedKey {
  readonly kid: string;
  readonly phase: ScheduledKey["phase"];
  readonly signs_from: string;
  readonly signs_until: string | null;
  /** Null: for ever, or until there is a successor. */
  readonly published_until: string | null;
}

function describeKey({ kid, phase, signsFrom, signsUntil, publishedUntil }: ScheduledKey): ListedKey {
  return {
    kid,
    phase,
    signs_from: timestampOf(signsFrom),
    signs_until: signsUntil === undefined ? null : timestampOf(signsUntil),
    published_until: publishedUntil === undefined ? null : timestampOf(publishedUntil),
  };
}

const timestampOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

function writeJson(value: unknown, terminal: Terminal): void {
  terminal.write(`${JSON.stringify(value)}\n`);
}
