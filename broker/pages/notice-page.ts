/**
 * Pages that say one thing: nothing here, a used link, a failure.
 */
import { renderBrand, renderPage } from "./markup/layout.ts";
import { markup } from "./markup/markup.ts";

export interface Notice {
  readonly title: string;
  readonly sentence: string;
  readonly person?: string | undefined;
}

export function renderNoticePage({ title, sentence, person }: Notice): string {
  return renderPage(
    { title, person, lonely: person === undefined },
    markup`<div class="card lonely">
${person === undefined ? markup`<div class="brand">${renderBrand()}</div>` : ""}
<h1>${title}</h1>
<p class="soft">${sentence}</p>
<p class="hint"><a href="/runs">All runs</a></p>
</div>`,
  );
}

/**
 * A browser keeps a strict cookie to itself when another site's link leads here (the summary of a job, say).
 * This page takes the next step from here, and then the cookie comes along.
 */
export function renderArrivalPage(onwards: string): string {
  return renderPage(
    { title: "One moment", lonely: true, onwards },
    markup`<div class="card lonely">
<div class="brand">${renderBrand()}</div>
<h1>One moment…</h1>
<p class="hint"><a href="${onwards}">Go on</a></p>
</div>`,
  );
}
