/**
 * A secret as a command reads it: from standard input, or from a prompt that shows nothing of what is typed. Never from
 * an argument, which everybody on the machine can list.
 */
import type { ReadStream } from "node:tty";

export type ReadSecret = (prompt: string) => Promise<Uint8Array>;

/** More than any kind takes: whoever pipes the wrong file is told so. */
const MAX_BYTES = 64 * 1024;

export class SecretUnreadable extends Error {
  readonly code = "secret_unreadable";
}

/** The bytes as they come, without one line break at their end. Throws `SecretUnreadable`. */
export async function readSecret(prompt: string): Promise<Uint8Array> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return withoutLastBreak(await readAll(stdin));
  // Before the prompt is there: what is typed at once must not be shown either.
  stdin.setRawMode(true);
  stderr.write(`${prompt}: `);
  try {
    return Buffer.from(await readHidden(stdin));
  } finally {
    stdin.setRawMode(false);
    stderr.write("\n");
  }
}

async function readAll(input: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > MAX_BYTES)
      throw new SecretUnreadable(
        `What was piped in is larger than ${MAX_BYTES / 1024} KiB. Nothing was stored.`,
      );
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}

function withoutLastBreak(bytes: Buffer): Buffer {
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0;
  return bytes.subarray(0, bytes.length - end);
}

const [END_OF_TEXT, END_OF_TRANSMISSION, BACKSPACE, DELETE] = ["\u0003", "\u0004", "\b", "\u007f"];

function readHidden(stdin: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = "";
    const stop = (settle: () => void): void => {
      stdin.off("data", read);
      stdin.pause();
      settle();
    };
    const read = (chunk: Buffer | string): void => {
      for (const character of String(chunk)) {
        if (character === "\r" || character === "\n" || character === END_OF_TRANSMISSION) {
          stop(() => resolve(typed));
          return;
        }
        if (character === END_OF_TEXT) {
          stop(() => reject(new SecretUnreadable("Stopped. Nothing was stored.")));
          return;
        }
        typed = character === BACKSPACE || character === DELETE ? typed.slice(0, -1) : typed + character;
      }
    };
    stdin.setEncoding("utf8");
    stdin.on("data", read);
    stdin.resume();
  });
}
