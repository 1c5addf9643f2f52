/**
 * The top of a run's page: which run it is, the verdict, the numbers.
 */
import type { RunView } from "../../review/view.ts";
import { formatDuration, formatNumber, renderTime } from "../markup/formats.ts";
import { type Markup, markup, renderText } from "../markup/markup.ts";

export function renderRunHead({ run, attempts }: RunView): Markup {
  const number = run.run_number === null ? "" : renderText(`#${run.run_number}`);
  const forge =
    run.url === null
      ? ""
      : markup`<a class="button quiet" href="${run.url}">Open on ${new URL(run.url).host}</a>`;
  const filter = new URLSearchParams({ repository: run.repository });
  return markup`<p class="crumbs"><a href="/runs">Runs</a> <span class="soft">/</span> <a href="${`/runs?${filter.toString()}`}">${renderText(run.repository)}</a></p>
<div class="run-head">
<div><h1>${renderText(run.workflow)} <span class="soft">${number}</span></h1>
<dl class="facts">
<dt>Event</dt><dd>${renderText(run.event)} on <code>${renderText(run.ref)}</code></dd>
${run.actor === null ? "" : markup`<dt>Actor</dt><dd>by ${renderText(run.actor)}</dd>`}
${run.sha === null ? "" : markup`<dt>Commit</dt><dd><code>${renderText(run.sha.slice(0, 10))}</code></dd>`}
<dt>Started</dt><dd>${renderTime(run.started_at)}</dd>
<dt>Attempt</dt><dd>${renderAttempts(run, attempts)}</dd>
</dl></div>
${forge}
</div>
`;
}

function renderAttempts(run: RunView["run"], attempts: RunView["attempts"]): Markup {
  const others = attempts.filter(({ id }) => id !== run.id);
  const links = others.map(
    ({ id, run_attempt }) => markup`, <a href="/runs/${id}">attempt ${renderText(run_attempt)}</a>`,
  );
  return markup`attempt ${renderText(run.run_attempt)}${links}`;
}

const signs = {
  good: markup`<path d="m4.5 12.5 5 5 10-11"/>`,
  busy: markup`<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.2l3.4 2"/>`,
  warning: markup`<path d="M12 3.5 21.5 20h-19z"/><path d="M12 10v4.2M12 17v.2"/>`,
  alarm: markup`<path d="M8 3.2h8L20.8 8v8L16 20.8H8L3.2 16V8z"/><path d="M12 7.5v5.6M12 16.4v.2"/>`,
} as const;

export function renderVerdict({ verdict }: RunView): Markup {
  return markup`<section class="verdict ${verdict.tone}" aria-label="Verdict">
<strong><svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${signs[verdict.tone]}</svg>${renderText(verdict.headline)}</strong>
${verdict.sentences.map((sentence) => markup`<p>${renderText(sentence)}</p>`)}
</section>
`;
}

export function renderFigures({ run, counts, agents, findings, more_findings }: RunView): Markup {
  const figure = (name: string, value: string, tone = "") =>
    markup`<div class="${tone}"><dt>${name}</dt><dd>${value}</dd></div>`;
  const toned = (name: string, count: number, tone: string) =>
    figure(name, formatNumber(count), count === 0 ? "" : tone);
  const time =
    run.ended_at === null
      ? ""
      : figure("Time", formatDuration(Date.parse(run.ended_at) - Date.parse(run.started_at)));
  return markup`<dl class="card figures">
${figure("Calls", formatNumber(counts.calls))}
${toned("Denied", counts.denied, "bad")}
${counts.observed === 0 ? "" : toned("Would be denied", counts.observed, "warn")}
${toned("Failed", counts.failed, "warn")}
${toned("Unwitnessed", counts.unwitnessed, "warn")}
${toned("Findings", findings.length + more_findings, "bad")}
${figure("Agents", formatNumber(agents.length))}
${time}
</dl>
`;
}
