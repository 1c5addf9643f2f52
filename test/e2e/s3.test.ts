/** A whole run with its log in a real S3, which is the one that enforces write-once here. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditStore } from "../../broker/config-values.ts";
import { RunView } from "../../broker/review/view.ts";
import { findStep } from "../../dev/runner.ts";
import { connectAgent } from "../support/agents.ts";
import { type EverythingServer, startEverythingServer } from "../support/mcp-everything-server.ts";
import { S3_START_TIMEOUT_MS, type S3Server, skipsS3, startS3 } from "../support/s3.ts";
import { fetchCheckpointKeys, verifyOffline } from "../support/verification.ts";
import { startWorld, type World } from "../support/world.ts";

describe.skipIf(skipsS3)("a whole run with its log in S3", () => {
  let s3: S3Server;
  let store: Extract<AuditStore, { kind: "s3" }>;
  let everything: EverythingServer;
  let world: World;

  beforeAll(async () => {
    s3 = await startS3();
    store = await s3.createBucket({ prefix: "acme" });
    everything = await startEverythingServer();
    world = await startWorld({
      servers: `  everything: { url: "${everything.url}" }\n`,
      roles: `  agent: { grants: [{ server: everything, tools: [echo] }] }\n`,
      audit: () => store,
    });
  }, S3_START_TIMEOUT_MS);

  afterAll(async () => {
    await world.close();
    await everything.close();
    await s3.stop();
  });

  it("verifies on the page and offline, and no object of it can be put a second time", async () => {
    const result = await world.play([
      world.lanyard,
      {
        id: "agent",
        call: async ({ outputs }) => {
          const agent = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", "everything", "first");
          for (let call = 0; call < 20; call++) {
            expect(await agent.call("echo", { message: `call ${call}` })).toBe(`Echo: call ${call}`);
          }
          expect(await agent.call("get-env", {})).toContain("Unknown tool");
          await agent.close();
        },
      },
    ]);
    expect(result.conclusion, result.steps.map(({ output }) => output).join("\n")).toBe("success");

    const path = new URL(findStep(result, "lanyard").outputs["review-url"] ?? "").pathname;
    const view = RunView.parse(JSON.parse((await world.visit(`/api${path}`)).text));
    expect(view.status).toBe("complete");
    expect(view.counts).toMatchObject({ calls: 21, allowed: 20, denied: 1 });
    expect((await world.visit(path)).text).toContain("Complete");

    const { Bucket, keys } = await listObjects();
    const names = keys.map((key) => key.split("/").slice(-2).join("/"));
    expect(names).toContain("runner/000001.jsonl.zst");
    expect(names.filter((name) => name.endsWith("/manifest.json"))).toHaveLength(1);

    for (const Key of keys.filter((key) => key.includes("session="))) {
      const second = s3.client.send(new PutObjectCommand({ Bucket, Key, Body: "another", IfNoneMatch: "*" }));
      await expect(second).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
    }

    const folder = await mkdtemp(join(tmpdir(), "lanyard-download-"));
    for (const Key of keys) {
      const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key }));
      await mkdir(dirname(join(folder, Key)), { recursive: true });
      await writeFile(join(folder, Key), (await Body?.transformToByteArray()) ?? "");
    }
    const checkpointKeys = await fetchCheckpointKeys(world.broker.url, join(folder, "keys.json"));
    const verified = await verifyOffline(folder, checkpointKeys);
    expect(verified).toMatchObject({ exitCode: 0 });
    expect(verified.output).toMatch(/complete\s+acme\/payments\/triager/);
    await rm(folder, { recursive: true });
  });

  async function listObjects(): Promise<{ Bucket: string; keys: string[] }> {
    const Bucket = store.bucket;
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket, Prefix: "acme/" }));
    return { Bucket, keys: Contents.flatMap(({ Key }) => Key ?? []) };
  }
});
