/**
 * The broker's HTTP application, without listening: every route, the limits around them, and one way to refuse.
 * Nothing but the exchange, the session endpoints, discovery, public keys and health answers an anonymous caller.
 */
import type { Server } from "node:http";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, LogController } from "fastify";
import { BucketUnusable } from "./custody/bucket.ts";
import { limitAddresses } from "./operations/address-limit.ts";
import { type GracefulStop, prepareStop } from "./operations/graceful-stop.ts";
import { limitDuration } from "./operations/handler-deadline.ts";
import type { Limits } from "./operations/limits.ts";
import { shedLoad } from "./operations/load-shedding.ts";
import type { Metrics } from "./operations/metrics.ts";
import { countRequests } from "./operations/request-metrics.ts";
import type { PageDependencies } from "./page-dependencies.ts";
import { registerPages } from "./pages/routes.ts";
import { type RefusalCode, refuse } from "./refusals.ts";
import { addAnswerHeaders, ANSWER_HEADERS } from "./routes/answer-headers.ts";
import { registerConnectionRoutes } from "./routes/connection-routes.ts";
import { registerOAuthRoutes } from "./routes/oauth-routes.ts";
import { registerPublicRoutes } from "./routes/public-routes.ts";
import { registerRecoveryRoute } from "./routes/recovery-route.ts";
import { RELAY_ROUTE, registerRelayRoute } from "./routes/relay-route.ts";
import { answerRefusal } from "./routes/refusal-answer.ts";
import { registerSessionRoutes } from "./routes/session-routes.ts";
import { type UploadTarget, registerUploadRoute } from "./routes/upload-route.ts";
import type { Relay } from "./relay/relay.ts";
import type { Services } from "./services.ts";
import { DatabaseUnavailable } from "./storage/unavailable.ts";

const MAX_BODY_BYTES = 64 * 1024;
/** As long as a whole request may take; whatever an endpoint waits for gives up much earlier. */
const HANDLER_TIMEOUT_MS = 120_000;
const LOOK_EVERY_MS = 1_000;

export interface AppParts {
  readonly services: Services;
  readonly relay: Relay;
  readonly pages: PageDependencies;
  /** Where uploads go when the bucket is a folder. */
  readonly uploads: Omit<UploadTarget, "now"> | undefined;
  readonly log: { readonly level: string; write(line: string): void } | undefined;
  /** The server to answer for. */
  readonly server: Server;
  readonly operations: {
    readonly limits: Limits;
    readonly metrics: Metrics;
    /** Addresses and networks. */
    readonly trustedProxies: readonly string[];
  };
}

export interface App {
  readonly fastify: FastifyInstance;
  readonly graceful: GracefulStop;
}

export async function buildApp({
  services,
  relay,
  pages,
  uploads,
  log,
  server,
  operations,
}: AppParts): Promise<App> {
  const app = Fastify({
    logger: log === undefined ? false : { level: log.level, stream: log },
    // Addresses of uploads are secrets for five minutes: requests are logged by route, below.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    trustProxy: operations.trustedProxies.length > 0 ? [...operations.trustedProxies] : false,
    serverFactory: (handler) => server.on("request", handler),
    // An address that cannot be decoded reaches no hook and no route, and is still answered as any other.
    frameworkErrors: (error, _request, reply) => void answerError(reply.headers(ANSWER_HEADERS), error),
  });
  app.setErrorHandler<FastifyError>((error, _request, reply) => answerError(reply, error));
  app.setNotFoundHandler((_request, reply) => answerRefusal(reply, refuse("not_found", "no route")));
  app.addHook("onResponse", (request, reply, done) => {
    const { url: route = "none" } = request.routeOptions;
    const ms = Math.round(reply.elapsedTime);
    request.log.debug({ method: request.method, route, status: reply.statusCode, ms }, "answered");
    done();
  });
  limitDuration(app, {
    timeoutMs: HANDLER_TIMEOUT_MS,
    lookEveryMs: LOOK_EVERY_MS,
    // A relayed call has the time that its server has, and a stream no end.
    isExempt: (route) => route === RELAY_ROUTE,
  });
  addAnswerHeaders(app);
  countRequests(app, operations.metrics);
  const graceful = prepareStop(app, server);
  operations.metrics.watchLoad(shedLoad(app, operations.limits));
  limitAddresses(app, {
    perMinute: operations.limits.addressPerMinute,
    now: services.now,
    onUntrustedProxy: () =>
      app.log.warn("X-Forwarded-For is not believed: LANYARD_TRUSTED_PROXIES does not name who sends it"),
  });

  registerPublicRoutes(app, services);
  await registerOAuthRoutes(app, services);
  registerConnectionRoutes(app, services);
  registerSessionRoutes(app, services);
  await registerRecoveryRoute(app, services);
  await registerRelayRoute(app, { services, relay });
  if (uploads !== undefined) {
    await registerUploadRoute(app, { ...uploads, now: services.now });
  }
  await registerPages(app, pages);
  return { fastify: app, graceful };
}

/** What was thrown: an expected failure of what the broker stands on, a body Fastify would not read, or a bug. */
function answerError(reply: FastifyReply, error: FastifyError): FastifyReply {
  if (error instanceof BucketUnusable) {
    return answerRefusal(reply, refuse("bucket_unavailable", error.message), { cause: error });
  }
  if (error instanceof DatabaseUnavailable) {
    return answerRefusal(reply, refuse("database_unavailable", error.message), { cause: error });
  }
  const code = codeOfStatus(error.statusCode);
  return answerRefusal(reply, refuse(code, error.message), code === "broker_failed" ? { cause: error } : {});
}

function codeOfStatus(status: number | undefined): RefusalCode {
  switch (status) {
    case 413:
      return "body_too_large";
    case 415:
      return "media_type_unsupported";
    case 404:
      return "not_found";
    case 503:
      return "busy";
    default:
      return status !== undefined && status >= 400 && status < 500 ? "request_malformed" : "broker_failed";
  }
}
