/** Credentials in the proxy's memory: replaced before they run out, known to the redactor before they are used. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { keepCredentials } from "../../../action/guard/kept-credentials.ts";
import type { SessionClient } from "../../../action/wire/broker-client.ts";
import { createRedactor } from "../../../audit/redaction/redaction.ts";
import type { SessionCredential, SessionServer } from "../../../broker/contract.ts";
import { sessionDocument } from "../session-document.ts";

const digestOf = (token: string): string => Buffer.from(token).toString("hex").padEnd(64, "0").slice(0, 64);
const minted = (token: string, expiresInMs: number): SessionCredential => ({
  ...{ status: "minted", id: "desk", digest: digestOf(token), secrets: [token] },
  expires_at: new Date(Date.now() + expiresInMs).toISOString(),
  headers: { authorization: `Bearer ${token}` },
  env: { TOKEN: token },
});
const failed: SessionCredential = { status: "failed", id: "desk", sentence: "The grant is over." };
const serversOf = (credential: SessionCredential): Record<string, SessionServer> => ({
  desk: { transport: "http", url: "https://desk.example/mcp", credential },
  plain: { transport: "http", url: "https://plain.example/mcp" },
});

let next: SessionCredential;
let rejected: (string | undefined)[] = [];
let noted: unknown[] = [];
let stop: AbortController;
beforeEach(() => {
  [rejected, noted] = [[], []];
  stop = new AbortController();
});
afterEach(() => stop.abort());

const redactor = createRedactor([]);
const keep = (first: SessionCredential) => {
  const notOfThisTest = async (): Promise<never> => {
    throw new Error("not of this test");
  };
  const client: SessionClient = {
    ...{ renew: notOfThisTest, announceSegment: notOfThisTest, seal: notOfThisTest },
    read: async (_, digest) => {
      rejected.push(digest);
      return { ok: true, value: sessionDocument({ servers: serversOf(next) }) };
    },
  };
  return keepCredentials({
    ...{ client, servers: serversOf(first), redactor, note: (event) => noted.push(event) },
    ...{ isActive: () => true, signal: stop.signal },
  });
};
const asked = { method: "POST", agent: "agent", calls: [] } as const;

it("it is presented as the broker says, recorded by digest, and redacted", async () => {
  const kept = keep(minted("token-number-one", 3_600_000));
  expect(await kept.authorityOf("desk")?.authorize(asked)).toEqual({
    authorization: "Bearer token-number-one",
  });
  expect(kept.provenanceOf("desk")).toMatchObject({ id: "desk", digest: digestOf("token-number-one") });
  expect(redactor.redactText("it is token-number-one").text).toBe("it is [redacted:credential:desk]");
  expect(kept.authorityOf("plain")).toBeUndefined();
  expect(kept.environmentOf("plain")).toBeUndefined();
  expect(kept.provenanceOf("plain")).toBeUndefined();
});

it("before it runs out the next one takes its place, without a call", async () => {
  next = minted("token-number-two", 3_600_000);
  const kept = keep(minted("token-number-one", 5_000));
  let changes = 0;
  kept.environmentOf("desk")?.onChange(() => (changes += 1));
  await vi.waitUntil(() => changes === 1, { timeout: 15_000, interval: 20 });
  expect(kept.environmentOf("desk")?.read()).toEqual({ TOKEN: "token-number-two" });
  expect(redactor.redactText("it is token-number-two").text).toBe("it is [redacted:credential:desk]");
  expect(noted).toMatchObject([{ event: "credential_renewed", detail: { credential: "desk" } }]);
  expect(JSON.stringify(noted)).not.toContain("token-number");
});

it("one that has run out is not presented: the broker is asked first", async () => {
  next = minted("token-number-two", 3_600_000);
  const kept = keep(minted("token-number-one", -1));
  expect(await kept.authorityOf("desk")?.authorize(asked)).toEqual({
    authorization: "Bearer token-number-two",
  });
});

it("a server that answers 401: the broker hears which one it was, and what is new is tried once", async () => {
  next = minted("token-number-two", 3_600_000);
  const authority = keep(minted("token-number-one", 3_600_000)).authorityOf("desk");
  const first = (await authority?.authorize(asked)) ?? {};
  expect(await authority?.replace(first)).toBe(true);
  expect(rejected).toEqual([digestOf("token-number-one")]);
  // Somebody who comes late with the former one.
  expect(await authority?.replace(first)).toBe(true);
  expect(rejected).toHaveLength(1);
  // Nothing better is to be had.
  const last = (await authority?.authorize(asked)) ?? {};
  await expect(authority?.replace(last)).rejects.toMatchObject({
    ...{ code: "not_authorized", message: expect.stringContaining("answered 401 to the credential desk") },
  });
  // The broker says why: that counts, however long the former one would be good.
  next = failed;
  expect(await authority?.replace(last)).toBe(true);
  await expect(authority?.authorize(asked)).rejects.toThrow("The grant is over.");
});

it("where there is none to be had, calls fail with the broker's sentence", async () => {
  next = failed;
  const authority = keep(failed).authorityOf("desk");
  await expect(authority?.authorize(asked)).rejects.toMatchObject({
    ...{ code: "not_authorized", message: "The grant is over." },
  });
  next = minted("token-number-two", 3_600_000);
  expect(await authority?.authorize(asked)).toEqual({ authorization: "Bearer token-number-two" });
});
