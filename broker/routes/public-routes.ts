/**
 * What anybody may read: the public keys, and whether the broker is well.
 */
import type { FastifyInstance } from "fastify";
import type { PoliciesInForce } from "../policies/live-policies.ts";
import type { Services } from "../services.ts";
import { listFailing } from "../storage/credentials/credential-health.ts";
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
    if (unstorable !== undefined) return answerRefusal(reply, unstorable);
    return describeReadiness(policies, (await listFailing(database)).length);
  });
}

/**
 * Degraded is ready, too: what was loaded before decides, and what needs no failing credential works. The problems name
 * robots and files, so the log has them, and the page of credentials those.
 */
function describeReadiness({ current, broken }: PoliciesInForce, failing: number) {
  const policies = { digest: current.digest, loaded_at: new Date(current.loadedAt).toISOString() };
  const reasons = [
    ...(broken === undefined
      ? []
      : [
          "The policy directory does not load: what was loaded before stays in force. The log has each problem.",
        ]),
    ...(failing === 0
      ? []
      : [
          "Credentials are failing: calls that need them are refused, or soon will be. The page of credentials has each one.",
        ]),
  ];
  if (reasons.length === 0) return { status: "ready", policies };
  const problems =
    broken === undefined
      ? {}
      : { problems: broken.problems.length, since: new Date(broken.since).toISOString() };
  return {
    ...{ status: "degraded", reason: reasons.join(" "), policies: { ...policies, ...problems } },
    ...(failing > 0 && { credentials: { failing } }),
  };
}
