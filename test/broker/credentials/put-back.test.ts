/** What stands in the database and does not open is a finding with a sentence, and nothing is presented. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listFailing } from "../../../broker/storage/credentials/credential-health.ts";
import { openMintingDesk } from "./minting/minting-desk.ts";

test("an earlier version put back: it is presented no more, and the credential fails with the reason", async () => {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-put-back-"));
  const desk = await openMintingDesk({ kind: "sqlite", path: join(directory, "broker.sqlite") });
  const { vault, replicas, present, world } = desk;
  const { database } = replicas[0].services;
  const set = async (text: string) =>
    vault.set({ name: "typed", owner: "", kind: "bearer", by: "ann", secret: Buffer.from(text) });
  await set("one");
  const secrets = database.selectFrom("credential_secrets").selectAll().where("name", "=", "typed");
  const before = await secrets.execute();
  await set("two");
  expect((await present("typed")).secrets).toEqual(["two"]);

  await database.deleteFrom("credential_secrets").where("name", "=", "typed").execute();
  await database.insertInto("credential_secrets").values(before).execute();
  world.advance(10_000);
  await expect(present("typed")).rejects.toThrow("somebody put it back");
  expect(await listFailing(database)).toMatchObject([
    { credential: "typed", failure_code: "refused", failure: expect.stringContaining("does not open") },
  ]);
  await desk.close();
  await rm(directory, { recursive: true, force: true });
});
