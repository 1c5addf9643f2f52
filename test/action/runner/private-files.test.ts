import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { claimJob, releaseJob } from "../../../action/runner/job-marker.ts";
import {
  createPrivateDirectory,
  readEndOfFile,
  removeExcept,
  removePrivateDirectory,
  writePrivateFile,
} from "../../../action/runner/private-files.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
});
const modeOf = (path: string): number => lstatSync(path).mode & 0o777;

it("directory and file are for this user alone, whatever the umask allows", () => {
  const before = process.umask(0);
  try {
    const made = createPrivateDirectory(directory);
    writePrivateFile(join(made, "config.json"), "{}");
    expect(modeOf(made)).toBe(0o700);
    expect(modeOf(join(made, "config.json"))).toBe(0o600);
  } finally {
    process.umask(before);
  }
});

it("symlink planted in a file's place: nothing is written through it", () => {
  const target = join(directory, "authorized_keys");
  symlinkSync(target, join(directory, "config.json"));
  expect(() => writePrivateFile(join(directory, "config.json"), "token")).toThrow(/EEXIST|ELOOP/);
  expect(existsSync(target)).toBe(false);
});

it("a file that is there already is not replaced", () => {
  writePrivateFile(join(directory, "a"), "first");
  expect(() => writePrivateFile(join(directory, "a"), "second")).toThrow(/EEXIST/);
  expect(readFileSync(join(directory, "a"), "utf8")).toBe("first");
});

it("the end of a file is read, and no more of it than asked for", () => {
  writeFileSync(join(directory, "long"), "0123456789");
  expect(readEndOfFile(join(directory, "long"), 4)).toBe("6789");
  expect(readEndOfFile(join(directory, "long"), 40)).toBe("0123456789");
  expect(readEndOfFile(join(directory, "missing"), 4)).toBeUndefined();
});

it("spool replaced by a symlink or a pipe: it is not read and not waited for", () => {
  writeFileSync(join(directory, "secret"), "secret");
  symlinkSync(join(directory, "secret"), join(directory, "link"));
  execFileSync("mkfifo", [join(directory, "pipe")]);
  expect(readEndOfFile(join(directory, "link"), 10)).toBeUndefined();
  expect(readEndOfFile(join(directory, "pipe"), 10)).toBeUndefined();
});

it("removing follows no symlink", () => {
  const outside = join(directory, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "kept"), "");
  symlinkSync(outside, join(directory, "link"));
  removeExcept(join(directory, "link"), "nothing");
  removePrivateDirectory(join(directory, "link"));
  expect(existsSync(join(outside, "kept"))).toBe(true);
  expect(existsSync(join(directory, "link"))).toBe(false);
});

it("all but one file can be removed", () => {
  writeFileSync(join(directory, "spool"), "");
  writeFileSync(join(directory, "config"), "");
  mkdirSync(join(directory, "servers", "x"), { recursive: true });
  removeExcept(directory, "spool");
  expect(existsSync(join(directory, "spool"))).toBe(true);
  expect(existsSync(join(directory, "config"))).toBe(false);
  expect(existsSync(join(directory, "servers"))).toBe(false);
});

it("a job is claimed once, and again by the next attempt or after its end", () => {
  const job = { repository: "acme/payments", runId: "1", runAttempt: "1", job: "triage" };
  const marker = claimJob(directory, job);
  expect(marker).toBeDefined();
  expect(claimJob(directory, job)).toBeUndefined();
  expect(claimJob(directory, { ...job, runAttempt: "2" })).toBeDefined();
  releaseJob(marker ?? "");
  expect(claimJob(directory, job)).toBeDefined();
});
