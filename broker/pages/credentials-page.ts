/**
 * The credentials of this broker: what fails first, with what to do.
 */
import type { CredentialList, CredentialView } from "../review/credential-list.ts";
import { formatNumber, renderDayAndClock } from "./markup/formats.ts";
import { renderPage } from "./markup/layout.ts";
import { type Markup, markup, renderText } from "./markup/markup.ts";
import { renderPill } from "./markup/pill.ts";

export interface CredentialsPage {
  readonly list: CredentialList;
  readonly person: string;
}

export function renderCredentialsPage({ list: { credentials }, person }: CredentialsPage): string {
  const failing = credentials.filter((each) => each.failing !== null).length;
  const headline =
    failing === 0
      ? ""
      : markup`<p><b>${formatNumber(failing)} failing.</b> Calls that need them are refused, or will be once what is presented now has run out.</p>
`;
  return renderPage(
    { title: "Credentials", person },
    markup`<h1>Credentials</h1>
${headline}${credentials.length === 0 ? renderEmpty() : renderTable(credentials)}`,
  );
}

function renderEmpty(): Markup {
  return markup`<div class="card empty"><p><b>No credential yet</b></p><p class="spaced">One appears here once it was set with <code>lanyard credential set</code>, connected, or asked for by a job.</p></div>`;
}

function renderTable(credentials: readonly CredentialView[]): Markup {
  return markup`<div class="card runs"><table>
<thead><tr><th scope="col">State</th><th scope="col">Credential</th><th scope="col">Whose</th><th scope="col">Last used</th><th scope="col">Last good</th><th scope="col">Good until</th></tr></thead>
<tbody>
${credentials.map(renderRow)}
</tbody></table></div>`;
}

function renderRow({ credential, robot, kind, failing, ...times }: CredentialView): Markup {
  const when = (time: string | null): Markup | string =>
    time === null ? markup`<span class="soft">not known</span>` : renderDayAndClock(time);
  const said =
    failing === null
      ? ""
      : markup`<span class="soft">since ${renderDayAndClock(failing.since)}: ${renderText(failing.sentence)}</span>`;
  return markup`<tr>
<td>${renderPill(failing === null ? "working" : "failing")}</td>
<td class="run"><b>${renderText(credential)}</b> <span class="soft">${kind ?? ""}</span>${said}</td>
<td class="robots"><span>${robot === null ? "shared" : renderText(robot)}</span></td>
<td class="when" data-label="Last used">${when(times.last_used_at)}</td>
<td class="when" data-label="Last good">${when(times.last_good_at)}</td>
<td class="when" data-label="Good until">${when(times.expires_at)}</td>
</tr>
`;
}
