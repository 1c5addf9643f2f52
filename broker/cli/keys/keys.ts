/**
 * `lanyard keys`: the keys that sign tokens and checkpoints, listed, rotated and, in an emergency, distrusted. Works on
 * the database directly, also while brokers run: they notice by themselves. A rotation refuses nothing that was signed
 * before. `lanyard keys reseal` changes the key that seals.
 */
import { Command, Option } from "commander";
import { PUBLISH_AHEAD_MS, TOKEN_KEY_KEPT_MS, scheduleKeys } from "../../keys/key-schedule.ts";
import { distrustKey } from "../../keys/distrust.ts";
import { type Rotation, rotateKey } from "../../keys/rotation.ts";
import type { KeyPurpose, Queries } from "../../storage/schema.ts";
import { findKeyPurpose, listSigningKeys } from "../../storage/keys/signing-keys.ts";
import { withDatabase } from "../database.ts";
import {
  type ListedKey,
  describeDistrust,
  describeKey,
  describeRotation,
  tellDistrust,
  tellRotation,
  warnOfDistrust,
} from "./key-text.ts";
import { keysResealCommand } from "./reseal.ts";
import { openStoredKey } from "./sealing-key.ts";
import { type ExitCode, type Terminal, openTerminal } from "../terminal.ts";

const PURPOSES: readonly KeyPurpose[] = ["token", "checkpoint"];

interface Options {
  readonly json?: true;
}
interface RotateOptions extends Options {
  readonly purpose: KeyPurpose | "all";
}
interface DistrustOptions extends Options {
  readonly yes?: true;
}

export function keysCommand(terminal: Terminal = openTerminal()): Command {
  const command = new Command("keys").description(
    "list, rotate and distrust the keys that sign tokens and checkpoints, and change the one that seals",
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
  command
    .command("distrust")
    .description("stop trusting a key that somebody else may have; another one signs at once")
    .argument("<kid>", "as in the list; after -- where it begins with a dash")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON object")
    .action(async (kid: string, options: DistrustOptions) => {
      await withDatabase(terminal, async (database) => distrust(database, { kid, ...options }, terminal));
    });
  command.addCommand(keysResealCommand(terminal));
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
  for (const { purpose, kid, phase, ...times } of keys) {
    terminal.write(`${purpose.padEnd(10)}  ${kid}  ${phase.padEnd(10)}  ${tellTimes(times)}\n`);
  }
  return 0;
}

async function rotate(
  database: Queries,
  { purpose: asked, json }: RotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const sealingKey = await openStoredKey(database, terminal);
  if (sealingKey === undefined) return 2;
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

async function distrust(
  database: Queries,
  { kid, yes, json }: DistrustOptions & { kid: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const sealingKey = await openStoredKey(database, terminal);
  if (sealingKey === undefined) return 2;
  const purpose = await findKeyPurpose(database, kid);
  if (purpose !== undefined && yes === undefined) {
    const answer = await terminal.confirm(warnOfDistrust({ kid, purpose }));
    if (answer !== true) {
      const message = answer === false ? "Nothing was changed." : "Nobody can be asked here: give --yes.";
      if (json) writeJson({ ok: false, code: "not_confirmed", message }, terminal);
      else terminal.writeError(`${message}\n`);
      return answer === false ? 1 : 2;
    }
  }
  const distrusted = await distrustKey(kid, { database, sealingKey, now: Date.now() });
  if (json) writeJson(describeDistrust(distrusted), terminal);
  else if (distrusted.ok) terminal.write(`${tellDistrust(distrusted, kid)}\n`);
  else terminal.writeError(`${tellDistrust(distrusted, kid)}\n`);
  return distrusted.ok ? 0 : 1;
}

function tellTimes(times: Omit<ListedKey, "kid" | "phase">): string {
  const { signs_from, signs_until, published_until, distrusted_at } = times;
  if (distrusted_at !== null) return `distrusted since ${distrusted_at}`;
  const signs = signs_until === null ? `signs from ${signs_from}` : `signs ${signs_from} to ${signs_until}`;
  return published_until === null ? signs : `${signs}, published until ${published_until}`;
}

function writeJson(value: unknown, terminal: Terminal): void {
  terminal.write(`${JSON.stringify(value)}\n`);
}
