/**
 * Where browsers come back to from an authorization server, for anybody: the state says whose answer it is, and counts at
 * the address alone that it was sent out with. The page repeats nothing of what the browser brought, and the broker asks nobody because
 * of it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { CALLBACK_PATH, CLIENT_DOCUMENT_PATH, clientDocument } from "../credentials/oauth/client-document.ts";
import { ConnectionAnswer, answerConnection } from "../credentials/oauth/connections.ts";
import { pageHeaders } from "../pages/markup/layout.ts";
import { renderNoticePage } from "../pages/notice-page.ts";
import { sendPage } from "../pages/responses.ts";
import type { Services } from "../services.ts";

const METADATA_CACHE = "public, max-age=300";
/** As the commands make them: 32 bytes in base64url. A name that comes twice is no text. */
const State = z.object({ state: z.string().regex(/^[A-Za-z0-9_-]{43}$/) });

export function registerConnectionRoutes(app: FastifyInstance, services: Services): void {
  const { publicUrl } = services;
  app.get(CLIENT_DOCUMENT_PATH, async (_request, reply) =>
    reply.header("cache-control", METADATA_CACHE).send(clientDocument(publicUrl)),
  );
  const receive = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const redirectAddress = `${publicUrl}${new URL(request.url, publicUrl).pathname}`;
    const state = State.safeParse(request.query);
    const answer = ConnectionAnswer.safeParse(request.query);
    if (
      !state.success ||
      !answer.success ||
      !(await answerConnection(services, { ...state.data, redirectAddress, answer: answer.data }))
    ) {
      return sendNotice(reply, 400, {
        title: "Nobody waits for this answer",
        sentence:
          "An answer is taken once, for ten minutes, and only while the command that asked for it is running. Run lanyard credential connect again.",
      });
    }
    return answer.data.error === undefined
      ? sendNotice(reply, 200, {
          title: "Done here",
          sentence: "The answer has arrived. The command in your terminal says as whom it connected.",
        })
      : sendNotice(reply, 200, {
          title: "Not connected",
          sentence: "The authorization server did not agree. The command in your terminal says why.",
        });
  };
  for (const path of [CALLBACK_PATH, `${CALLBACK_PATH}/:tag`]) {
    // A HEAD request of a link preview must not use the state up.
    app.get(path, { exposeHeadRoute: false }, receive);
  }
}

function sendNotice(
  reply: FastifyReply,
  status: number,
  notice: { readonly title: string; readonly sentence: string },
): FastifyReply {
  // The address holds a code: it goes nowhere else, not even to this broker's own pages.
  return sendPage(
    reply.headers({ ...pageHeaders, "referrer-policy": "no-referrer" }),
    status,
    renderNoticePage(notice),
  );
}
