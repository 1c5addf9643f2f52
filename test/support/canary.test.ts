/** The search itself: what it finds, in every form, wherever it stands; and what it does not take for a secret. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packSegment } from "../../audit/segment.ts";
import { Canaries } from "./canary.ts";

const SECRET = "c4n4ry/with+signs?and=more";
const canaries = new Canaries();
/** Several processes, one after the other. */
const LOOKS = { timeout: 60_000 };
canaries.plant("one", SECRET);

test.each([
  ["plain", (text: string) => text],
  ["reversed", (text: string) => [...text].toReversed().join("")],
  ["in hexadecimal", (text: string) => Buffer.from(text).toString("hex")],
  ["in base64", (text: string) => Buffer.from(text).toString("base64")],
  ["in base64 behind one byte", (text: string) => Buffer.from(`:${text}!`).toString("base64")],
  ["in base64url behind two", (text: string) => Buffer.from(`a:${text}`).toString("base64url")],
  ["percent-encoded", encodeURIComponent],
])("it is found %s, also with two bytes for each character", (_form, write) => {
  const text = `before ${write(SECRET)} behind`;
  expect(canaries.findIn("a text", text)).not.toEqual([]);
  expect(canaries.findIn("a text", Buffer.from(text, "utf16le"))).not.toEqual([]);
});

test("what is not whole is not it", () => {
  expect(canaries.findIn("a text", SECRET.slice(1))).toEqual([]);
  expect(() => new Canaries().plant("short", "a")).toThrow("too short");
});

test("it is found in files, and in segments that are packed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-canary-"));
  await writeFile(join(directory, "plain"), SECRET);
  await writeFile(join(directory, "segment.jsonl.zst"), (await packSegment(`${SECRET}\n`.repeat(9))).body);
  expect((await canaries.findInFiles(directory)).join("\n")).toMatch(/plain[^]*segment.jsonl.zst, unpacked/);
  expect(await canaries.findInFiles(directory, () => true)).toEqual([]);
  await rm(directory, { recursive: true });
});

/** Has the secret nowhere but where it is told: it makes it of two halves. */
const HOLDER = `
const [first, second] = ["c4n4ry/with+", "signs?and=more"];
globalThis.held = Buffer.from(process.argv[1] === "holds" ? first + second : "nothing at all");
console.log("ready");
process.stdin.resume();
`;

async function withProcess<T>(
  { args = [], env = {} }: { readonly args?: readonly string[]; readonly env?: Record<string, string> },
  look: (pid: number) => Promise<T>,
): Promise<T> {
  const child: ChildProcess = spawn(process.execPath, ["-e", HOLDER, ...args], { env });
  try {
    await once(child.stdout ?? child, "data");
    return await look(child.pid ?? 0);
  } finally {
    child.kill("SIGKILL");
  }
}

test.runIf(process.platform === "linux")(
  "it is found in arguments, environment and memory",
  LOOKS,
  async () => {
    const inProcess = async (pid: number) => canaries.findInProcess(pid);
    expect((await withProcess({ args: [SECRET] }, inProcess)).join()).toContain("in cmdline");
    expect((await withProcess({ env: { A: SECRET } }, inProcess)).join()).toContain("in environ");
    expect(await withProcess({}, inProcess)).toEqual([]);
    // The process is this one's child, which it may read.
    const inMemory = async (pid: number) => canaries.findInMemory(pid);
    expect((await withProcess({ args: ["holds"] }, inMemory))?.join()).toContain("one (plain) in the memory");
    expect(await withProcess({}, inMemory)).toEqual([]);
  },
);
