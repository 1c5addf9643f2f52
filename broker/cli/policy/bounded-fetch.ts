/**
 * `fetch` to one server that nobody trusts: never more bytes than a bound, of all answers together, and never to
 * another place than the one that was asked, since what is sent may hold a secret.
 */

/** Four times what a lock can hold. */
const MAX_BYTES = 16 * 1024 * 1024;

export function boundFetch(request: typeof fetch, maxBytes = MAX_BYTES): typeof fetch {
  let left = maxBytes;
  const count = (): TransformStream<Uint8Array, Uint8Array> =>
    new TransformStream({
      transform: (chunk, controller) => {
        left -= chunk.length;
        if (left < 0) {
          controller.error(new Error(`it sent more than ${maxBytes / 1024 / 1024} MiB`));
        } else {
          controller.enqueue(chunk);
        }
      },
    });
  return async (input, init) => {
    const answer = await request(input, { ...init, redirect: "manual" });
    if (answer.status >= 300 && answer.status < 400 && answer.headers.has("location")) {
      await answer.body?.cancel();
      throw new Error("it redirects elsewhere: write the url of where it is into servers.yaml");
    }
    const { status, statusText, headers } = answer;
    return answer.body === null
      ? answer
      : new Response(answer.body.pipeThrough(count()), { status, statusText, headers });
  };
}
