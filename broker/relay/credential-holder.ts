/**
 * The credential of one server in one session, as the relay presents it: asked for with every request, so that it is
 * never older than the room that keeps it says, and asked for once more where the server does not take it. Whatever is
 * secret in it is told to the redactors before anything is sent.
 */
import type { EntryOf } from "../../audit/record.ts";
import { type Authority, NotAuthorized } from "../../proxy/upstream/authority.ts";
import type { Credentials, Presentation, Presented } from "../credentials/presenting.ts";

export interface HolderOptions {
  readonly present: () => Promise<Presentation>;
  readonly reject: Credentials["reject"];
  /** Told of everything that must never be seen, before it is used. */
  readonly keepSecret: (id: string, secret: string) => void;
  /** Another one than before is presented from now on. */
  readonly changed: (from: Presented, to: Presented) => void;
  /** What every request says of who sends it. */
  readonly userAgent: string;
}

/** Names that say how a message is to be read, or whose it is: no credential has any business with them. */
const RESERVED =
  /^(?:host|content-.*|transfer-encoding|connection|mcp-.*|accept.*|cookie|te|upgrade|expect)$/;

/** RFC 9110, sections 5.1 and 5.5: what is not in them could end a field and begin another. */
const FIELD_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;

export class CredentialHolder implements Authority {
  readonly #options: HolderOptions;
  #current: Presented | undefined;
  #isThere = false;
  /** What was sent with which. */
  readonly #sent = new WeakMap<object, Presented>();

  constructor(options: HolderOptions) {
    this.#options = options;
  }

  /** As the log names it; undefined where there is none. */
  get provenance(): EntryOf<"call">["credential"] {
    if (this.#current === undefined || !this.#isThere) return undefined;
    const { id, digest, expiresAt } = this.#current;
    return { id, digest, ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }) };
  }

  /** What a call that is decided now will be sent with, so that its record can say so. A failure is the call's own. */
  async refresh(): Promise<void> {
    await this.#present();
  }

  async authorize(): Promise<Record<string, string>> {
    const presentation = await this.#present();
    if (!presentation.ok) throw new NotAuthorized(presentation.sentence);
    const { presented } = presentation;
    const own = Object.entries(presented.headers).filter(([name]) => !RESERVED.test(name.toLowerCase()));
    if (own.some(([name, value]) => !FIELD_NAME.test(name) || !FIELD_VALUE.test(value))) {
      throw new NotAuthorized(`The credential "${presented.id}" holds what no header field can carry`);
    }
    const fields = { "user-agent": this.#options.userAgent, ...Object.fromEntries(own) };
    this.#sent.set(fields, presented);
    return fields;
  }

  async replace(refused: Record<string, string>): Promise<boolean> {
    const presented = this.#sent.get(refused);
    if (presented === undefined) return false;
    const rejected = await this.#options.reject(presented);
    if (!rejected.ok) throw new NotAuthorized(rejected.sentence);
    return true;
  }

  async #present(): Promise<Presentation> {
    const { present, keepSecret, changed } = this.#options;
    const presentation = await present();
    this.#isThere = presentation.ok;
    if (!presentation.ok) return presentation;
    const { presented } = presentation;
    const before = this.#current;
    if (before?.digest !== presented.digest) {
      presented.secrets.forEach((secret) => keepSecret(presented.id, secret));
      this.#current = presented;
      if (before !== undefined) changed(before, presented);
    }
    return presentation;
  }
}
