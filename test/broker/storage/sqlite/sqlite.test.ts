/** What only a file can do: be shared with other processes, survive a kill, vanish, be locked. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkDatabase, openDatabase } from "../../../../broker/storage/database.ts";
import type { Queries } from "../../../../broker/storage/schema.ts";
import { spendToken } from "../../../../broker/storage/ledger/spent.ts";

let directory: string;
let path: string;
let database: Queries;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-database-"));
  path = join(directory, "new", "broker.sqlite");
  database = await openDatabase({ kind: "sqlite", path });
});
afterEach(async () => {
  await database.destroy();
  await rm(directory, { recursive: true, force: true });
});

const token = (jti: string) => ({ iss: "https://issuer.example", jti, expiresAt: 1 });
const unavailable = { code: "database_unavailable" };

test("readers do not wait for writers", async () => {
  const connection = new DatabaseSync(path);
  expect(connection.prepare("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
  connection.close();
});

test("kill -9 in the middle of writing: what was answered is there, the file opens", async () => {
  const program = join(directory, "writer.ts");
  const source = join(import.meta.dirname, "../../../../broker/storage");
  await writeFile(
    program,
    `import { openDatabase } from ${JSON.stringify(join(source, "database.ts"))};
     import { spendToken } from ${JSON.stringify(join(source, "ledger/spent.ts"))};
     const db = await openDatabase({ kind: "sqlite", path: ${JSON.stringify(path)} });
     for (let n = 0; ; n += 1) {
       await db.transaction().execute(async (trx) => await spendToken(trx, { iss: "i", jti: String(n), expiresAt: 1 }));
       process.stdout.write(n + "\\n");
     }`,
  );
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.split("\n").length > 200) break;
  }
  child.kill("SIGKILL");
  await once(child, "exit");
  const answered = output.split("\n").slice(0, -1).length;
  expect(answered).toBeGreaterThanOrEqual(200);
  for (let n = 0; n < answered; n += 1) {
    expect(await spendToken(database, { iss: "i", jti: String(n), expiresAt: 1 })).toBe(false);
  }
});

test("a file that was moved away is not written to, one that is moved back is used again", async () => {
  expect(await spendToken(database, token("before"))).toBe(true);
  await rename(path, `${path}.away`);
  await expect(spendToken(database, token("meanwhile"))).rejects.toMatchObject(unavailable);
  await expect(checkDatabase(database)).rejects.toMatchObject(unavailable);
  await rename(`${path}.away`, path);
  expect(await spendToken(database, token("before"))).toBe(false);
  expect(await spendToken(database, token("meanwhile"))).toBe(true);
});

test("a file that is moved away in the middle of a transaction: nothing of it is answered as written", async () => {
  const failing = database.transaction().execute(async (db) => {
    await spendToken(db, token("lost"));
    await rename(path, `${path}.away`);
  });
  await expect(failing).rejects.toMatchObject(unavailable);
  await rename(`${path}.away`, path);
  expect(await spendToken(database, token("lost"))).toBe(true);
});

test("a file that was replaced by an older copy is used as it is from then on", async () => {
  await spendToken(database, token("old"));
  // The write-ahead log is written into the file.
  const other = new DatabaseSync(path);
  other.exec("pragma wal_checkpoint(truncate)");
  other.close();
  await copyFile(path, `${path}.copy`);
  await spendToken(database, token("new"));
  for (const suffix of ["-wal", "-shm"]) await rm(`${path}${suffix}`, { force: true });
  await rename(`${path}.copy`, path);
  expect(await spendToken(database, token("old"))).toBe(false);
  expect(await spendToken(database, token("new"))).toBe(true);
});

test("a file that another process keeps locked refuses in bounded time, and is used again afterwards", async () => {
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  await expect(spendToken(database, token("a"))).rejects.toMatchObject(unavailable);
  await expect(checkDatabase(database)).rejects.toMatchObject(unavailable);
  other.exec("rollback");
  other.close();
  expect(await spendToken(database, token("a"))).toBe(true);
});

test("a hundred callers wait for a locked file: none waits much longer than the first few", async () => {
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  const since = performance.now();
  const answers = await Promise.allSettled(
    Array.from({ length: 100 }, async (_, index) => spendToken(database, token(String(index)))),
  );
  expect(performance.now() - since).toBeLessThan(12_000);
  expect(answers.every((answer) => answer.status === "rejected")).toBe(true);
  other.exec("rollback");
  other.close();
  expect(await spendToken(database, token("a"))).toBe(true);
});
