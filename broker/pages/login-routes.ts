/**
 * Logging in and out: by an operator's token in a form, or by a one-time link on one's own machine.
 * Another site can neither log somebody in nor out, and decides nowhere where a login leads.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod";
import type { Authenticator } from "../operators/authentication.ts";
import { parseLocalPath } from "../operators/local-path.ts";
import type { LoginCookie } from "../operators/login-cookie.ts";
import type { LoginMode } from "../page-dependencies.ts";
import { renderLoginPage } from "./login-page.ts";
import { renderNoticePage } from "./notice-page.ts";
import { sendPage } from "./responses.ts";

const NextQuery = z.object({ next: z.string().optional().catch(undefined) });
const LoginForm = z.object({ token: z.string().catch(""), next: z.string().optional().catch(undefined) });
const LinkParams = z.object({ code: z.string() });

export interface LoginRoutes {
  readonly authenticator: Authenticator;
  readonly loginCookie: LoginCookie;
  readonly mode: LoginMode;
}

export function registerLoginRoutes(app: FastifyInstance, options: LoginRoutes): void {
  const { authenticator, loginCookie, mode } = options;
  const links = mode.kind === "one_time_link";

  app.get("/login", async (request, reply) => {
    const next = parseLocalPath(NextQuery.parse(request.query).next);
    if ((await loginCookie.read(request)) !== undefined) {
      return reply.redirect(next, 303);
    }
    return sendPage(reply, 200, renderLoginPage({ next, links }));
  });

  app.post("/login", async (request, reply) => {
    if (!isFromHere(request)) {
      return refuseForeignForm(reply);
    }
    const form = LoginForm.parse(request.body ?? {});
    const next = parseLocalPath(form.next);
    const check = await authenticator.checkToken(form.token.trim(), request.ip);
    if (check.ok) {
      loginCookie.setForOperator(reply, check.operator);
      return reply.redirect(next, 303);
    }
    if (check.code === "too_many_guesses") {
      const problem = `Too many wrong tokens from your address. Try again in ${check.waitSeconds} seconds.`;
      reply.header("retry-after", check.waitSeconds);
      return sendPage(reply, 429, renderLoginPage({ next, problem, links }));
    }
    const problem = "This is not a token of an operator here. A token starts with lop_ and is copied whole.";
    return sendPage(reply, 401, renderLoginPage({ next, problem, links }));
  });

  app.post("/logout", async (request, reply) => {
    if (!isFromHere(request)) {
      return refuseForeignForm(reply);
    }
    loginCookie.clear(reply);
    return reply.redirect("/login", 303);
  });

  if (mode.kind === "one_time_link") {
    // A HEAD request of a link preview must not use the link up.
    app.get("/login/once/:code", { exposeHeadRoute: false }, async (request, reply) => {
      const next = parseLocalPath(NextQuery.parse(request.query).next);
      if (mode.redeem(LinkParams.parse(request.params).code)) {
        loginCookie.setForLink(reply);
        return reply.redirect(next, 303);
      }
      if ((await loginCookie.read(request)) !== undefined) {
        return reply.redirect(next, 303);
      }
      const sentence =
        "A login link works once and for ten minutes. Start the broker again, and it prints a new one.";
      return sendPage(reply, 410, renderNoticePage({ title: "This link was used or is too old", sentence }));
    });
  }
}

/** Whether a form was sent by a page of this broker: browsers say where a request comes from, scripts need not. */
function isFromHere({ headers }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) {
    return site === "same-origin" || site === "none";
  }
  return headers.origin === undefined || URL.parse(headers.origin)?.host === headers.host;
}

function refuseForeignForm(reply: FastifyReply): FastifyReply {
  const sentence = "This form was sent by a page of another site. Nothing was done.";
  return sendPage(reply, 403, renderNoticePage({ title: "Not from here", sentence }));
}
