/** The database: prepared once, durable, shared with other processes, and one transaction at a time. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../../broker/storage/database.ts";
import { spendToken } from "../../../broker/storage/spent.ts";

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-database-"));
  path = join(directory, "new", "broker.sqlite");
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const token = (jti: string) => ({ iss: "https://issuer.example", jti, expiresAt: 1 });

test("opened twice by two processes' worth of connections, each token is spent once", async () => {
  const [one, two] = [
    await openDatabase({ kind: "sqlite", path }),
    await openDatabase({ kind: "sqlite", path }),
  ];
  const spent = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => spendToken(index % 2 === 0 ? one : two, token("same"))),
  );
  expect(spent.filter(Boolean)).toHaveLength(1);
  // The same jti from another issuer does not burn.
  expect(await spendToken(one, { ...token("same"), iss: "https://other.example" })).toBe(true);
  await one.destroy();
  await two.destroy();
});

test("a commit waits for its log on the disk, and readers do not wait for writers", async () => {
  const database = await openDatabase({ kind: "sqlite", path });
  await database.destroy();
  const connection = new DatabaseSync(path);
  expect(connection.prepare("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
  connection.close();
});

test("a transaction that fails leaves nothing, and the next one is not disturbed", async () => {
  const database = await openDatabase({ kind: "sqlite", path });
  const failing = database.transaction().execute(async (db) => {
    await spendToken(db, token("a"));
    throw new Error("no");
  });
  const other = database.transaction().execute(async (db) => spendToken(db, token("b")));
  await expect(failing).rejects.toThrow("no");
  expect(await other).toBe(true);
  expect(await spendToken(database, token("a"))).toBe(true);
  expect(await spendToken(database, token("b"))).toBe(false);
  await database.destroy();
});

test("kill -9 in the middle of writing: what was answered is there, the file opens", async () => {
  const program = join(directory, "writer.ts");
  const source = join(import.meta.dirname, "..", "..", "..", "broker", "storage");
  await writeFile(
    program,
    `import { openDatabase } from ${JSON.stringify(join(source, "database.ts"))};
     import { spendToken } from ${JSON.stringify(join(source, "spent.ts"))};
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
  const database = await openDatabase({ kind: "sqlite", path });
  for (let n = 0; n < answered; n += 1) {
    expect(await spendToken(database, { iss: "i", jti: String(n), expiresAt: 1 })).toBe(false);
  }
  await database.destroy();
});

test("a database that a newer Lanyard has changed is refused and left as it is", async () => {
  const database = await openDatabase({ kind: "sqlite", path });
  await database.destroy();
  const connection = new DatabaseSync(path);
  connection.exec("insert into kysely_migration (name, timestamp) values ('9999-future', '2030-01-01')");
  connection.close();
  await expect(openDatabase({ kind: "sqlite", path })).rejects.toMatchObject({ code: "database_unusable" });
  await expect(openDatabase({ kind: "sqlite", path })).rejects.toThrow("9999-future");
});
