/**
 * `lanyard keys reseal`: another sealing key takes the place of the one there is, while brokers run: it is made and
 * waits until every broker has it, then everything is sealed anew with it, then the one before is dropped.
 */
import { Command, Option } from "commander";
import { KEY_REFRESH_MS } from "../../keys/key-schedule.ts";
import type { KeySource } from "../../keys/key-source.ts";
import { type KeyUse, listKeyUse, resealAll } from "../../keys/resealing.ts";
import { type SealingKey, openSealingKey } from "../../keys/sealing-key.ts";
import type { Queries } from "../../storage/schema.ts";
import { withDatabase } from "../database.ts";
import { periodOption } from "../period.ts";
import { openStoredSource } from "./sealing-key.ts";
import type { ExitCode, Terminal } from "../terminal.ts";

interface Options {
  readonly new?: true;
  readonly ahead: number;
  readonly drop?: true;
  readonly json?: true;
}

interface Outcome {
  readonly ok: boolean;
  readonly message: string;
  readonly resealed?: number;
}

export function keysResealCommand(terminal: Terminal): Command {
  return (
    new Command("reseal")
      .description("seal everything that is stored with another sealing key, while brokers run")
      .addOption(
        new Option("--new", "make another sealing key; it seals later, and opens at once").conflicts("drop"),
      )
      // Brokers read their keys anew twice a minute.
      .addOption(periodOption("--ahead <time>", "how long before it seals: 10m, 2h", "10m"))
      .option("--drop", "drop every former key that nothing is sealed with any more")
      .option("--json", "print one JSON object")
      .addHelpText(
        "after",
        "\nThree steps. Between the first and the second, give every broker the file, where it is one:" +
          "\n\n  lanyard keys reseal --new" +
          "\n  lanyard keys reseal" +
          "\n  lanyard keys reseal --drop" +
          "\n\nWhere LANYARD_KEYS names two places, the next key is made in the first: so keys move from a file to AWS KMS, or back." +
          "\nBrokers read their keys anew twice a minute, and whenever they meet one that they do not know." +
          "\nA former key is kept as long as a running session needs it. People log in again once theirs is dropped." +
          "\n\nExit code: 0 when it is done; 1 when it is too early, or something is still in use; 2 when it was called wrongly.",
      )
      .action(async (options: Options) => {
        await withDatabase(terminal, async (database) => reseal(database, options, terminal));
      })
  );
}

async function reseal(database: Queries, options: Options, terminal: Terminal): Promise<ExitCode> {
  const source = await openStoredSource(database, terminal);
  if (source === undefined) return 2;
  const sealingKey = await openSealingKey(source, Date.now);
  const parts = { database, source, sealingKey };
  const outcome = options.new
    ? await addKey(parts, options.ahead)
    : options.drop
      ? await dropKeys(parts)
      : await resealStored(parts);
  const keys = await listKeyUse(database, source, { sealingKey, now: Date.now() });
  if (options.json) {
    terminal.write(`${JSON.stringify({ ...outcome, keys: keys.map(describeUse) })}\n`);
  } else {
    if (outcome.ok) terminal.write(`${outcome.message}\n`);
    else terminal.writeError(`${outcome.message}\n`);
    for (const key of keys) terminal.write(`${tellUse(key)}\n`);
  }
  return outcome.ok ? 0 : 1;
}

interface Parts {
  readonly database: Queries;
  readonly source: KeySource;
  readonly sealingKey: SealingKey;
}

async function addKey({ source, sealingKey }: Parts, aheadMs: number): Promise<Outcome> {
  const waiting = (await source.read()).find(({ sealsFrom }) => sealsFrom > Date.now());
  if (waiting !== undefined) {
    const message = `Nothing was changed: ${waiting.kid} is new already and seals from ${timestampOf(waiting.sealsFrom)}.`;
    return { ok: false, message };
  }
  const added = await source.add(Date.now() + aheadMs);
  await sealingKey.refresh();
  const message = `${added.kid} is made and seals from ${timestampOf(added.sealsFrom)}: until then, give it to every broker. Then run \`lanyard keys reseal\`.`;
  return { ok: true, message };
}

async function resealStored({ database, source, sealingKey }: Parts): Promise<Outcome> {
  const waiting = (await source.read()).find(({ sealsFrom }) => sealsFrom > Date.now());
  if (waiting !== undefined) {
    const message = `It is too early: ${waiting.kid} seals from ${timestampOf(waiting.sealsFrom)}.`;
    return { ok: false, message };
  }
  const sealing = (await source.read()).find(({ kid }) => kid === sealingKey.kid);
  const [first] = source.places;
  if (sealing !== undefined && sealing.place !== first) {
    const message = `Nothing was changed: ${sealing.kid} seals still, of ${sealing.place}. Run \`lanyard keys reseal --new\`: the next one is made in ${first}.`;
    return { ok: false, message };
  }
  const resealed = await resealAll(database, sealingKey);
  return { ok: true, resealed, message: `${resealed} sealed anew with ${sealingKey.kid}.` };
}

async function dropKeys({ database, source, sealingKey }: Parts): Promise<Outcome> {
  const keys = await listKeyUse(database, source, { sealingKey, now: Date.now() });
  const current = keys.find(({ seals }) => seals);
  const settledAt = (current?.sealsFrom ?? 0) + 2 * KEY_REFRESH_MS;
  if (settledAt > Date.now()) {
    // A broker that has not read its keys since may still seal with the one before.
    return { ok: false, message: `It is too early: wait until ${timestampOf(settledAt)}.` };
  }
  const former = keys.filter(({ seals, sealsFrom }) => !seals && sealsFrom <= Date.now());
  const [used, unused] = [former.filter(isUsed), former.filter((key) => !isUsed(key))];
  for (const { kid } of unused) await source.drop(kid);
  await sealingKey.refresh();
  const dropped = unused.length === 0 ? "Nothing was dropped." : `Dropped ${namesOf(unused)}.`;
  return used.length === 0
    ? { ok: true, message: dropped }
    : {
        ok: false,
        message: `${dropped} Still in use: ${namesOf(used)}. Run \`lanyard keys reseal\`, or wait.`,
      };
}

const isUsed = ({ sealed, sessions }: KeyUse): boolean => sealed > 0 || sessions > 0;
const namesOf = (keys: readonly KeyUse[]): string => keys.map(({ kid }) => kid).join(", ");
const timestampOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

function describeUse({ kid, place, seals, sealsFrom, sealed, sessions }: KeyUse): object {
  return { kid, place, seals, seals_from: sealsFrom === 0 ? null : timestampOf(sealsFrom), sealed, sessions };
}

function tellUse({ kid, place, seals, sealsFrom, sealed, sessions }: KeyUse): string {
  const state = seals ? "seals" : sealsFrom > Date.now() ? `seals from ${timestampOf(sealsFrom)}` : "former";
  return `${kid}  ${place}  ${state}  ${sealed} sealed with it, needed by ${sessions} running sessions`;
}
