/**
 * The body of an OAuth endpoint (RFC 6749, section 3.2): form-encoded, every parameter once, nothing in the query,
 * at most one authentication. What it returns was said once and in one place.
 */
import type { FastifyRequest } from "fastify";
import { type Refused, refuse } from "../refusals.ts";
import { countAuthorizations } from "./authorization-headers.ts";

/** RFC 6749, section 2.3.1, and RFC 7521, section 4.2. */
const SECRET = "client_secret";
const ASSERTION = ["client_assertion", "client_assertion_type"];

export interface OAuthForm {
  readonly ok: true;
  /** What has no value counts as left out (RFC 6749, section 3.2). */
  readonly parameters: ReadonlyMap<string, string>;
  /** The names of those that may come more than once, and did. */
  readonly repeated: ReadonlySet<string>;
}

export interface OAuthFormRules {
  /** The endpoint's path, as in the route. */
  readonly path: string;
  /** Parameters that the protocol allows several times: it is for the endpoint to say what becomes of them. */
  readonly repeatable?: readonly string[];
  /** `none`: the endpoint knows no clients; `bearer`: its caller authenticates in the Authorization header. */
  readonly authentication: "none" | "bearer";
}

export function parseOAuthForm(request: FastifyRequest, rules: OAuthFormRules): OAuthForm | Refused {
  if (request.raw.url !== rules.path) {
    return refuse("request_malformed", "there is a query");
  }
  const form = request.body ?? new URLSearchParams();
  if (!(form instanceof URLSearchParams)) return refuse("request_malformed", "the body is not a form");
  const parameters = new Map<string, string>();
  const names = new Set<string>();
  const repeated = new Set<string>();
  for (const [name, value] of form) {
    if (value !== "") parameters.set(name, value);
    if (!names.has(name)) {
      names.add(name);
    } else if (rules.repeatable?.includes(name) === true) {
      repeated.add(name);
    } else {
      return refuse("request_malformed", `${name.slice(0, 100)} is repeated`);
    }
  }
  for (const name of repeated) parameters.delete(name);
  return checkAuthentication(request, { parameters, rules }) ?? { ok: true, parameters, repeated };
}

function checkAuthentication(
  { raw }: FastifyRequest,
  { parameters, rules }: { parameters: ReadonlyMap<string, string>; rules: OAuthFormRules },
): Refused | undefined {
  const headers = countAuthorizations(raw);
  const attempts =
    headers +
    (parameters.has(SECRET) ? 1 : 0) +
    (ASSERTION.some((parameter) => parameters.has(parameter)) ? 1 : 0);
  if (attempts > 1) {
    return refuse("request_malformed", "it authenticates in more than one way");
  }
  const allowed = rules.authentication === "bearer" ? headers : 0;
  return attempts > allowed
    ? refuse(
        "client_authentication_unsupported",
        "there is a client secret, assertion or Authorization header",
      )
    : undefined;
}
