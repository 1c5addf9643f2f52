/**
 * The same views as JSON, for operators' programs: a bearer token or the login cookie.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import { canonicalize } from "../../audit/canonical.ts";
import { BucketUnusable } from "../custody/bucket.ts";
import type { Authentication, Authenticator } from "../operators/authentication.ts";
import { CredentialList } from "../review/credential-view.ts";
import type { RunReviews } from "../review/run-reviews.ts";
import { RunList, RunView } from "../review/view.ts";
import { DatabaseUnavailable } from "../storage/unavailable.ts";
import { LogQuery, RunListQuery, RunParams, RunQuery, SessionParams } from "./queries.ts";
import { sendRefusal } from "./responses.ts";

export interface ApiRoutes {
  readonly authenticator: Authenticator;
  readonly reviews: RunReviews;
  readonly credentials: () => Promise<CredentialList>;
}

export function registerApiRoutes(
  app: FastifyInstance,
  { authenticator, reviews, credentials }: ApiRoutes,
): void {
  app.addHook("onRequest", async (request, reply) => {
    const authentication = await authenticator.authenticate(request);
    return authentication.ok ? undefined : refuseCaller(reply, authentication);
  });

  app.setErrorHandler((error, request, reply) => {
    request.log.error({ err: error }, "a request to the API failed");
    return error instanceof BucketUnusable || error instanceof DatabaseUnavailable
      ? sendRefusal(reply, 503, {
          error: "temporarily_unavailable",
          error_description: "The bucket or the database does not answer. The request can be repeated.",
        })
      : sendRefusal(reply, 500, {
          error: "server_error",
          error_description: `The broker failed. Its log has the cause under ${request.id}.`,
        });
  });

  app.get("/api/runs", async (request, reply) => {
    const query = RunListQuery.safeParse(request.query);
    if (!query.success) {
      return refuseRequest(reply, query.error.issues[0]?.path.join(".") ?? "the query");
    }
    return reply.send(RunList.parse(await reviews.listRuns(query.data)));
  });

  app.get("/api/runs/:run", async (request, reply) => {
    const params = RunParams.safeParse(request.params);
    const { offset } = RunQuery.parse(request.query);
    const view = params.success ? await reviews.readRun(params.data.run, offset) : undefined;
    return view === undefined ? refuseUnknown(reply, "run") : reply.send(RunView.parse(view));
  });

  app.get("/api/credentials", async (_request, reply) =>
    reply.send(CredentialList.parse(await credentials())),
  );

  app.get("/api/sessions/:session/log", async (request, reply) => {
    const params = SessionParams.safeParse(request.params);
    const log = params.success ? await reviews.readLog(params.data.session) : undefined;
    if (log === undefined) {
      return refuseUnknown(reply, "session");
    }
    const { stream } = LogQuery.parse(request.query);
    const lines = log[stream].map((record) => `${canonicalize(record)}\n`);
    return reply
      .type("application/x-ndjson; charset=utf-8")
      .header("lanyard-log-status", log.status)
      .header("lanyard-log-left-out", log.leftOut[stream])
      .send(lines.join(""));
  });
}

function refuseCaller(reply: FastifyReply, refused: Exclude<Authentication, { ok: true }>): FastifyReply {
  if (refused.code === "too_many_guesses") {
    return sendRefusal(reply.header("retry-after", refused.waitSeconds), 429, {
      error: "too_many_requests",
      error_description: "Too many wrong tokens came from this address.",
    });
  }
  return sendRefusal(reply.header("www-authenticate", "Bearer"), 401, {
    error: "invalid_token",
    error_description: "This needs an operator's token as a bearer: `lanyard operator add` makes one.",
  });
}

function refuseRequest(reply: FastifyReply, member: string): FastifyReply {
  return sendRefusal(reply, 400, {
    error: "invalid_request",
    error_description: `${member} is not what this endpoint accepts.`,
  });
}

function refuseUnknown(reply: FastifyReply, what: "run" | "session"): FastifyReply {
  return sendRefusal(reply, 404, {
    error: "not_found",
    error_description: `There is no such ${what}, or it is no longer kept.`,
  });
}
