/**
 * The routes for people: login, runs, and the same as JSON for programs of theirs.
 * Nothing but the login and the style sheet answers an anonymous caller.
 */
import cookie, { Signer } from "@fastify/cookie";
import formbody from "@fastify/formbody";
import type { FastifyInstance } from "fastify";
import { OperatorAccounts } from "../operators/accounts.ts";
import { Authenticator } from "../operators/authentication.ts";
import { GuessLimit } from "../operators/guess-limit.ts";
import { LoginCookie } from "../operators/login-cookie.ts";
import type { PageDependencies } from "../page-dependencies.ts";
import { listCredentials } from "../review/credential-list.ts";
import { RunReviews } from "../review/run-reviews.ts";
import { registerApiRoutes } from "./api-routes.ts";
import { pageHeaders } from "./markup/layout.ts";
import { registerLoginRoutes } from "./login-routes.ts";
import { renderNoticePage } from "./notice-page.ts";
import { sendPage } from "./responses.ts";
import { registerRunRoutes } from "./run-routes.ts";
import { icon, styleSheet } from "./markup/stylesheet.ts";

/** A form holds a token and a path. */
const MAX_FORM_BYTES = 8 * 1024;
const FORM = "application/x-www-form-urlencoded";

export async function registerPages(app: FastifyInstance, dependencies: PageDependencies): Promise<void> {
  const { database, bucket, policies, checkpointKeys, publicUrl, cookieSecrets, login, now } = dependencies;
  const accounts = new OperatorAccounts(database, now);
  const secure = publicUrl.startsWith("https:");
  const loginCookie = new LoginCookie({ accounts, secure, links: login.kind === "one_time_link", now });
  const authenticator = new Authenticator({ accounts, cookie: loginCookie, guesses: new GuessLimit(now) });
  const reviews = new RunReviews({ database, bucket, checkpointKeys, publicUrl, now });

  const credentials = async () => listCredentials({ database, policies: policies(), now: now() });

  await app.register(async (scope) => {
    if (scope.hasContentTypeParser(FORM)) {
      scope.removeContentTypeParser(FORM);
    }
    await scope.register(formbody, { bodyLimit: MAX_FORM_BYTES });
    await scope.register(cookie, { secret: createSigner(cookieSecrets) });
    scope.addHook("onSend", async (_request, reply) => {
      for (const [name, value] of Object.entries(pageHeaders)) {
        if (name !== "cache-control" || !reply.hasHeader(name)) {
          reply.header(name, value);
        }
      }
    });
    registerAssets(scope);
    registerNotFound(scope);
    registerLoginRoutes(scope, { authenticator, loginCookie, mode: login });
    await scope.register(async (pages) => registerRunRoutes(pages, { authenticator, reviews, credentials }));
    await scope.register(async (api) => registerApiRoutes(api, { authenticator, reviews, credentials }));
  });
}

function registerAssets(app: FastifyInstance): void {
  for (const { path, type, body } of [styleSheet, icon]) {
    app.get(path, async (_request, reply) =>
      reply.type(type).header("cache-control", "public, max-age=31536000, immutable").send(body),
    );
  }
}

/** Whoever follows a wrong link in a browser reads a page; everybody else gets the broker's own refusal. */
function registerNotFound(app: FastifyInstance): void {
  app.get("/*", async (request, reply) => {
    if (request.headers.accept?.includes("text/html") !== true) {
      return reply.callNotFound();
    }
    const sentence = "There is nothing at this address.";
    return sendPage(reply, 404, renderNoticePage({ title: "Nothing here", sentence }));
  });
}

/** Of the secrets at the moment it is asked. */
function createSigner(secrets: () => readonly Uint8Array[]): Signer {
  const current = (): Signer => new Signer(secrets().map((secret) => Buffer.from(secret)));
  return { sign: (value) => current().sign(value), unsign: (value) => current().unsign(value) };
}
