/**
 * A person's login as a cookie: who it is and until when, signed by the broker.
 * It holds for 12 hours, and only as long as the account and its token exist.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod";
import type { Operator, OperatorAccounts } from "./accounts.ts";

const LIFETIME_MS = 12 * 60 * 60 * 1000;

const Login = z.discriminatedUnion("by", [
  z.object({ by: z.literal("token"), id: z.string(), fingerprint: z.string(), expires_at: z.int() }),
  z.object({ by: z.literal("link"), expires_at: z.int() }),
]);
type Login = z.infer<typeof Login>;

/** Whoever reads the pages. */
export interface Person {
  readonly name: string;
}

export interface LoginCookieOptions {
  readonly accounts: OperatorAccounts;
  /** Whether people reach the broker over https: then the cookie never leaves it. */
  readonly secure: boolean;
  /** Whether a login by a one-time link counts: only on a broker of one's own machine. */
  readonly links: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class LoginCookie {
  readonly #options: LoginCookieOptions;
  readonly #name: string;

  constructor(options: LoginCookieOptions) {
    this.#options = options;
    // RFC 6265bis, section 4.1.3.2: no other host, and no page without https, can set a cookie of this name.
    this.#name = options.secure ? "__Host-lanyard" : "lanyard";
  }

  setForOperator(reply: FastifyReply, operator: Operator): void {
    const { id, fingerprint } = operator;
    this.#set(reply, { by: "token", id, fingerprint, expires_at: this.#options.now() + LIFETIME_MS });
  }

  setForLink(reply: FastifyReply): void {
    this.#set(reply, { by: "link", expires_at: this.#options.now() + LIFETIME_MS });
  }

  clear(reply: FastifyReply): void {
    reply.clearCookie(this.#name, this.#attributes());
  }

  /** Whose login the request carries; undefined without one, with one of another key, or when it has ended. */
  async read(request: FastifyRequest): Promise<Person | undefined> {
    const cookie = request.cookies[this.#name];
    const signed = cookie === undefined ? undefined : request.unsignCookie(cookie);
    if (signed === undefined || !signed.valid) {
      return undefined;
    }
    const login = Login.parse(JSON.parse(Buffer.from(signed.value, "base64url").toString("utf8")));
    if (login.expires_at <= this.#options.now()) {
      return undefined;
    }
    if (login.by === "link") {
      return this.#options.links ? { name: "development" } : undefined;
    }
    const operator = await this.#options.accounts.findById(login.id);
    return operator?.fingerprint === login.fingerprint ? operator : undefined;
  }

  #set(reply: FastifyReply, login: Login): void {
    const value = Buffer.from(JSON.stringify(login)).toString("base64url");
    const maxAge = LIFETIME_MS / 1000;
    reply.setCookie(this.#name, value, { ...this.#attributes(), signed: true, maxAge });
  }

  #attributes() {
    return { path: "/", httpOnly: true, sameSite: "strict", secure: this.#options.secure } as const;
  }
}
