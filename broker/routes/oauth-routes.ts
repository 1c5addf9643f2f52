/**
 * The OAuth endpoints: what takes a form, in a scope of its own that reads nothing else.
 */
import formbody from "@fastify/formbody";
import type { FastifyInstance } from "fastify";
import type { Services } from "../services.ts";
import { registerIntrospectionRoute } from "./introspection-route.ts";
import { registerMetadataRoutes } from "./metadata-routes.ts";
import { registerRevocationRoute } from "./revocation-route.ts";
import { registerTokenRoute } from "./token-route.ts";

/** A subject token of the largest accepted size, and a scope. */
const MAX_FORM_BYTES = 24 * 1024;

export async function registerOAuthRoutes(app: FastifyInstance, services: Services): Promise<void> {
  registerMetadataRoutes(app, services.publicUrl);
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    await scope.register(formbody, { bodyLimit: MAX_FORM_BYTES });
    registerTokenRoute(scope, services);
    registerRevocationRoute(scope, services);
    registerIntrospectionRoute(scope, services);
  });
}
