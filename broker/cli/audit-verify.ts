/**
 * `lanyard audit verify`: verifies every session below a folder, from its files and the broker's public keys alone.
 */
import { Command } from "commander";
import type { JSONWebKeySet } from "jose";
import { verifySession } from "../../audit/verification/verification.ts";
import { loadCheckpointKeys } from "./keys/checkpoint-keys.ts";
import { findSessionFolders, type SessionFolder } from "./session/session-folders.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import {
  formatCounts,
  formatUnreadable,
  formatVerdict,
  type Status,
  summarizeVerdict,
} from "./verdict-text.ts";

const PROGRESS_EVERY = 100;

export function auditVerifyCommand(terminal: Terminal = openTerminal()): Command {
  return new Command("verify")
    .description("verify audit logs offline: every session below the folders, as they lie in a bucket")
    .argument("<path...>", "a session's folder, or any folder above: audit/v1/repository_id=…")
    .requiredOption(
      "--keys <file|url>",
      "the broker's checkpoint keys: a file, or https://BROKER/.well-known/checkpoint-keys.json",
    )
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nBelow each session stands what its calls were sent with: name, digest, by the runner or by the relay, from when\nto when, until when it was good." +
        "\n\nExit code: 0 when every log is complete, 1 when one is incomplete, recovered or broken, 2 when nothing could be verified.",
    )
    .action(async (paths: string[], options: { keys: string; json?: true }) => {
      await verifyFolders({ paths, keys: options.keys, json: options.json ?? false }, terminal);
    });
}

interface Asked {
  readonly paths: readonly string[];
  readonly keys: string;
  readonly json: boolean;
}

async function verifyFolders({ paths, keys: from, json }: Asked, terminal: Terminal): Promise<void> {
  const refuse = (code: string, message: string): void => {
    if (json) {
      terminal.write(`${JSON.stringify({ ok: false, code, message, sessions: [] })}\n`);
    } else {
      terminal.writeError(`${message}\n`);
    }
    terminal.exit(2);
  };
  const keys = await loadCheckpointKeys(from);
  if (!keys.ok) {
    refuse("keys_unusable", `The keys of ${from} cannot be used: ${keys.message}.`);
    return;
  }
  const folders = new Map<string, SessionFolder>();
  for (const path of paths) {
    const found = await findSessionFolders(path);
    if (found === undefined || found.length === 0) {
      const why = found === undefined ? "is no folder" : "holds no session: there is no audit log below it";
      refuse("path_empty", `${path} ${why}.`);
      return;
    }
    for (const folder of found) {
      folders.set(folder.path, folder);
    }
  }
  await verifyAll([...folders.values()], { keys: keys.keys, json }, terminal);
}

async function verifyAll(
  folders: readonly SessionFolder[],
  { keys, json }: { keys: JSONWebKeySet; json: boolean },
  terminal: Terminal,
): Promise<void> {
  const counts = new Map<Status, number>();
  const summaries: object[] = [];
  for (const [index, folder] of folders.entries()) {
    const { status, text, summary } = await verifyFolder(folder, keys);
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (json) {
      summaries.push(summary);
    } else {
      terminal.write(text);
    }
    if ((index + 1) % PROGRESS_EVERY === 0) {
      terminal.writeError(`${index + 1} of ${folders.length} sessions\n`);
    }
  }
  const ok = counts.get("complete") === folders.length;
  terminal.write(
    json
      ? `${JSON.stringify({ ok, counts: Object.fromEntries(counts), sessions: summaries })}\n`
      : formatCounts(counts),
  );
  terminal.exit(ok ? 0 : 1);
}

async function verifyFolder(
  { path, source }: SessionFolder,
  keys: JSONWebKeySet,
): Promise<{ status: Status; text: string; summary: object }> {
  try {
    const verdict = await verifySession(source, keys, { location: path, maxRecords: 0 });
    const summary = summarizeVerdict(path, verdict);
    return { status: verdict.status, text: formatVerdict(path, verdict), summary };
  } catch (error) {
    if (!(error instanceof Error)) {
      throw error;
    }
    const problem = { part: "", code: "unreadable", message: error.message, breaks: true };
    const summary = { path, status: "unreadable", problems: [problem] };
    return { status: "unreadable", text: formatUnreadable(path, error), summary };
  }
}
