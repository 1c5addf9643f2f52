/**
 * The frame of every page. A page needs no script, loads nothing from elsewhere and says so in its policy.
 */
import { type Markup, type MarkupValue, markup } from "./markup.ts";
import { icon, styleSheet } from "./stylesheet.ts";

/** Sent with every page. */
export const pageHeaders = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
} as const;

export interface PageFrame {
  readonly title: string;
  /** Who reads it; undefined before the login. */
  readonly person?: string | undefined;
  /** A page of its own, without the navigation: login, errors. */
  readonly lonely?: boolean;
  /** A path of this broker that the browser opens at once. */
  readonly onwards?: string;
}

export function renderPage(frame: PageFrame, body: MarkupValue): string {
  const { title, person, lonely, onwards } = frame;
  const refresh =
    onwards === undefined ? "" : markup`<meta http-equiv="refresh" content="${`0; url=${onwards}`}">`;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${refresh}<title>${title} · Lanyard</title>
<link rel="icon" type="image/svg+xml" href="${icon.path}">
<link rel="stylesheet" href="${styleSheet.path}">
</head>
<body>
${lonely === true ? "" : renderTop(person)}<main id="main">
${body}
</main>
</body>
</html>
`.text;
}

export function renderBrand(): Markup {
  return markup`<img src="${icon.path}" alt="" width="28" height="28">Lanyard`;
}

function renderTop(person: string | undefined): Markup {
  const account =
    person === undefined
      ? ""
      : markup`<form class="person" method="post" action="/logout"><span>${person}</span><button class="quiet">Log out</button></form>`;
  return markup`<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div>
<a class="brand" href="/runs">${renderBrand()}</a>
<nav aria-label="Pages"><a href="/runs">Runs</a><a href="/credentials">Credentials</a></nav>
${account}
</div></header>
`;
}
