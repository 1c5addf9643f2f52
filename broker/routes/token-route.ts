/**
 * `POST /token` (RFC 8693): form-encoded, every parameter once, nothing in the query, no other authentication.
 */
import formbody from "@fastify/formbody";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { TOKEN_EXCHANGE_GRANT, TokenRequest } from "../contract.ts";
import { verifyProof } from "../identity/dpop-proof.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import { type Exchanged, exchange } from "../sessions/exchange.ts";
import { parseScope } from "../sessions/scope.ts";
import { answerRefusal } from "./refusal-answer.ts";

const PATH = "/token";
/** A subject token of the largest accepted size, and a scope. */
const MAX_FORM_BYTES = 24 * 1024;

export async function registerTokenRoute(app: FastifyInstance, services: Services): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    await scope.register(formbody, { bodyLimit: MAX_FORM_BYTES });
    scope.post(PATH, async (request, reply) => {
      const exchanged = await answer(request, services);
      if (!exchanged.ok) return answerRefusal(reply, exchanged);
      const { id: session, robot, run, binding } = exchanged.session;
      request.log.info({ session, robot, run, binding, renamedTo: exchanged.renamedTo }, "session");
      return reply.header("cache-control", "no-store").send(exchanged.response);
    });
  });
}

async function answer(request: FastifyRequest, services: Services): Promise<Exchanged | Refused> {
  if (request.raw.url !== PATH || request.headers.authorization !== undefined) {
    return refuse("request_malformed", "there is a query or an Authorization header");
  }
  const form = TokenRequest.safeParse(request.body);
  if (!form.success) {
    const paths = form.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    const otherGrant =
      form.error.issues.some(({ path }) => path[0] === "grant_type") && hasGrantType(request.body);
    return refuse(
      otherGrant ? "grant_type_unsupported" : "request_malformed",
      paths.join("; ").slice(0, 500),
    );
  }
  const { subject_token, resource, scope: scopeText } = form.data;
  if (resource !== services.publicUrl) {
    return refuse("resource_wrong", `resource is ${JSON.stringify(resource.slice(0, 200))}`);
  }
  const scope = parseScope(scopeText);
  if (!scope.ok) return scope;
  const proof = await verifyProof(request.headers["dpop"], {
    method: "POST",
    url: `${services.publicUrl}${PATH}`,
    now: services.now(),
  });
  if (!proof.ok) return proof;
  const subject = await services.subjectTokens.verify(subject_token);
  if (!subject.ok) return subject;
  const unstorable = await services.bucketWatch.check();
  return unstorable ?? (await exchange({ subject, proof, scope }, services));
}

/** Once, and another one than ours: what is missing or repeated is malformed. */
function hasGrantType(body: unknown): boolean {
  return (
    typeof body === "object" &&
    body !== null &&
    "grant_type" in body &&
    typeof body.grant_type === "string" &&
    body.grant_type !== TOKEN_EXCHANGE_GRANT
  );
}
