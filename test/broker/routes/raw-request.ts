/** A request whose headers are sent as they are given, also the same one twice. */
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";

export async function sendRaw(
  url: string,
  headers: readonly (readonly [string, string])[],
  body: string,
): Promise<{ status: number | undefined; answered: string }> {
  const sent = httpRequest(url, { method: "POST" });
  for (const [name] of headers) {
    sent.setHeader(
      name,
      headers.filter((header) => header[0] === name).map((header) => header[1]),
    );
  }
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { status: response.statusCode, answered: await text(response) };
}
