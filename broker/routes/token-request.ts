/**
 * What is asked of the token endpoint: RFC 8693 and RFC 7523 (as MCP's workload identity federation uses it), brought
 * into one form. Parameters of these protocols that would change the meaning of the request and are not offered are
 * refused by name; what is not of them is ignored, as RFC 6749, section 3.2, has it.
 */
import { JWT_BEARER_GRANT, TOKEN_EXCHANGE_GRANT, TokenRequest } from "../contract.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { OAuthForm } from "./oauth-form.ts";

/** RFC 8707, section 2, and RFC 8693, section 2.1: both may come several times. */
export const TARGET_PARAMETERS = ["resource", "audience"];
const GRANTS: readonly string[] = [TOKEN_EXCHANGE_GRANT, JWT_BEARER_GRANT];
/** Somebody else to act for, or finer rights than a scope: an answer without them would not be the one asked for. */
const NOT_OFFERED = ["actor_token", "actor_token_type", "authorization_details"];
/** Of the other dialect: a request that speaks both could be read in two ways. */
const FOREIGN: ReadonlyMap<string, readonly string[]> = new Map([
  [TOKEN_EXCHANGE_GRANT, ["assertion"]],
  [JWT_BEARER_GRANT, ["subject_token", "subject_token_type", "requested_token_type"]],
]);

export interface ParsedTokenRequest {
  readonly ok: true;
  readonly grant: typeof TOKEN_EXCHANGE_GRANT | typeof JWT_BEARER_GRANT;
  readonly subjectToken: string;
  readonly scope: string | undefined;
}

export function parseTokenRequest(
  { parameters, repeated }: OAuthForm,
  publicUrl: string,
): ParsedTokenRequest | Refused {
  const grant = parameters.get("grant_type");
  if (grant !== undefined && !GRANTS.includes(grant)) {
    return refuse("grant_type_unsupported", `grant_type is ${JSON.stringify(grant.slice(0, 200))}`);
  }
  const isThere = (name: string): boolean => parameters.has(name);
  const unwanted = NOT_OFFERED.find(isThere) ?? FOREIGN.get(grant ?? "")?.find(isThere);
  if (unwanted !== undefined) {
    return refuse("request_malformed", `${unwanted} is not offered with this grant`);
  }
  const target = checkTarget({ parameters, repeated }, publicUrl);
  if (target !== undefined) return target;
  const form = TokenRequest.safeParse(Object.fromEntries(parameters));
  if (!form.success) {
    const paths = form.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    return refuse("request_malformed", paths.join("; ").slice(0, 500));
  }
  const { data } = form;
  const subjectToken = data.grant_type === JWT_BEARER_GRANT ? data.assertion : data.subject_token;
  return { ok: true, grant: data.grant_type, subjectToken, scope: data.scope };
}

/** One target, this broker, compared as text: nothing is parsed, so nothing can be read in two ways. */
function checkTarget(
  { parameters, repeated }: Pick<OAuthForm, "parameters" | "repeated">,
  publicUrl: string,
): Refused | undefined {
  const [several] = repeated;
  if (several !== undefined) return refuse("resource_wrong", `there is more than one ${several}`);
  const resource = parameters.get("resource");
  const audience = parameters.get("audience") ?? publicUrl;
  if (resource === publicUrl && audience === publicUrl) return undefined;
  const got = `resource is ${JSON.stringify(resource?.slice(0, 200) ?? "missing")}`;
  return refuse("resource_wrong", `${got}, audience ${JSON.stringify(audience.slice(0, 200))}`);
}
