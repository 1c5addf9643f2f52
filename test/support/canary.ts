/**
 * Secrets that are planted, and the search for them: in bytes, in files, and in what the system shows of a process. They
 * are looked for as they are and in the forms in which they travel: base64 at any place of a longer text, hexadecimal,
 * percent-encoded, reversed, and each of these as a JavaScript engine keeps text that is not Latin.
 */
import { execFile } from "node:child_process";
import { open, readFile, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdDecompressSync } from "node:zlib";

/** A shorter one would be found by chance. */
const MIN_LENGTH = 12;
const CHUNK_BYTES = 8 * 1024 * 1024;

interface Form {
  readonly canary: string;
  readonly name: string;
  readonly bytes: Buffer;
}

export class Canaries {
  readonly #forms: Form[] = [];

  /** Returns the value. */
  plant(canary: string, value: string): string {
    if (value.length < MIN_LENGTH) throw new Error(`the canary ${canary} is too short`);
    for (const [name, text] of formsOf(value)) {
      for (const [encoding, suffix] of [
        ["utf8", ""],
        ["utf16le", ", two bytes each"],
      ] as const) {
        this.#forms.push({ canary, name: name + suffix, bytes: Buffer.from(text, encoding) });
      }
    }
    return value;
  }

  /** `CANARY (FORM) in PLACE` for each that is there. */
  findIn(place: string, content: Uint8Array | string): string[] {
    const bytes =
      typeof content === "string"
        ? Buffer.from(content)
        : Buffer.from(content.buffer, content.byteOffset, content.length);
    return this.#forms
      .filter((form) => bytes.includes(form.bytes))
      .map(({ canary, name }) => `${canary} (${name}) in ${place}`);
  }

  /** Looks into everything below a directory, and into segments as they are and unpacked. */
  async findInFiles(directory: string, isLegitimate = (_path: string) => false): Promise<string[]> {
    const found: string[] = [];
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || isLegitimate(path)) continue;
      const content = await readFile(path);
      found.push(...this.findIn(path, content));
      if (path.endsWith(".zst")) found.push(...this.findIn(`${path}, unpacked`, zstdDecompressSync(content)));
    }
    return found;
  }

  /** On Linux: what it was started with, and the files that it has open. */
  async findInProcess(pid: number): Promise<string[]> {
    const found: string[] = [];
    for (const name of ["cmdline", "environ"]) {
      found.push(...this.findIn(`${name} of ${pid}`, await readFile(`/proc/${pid}/${name}`)));
    }
    for (const descriptor of await readdir(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${descriptor}`;
      const target = await readlink(path).catch(() => "gone");
      // Sockets, pipes and devices have no content of their own.
      if (!target.startsWith("/") || target.startsWith("/dev/")) continue;
      const content = await readFile(path).catch(() => Buffer.alloc(0));
      found.push(...this.findIn(`${target}, open in ${pid}`, content));
    }
    return found;
  }

  /** On Linux: all that it can write to. Undefined where the system lets nobody read it (`kernel.yama.ptrace_scope`). */
  async findInMemory(pid: number): Promise<string[] | undefined> {
    const memory = await open(`/proc/${pid}/mem`).catch((error: unknown) => {
      if (isRefusal(error)) return undefined;
      throw error;
    });
    if (memory === undefined) return undefined;
    const overlap = Math.max(...this.#forms.map(({ bytes }) => bytes.length));
    const found = new Set<string>();
    const buffer = Buffer.alloc(CHUNK_BYTES);
    try {
      for (const { start, end } of await writableRegions(pid)) {
        for (let at = start; at < end; at += CHUNK_BYTES - overlap) {
          // A region that went away while it was read holds nothing any more.
          const length = Math.min(CHUNK_BYTES, end - at);
          const { bytesRead } = await memory.read(buffer, 0, length, at).catch(() => ({ bytesRead: 0 }));
          const read = buffer.subarray(0, bytesRead);
          if (isBlank(read)) continue;
          for (const finding of this.findIn(`the memory of ${pid}`, read)) found.add(finding);
        }
      }
    } finally {
      await memory.close();
    }
    return [...found];
  }
}

/** The arguments of every process, as everybody on the machine sees them. */
export async function listProcesses(): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", ["-axww", "-o", "pid=,args="], { maxBuffer: 2 ** 26 });
  return stdout;
}

function formsOf(value: string): Map<string, string> {
  const bytes = Buffer.from(value);
  const forms = new Map([
    ["plain", value],
    ["hex", bytes.toString("hex")],
    ["HEX", bytes.toString("hex").toUpperCase()],
    ["reversed", [...value].toReversed().join("")],
  ]);
  for (const encoding of ["base64", "base64url"] as const) {
    for (const before of [0, 1, 2])
      forms.set(`${encoding} after ${before}`, insideBase64({ bytes, before, encoding }));
  }
  const escaped = encodeURIComponent(value);
  if (escaped !== value) forms.set("percent-encoded", escaped);
  return forms;
}

/** The characters that stand for these bytes alone, whatever is before (so many bytes, modulo three) and behind them. */
function insideBase64({
  bytes,
  before,
  encoding,
}: {
  readonly bytes: Buffer;
  readonly before: number;
  readonly encoding: "base64" | "base64url";
}): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding);
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

async function writableRegions(pid: number): Promise<{ start: number; end: number }[]> {
  const maps = await readFile(`/proc/${pid}/maps`, "utf8");
  return [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)].map(([, start = "", end = ""]) => ({
    start: Number.parseInt(start, 16),
    end: Number.parseInt(end, 16),
  }));
}

const BLANK = Buffer.alloc(CHUNK_BYTES);
const isBlank = (bytes: Buffer): boolean => bytes.equals(BLANK.subarray(0, bytes.length));

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM");
}
