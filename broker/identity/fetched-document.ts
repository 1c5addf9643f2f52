/**
 * A JSON document from an issuer: small, in time, from exactly where it was asked for.
 * The issuer's host is configured, what it answers is not trusted.
 */

export class FetchFailed extends Error {
  readonly code = "fetch_failed";
}

export interface FetchLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** Throws `FetchFailed`. A redirect counts as a failure. */
export async function fetchJson(url: string, { maxBytes, timeoutMs }: FetchLimits): Promise<unknown> {
  try {
    const response = await fetch(url, {
      redirect: "error",
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new FetchFailed(`${url} answered ${response.status}`);
    }
    return JSON.parse(await readText(response, maxBytes));
  } catch (cause) {
    if (cause instanceof FetchFailed) throw cause;
    throw new FetchFailed(`${url} could not be read`, { cause });
  }
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return "";
  const body: AsyncIterable<Uint8Array> = response.body;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new FetchFailed(`the answer has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
