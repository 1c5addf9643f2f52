/**
 * The OAuth library's requests, sent by the broker's own guarded client: it alone decides about addresses, TLS, size and
 * time, and follows no redirect.
 */
import { allowInsecureRequests, customFetch } from "oauth4webapi";
import type { AskIssuer } from "../kind.ts";

/** Answers that have no body, whatever came with them. */
const BODILESS = [204, 205, 304];

interface LibraryRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

export interface RequestOptions {
  readonly [customFetch]: (url: string, request: LibraryRequest) => Promise<Response>;
  /** The library leaves it to the client, which lets nothing without TLS leave this machine. */
  readonly [allowInsecureRequests]: true;
}

/** `namedBy`: the server, or the authorization server, that publishes the addresses. */
export function sendThrough(ask: AskIssuer, namedBy: string): RequestOptions {
  return {
    [customFetch]: async (url, { method, headers, body }) => {
      const text = typeof body === "string" || body instanceof URLSearchParams ? String(body) : undefined;
      const answer = await ask({
        method: method === "POST" ? "POST" : "GET",
        url,
        headers,
        namedBy,
        ...(text !== undefined && { body: text }),
      });
      return new Response(BODILESS.includes(answer.status) ? null : answer.body, {
        status: answer.status,
        headers: answer.headers,
      });
    },
    [allowInsecureRequests]: true,
  };
}
