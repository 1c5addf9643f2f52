/**
 * The OAuth endpoints: what takes a form, in a scope of its own that reads nothing else.
 */
import type { FastifyInstance } from "fastify";
import type { Services } from "../services.ts";
import { registerIntrospectionRoute } from "./introspection-route.ts";
import { registerMetadataRoutes } from "./metadata-routes.ts";
import { registerRevocationRoute } from "./revocation-route.ts";
import { registerTokenRoute } from "./token-route.ts";

const FORM = "application/x-www-form-urlencoded";
/** A subject token of the largest accepted size, and a scope. */
const MAX_FORM_BYTES = 24 * 1024;

export async function registerOAuthRoutes(app: FastifyInstance, services: Services): Promise<void> {
  registerMetadataRoutes(app, services.publicUrl);
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser<string>(
      FORM,
      { parseAs: "string", bodyLimit: MAX_FORM_BYTES },
      // A question mark in front would be dropped: whoever looked at the form before read another name.
      (_request, body, done) => done(null, new URLSearchParams(body.startsWith("?") ? `&${body}` : body)),
    );
    registerTokenRoute(scope, services);
    registerRevocationRoute(scope, services);
    registerIntrospectionRoute(scope, services);
  });
}
