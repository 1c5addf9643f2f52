/**
 * The sealing key: the one secret that lies in a file. With it the broker seals what its database keeps secret,
 * and derives keys for single purposes. Whoever has the file and the database has everything.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { CompactEncrypt, compactDecrypt } from "jose";
import { z } from "zod";

const KEY_BYTES = 32;
/** Read or written by the group or by others. */
const SHARED_MODE_BITS = 0o077;

const SealingJwk = z.strictObject({
  kty: z.literal("oct"),
  use: z.literal("enc"),
  enc: z.literal("A256GCM"),
  kid: z.string().min(1),
  k: z.base64url().length(43),
});

export class SealingKeyUnusable extends Error {
  readonly code = "sealing_key_unusable";
}

export interface SealingKey {
  /** Names it, and says nothing about it. */
  readonly kid: string;
  /** Compact JWE, `alg: dir`. `purpose` is part of what is authenticated: sealed for one, it opens for no other. */
  seal(purpose: string, secret: Uint8Array): Promise<string>;
  /** Throws `SealingKeyUnusable` when it was sealed with another key or for another purpose. */
  open(purpose: string, sealed: string): Promise<Uint8Array>;
  /** 32 bytes that say nothing about the key or about those of another purpose. */
  derive(purpose: string): Buffer;
}

/** Reads the file, or makes it with mode 0600 when there is none. Throws `SealingKeyUnusable` with what to change. */
export async function loadSealingKey(path: string): Promise<SealingKey> {
  return readKey(path, () => createFile(path));
}

/** Reads the file of a broker that was started before: a new key would open nothing that it sealed. */
export async function findSealingKey(path: string): Promise<SealingKey> {
  return readKey(path, async () => {
    throw new SealingKeyUnusable(`there is no ${path}: name the file that the broker uses`);
  });
}

async function readKey(path: string, makeText: () => Promise<string>): Promise<SealingKey> {
  try {
    const text = (await readExisting(path)) ?? (await makeText());
    const parsed = SealingJwk.safeParse(JSON.parse(text));
    if (!parsed.success) {
      throw new SealingKeyUnusable(`${path} is not a sealing key that Lanyard has made`);
    }
    return sealWith(Buffer.from(parsed.data.k, "base64url"), parsed.data.kid);
  } catch (cause) {
    if (cause instanceof SealingKeyUnusable) throw cause;
    // A message of the JSON parser would quote the file.
    const reason = cause instanceof SyntaxError ? "it is not JSON" : String(cause);
    throw new SealingKeyUnusable(`cannot use ${path}: ${reason}`, { cause });
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

/** Complete or absent: of two that start at once, both end up with the same key. */
async function createFile(path: string): Promise<string> {
  const k = randomBytes(KEY_BYTES).toString("base64url");
  const jwk = { kty: "oct", use: "enc", enc: "A256GCM", kid: randomBytes(8).toString("hex"), k };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(jwk)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await unlink(draft);
  }
  return readFile(path, "utf8");
}

function sealWith(key: Buffer, kid: string): SealingKey {
  return {
    kid,
    async seal(purpose, secret) {
      return new CompactEncrypt(secret)
        .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid, sealed_for: purpose })
        .encrypt(key);
    },
    async open(purpose, sealed) {
      let opened: Awaited<ReturnType<typeof compactDecrypt>>;
      try {
        opened = await compactDecrypt(sealed, key, {
          keyManagementAlgorithms: ["dir"],
          contentEncryptionAlgorithms: ["A256GCM"],
        });
      } catch (cause) {
        throw new SealingKeyUnusable("what is stored was sealed with another sealing key", { cause });
      }
      if (opened.protectedHeader["sealed_for"] !== purpose) {
        throw new SealingKeyUnusable(`what is stored was not sealed for ${purpose}`);
      }
      return opened.plaintext;
    },
    derive: (purpose) => Buffer.from(hkdfSync("sha256", key, "", `lanyard ${purpose}`, KEY_BYTES)),
  };
}
