import { afterEach, beforeEach, expect, test } from "vitest";
import { OperatorAccounts } from "../../../broker/operators/accounts.ts";
import { openReviewStore, type ReviewStore } from "../review/review-store.ts";

let store: ReviewStore;
let accounts: OperatorAccounts;

beforeEach(async () => {
  store = await openReviewStore();
  accounts = new OperatorAccounts(store.database, store.now);
});
afterEach(async () => store.close());

async function add(name: string): Promise<string> {
  const addition = await accounts.add(name);
  if (!addition.ok) {
    throw new Error(addition.message);
  }
  return addition.token;
}

test("an operator is found by the token of the addition and by no other", async () => {
  const token = await add("ada");
  await add("grace");
  expect(token).toMatch(/^lop_[A-Za-z0-9_-]{43}$/);
  expect((await accounts.findByToken(token))?.name).toBe("ada");
  const last = token.endsWith("A") ? "B" : "A";
  expect(await accounts.findByToken(token.slice(0, -1) + last)).toBeUndefined();
});

test("the token stands nowhere in the database", async () => {
  const token = await add("ada");
  const rows = await store.database.selectFrom("operators").selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(token.slice(4));
  expect(rows[0]?.token_hash).toMatch(/^[0-9a-f]{64}$/);
});

test.each(["", "lop_", "lop_short", `lop_${"A".repeat(44)}`, "a".repeat(100_000), `xop_${"A".repeat(43)}`])(
  "what is no token of ours finds nobody (%#)",
  async (token) => {
    await add("ada");
    expect(await accounts.findByToken(token)).toBeUndefined();
  },
);

test("the stored hash of a token is no token", async () => {
  await add("ada");
  const row = await store.database.selectFrom("operators").selectAll().executeTakeFirstOrThrow();
  expect(await accounts.findByToken(row.token_hash)).toBeUndefined();
  expect(await accounts.findByToken(`lop_${row.token_hash.slice(0, 43)}`)).toBeUndefined();
});

test("a name is used once", async () => {
  const token = await add("ada");
  expect(await accounts.add("ada")).toMatchObject({ ok: false, code: "name_taken" });
  expect((await accounts.findByToken(token))?.name).toBe("ada");
});

test.each(["", " ada", "ada\n", "-ada", "a".repeat(65), "<b>", "ada lovelace", "\u202Eada"])(
  "the name %j is refused",
  async (name) => {
    expect(await accounts.add(name)).toMatchObject({ ok: false, code: "name_invalid" });
  },
);

test("a removed operator is found neither by token nor by id", async () => {
  const addition = await accounts.add("ada");
  if (!addition.ok) {
    throw new Error(addition.message);
  }
  expect(await accounts.remove("ada")).toBe(true);
  expect(await accounts.findByToken(addition.token)).toBeUndefined();
  expect(await accounts.findById(addition.operator.id)).toBeUndefined();
  expect(await accounts.remove("ada")).toBe(false);
});

test("the list tells when a token was used, to the minute", async () => {
  const token = await add("ada");
  await add("grace");
  const created = store.clock;
  store.clock += 3_600_000;
  const used = store.clock;
  await accounts.findByToken(token);
  store.clock += 30_000;
  await accounts.findByToken(token);
  expect(await accounts.list()).toEqual([
    { name: "ada", createdAt: created, lastUsedAt: used },
    { name: "grace", createdAt: created, lastUsedAt: null },
  ]);
});
