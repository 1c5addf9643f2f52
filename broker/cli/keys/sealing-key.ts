/** The sealing key as a command uses it: the one that the brokers of this database have. */
import { readKeysConfig } from "../../config.ts";
import { findKeySource } from "../../keys/configured-keys.ts";
import type { KeySource } from "../../keys/key-source.ts";
import { type SealingKey, openSealingKey } from "../../keys/sealing-key.ts";
import type { Queries } from "../../storage/schema.ts";
import type { Terminal } from "../terminal.ts";

/** Undefined: it was said what is wrong with the configuration. Throws `SealingKeyUnusable`. */
export async function openStoredSource(
  database: Queries,
  terminal: Terminal,
): Promise<KeySource | undefined> {
  const read = readKeysConfig();
  if (read.ok) return findKeySource(read.keys, { database, now: Date.now });
  for (const { variable, message } of read.problems) terminal.writeError(`${variable}: ${message}\n`);
  return undefined;
}

/** The same, opened. */
export async function openStoredKey(database: Queries, terminal: Terminal): Promise<SealingKey | undefined> {
  const source = await openStoredSource(database, terminal);
  return source && openSealingKey(source, Date.now);
}
