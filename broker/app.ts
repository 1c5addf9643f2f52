/**
 * The broker's HTTP application, without listening: every route, the limits around them, and one way to refuse.
 * Nothing but the exchange, the session endpoints, public keys and health answers an anonymous caller.
 */
import type { Server } from "node:http";
import helmet from "@fastify/helmet";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, LogController } from "fastify";
import { BucketUnusable } from "./custody/bucket.ts";
import type { FolderBucket } from "./custody/folder-bucket.ts";
import type { PageDependencies } from "./page-dependencies.ts";
import { registerPages } from "./pages/routes.ts";
import { type RefusalCode, refuse } from "./refusals.ts";
import { registerPublicRoutes } from "./routes/public-routes.ts";
import { registerRecoveryRoute } from "./routes/recovery-route.ts";
import { answerRefusal } from "./routes/refusal-answer.ts";
import { registerSessionRoutes } from "./routes/session-routes.ts";
import { registerTokenRoute } from "./routes/token-route.ts";
import { registerUploadRoute } from "./routes/upload-route.ts";
import type { Services } from "./services.ts";
import { DatabaseUnavailable } from "./storage/sqlite.ts";

const MAX_BODY_BYTES = 64 * 1024;

export interface AppParts {
  readonly services: Services;
  readonly pages: PageDependencies;
  /** Where uploads go when the bucket is a folder. */
  readonly uploads: { readonly folder: FolderBucket; readonly secret: Uint8Array } | undefined;
  readonly log: { readonly level: string; write(line: string): void } | undefined;
  /** The server to answer for. */
  readonly server: Server;
}

export async function buildApp({
  services,
  pages,
  uploads,
  log,
  server,
}: AppParts): Promise<FastifyInstance> {
  const app = Fastify({
    logger: log === undefined ? false : { level: log.level, stream: log },
    // Addresses of uploads are secrets for five minutes: requests are logged by route, below.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    serverFactory: (handler) => server.on("request", handler),
  });
  app.setErrorHandler<FastifyError>((error, _request, reply) => answerError(reply, error));
  app.setNotFoundHandler((_request, reply) => answerRefusal(reply, refuse("not_found", "no route")));
  app.addHook("onResponse", async (request, reply) => {
    const { url: route = "none" } = request.routeOptions;
    const ms = Math.round(reply.elapsedTime);
    request.log.debug({ method: request.method, route, status: reply.statusCode, ms }, "answered");
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    // Whoever terminates TLS decides about the rest of its host.
    strictTransportSecurity: false,
  });

  registerPublicRoutes(app, services);
  await registerTokenRoute(app, services);
  registerSessionRoutes(app, services);
  await registerRecoveryRoute(app, services);
  if (uploads !== undefined) {
    await registerUploadRoute(app, { ...uploads, now: services.now });
  }
  await registerPages(app, pages);
  return app;
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
    default:
      return status !== undefined && status >= 400 && status < 500 ? "request_malformed" : "broker_failed";
  }
}
