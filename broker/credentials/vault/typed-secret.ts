/** Secrets that a person typed in, as text: what is wrong with one is a sentence that does not repeat it. */

const MAX_BYTES = 16 * 1024;

/** For kinds whose secret goes into a header: one line of printable ASCII. */
export function checkHeaderSecret(secret: Uint8Array): string | undefined {
  const text = Buffer.from(secret).toString("latin1");
  if (text === "") return "It is empty.";
  if (secret.length > MAX_BYTES) return `It is longer than ${MAX_BYTES / 1024} KiB.`;
  if (/[\r\n]/.test(text)) return "It has more than one line.";
  if (text.trim() !== text) return "It begins or ends with a space.";
  return /^[\x20-\x7e]+$/.test(text) ? undefined : "It holds characters that no header can carry.";
}

/** Throws where nothing is stored: who mints looks first. */
export function textOf(secret: Uint8Array | undefined): string {
  if (secret === undefined) throw new Error("a credential was minted without its secret");
  return Buffer.from(secret).toString("utf8");
}
