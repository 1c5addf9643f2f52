/**
 * What anybody may read: the public keys, and whether the broker is well.
 */
import type { FastifyInstance } from "fastify";
import type { PoliciesInForce } from "../policies/live-policies.ts";
import type { Services } from "../services.ts";
import { checkDatabase } from "../storage/database.ts";
import { answerRefusal } from "./refusal-answer.ts";

const KEYS_CACHE = "public, max-age=300";
const KEY_SET = "application/jwk-set+json";

export function registerPublicRoutes(app: FastifyInstance, services: Services): void {
  const { signingKeys, database, bucketWatch, policies } = services;

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
    return unstorable === undefined ? describeReadiness(policies) : answerRefusal(reply, unstorable);
  });
}

/** Degraded is ready, too: what was loaded before decides. The problems name robots and files, so the log has them. */
function describeReadiness({ current, broken }: PoliciesInForce) {
  const policies = { digest: current.digest, loaded_at: new Date(current.loadedAt).toISOString() };
  if (broken === undefined) return { status: "ready", policies };
  const since = new Date(broken.since).toISOString();
  const problems = broken.problems.length;
  const reason =
    "The policy directory does not load: what was loaded before stays in force. The log has each problem.";
  return { status: "degraded", reason, policies: { ...policies, problems, since } };
}
