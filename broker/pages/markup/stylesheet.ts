/**
 * The two files that a page loads: one style sheet and the icon. Their names are digests of what they hold,
 * so a browser keeps them for good and never shows a page of today in the clothes of yesterday.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Asset {
  /** Where it is served. */
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

/** In this order: what comes later wins. */
const sheets = [
  "frame.css",
  "parts.css",
  "list.css",
  "run.css",
  "calls.css",
  "session.css",
  "narrow.css",
  "paper.css",
];

export const styleSheet = loadAsset(sheets, "css", "text/css; charset=utf-8");
export const icon = loadAsset(["lanyard.svg"], "svg", "image/svg+xml");

function loadAsset(files: readonly string[], extension: string, type: string): Asset {
  const body = Buffer.concat(files.map((file) => readFileSync(join(import.meta.dirname, "assets", file))));
  const digest = createHash("sha256").update(body).digest("hex").slice(0, 16);
  return { path: `/assets/${digest}.${extension}`, type, body };
}
