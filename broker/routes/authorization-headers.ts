/** How often a request authenticates in its headers: Node shows the first `Authorization` and hides the others. */
import type { IncomingMessage } from "node:http";

export function countAuthorizations({ rawHeaders }: IncomingMessage): number {
  // Names and values take turns.
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === "authorization").length;
}
