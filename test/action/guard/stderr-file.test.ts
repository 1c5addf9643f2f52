import { mkdtempSync, readFileSync, statSync, symlinkSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { createStderrFile, openStderrFiles } from "../../../action/guard/stderr-file.ts";
import { createRedactor } from "../../../audit/redaction/redaction.ts";

const SECRET = "canary-5b1f09c2d7";
const TOKEN = `ghp_${"a1B2".repeat(9)}`;
const redactor = createRedactor([{ id: "agent", kind: "token", value: SECRET }]);
let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
});
function write(chunks: readonly (string | Buffer)[], maxBytes?: number): string {
  const path = join(directory, "server.log");
  const file = createStderrFile(path, redactor, maxBytes);
  for (const chunk of chunks) file.write(Buffer.from(chunk));
  file.close();
  return readFileSync(path, "utf8");
}

it("lines are redacted as they are written", () => {
  expect(write([`token ${SECRET}\nand ${TOKEN}\n`])).toBe(
    "token [redacted:token:agent]\nand [redacted:github-token:unknown]\n",
  );
});

it("a secret split over two writes is redacted, and so is one in a last line without an end", () => {
  expect(write(["a canary-5b1", "f09c2d7 b\nlast canary-5b1f", "09c2d7"])).toBe(
    "a [redacted:token:agent] b\nlast [redacted:token:agent]\n",
  );
});

it("a character split over two writes stays one", () => {
  const bytes = Buffer.from("größe\n");
  expect(write([bytes.subarray(0, 3), bytes.subarray(3)])).toBe("größe\n");
});

it("a private key over several lines leaves nothing but its place", () => {
  const written = write([
    "x\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----\ny\n",
  ]);
  expect(written).not.toContain("MIIEow");
  expect(written.split("\n")).toEqual(["x", ...Array(4).fill("[redacted:private-key]"), "y", ""]);
});

it("a file is bounded, and says where it ends", () => {
  const written = write(
    Array.from({ length: 100 }, (_, index) => `line ${index}\n`),
    200,
  );
  expect(written.length).toBeLessThan(300);
  expect(written).toMatch(/^line 0\n.*\[more than 200 bytes: the rest is not kept\]\n$/s);
});

it("1 GB without a newline: the line is cut, memory and file stay small, the next line is whole", () => {
  const piece = "x".repeat(64 * 1024);
  const path = join(directory, "server.log");
  const file = createStderrFile(path, redactor);
  for (let written = 0; written < 2 ** 27; written += piece.length) file.write(Buffer.from(piece));
  file.write(Buffer.from("\nnext\n"));
  file.close();
  const text = readFileSync(path, "utf8");
  expect(text.length).toBeLessThan(20_000);
  expect(text).toMatch(/^x+ \[line cut\]\nnext\n$/);
});

it("a secret where a long line is cut does not show its first half", () => {
  const written = write([`${"x".repeat(16 * 1024 - 10)} ${SECRET}\n`]);
  expect(written).not.toContain("canary");
});

it("a server that starts again goes on in its file; what it says after the end is dropped", () => {
  const files = openStderrFiles(join(directory, "stderr"), redactor);
  files.sinkOf("memory")(Buffer.from("first\n"));
  files.sinkOf("memory")(Buffer.from("second\n"));
  files.close();
  files.sinkOf("memory")(Buffer.from("third\n"));
  files.sinkOf("late")(Buffer.from("x\n"));
  const path = join(directory, "stderr", "memory.log");
  expect(readFileSync(path, "utf8")).toBe("first\nsecond\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(existsSync(join(directory, "stderr", "late.log"))).toBe(false);
});

it("symlink planted in a server's file: the server runs on unheard, nothing is written through it", () => {
  const files = openStderrFiles(join(directory, "stderr"), redactor);
  symlinkSync(join(directory, "target"), join(directory, "stderr", "memory.log"));
  expect(() => files.sinkOf("memory")(Buffer.from("x\n"))).not.toThrow();
  expect(existsSync(join(directory, "target"))).toBe(false);
});
