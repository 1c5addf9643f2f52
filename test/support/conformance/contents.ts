/** What the reference server's tools, resources and prompts hand out: one piece of each kind. */

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

export const IMAGE = { type: "image", data: PIXEL, mimeType: "image/png" } as const;
export const AUDIO = { type: "audio", data: SILENCE, mimeType: "audio/wav" } as const;

export function text(said: string): { type: "text"; text: string } {
  return { type: "text", text: said };
}

/** Content that carries a resource with it. */
export function embedded(uri: string, said: string): EmbeddedText {
  return { type: "resource", resource: { uri, mimeType: "text/plain", text: said } };
}

interface EmbeddedText {
  type: "resource";
  resource: { uri: string; mimeType: string; text: string };
}
