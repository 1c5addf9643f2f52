import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sessionPrefix } from "../../../audit/object-path.ts";
import { auditVerifyCommand } from "../../../broker/cli/audit-verify.ts";
import {
  brokerKeys,
  callOf,
  genesisOf,
  makeKey,
  type Objects,
  SessionWriter,
  sealOf,
  storeRecovered,
  storeSealed,
  storeUnsealed,
  workload,
} from "../../audit/stored-session.ts";

let root = "";
let keysFile = "";

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lanyard-audit-verify-"));
  keysFile = join(root, "keys.json");
  await writeFile(keysFile, JSON.stringify(brokerKeys));
});

afterAll(async () => {
  await rm(root, { recursive: true });
});

let bucket = "";
beforeEach(async () => {
  bucket = await mkdtemp(join(root, "bucket-"));
});

function prefixOf(session: string): string {
  const { repository_id: repositoryId, run_id: runId, run_attempt: runAttempt } = workload;
  return sessionPrefix({ repositoryId, date: "2026-11-22", robot: "triager", runId, runAttempt, session });
}

async function store(session: string, objects: Objects): Promise<string> {
  const folder = join(bucket, prefixOf(session)).slice(0, -1);
  for (const [object, body] of objects) {
    await mkdir(dirname(join(folder, object)), { recursive: true });
    await writeFile(join(folder, object), body);
  }
  return folder;
}

interface Ran {
  out: string;
  err: string;
  code: number | undefined;
}

async function run(...args: string[]): Promise<Ran> {
  const ran: Ran = { out: "", err: "", code: undefined };
  const command = auditVerifyCommand({
    write: (text) => {
      ran.out += text;
    },
    writeError: (text) => {
      ran.err += text;
    },
    confirm: async () => undefined,
    exit: (code) => {
      ran.code = code;
    },
  });
  await command.parseAsync(args, { from: "user" });
  return ran;
}

describe("lanyard audit verify", () => {
  test("tells every complete session below a folder in one line and exits with 0", async () => {
    await store("s-1", (await storeSealed("s-1")).objects);
    await store("s-2", (await storeSealed("s-2")).objects);
    const { out, err, code } = await run(bucket, "--keys", keysFile);
    const line =
      "complete    acme/payments/triager  run 123456 attempt 1  20 records  calls 6 allowed 3 denied  witnessed to 19";
    expect(out).toBe(`${line}\n${line}\n2 sessions: 2 complete\n`);
    expect({ err, code }).toEqual({ err: "", code: 0 });
  });

  test("names what calls were sent with, by which of the two logs, and hides nothing in a name", async () => {
    const writer = new SessionWriter("s-1");
    const credential = { id: "notes", digest: "1".repeat(64), expires_at: "2026-11-22T12:00:01.000Z" };
    const calls = [
      callOf("one", { credential }),
      callOf("two", { credential: { id: "key\u202e\u001b[2J", digest: "2".repeat(64) } }),
      callOf("three", { credential }),
    ];
    await writer.store([genesisOf("s-1"), ...calls, sealOf(calls)]);
    await writer.writeManifest("sealed");
    const folder = await store("s-1", writer.objects);
    const { out, code } = await run(bucket, "--keys", keysFile);
    expect(code).toBe(0);
    expect(out.split("\n").slice(1, -1)).toEqual([
      `  in ${folder}`,
      "  ! runner/000001.jsonl.zst record 3: the call three names the credential notes, which had run out [credential_expired]",
      `  credential notes ${"1".repeat(64)}, by the runner to github: 2 calls from 2026-11-22T12:00:00.500Z to 2026-11-22T12:00:01.000Z, expires 2026-11-22T12:00:01.000Z, 1 of the calls after that`,
      `  credential key⟨RLO⟩⟨ESC⟩[2J ${"2".repeat(64)}, by the runner to github: 1 call at 2026-11-22T12:00:00.750Z, no end known`,
      "1 session: 1 complete",
    ]);
    const [session] = JSON.parse((await run(bucket, "--keys", keysFile, "--json")).out).sessions;
    expect(session.records_of_other_credentials).toBe(0);
    expect(session.credentials[0]).toEqual({
      ...{ id: "notes", digest: "1".repeat(64), expires_at: "2026-11-22T12:00:01.000Z", stream: "runner" },
      servers: ["github"],
      first_at: "2026-11-22T12:00:00.500Z",
      last_at: "2026-11-22T12:00:01.000Z",
      ...{ calls: 2, calls_after_end: 1 },
    });
  });

  test("tells what a key signed after it was distrusted, and exits with 1", async () => {
    await store("s-1", (await storeSealed("s-1")).objects);
    const revoked = { revoked_at: Date.parse("2026-11-22T12:10:00Z") / 1000, reason: "compromised" };
    const file = join(bucket, "distrusted.json");
    await writeFile(file, JSON.stringify({ keys: brokerKeys.keys.map((key) => ({ ...key, revoked })) }));
    const { out, code } = await run(bucket, "--keys", file);
    expect(code).toBe(1);
    expect(out).toContain("✗ manifest.json: it says that it was signed when the key checkpoint-1");
    expect(out).toContain("[key_distrusted]");
  });

  test("finds the session at, above and away from its place in the bucket", async () => {
    const { objects } = await storeSealed("s-1");
    const folder = await store("s-1", objects);
    for (const path of [bucket, join(bucket, "audit"), dirname(folder), folder, `${folder}/`]) {
      expect((await run(path, "--keys", keysFile)).code).toBe(0);
    }
    const copy = join(bucket, "copy");
    await mkdir(join(copy, "runner"), { recursive: true });
    for (const [object, body] of objects) {
      await writeFile(join(copy, object), body);
    }
    expect((await run(copy, "--keys", keysFile)).out).toContain("1 session: 1 complete");
  });

  test("names the place and the record of each problem, and exits with 1", async () => {
    await store("s-1", (await storeSealed("s-1")).objects);
    const broken = await storeSealed("s-2");
    const object = broken.objects.get("runner/000002.jsonl.zst") ?? Buffer.alloc(0);
    object[object.length - 6] = (object[object.length - 6] ?? 0) ^ 1;
    const folder = await store("s-2", broken.objects);
    await store("s-3", (await storeUnsealed("s-3")).objects);
    await store("s-4", (await storeRecovered("s-4")).objects);
    const { out, code } = await run(bucket, "--keys", keysFile);
    expect(code).toBe(1);
    expect(out).toContain(`\n  in ${folder}\n  ✗ runner/000002.jsonl.zst`);
    expect(out).toMatch(
      /incomplete {2}acme\/payments\/triager .* witnessed to 13\n.*session=s-3\n {2}! manifest\.json: .*\[manifest_missing\]\n/,
    );
    expect(out).toMatch(
      /recovered {3}acme\/payments\/triager .* 10 records \+ 2 recovered .*witnessed to 9\n/,
    );
    expect(out).toContain("4 sessions: 1 complete, 1 broken, 1 incomplete, 1 recovered\n");
  });

  test("prints one JSON object that a script can use", async () => {
    await store("s-1", (await storeSealed("s-1")).objects);
    const folder = await store("s-3", (await storeUnsealed("s-3")).objects);
    const { out, code } = await run(bucket, "--keys", keysFile, "--json");
    expect(code).toBe(1);
    const answer = JSON.parse(out);
    expect(answer).toMatchObject({ ok: false, counts: { complete: 1, incomplete: 1 } });
    expect(answer.sessions[1]).toMatchObject({
      path: folder,
      status: "incomplete",
      session: "s-3",
      robot: "acme/payments/triager",
      workload,
      records: 20,
      recovered_records: 0,
      totals: { calls: 9, allowed: 6, denied: 3, failed: 1 },
      checkpoints: 2,
      witnessed_seq: 13,
      findings: [],
      problems: [{ part: "manifest.json", code: "manifest_missing", breaks: false }],
    });
  });

  test("tells what the broker found during the run", async () => {
    const writer = new SessionWriter("s-1");
    await writer.store([genesisOf("s-1"), sealOf([])]);
    const finding = {
      kind: "takeover_attempt",
      time: "2026-11-22T12:00:00.000Z",
      detail: "another key",
    } as const;
    await writer.writeManifest("sealed", { findings: [finding] });
    await store("s-1", writer.objects);
    const { out, code } = await run(bucket, "--keys", keysFile);
    expect(out).toContain("! 2026-11-22T12:00:00.000Z another key [takeover_attempt]");
    expect(code).toBe(0);
  });

  test("a session moved to another place in the bucket is told", async () => {
    await store("s-2", (await storeSealed("s-1")).objects);
    const { out, code } = await run(bucket, "--keys", keysFile);
    expect(out).toContain("it lies under session=s-2, the log is of session=s-1 [location_mismatch]");
    expect(code).toBe(1);
  });

  test("a log cannot write to the terminal", async () => {
    const writer = new SessionWriter("s-1");
    await writer.store([genesisOf("s-1", { robot: "a/b/\u001b[2J\u202ex" }), sealOf([])]);
    await store("s-1", writer.objects);
    const { out } = await run(bucket, "--keys", keysFile);
    expect(out).not.toMatch(/[\u001b\u202e]/);
    expect(out).toContain("ESC");
  });

  test("an object that cannot be read is told, and the other sessions are verified", async () => {
    const folder = await store("s-1", (await storeSealed("s-1")).objects);
    await store("s-2", (await storeSealed("s-2")).objects);
    await rm(join(folder, "manifest.json"));
    await symlink(join(folder, "nowhere"), join(folder, "manifest.json"));
    const { out, code } = await run(bucket, "--keys", keysFile);
    expect(out).toMatch(/^unreadable {2}/);
    expect(out).toContain("2 sessions: 1 unreadable, 1 complete");
    expect(code).toBe(1);
  });

  test("a link that leads elsewhere is not followed", async () => {
    const folder = await store("s-1", (await storeSealed("s-1")).objects);
    await symlink(bucket, join(folder, "..", "loop"));
    expect((await run(bucket, "--keys", keysFile)).out).toContain("1 session: 1 complete");
  });
});

describe("what it is called with", () => {
  test("a folder that is none, or that holds no session, exits with 2", async () => {
    for (const path of [join(bucket, "nowhere"), keysFile, bucket]) {
      const { out, err, code } = await run(path, "--keys", keysFile);
      expect({ out, code }).toEqual({ out: "", code: 2 });
      expect(err).toContain(path);
    }
    const { out, code } = await run(bucket, "--keys", keysFile, "--json");
    expect(JSON.parse(out)).toMatchObject({ ok: false, code: "path_empty" });
    expect(code).toBe(2);
  });

  test("keys that are none exit with 2", async () => {
    await store("s-1", (await storeSealed("s-1")).objects);
    const file = join(bucket, "wrong.json");
    for (const text of [
      "",
      "[]",
      "{}",
      '{"keys":[]}',
      '{"keys":[{"kty":"EC","kid":"a"}]}',
      '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AA"}]}',
    ]) {
      await writeFile(file, text);
      const { err, code } = await run(bucket, "--keys", file);
      expect({ text, code }).toEqual({ text, code: 2 });
      expect(err).toContain(`The keys of ${file} cannot be used`);
    }
    expect((await run(bucket, "--keys", join(bucket, "none.json"))).code).toBe(2);
  });

  test("keys of another broker verify nothing", async () => {
    await store("s-1", (await storeSealed("s-1")).objects);
    const other = join(bucket, "other.json");
    await writeFile(other, JSON.stringify((await makeKey("checkpoint-9")).keys));
    const { out, code } = await run(bucket, "--keys", other);
    expect(out).toContain("which is not among the given keys [key_unknown]");
    expect(code).toBe(1);
  });

  test("keys come from an address as well, but not from where it redirects to", async () => {
    await store("s-1", (await storeSealed("s-1")).objects);
    const server = createServer((request, response) => {
      if (request.url === "/moved") {
        response.writeHead(302, { location: "/keys" }).end();
      } else {
        response.writeHead(request.url === "/keys" ? 200 : 404, { "content-type": "application/json" });
        response.end(JSON.stringify(brokerKeys));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      expect((await run(bucket, "--keys", `http://127.0.0.1:${port}/keys`)).code).toBe(0);
      expect((await run(bucket, "--keys", `http://127.0.0.1:${port}/moved`)).code).toBe(2);
      expect((await run(bucket, "--keys", `http://127.0.0.1:${port}/none`)).code).toBe(2);
    } finally {
      server.close();
    }
    expect((await run(bucket, "--keys", `http://127.0.0.1:${port}/keys`)).code).toBe(2);
  });
});
