/**
 * One run: the verdict in words, what to look at, what was denied, everything that was called,
 * and then what it rests on. In this order a reviewer has the answer within a minute.
 */
import type { RunView } from "../../review/view.ts";
import { renderCalls } from "./call-list.ts";
import { renderFindings } from "./findings-list.ts";
import { formatCount, formatNumber } from "../markup/formats.ts";
import { renderPage } from "../markup/layout.ts";
import { type Markup, type MarkupValue, markup } from "../markup/markup.ts";
import { renderFigures, renderRunHead, renderVerdict } from "./run-head.ts";
import { renderSession } from "./session-card.ts";

export interface RunPage {
  readonly view: RunView;
  readonly person: string;
}

export function renderRunPage({ view, person }: RunPage): string {
  const { run, sessions, denied, findings } = view;
  return renderPage(
    { title: `${run.workflow} #${run.run_number ?? run.run_id} · ${run.repository}`, person },
    [
      renderRunHead(view),
      renderVerdict(view),
      renderFigures(view),
      renderSection({
        id: "findings",
        title: "Findings",
        note: moreNote(findings.length, view.more_findings),
        body:
          findings.length === 0
            ? markup`<div class="card empty">Nothing out of the ordinary was noticed.</div>`
            : renderFindings(findings),
      }),
      renderSection({
        id: "denied",
        title: "Denied calls",
        note: moreNote(denied.length, view.more_denied),
        body:
          denied.length === 0
            ? markup`<div class="card empty">${view.status === "complete" ? "No call was denied." : "No denied call is in what can be read of the log."}</div>`
            : renderCalls({ calls: denied, sessions }),
      }),
      renderAllCalls(view),
      sessions.map((session, n) => renderSession(session, n + 1)),
      view.more_sessions === 0
        ? ""
        : markup`<p class="pager">${formatCount(view.more_sessions, "more session")} of this run are not shown.</p>`,
    ],
  );
}

interface Section {
  id: string;
  title: string;
  note: MarkupValue;
  body: Markup;
}

function renderSection({ id, title, note, body }: Section): Markup {
  return markup`<section id="${id}" aria-labelledby="${id}-title">
<div class="section-head"><h2 id="${id}-title">${title}</h2><span class="soft">${note}</span></div>
${body}
</section>
`;
}

function moreNote(shown: number, more: number): string {
  return more === 0 ? "" : `the first ${formatNumber(shown)}; ${formatNumber(more)} more`;
}

function renderAllCalls({ run, calls, sessions }: RunView): Markup {
  const { rows, offset, limit, total } = calls;
  const last = offset + rows.length;
  const link = (to: number, text: string) =>
    markup`<a href="${to === 0 ? `/runs/${run.id}#calls` : `/runs/${run.id}?offset=${to}#calls`}">${text}</a>`;
  const earlier = offset > 0 ? link(Math.max(0, offset - limit), "Earlier calls") : "";
  const later = last < total ? link(last, `Later calls (${formatNumber(total - last)} more)`) : "";
  const range =
    rows.length === total
      ? "in order"
      : `${formatNumber(offset + 1)} to ${formatNumber(last)} of ${formatNumber(total)}, in order`;
  const leftOut = sessions.reduce((sum, session) => sum + session.integrity.more_records, 0);
  const empty =
    total === 0 ? "No call is in the log." : `There are no calls here: the log has ${formatNumber(total)}.`;
  return renderSection({
    id: "calls",
    title: "All calls",
    note: rows.length === 0 ? "" : range,
    body: markup`${rows.length === 0 ? markup`<div class="card empty">${empty}</div>` : renderCalls({ calls: rows, sessions })}
${leftOut === 0 ? "" : markup`<p class="note soft">The log is too long for this page: its last ${formatCount(leftOut, "record")} are not shown here. Commands under Integrity read all of it.</p>`}
${earlier === "" && later === "" ? "" : markup`<nav class="pager" aria-label="More calls"><span>${earlier}</span><span>${later}</span></nav>`}`,
  });
}
