/**
 * What anybody may read: the public keys, and whether the broker is well.
 */
import type { FastifyInstance } from "fastify";
import type { Services } from "../services.ts";
import { checkDatabase } from "../storage/database.ts";
import { answerRefusal } from "./refusal-answer.ts";

const KEYS_CACHE = "public, max-age=300";
const KEY_SET = "application/jwk-set+json";

export function registerPublicRoutes(app: FastifyInstance, services: Services): void {
  const { signingKeys, database, bucketWatch } = services;

  app.get("/.well-known/jwks.json", async (_request, reply) =>
    reply.type(KEY_SET).header("cache-control", KEYS_CACHE).send(JSON.stringify(signingKeys.tokenKeys)),
  );
  app.get("/.well-known/checkpoint-keys.json", async (_request, reply) =>
    reply.type(KEY_SET).header("cache-control", KEYS_CACHE).send(JSON.stringify(signingKeys.checkpointKeys)),
  );
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    await checkDatabase(database);
    const unstorable = await bucketWatch.check();
    return unstorable === undefined ? { status: "ready" } : answerRefusal(reply, unstorable);
  });
}
