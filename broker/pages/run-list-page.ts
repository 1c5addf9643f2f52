/**
 * The list of runs: the latest first, each with its status, its robots and what was denied.
 */
import { type RunList, RunStatus, type RunSummary } from "../review/view.ts";
import { shortNameOf } from "../sessions/session-row.ts";
import { formatNumber, renderDayAndClock } from "./markup/formats.ts";
import { renderPage } from "./markup/layout.ts";
import { type Markup, markup, renderText } from "./markup/markup.ts";
import { renderPill } from "./markup/pill.ts";

interface RunFilter {
  readonly repository?: string | undefined;
  readonly status?: RunStatus | undefined;
  readonly before?: string | undefined;
}

export interface RunListPage {
  readonly list: RunList;
  readonly filter: RunFilter;
  readonly person: string;
}

export function renderRunListPage({ list, filter, person }: RunListPage): string {
  return renderPage(
    { title: "Runs", person },
    markup`<h1>Runs</h1>
${renderFilter(filter)}
${list.runs.length === 0 ? renderEmpty(filter, list.next) : renderTable(list.runs)}
${renderPager(filter, list.next)}`,
  );
}

function renderFilter({ repository, status }: RunFilter): Markup {
  const options = RunStatus.options.map(
    (option) =>
      markup`<option value="${option}"${option === status ? markup` selected` : ""}>${option}</option>`,
  );
  const clear = repository === undefined && status === undefined ? "" : markup`<a href="/runs">Show all</a>`;
  return markup`<form class="filter" method="get" action="/runs">
<div><label for="repository">Repository</label><input id="repository" name="repository" placeholder="owner/name" value="${repository}" spellcheck="false" autocapitalize="off"></div>
<div><label for="status">Status</label><select id="status" name="status"><option value="">any</option>${options}</select></div>
<button>Filter</button>
${clear}
</form>`;
}

function renderEmpty({ repository, status, before }: RunFilter, next: string | null): Markup {
  if (next !== null) {
    return markup`<div class="card empty">None of the runs looked at here fits. Older ones may.</div>`;
  }
  if (before !== undefined) {
    return markup`<div class="card empty">There are no older runs.</div>`;
  }
  if (repository !== undefined || status !== undefined) {
    return markup`<div class="card empty">No run fits this filter.</div>`;
  }
  return markup`<div class="card empty"><p><b>No run yet</b></p><p class="spaced">A run appears here as soon as a job with the Lanyard step has got its session.</p></div>`;
}

function renderTable(runs: readonly RunSummary[]): Markup {
  return markup`<div class="card runs"><table>
<thead><tr><th scope="col">Status</th><th scope="col">Run</th><th scope="col">Robot</th><th scope="col" class="number">Calls</th><th scope="col" class="number">Denied</th><th scope="col" class="number">Findings</th><th scope="col">Started</th></tr></thead>
<tbody>
${runs.map(renderRow)}
</tbody></table></div>`;
}

function renderRow({ run, status, robots, counts, findings }: RunSummary): Markup {
  const attempt = run.run_attempt === "1" ? "" : `, attempt ${run.run_attempt}`;
  return markup`<tr>
<td>${renderPill(status)}</td>
<td class="run"><a href="/runs/${run.id}">${renderText(run.workflow)} ${run.run_number === null ? "" : renderText(`#${run.run_number}`)}</a><span class="soft">${renderText(run.repository)} · ${renderText(run.event)}${renderText(attempt)}</span></td>
<td class="robots">${robots.map((robot) => markup`<span>${renderText(shortNameOf(robot))}</span>`)}</td>
<td class="number" data-label="Calls">${formatNumber(counts.calls)}</td>
<td class="number" data-label="Denied">${renderLoud(counts.denied)}</td>
<td class="number" data-label="Findings">${renderLoud(findings)}</td>
<td class="when">${renderDayAndClock(run.started_at)}</td>
</tr>
`;
}

function renderLoud(count: number): Markup {
  return count === 0
    ? markup`<span class="soft">0</span>`
    : markup`<b class="loud">${formatNumber(count)}</b>`;
}

function renderPager(filter: RunFilter, next: string | null): Markup {
  const link = (before: string | undefined, text: string) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...filter, before })) {
      if (value !== undefined) {
        query.set(name, value);
      }
    }
    return markup`<a href="${query.size === 0 ? "/runs" : `/runs?${query.toString()}`}">${text}</a>`;
  };
  const newest = filter.before === undefined ? markup`<span></span>` : link(undefined, "Back to the latest");
  const older = next === null ? "" : link(next, "Older runs");
  return markup`<nav class="pager" aria-label="More runs">${newest}${older}</nav>
<p class="note soft">Numbers here are at most half a minute old; a run's own page reads its log anew each time.</p>`;
}
