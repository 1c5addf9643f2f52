/**
 * `POST /session/recover`: anybody may send it, its body is large, and only then is it known who sends it.
 * So there are never more than a few under way.
 */
import type { FastifyInstance } from "fastify";
import { MAX_PACKED_BYTES } from "../../audit/segment.ts";
import { RecoverRequest } from "../contract.ts";
import { recover } from "../custody/recovery.ts";
import { refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import { answerRefusal } from "./refusal-answer.ts";
import { parseBody } from "./session-routes.ts";

const MAX_CONCURRENT = 8;
/** For the whole body: a slow sender must not keep a place. */
const BODY_TIMEOUT_MS = 30_000;
/** The tail in base64, and the rest of the request. */
const MAX_BODY_BYTES = Math.ceil(MAX_PACKED_BYTES / 3) * 4 + 24 * 1024;

export async function registerRecoveryRoute(app: FastifyInstance, services: Services): Promise<void> {
  let underWay = 0;
  await app.register(async (scope) => {
    scope.addHook("onRequest", async (request, reply) => {
      if (underWay >= MAX_CONCURRENT) {
        reply.header("retry-after", "2").header("connection", "close");
        return answerRefusal(reply, refuse("busy", `${underWay} recoveries are under way`));
      }
      underWay += 1;
      const timer = setTimeout(() => request.raw.destroy(), BODY_TIMEOUT_MS);
      request.raw.once("end", () => clearTimeout(timer));
      // Also when the caller went away: the connection is what ends in every case.
      reply.raw.once("close", () => {
        underWay -= 1;
        clearTimeout(timer);
      });
      return undefined;
    });
    scope.post("/session/recover", { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
      const body = parseBody(RecoverRequest, request);
      if (!body.ok) return answerRefusal(reply, body);
      const recovered = await recover(body.value, services);
      return recovered.ok ? reply.send(recovered.response) : answerRefusal(reply, recovered);
    });
  });
}
