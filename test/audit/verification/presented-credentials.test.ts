/** What a log says that calls were sent with: counted, compared with its end, and bounded. */
import { expect, test } from "vitest";
import type { Entry, EntryOf } from "../../../audit/record.ts";
import type { Verdict } from "../../../audit/verification/verdict.ts";
import { callOf, genesisOf, SessionWriter, tell, verify } from "../stored-session.ts";

const minted = (digit: string, expires_at?: string): NonNullable<EntryOf<"call">["credential"]> => ({
  id: "notes",
  digest: digit.repeat(64),
  ...(expires_at !== undefined && { expires_at }),
});

/** Records are a quarter of a second apart; the genesis is of 12:00:00.250. */
async function verifyLog(entries: readonly Entry[]): Promise<Verdict> {
  const writer = new SessionWriter("s-1");
  await writer.store([genesisOf("s-1"), ...entries]);
  return verify(writer.objects);
}

test("a credential is listed with its calls, its servers, and the first and the last that name it", async () => {
  const credential = minted("1", "2026-11-22T12:59:00.000Z");
  const { credentials, credentialsLeftOut } = await verifyLog([
    callOf("one", { credential }),
    callOf("bare"),
    callOf("two", { credential, server: "gitlab" }),
    callOf("denied", { credential, decision: "deny", reason: "no_grant" }),
  ]);
  expect(credentials).toEqual([
    {
      ...{ id: "notes", digest: "1".repeat(64), expiresAt: "2026-11-22T12:59:00.000Z", stream: "runner" },
      servers: ["github", "gitlab"],
      firstAt: "2026-11-22T12:00:00.500Z",
      lastAt: "2026-11-22T12:00:01.000Z",
      ...{ calls: 2, callsAfterEnd: 0 },
    },
  ]);
  expect(credentialsLeftOut).toBe(0);
});

test("calls at and after its end are told once, at the first of them, and break nothing", async () => {
  const credential = minted("1", "2026-11-22T12:00:00.750Z");
  const verdict = await verifyLog(["one", "two", "three"].map((id) => callOf(id, { credential })));
  expect(verdict.credentials).toMatchObject([{ calls: 3, callsAfterEnd: 2 }]);
  expect(verdict.status).toBe("incomplete");
  expect(tell(verdict)).toContain("runner/000001.jsonl.zst record 2: credential_expired");
  expect(verdict.problems[0]?.message).toBe(
    "the call two names the credential notes, which had run out; so does 1 more",
  );
});

test("a renewed one that no call came after is listed with none, and one digest with two ends twice", async () => {
  const renewal = (to: string): Entry => ({
    kind: "event",
    event: "credential_renewed",
    severity: "info",
    detail: { server: "github", credential: "notes", from: "1".repeat(64), to },
  });
  const { credentials } = await verifyLog([
    callOf("one", { credential: minted("1") }),
    renewal("2".repeat(64)),
    callOf("two", { credential: minted("2", "2026-11-22T12:30:00.000Z") }),
    callOf("three", { credential: minted("2", "2026-11-22T12:31:00.000Z") }),
    renewal("3".repeat(64)),
    renewal("no digest"),
  ]);
  expect(credentials.map(({ digest, expiresAt, calls }) => [digest[0], expiresAt, calls])).toEqual([
    ["1", undefined, 1],
    ["2", "2026-11-22T12:30:00.000Z", 1],
    ["2", "2026-11-22T12:31:00.000Z", 1],
    ["3", undefined, 0],
  ]);
});

test("a log that names very many, of very long names, is bounded", async () => {
  const name = "n".repeat(5000);
  const { credentials, credentialsLeftOut } = await verifyLog(
    Array.from({ length: 130 }, (_, n) =>
      callOf(`c${n}`, {
        server: `${name}${n}`,
        credential: { id: name, digest: String(n).padStart(64, "0") },
      }),
    ),
  );
  expect(credentials).toHaveLength(100);
  expect(credentialsLeftOut).toBe(30);
  expect(JSON.stringify(credentials).length).toBeLessThan(100_000);
});
