/**
 * The accounts of people: who may read runs and administer the broker.
 * A token is shown once and stored as its SHA-256; with 256 random bits it needs no slower hash.
 */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { OperatorRow, Queries } from "../storage/schema.ts";

const TOKEN = /^lop_[A-Za-z0-9_-]{43}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
/** `last_used_at` is for people: it is written at most once in this time, not at each request. */
const USE_RESOLUTION_MS = 60_000;

export interface Operator {
  readonly id: string;
  readonly name: string;
  /** Changes with the token: a login that was made with another one is no login any more. */
  readonly fingerprint: string;
}

export interface OperatorListing {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The same; null when the token was never used. Exact to a minute. */
  readonly lastUsedAt: number | null;
}

export type OperatorAddition =
  | { readonly ok: true; readonly operator: Operator; readonly token: string }
  | { readonly ok: false; readonly code: "name_invalid" | "name_taken"; readonly message: string };

export class OperatorAccounts {
  readonly #database: Queries;
  readonly #now: () => number;

  /** `now` gives milliseconds since the epoch. */
  constructor(database: Queries, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  /** Adds an account. The token in the answer can never be read again. */
  async add(name: string): Promise<OperatorAddition> {
    if (!NAME.test(name)) {
      const message =
        "A name has 1 to 64 letters, digits, dots, dashes, underscores or @ and starts with a letter or digit.";
      return { ok: false, code: "name_invalid", message };
    }
    const token = `lop_${randomBytes(32).toString("base64url")}`;
    const row = {
      id: randomUUID(),
      name,
      token_hash: hashToken(token),
      created_at: this.#now(),
      last_used_at: null,
    };
    const { numInsertedOrUpdatedRows } = await this.#database
      .insertInto("operators")
      .values(row)
      .onConflict((conflict) => conflict.column("name").doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) {
      return { ok: false, code: "name_taken", message: `There is an operator named ${name} already.` };
    }
    return { ok: true, operator: describe(row), token };
  }

  async list(): Promise<OperatorListing[]> {
    const rows = await this.#database
      .selectFrom("operators")
      .select(["name", "created_at", "last_used_at"])
      .orderBy("name")
      .execute();
    return rows.map((row) => ({ name: row.name, createdAt: row.created_at, lastUsedAt: row.last_used_at }));
  }

  /** Ends the account, its token and every login made with it; false when there was none of this name. */
  async remove(name: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database
      .deleteFrom("operators")
      .where("name", "=", name)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  async findByToken(token: string): Promise<Operator | undefined> {
    if (!TOKEN.test(token)) {
      return undefined;
    }
    const hash = hashToken(token);
    const row = await this.#select().where("token_hash", "=", hash).executeTakeFirst();
    if (row === undefined || !timingSafeEqual(Buffer.from(row.token_hash), Buffer.from(hash))) {
      return undefined;
    }
    await this.#noteUse(row);
    return describe(row);
  }

  /** For a login that names its operator: looked up at each request, so that a removal ends it at once. */
  async findById(id: string): Promise<Operator | undefined> {
    const row = await this.#select().where("id", "=", id).executeTakeFirst();
    if (row === undefined) {
      return undefined;
    }
    await this.#noteUse(row);
    return describe(row);
  }

  #select() {
    return this.#database.selectFrom("operators").select(["id", "name", "token_hash", "last_used_at"]);
  }

  async #noteUse(row: Pick<OperatorRow, "id" | "last_used_at">): Promise<void> {
    const now = this.#now();
    if (now - (row.last_used_at ?? 0) >= USE_RESOLUTION_MS) {
      await this.#database
        .updateTable("operators")
        .set({ last_used_at: now })
        .where("id", "=", row.id)
        .execute();
    }
  }
}

function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function describe(row: Pick<OperatorRow, "id" | "name" | "token_hash">): Operator {
  const fingerprint = createHash("sha256").update(`login ${row.token_hash}`).digest("base64url").slice(0, 22);
  return { id: row.id, name: row.name, fingerprint };
}
