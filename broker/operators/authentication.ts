/**
 * Who a request to the pages or the API comes from: a login cookie, or an operator's token as a bearer.
 * A wrong token counts as a guess, wherever it was presented.
 */
import type { FastifyRequest } from "fastify";
import type { Operator, OperatorAccounts } from "./accounts.ts";
import type { GuessLimit } from "./guess-limit.ts";
import type { LoginCookie, Person } from "./login-cookie.ts";

const BEARER = /^Bearer +(\S+)$/i;

export type Authentication =
  | { readonly ok: true; readonly person: Person }
  | { readonly ok: false; readonly code: "anonymous" | "token_unknown" }
  | { readonly ok: false; readonly code: "too_many_guesses"; readonly waitSeconds: number };

export type TokenCheck =
  | { readonly ok: true; readonly operator: Operator }
  | { readonly ok: false; readonly code: "token_unknown" }
  | { readonly ok: false; readonly code: "too_many_guesses"; readonly waitSeconds: number };

export class Authenticator {
  readonly #accounts: OperatorAccounts;
  readonly #cookie: LoginCookie;
  readonly #guesses: GuessLimit;

  constructor({
    accounts,
    cookie,
    guesses,
  }: {
    accounts: OperatorAccounts;
    cookie: LoginCookie;
    guesses: GuessLimit;
  }) {
    this.#accounts = accounts;
    this.#cookie = cookie;
    this.#guesses = guesses;
  }

  async authenticate(request: FastifyRequest): Promise<Authentication> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const check = await this.checkToken(BEARER.exec(authorization)?.[1] ?? "", request.ip);
      return check.ok ? { ok: true, person: check.operator } : check;
    }
    const person = await this.#cookie.read(request);
    return person === undefined ? { ok: false, code: "anonymous" } : { ok: true, person };
  }

  /** Whose token it is. `address` is where it comes from. */
  async checkToken(token: string, address: string): Promise<TokenCheck> {
    const waitSeconds = this.#guesses.secondsToWait(address);
    if (waitSeconds > 0) {
      return { ok: false, code: "too_many_guesses", waitSeconds };
    }
    const operator = await this.#accounts.findByToken(token);
    if (operator === undefined) {
      this.#guesses.noteFailure(address);
      return { ok: false, code: "token_unknown" };
    }
    return { ok: true, operator };
  }
}
