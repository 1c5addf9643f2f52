/**
 * The thread that holds the SQLite file: one request at a time, one answer each, the first after it was opened.
 * A commit waits here for its disk, and the broker's own thread verifies and signs in the meantime.
 */
import { parentPort } from "node:worker_threads";
import { SqliteFile } from "./sqlite-file.ts";
import type { Group } from "../ledger/group.ts";
import type {
  SqliteAnswer,
  SqliteDecisions,
  SqliteFailure,
  SqliteRequest,
  SqliteSettings,
} from "./sqlite-messages.ts";
import { DatabaseUnavailable } from "../unavailable.ts";

/** Primary result codes that only a wrong statement of ours brings about: constraint, mismatch, misuse, range. */
const BUGS = [19, 20, 21, 25];

if (parentPort === null) throw new Error("this file is run as a worker thread");
const port = parentPort;

port.once("message", (settings: SqliteSettings) => {
  try {
    const file = new SqliteFile(settings);
    port.on("message", (request: SqliteRequest) => {
      void answer(file, request).then((reply) => {
        port.postMessage(reply);
        if (request.kind === "close") port.close();
      });
    });
    port.postMessage({ ok: true, rows: [], changes: undefined } satisfies SqliteAnswer);
  } catch (error) {
    port.postMessage(describe(error));
    port.close();
  }
});

async function answer(
  file: SqliteFile,
  request: SqliteRequest,
): Promise<SqliteAnswer | SqliteDecisions | SqliteFailure> {
  try {
    if (request.kind === "statement") return file.run(request.sql, request.parameters, request);
    if (request.kind === "group") return { ok: true, decisions: await decideIn(file, request.group) };
    file[request.kind]();
    return { ok: true, rows: [], changes: undefined };
  } catch (error) {
    return describe(error);
  }
}

/** Only for a broker: a command line that reads starts without it. */
const loadDeciding = async () => Promise.all([import("../ledger/group.ts"), import("./sqlite-runner.ts")]);
let deciding: ReturnType<typeof loadDeciding> | undefined;

async function decideIn(file: SqliteFile, text: string): Promise<string> {
  // What the broker's thread wrote, which is of the same program.
  const group = JSON.parse(text) as Group;
  const [{ decideGroup }, { runnerOn }] = await (deciding ??= loadDeciding());
  file.begin();
  try {
    const decisions = await decideGroup(runnerOn(file), group);
    file.commit();
    return JSON.stringify(decisions);
  } catch (error) {
    file.rollback();
    throw error;
  }
}

function describe(error: unknown): SqliteFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && "errcode" in error && typeof error.errcode === "number") {
    return { ok: false, message, unavailable: !BUGS.includes(error.errcode & 0xff) };
  }
  return { ok: false, message, unavailable: error instanceof DatabaseUnavailable };
}
