/**
 * What a stdio server says on stderr, in a file: redacted line by line as it is written, and bounded.
 * A line is written once it is complete, so that no secret is split over two looks at it.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import type { Redactor } from "../../audit/redaction/redaction.ts";
import { CREATE_NEW, PRIVATE_FILE_MODE } from "../runner/private-files.ts";

/** Beyond it nothing more is kept; the file's last line says so. */
const MAX_FILE_BYTES = 1024 * 1024;
/** A longer line is cut: a server may never end one. */
const MAX_LINE_LENGTH = 16 * 1024;
/** Where a line is cut, a secret may be cut in two: as much as the longest one is dropped with the rest. */
const CUT_MARGIN = 4 * 1024;
const PEM_BEGIN = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/;
const PEM_END = /-----END [A-Z0-9 ]*-----/;

export interface StderrFile {
  write(chunk: Buffer): void;
  /** With what is left of a line that was never ended. */
  close(): void;
}

export function createStderrFile(path: string, redactor: Redactor, maxBytes = MAX_FILE_BYTES): StderrFile {
  const descriptor = openSync(path, CREATE_NEW, PRIVATE_FILE_MODE);
  const decoder = new StringDecoder("utf8");
  let written = 0;
  let partial = "";
  let overlong = false;
  let inPrivateKey = false;
  let full = false;

  const writeLine = (line: string): void => {
    if (full) return;
    const bytes = Buffer.from(`${hideKeyLine(line)}\n`);
    full = written + bytes.length > maxBytes;
    const kept = full ? Buffer.from(`[more than ${maxBytes} bytes: the rest is not kept]\n`) : bytes;
    try {
      written += writeSync(descriptor, kept);
    } catch {
      // A full disk must not end the server: what it says is a convenience, the log is not kept here.
      full = true;
    }
  };
  /** A key in PEM stretches over lines that show nothing of what they are. */
  const hideKeyLine = (line: string): string => {
    if (inPrivateKey) {
      inPrivateKey = !PEM_END.test(line);
      return "[redacted:private-key]";
    }
    inPrivateKey = PEM_BEGIN.test(line) && !PEM_END.test(line);
    return inPrivateKey ? "[redacted:private-key]" : redactor.redactText(line).text;
  };
  const cutLine = (line: string): string => {
    const { text } = redactor.redactText(line.slice(0, MAX_LINE_LENGTH));
    return `${text.slice(0, Math.max(0, text.length - CUT_MARGIN))} [line cut]`;
  };
  return {
    write: (chunk) => {
      if (full) return;
      const lines = decoder.write(chunk).split("\n");
      const rest = lines.pop() ?? "";
      for (const line of lines) {
        if (!overlong) writeLine(fit(partial + line, cutLine));
        partial = "";
        overlong = false;
      }
      if (overlong) return;
      partial += rest;
      if (partial.length > MAX_LINE_LENGTH) {
        writeLine(cutLine(partial));
        partial = "";
        overlong = true;
      }
    },
    close: () => {
      if (partial !== "" && !overlong) writeLine(fit(partial, cutLine));
      closeSync(descriptor);
    },
  };
}

function fit(line: string, cut: (line: string) => string): string {
  return line.length > MAX_LINE_LENGTH ? cut(line) : line;
}

export interface StderrFiles {
  /** The file is made at the server's first word; a server that starts again goes on in it. */
  readonly sinkOf: (server: string) => (chunk: Buffer) => void;
  close(): void;
}

/** One file per server, in a directory that is made here. A file that cannot be made is done without. */
export function openStderrFiles(directory: string, redactor: Redactor): StderrFiles {
  mkdirSync(directory, { mode: 0o700 });
  const files = new Map<string, StderrFile | undefined>();
  let closed = false;
  const openFile = (server: string): StderrFile | undefined => {
    if (closed || files.has(server)) return files.get(server);
    let file: StderrFile | undefined;
    try {
      file = createStderrFile(join(directory, `${server}.log`), redactor);
    } catch {
      // The disk is full, or somebody was there first: the server runs on unheard.
    }
    files.set(server, file);
    return file;
  };
  return {
    sinkOf: (server) => (chunk) => openFile(server)?.write(chunk),
    close: () => {
      closed = true;
      for (const file of files.values()) file?.close();
      files.clear();
    },
  };
}
