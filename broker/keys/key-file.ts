/**
 * Sealing keys in a file: one JWK as it is made, or a JWK Set once there are several. Nobody but its owner can read it,
 * and it is always whole: what changes it puts another file in its place.
 */
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { type KeySource, SealingKeyUnusable, type StoredSealingKey } from "./key-source.ts";

const KEY_BYTES = 32;
/** Read or written by the group or by others. */
const SHARED_MODE_BITS = 0o077;

const SealingJwk = z.strictObject({
  kty: z.literal("oct"),
  use: z.literal("enc"),
  enc: z.literal("A256GCM"),
  kid: z.string().min(1),
  k: z.base64url().length(43),
  /** Milliseconds since the epoch; absent: since ever. */
  seals_from: z.int().optional(),
});
type SealingJwk = z.infer<typeof SealingJwk>;

const KeyFile = z.union([
  SealingJwk.transform((jwk) => [jwk]),
  z.strictObject({ keys: z.array(SealingJwk).min(1) }).transform(({ keys }) => keys),
]);

/** The file is made where there is none by what makes a key, and is gone with the last one. */
export function openKeyFile(path: string): KeySource {
  const place = `file:${path}`;
  const keyOf = ({ kid, k, seals_from = 0 }: SealingJwk): StoredSealingKey => ({
    ...{ kid, key: Buffer.from(k, "base64url"), sealsFrom: seals_from, place },
  });
  const read = async (): Promise<SealingJwk[]> => {
    const text = await attempt(path, async () => readExisting(path));
    return text === undefined ? [] : parseKeys(path, text);
  };
  const create = async (jwk: SealingJwk): Promise<boolean> =>
    attempt(path, async () => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const draft = await writeDraft(path, [jwk]);
      try {
        await link(draft, path);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        return false;
      } finally {
        await unlink(draft);
      }
    });
  const write = async (jwks: readonly SealingJwk[]): Promise<void> => {
    const draft = await writeDraft(path, jwks);
    await rename(draft, path);
  };
  return {
    places: [place],
    read: async () => (await read()).map(keyOf),
    async begin() {
      if ((await read()).length === 0) await create(createJwk());
    },
    async add(sealsFrom) {
      const added = { ...createJwk(), seals_from: sealsFrom };
      const isFirst = (await read()).length === 0 && (await create(added));
      if (!isFirst) await write([...(await read()), added]);
      return keyOf(added);
    },
    async drop(kid) {
      const before = await read();
      const left = before.filter((jwk) => jwk.kid !== kid);
      if (left.length === before.length) return;
      if (left.length > 0) await write(left);
      else await unlink(path);
    },
  };
}

function createJwk(): SealingJwk {
  const k = randomBytes(KEY_BYTES).toString("base64url");
  return { kty: "oct", use: "enc", enc: "A256GCM", kid: randomBytes(8).toString("hex"), k };
}

function parseKeys(path: string, text: string): SealingJwk[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // A message of the JSON parser would quote the file.
    throw new SealingKeyUnusable(`cannot use ${path}: it is not JSON`);
  }
  const parsed = KeyFile.safeParse(json);
  if (!parsed.success) throw new SealingKeyUnusable(`${path} is not a sealing key that Lanyard has made`);
  return parsed.data;
}

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof SealingKeyUnusable) throw cause;
    throw new SealingKeyUnusable(`cannot use ${path}: ${String(cause)}`, { cause });
  }
}

async function readExisting(path: string): Promise<string | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if ((found.mode & SHARED_MODE_BITS) !== 0) {
    throw new SealingKeyUnusable(`${path} can be read by others: run \`chmod 600 ${path}\``);
  }
  return readFile(path, "utf8");
}

async function writeDraft(path: string, jwks: readonly SealingJwk[]): Promise<string> {
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(jwks.length === 1 ? jwks[0] : { keys: jwks })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}
