/**
 * The pages behind the login. Who is not logged in is sent to the form and comes back afterwards.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { BucketUnusable } from "../custody/bucket.ts";
import type { Authenticator } from "../operators/authentication.ts";
import { parseLocalPath } from "../operators/local-path.ts";
import type { Person } from "../operators/login-cookie.ts";
import type { RunReviews } from "../review/run-reviews.ts";
import { DatabaseUnavailable } from "../storage/unavailable.ts";
import type { CredentialList } from "../review/credential-view.ts";
import { renderCredentialsPage } from "./credentials-page.ts";
import { renderArrivalPage, renderNoticePage } from "./notice-page.ts";
import { RunListQuery, RunParams, RunQuery } from "./queries.ts";
import { sendPage } from "./responses.ts";
import { renderRunListPage } from "./run-list-page.ts";
import { renderRunPage } from "./run/run-page.ts";

export interface RunRoutes {
  readonly authenticator: Authenticator;
  readonly reviews: RunReviews;
  readonly credentials: () => Promise<CredentialList>;
}

export function registerRunRoutes(
  app: FastifyInstance,
  { authenticator, reviews, credentials }: RunRoutes,
): void {
  app.decorateRequest("person", null);
  const personOf = (request: FastifyRequest) => request.getDecorator<Person>("person").name;

  app.addHook("onRequest", async (request, reply) => {
    const authentication = await authenticator.authenticate(request);
    if (authentication.ok) {
      request.setDecorator("person", authentication.person);
      return undefined;
    }
    return sendToLogin(request, reply);
  });

  app.setErrorHandler((error, request, reply) => {
    request.log.error({ err: error }, "a page failed");
    if (error instanceof BucketUnusable || error instanceof DatabaseUnavailable) {
      const sentence =
        "The bucket or the database does not answer. This says nothing about the logs: try again in a moment.";
      return sendPage(reply, 503, renderNoticePage({ title: "The logs cannot be read now", sentence }));
    }
    const sentence = `Whoever runs this broker finds the cause in its log, under ${request.id}.`;
    return sendPage(reply, 500, renderNoticePage({ title: "This page failed", sentence }));
  });

  app.get("/", async (_request, reply) => reply.redirect("/runs", 303));

  app.get("/runs", async (request, reply) => {
    const person = personOf(request);
    const query = RunListQuery.safeParse(request.query);
    if (!query.success) {
      const sentence = "This address names no list of runs: a part of it is not a filter.";
      return sendPage(reply, 400, renderNoticePage({ title: "No such list", sentence, person }));
    }
    const list = await reviews.listRuns(query.data);
    return sendPage(reply, 200, renderRunListPage({ list, filter: query.data, person }));
  });

  app.get("/credentials", async (request, reply) =>
    sendPage(reply, 200, renderCredentialsPage({ list: await credentials(), person: personOf(request) })),
  );

  app.get("/runs/:run", async (request, reply) => {
    const person = personOf(request);
    const params = RunParams.safeParse(request.params);
    const { offset } = RunQuery.parse(request.query);
    const view = params.success ? await reviews.readRun(params.data.run, offset) : undefined;
    if (view === undefined) {
      const sentence =
        "This broker knows no run of this name. Either no job of it has had a session here, or they ended so long ago that they are no longer kept: their logs are in the bucket for as long as its rules say.";
      return sendPage(reply, 404, renderNoticePage({ title: "No such run", sentence, person }));
    }
    return sendPage(reply, 200, renderRunPage({ view, person }));
  });
}

function sendToLogin(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const next = parseLocalPath(request.url);
  const login = next === "/runs" ? "/login" : `/login?${new URLSearchParams({ next }).toString()}`;
  return request.headers["sec-fetch-site"] === "cross-site"
    ? sendPage(reply, 200, renderArrivalPage(login))
    : reply.redirect(login, 303);
}
