/**
 * `/mcp/<server>`: the relay, for the proxy of a session and nobody else. What it carries is MCP and stays a stream in
 * both directions: once the caller is known, the server's gate answers.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { RELAY_AGENT_FIELD, RELAY_CALL_FIELD } from "../contract.ts";
import { AddressRefused } from "../egress/address-guard.ts";
import { receiveVisit } from "../../proxy/front/visit.ts";
import { type Fields, readFields } from "../../proxy/messages/fields.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Relay } from "../relay/relay.ts";
import type { Door, RelaySession } from "../relay/relay-session.ts";
import type { Services } from "../services.ts";
import { type SessionCaller, identifyCaller } from "../sessions/session-caller.ts";
import { sessionChallenge } from "./challenge.ts";
import { answerRefusal } from "./refusal-answer.ts";

export const RELAY_ROUTE = "/mcp/:server";

const Params = z.object({ server: z.string() });
/** As the Action takes names of agents. */
const AGENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const CALL_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_CALLS = 200;

export async function registerRelayRoute(
  app: FastifyInstance,
  { services, relay }: { readonly services: Services; readonly relay: Relay },
): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The gate reads the body, as the proxy's does.
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    scope.route({
      method: ["POST", "GET", "DELETE"],
      url: RELAY_ROUTE,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const arrivedAt = performance.now();
        const fields = readFields(request.raw.rawHeaders);
        const caller = await identify(request, fields, services);
        if (!caller.ok || fields === undefined) {
          const refusal = caller.ok ? refuse("request_malformed", "a header field stands twice") : caller;
          return refuseCaller(reply, refusal, services);
        }
        return pass({ request, reply, fields, caller, arrivedAt }, relay, services);
      },
    });
  });
}

async function identify(
  { method, raw }: FastifyRequest,
  fields: Fields | undefined,
  services: Services,
): Promise<SessionCaller | Refused> {
  if (fields === undefined) return refuse("request_malformed", "a header field stands twice");
  const path = raw.url ?? "";
  if (path.includes("?")) return refuse("request_malformed", "there is a query");
  return identifyCaller(
    { method, path, authorization: fields.get("authorization"), proof: fields.get("dpop") },
    "active",
    services,
  );
}

/** What is left of the body is not read. */
function refuseCaller(reply: FastifyReply, refusal: Refused, { publicUrl }: Services): FastifyReply {
  return answerRefusal(reply.header("connection", "close"), refusal, {
    challenge: sessionChallenge(refusal.code, publicUrl),
  });
}

interface Passing {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly fields: Fields;
  readonly caller: SessionCaller;
  /** As `performance.now()` says it. */
  readonly arrivedAt: number;
}

async function pass(
  { request, reply, fields, caller, arrivedAt }: Passing,
  relay: Relay,
  services: Services,
): Promise<FastifyReply> {
  const { server } = Params.parse(request.params);
  const { raw: response } = reply;
  const { session, leave } = await relay.enter(caller.session);
  response.once("close", leave);
  if (response.destroyed) leave();
  const door = findDoor(session, server);
  if (!door.ok) return refuseCaller(reply, door, services);
  const { gate, holder } = door;
  await holder.refresh();
  // A call learns in its turn what the session has read.
  if (!fields.has(RELAY_CALL_FIELD)) await session.ledger.refreshLabels();

  Object.entries(reply.getHeaders()).forEach(([name, value]) => {
    if (value !== undefined) response.setHeader(name, value);
  });
  reply.hijack();
  const agent = fields.get(RELAY_AGENT_FIELD) ?? "";
  const calls = listCalls(fields);
  calls.forEach((call) => session.meter.arrived(call, arrivedAt));
  const visited = { request: request.raw, response, fields, server };
  receiveVisit(
    { ...visited, agent: AGENT.test(agent) ? agent : "agent", callIds: { take: () => calls.shift() } },
    { gate, recording: session.recording },
  ).catch((error: unknown) => {
    request.log.error({ err: error }, "relaying failed");
    response.destroy();
  });
  return reply;
}

function findDoor(session: RelaySession, server: string): ({ readonly ok: true } & Door) | Refused {
  try {
    const door = session.doorOf(server);
    return door === undefined
      ? refuse("not_found", `the session relays to no server ${server}`)
      : { ok: true, ...door };
  } catch (error) {
    if (error instanceof AddressRefused) return refuse("server_address_refused", error.message);
    throw error;
  }
}

/** Of the calls in it, in their order. Whoever sends none that can be one gets new ones: they are not in the runner's log. */
function listCalls(fields: Fields): (string | undefined)[] {
  const ids = (fields.get(RELAY_CALL_FIELD) ?? "").split(",").slice(0, MAX_CALLS);
  return ids.map((id) => (CALL_ID.test(id) ? id : undefined));
}
