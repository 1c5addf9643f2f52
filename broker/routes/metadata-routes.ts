/** Discovery, for anybody; and the authorization endpoint that it has to name, which refuses everybody. */
import type { FastifyInstance } from "fastify";
import { refuse } from "../refusals.ts";
import { OAUTH_PATHS, authorizationServerMetadata, protectedResourceMetadata } from "./oauth-metadata.ts";
import { answerRefusal } from "./refusal-answer.ts";

const METADATA_CACHE = "public, max-age=300";

export function registerMetadataRoutes(app: FastifyInstance, publicUrl: string): void {
  const documents = {
    [OAUTH_PATHS.authorizationServer]: authorizationServerMetadata(publicUrl),
    [OAUTH_PATHS.protectedResource]: protectedResourceMetadata(publicUrl),
  };
  for (const [path, document] of Object.entries(documents)) {
    app.get(path, async (_request, reply) => reply.header("cache-control", METADATA_CACHE).send(document));
  }
  // RFC 6749, section 4.1.2.1: a client nobody knows is told here, and never by a redirect.
  app.get(OAUTH_PATHS.authorize, async (_request, reply) =>
    answerRefusal(reply, refuse("authorization_unsupported", "somebody asked for an authorization")),
  );
}
