/**
 * What a reviewer should look at, with who says so.
 */
import type { FindingView } from "../../review/view.ts";
import { renderTime } from "../markup/formats.ts";
import { type Markup, markup, renderText } from "../markup/markup.ts";
import { renderPill } from "../markup/pill.ts";

const sources = {
  broker: "seen by the broker",
  log: "from the log",
  unwitnessed: "from a tail that nobody witnessed",
} as const;

export function renderFindings(findings: readonly FindingView[]): Markup {
  return markup`<ul class="card findings">
${findings.map(renderFinding)}</ul>`;
}

function renderFinding({ severity, title, detail, time, source }: FindingView): Markup {
  return markup`<li><div>${renderPill(severity)}</div><div><b>${renderText(title)}</b><p>${renderText(detail)}</p></div><div class="seen">${renderTime(time)}<span class="soft">${sources[source]}</span></div></li>
`;
}
