/**
 * A folder as the bucket. An object appears under its name complete or not at all, and once: a hard link is the
 * file system's own "create if there is none". Uploads come to the broker itself, at addresses it signed.
 */
import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, readdir, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { type Bucket, BucketUnusable, ObjectTooLarge, PROBE_KEY, type UploadTerms } from "./bucket.ts";
import { type UploadSecrets, signUploadUrl } from "./upload-url.ts";

/** Unfinished files; no key starts with a dot. */
const DRAFTS = ".drafts";

type Body = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface FolderBucketOptions {
  readonly path: string;
  readonly publicUrl: string;
  /** Whoever has one can upload anything under a free name. */
  readonly uploadSecrets: UploadSecrets;
  readonly now: () => number;
}

export interface FolderBucket extends Bucket {
  /** What was announced, or nothing: `differs` leaves no trace. */
  receive(
    key: string,
    terms: Pick<UploadTerms, "bytes" | "sha256">,
    body: AsyncIterable<Uint8Array>,
  ): Promise<"stored" | "exists" | "differs">;
}

export function openFolderBucket({ path, publicUrl, uploadSecrets, now }: FolderBucketOptions): FolderBucket {
  const root = resolve(path);
  const fileOf = (key: string): string => {
    const file = resolve(root, key);
    if (!file.startsWith(root + sep) || key.startsWith(".")) {
      throw new TypeError(`a key leads out of the bucket: ${key}`);
    }
    return file;
  };
  const store = async (key: string, body: Body): Promise<"stored" | "exists"> =>
    guard(root, async () => {
      const draft = join(root, DRAFTS, randomUUID());
      await mkdir(dirname(draft), { recursive: true, mode: 0o700 });
      try {
        await writeDurably(draft, body);
        await mkdir(dirname(fileOf(key)), { recursive: true, mode: 0o700 });
        return await linkOnce(draft, fileOf(key));
      } finally {
        await unlink(draft).catch(() => undefined);
      }
    });

  const bucket: FolderBucket = {
    presignPut: async (key, terms) => ({
      url: signUploadUrl({ publicUrl, key, terms, secrets: uploadSecrets, now: now() }),
      headers: { "content-length": String(terms.bytes), "if-none-match": "*" },
    }),
    stat: async (key) =>
      guard(root, async () => {
        const body = await readFile(fileOf(key)).catch(absent);
        return body && { bytes: body.length, sha256: createHash("sha256").update(body).digest("hex") };
      }),
    read: async (key, maxBytes) =>
      guard(root, async () => {
        const found = await stat(fileOf(key)).catch(absent);
        if (found === undefined) return undefined;
        if (found.size > maxBytes) throw new ObjectTooLarge(`${key} has ${found.size} bytes`);
        return readFile(fileOf(key));
      }),
    putOnce: async (key, body) => store(key, [body]),
    list: async (prefix) =>
      guard(root, async () => {
        const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
        const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(
          absent,
        );
        return (entries ?? [])
          .filter((entry) => entry.isFile())
          .map((entry) =>
            join(entry.parentPath, entry.name)
              .slice(root.length + 1)
              .split(sep)
              .join("/"),
          )
          .filter((key) => key.startsWith(prefix) && !key.startsWith("."))
          .sort();
      }),
    receive: async (key, terms, body) => {
      const check = { differs: false };
      try {
        return await store(key, verifying(body, { terms, check }));
      } catch (error) {
        // Whatever else failed then failed because the check ended the body.
        if (check.differs) return "differs";
        throw error;
      }
    },
    probe: async () => {
      await bucket.putOnce(PROBE_KEY, Buffer.from("written by Lanyard at its start\n"));
      // Another name each time: that the probe exists does not say that anything can be written now.
      await guard(root, async () => {
        const draft = join(root, DRAFTS, randomUUID());
        await writeDurably(draft, [Buffer.from("probe")]);
        await unlink(draft);
      });
    },
  };
  return bucket;
}

async function linkOnce(draft: string, file: string): Promise<"stored" | "exists"> {
  try {
    await link(draft, file);
    return "stored";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return "exists";
    throw error;
  }
}

async function writeDurably(path: string, body: Body): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Passes bytes on; ends with an error, before the object is stored, when they are not those of `terms`. */
async function* verifying(
  body: AsyncIterable<Uint8Array>,
  { terms, check }: { terms: Pick<UploadTerms, "bytes" | "sha256">; check: { differs: boolean } },
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > terms.bytes) break;
    hash.update(chunk);
    yield chunk;
  }
  if (bytes !== terms.bytes || hash.digest("hex") !== terms.sha256) {
    check.differs = true;
    throw new Error("the body is not the one that was announced");
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}

async function guard<T>(root: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof Error && "syscall" in cause) {
      throw new BucketUnusable(`the folder ${root} cannot be used: ${cause.message}`, { cause });
    }
    throw cause;
  }
}
