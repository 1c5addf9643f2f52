/**
 * The cursors of one server's lists as the agents get them: sealed, since a server may write the name of what comes
 * next into its own, and an agent that writes one itself could ask for what it is not shown. Only what was given out
 * for the same list is taken back. Nothing is remembered of them.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Cursors of up to this length look the same, and so do those up to twice of it. */
const PADDED_LENGTH = 128;

export class Cursors {
  readonly #key = randomBytes(32);
  readonly #nonceKey = randomBytes(32);

  /** The same for the same cursor: an agent that pages in circles can tell. */
  seal(method: string, cursor: string): string {
    const text = JSON.stringify(cursor);
    const padded = text.padEnd(Math.ceil(text.length / PADDED_LENGTH) * PADDED_LENGTH);
    const nonce = createHmac("sha256", this.#nonceKey).update(method).update("\n").update(padded).digest();
    const cipher = createCipheriv(CIPHER, this.#key, nonce.subarray(0, NONCE_BYTES));
    cipher.setAAD(Buffer.from(method));
    const sealed = Buffer.concat([cipher.update(padded), cipher.final()]);
    return Buffer.concat([nonce.subarray(0, NONCE_BYTES), cipher.getAuthTag(), sealed]).toString("base64url");
  }

  /** `undefined` for what was not given out. */
  open(method: string, given: string): string | undefined {
    const bytes = Buffer.from(given, "base64url");
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) {
      return undefined;
    }
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(method));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      const padded = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, "utf8");
      const cursor: unknown = JSON.parse(padded + decipher.final("utf8"));
      return typeof cursor === "string" ? cursor : undefined;
    } catch {
      return undefined;
    }
  }
}
