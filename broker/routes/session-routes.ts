/**
 * The endpoints of a session: each identifies its caller, parses its body by the contract, and asks one function.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod/mini";
import { Digest } from "../../audit/record.ts";
import { REJECTED_FIELD, RenewRequest, SERVERS_FIELD, SealRequest, SegmentRequest } from "../contract.ts";
import { seal } from "../custody/sealing.ts";
import { announce } from "../custody/segments.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import { renew } from "../sessions/renewal.ts";
import { type CallerNeed, type SessionCaller, identifyCaller } from "../sessions/session-caller.ts";
import { describeSession } from "../sessions/session-document.ts";
import { revokeSession } from "../sessions/revocation.ts";
import { countAuthorizations } from "./authorization-headers.ts";
import { sessionChallenge } from "./challenge.ts";
import { markRevoked } from "./revocation-mark.ts";
import { answerRefusal } from "./refusal-answer.ts";

const NOTHING_SEALED = 409;

const ServerList = z.pipe(
  z.string(),
  z.transform((names) => new Set(names.split(/\s*,\s*/))),
);

export function registerSessionRoutes(app: FastifyInstance, services: Services): void {
  const identify = async (request: FastifyRequest, need: CallerNeed): Promise<SessionCaller | Refused> => {
    const { method, headers, raw } = request;
    const twice = findSecondAuthentication(request);
    if (twice !== undefined) return twice;
    const call = {
      method,
      path: raw.url ?? "",
      authorization: headers.authorization,
      proof: headers["dpop"],
    };
    return identifyCaller(call, need, services);
  };
  const refused = (reply: FastifyReply, refusal: Refused): FastifyReply =>
    answerRefusal(reply, refusal, { challenge: sessionChallenge(refusal.code, services.publicUrl) });

  app.get("/session", async (request, reply) => {
    const caller = await identify(request, "active");
    if (!caller.ok) return refused(reply, caller);
    const rejected = Digest.safeParse(request.headers[REJECTED_FIELD]).data;
    const used = ServerList.safeParse(request.headers[SERVERS_FIELD]).data;
    const document = await describeSession(caller.session, services, { rejected, used });
    return reply.header("cache-control", "no-store").send(document);
  });

  app.delete("/session", async (request, reply) => {
    const caller = await identify(request, "end");
    if (!caller.ok) return refused(reply, caller);
    if (await revokeSession(services.database, caller.session.id, { at: services.now() })) markRevoked(reply);
    return reply.code(204).send();
  });

  app.post("/session/renew", async (request, reply) => {
    const caller = await identify(request, "active");
    if (!caller.ok) return refused(reply, caller);
    const body = parseBody(RenewRequest, request);
    if (!body.ok) return refused(reply, body);
    const renewed = await renew(caller, body.value.subject_token, services);
    if (!renewed.ok) return refused(reply, renewed);
    return reply.header("cache-control", "no-store").send(renewed.response);
  });

  app.post("/session/segments", async (request, reply) => {
    const caller = await identify(request, "delivery");
    if (!caller.ok) return refused(reply, caller);
    const body = parseBody(SegmentRequest, request);
    if (!body.ok) return refused(reply, body);
    const announced = await announce(caller.session, body.value, services);
    if (!announced.ok) return refused(reply, announced);
    return reply.header("cache-control", "no-store").send(announced.response);
  });

  app.post("/session/seal", async (request, reply) => {
    const caller = await identify(request, "delivery");
    if (!caller.ok) return refused(reply, caller);
    const body = parseBody(SealRequest, request);
    if (!body.ok) return refused(reply, body);
    const sealed = await seal(caller.session, body.value, services);
    if (!sealed.ok) return refused(reply, sealed);
    const { response } = sealed;
    return reply.code(response.status === "sealed" ? 200 : NOTHING_SEALED).send(response);
  });
}

/** RFC 6750, section 2: a token comes in one way, and ours is in the header; nothing is read from a query. */
function findSecondAuthentication({ raw }: FastifyRequest): Refused | undefined {
  const headers = countAuthorizations(raw);
  if (headers > 1) return refuse("request_malformed", `there are ${headers} Authorization headers`);
  return raw.url?.includes("?") === true ? refuse("request_malformed", "there is a query") : undefined;
}

export type ParsedBody<T> = { readonly ok: true; readonly value: T } | Refused;

export function parseBody<S extends z.ZodMiniType>(
  schema: S,
  { body }: FastifyRequest,
): ParsedBody<z.output<S>> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { ok: true, value: parsed.data };
  const paths = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  return refuse("request_malformed", paths.join("; ").slice(0, 500));
}
