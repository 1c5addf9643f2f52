/**
 * The credentials of this broker: what needs somebody first, with what to do.
 */
import type { CredentialList, CredentialView, FormerView } from "../review/credential-view.ts";
import { formatNumber, renderDayAndClock, renderTime } from "./markup/formats.ts";
import { renderPage } from "./markup/layout.ts";
import { type Markup, markup, renderText } from "./markup/markup.ts";
import { renderPill } from "./markup/pill.ts";

export interface CredentialsPage {
  readonly list: CredentialList;
  readonly person: string;
}

const PILLS = {
  failing: "failing",
  expired: "expired",
  "not set": "unset",
  "expires soon": "expiring",
  "not in the documents": "left",
  good: "working",
} as const satisfies Record<CredentialView["health"], Parameters<typeof renderPill>[0]>;

export function renderCredentialsPage({ list: { credentials }, person }: CredentialsPage): string {
  return renderPage(
    { title: "Credentials", person },
    markup`<h1>Credentials</h1>
${credentials.length === 0 ? renderEmpty() : [renderHeadline(credentials), renderTable(credentials)]}`,
  );
}

function renderEmpty(): Markup {
  return markup`<div class="card empty"><p><b>No credential yet</b></p><p class="spaced">Name one under <code>credentials</code> in <code>servers.yaml</code>, and at the server that wants to see it. Then give it its secret with <code>lanyard credential set</code>, or with <code>connect</code> where it is granted in a browser.</p></div>`;
}

function renderHeadline(credentials: readonly CredentialView[]): Markup | string {
  const count = (health: CredentialView["health"]): number =>
    credentials.filter((each) => each.health === health).length;
  const said = (["failing", "expired", "not set", "expires soon"] as const).flatMap((health) =>
    count(health) === 0 ? [] : [`${formatNumber(count(health))} ${health}`],
  );
  if (said.length === 0) return "";
  const why =
    count("failing") === 0
      ? ""
      : " Calls that need what fails are refused, or will be once what is presented now has run out.";
  return markup`<p class="note"><b>${said.join(", ")}.</b>${why}</p>
`;
}

function renderTable(credentials: readonly CredentialView[]): Markup {
  return markup`<div class="card runs credentials"><table>
<thead><tr><th scope="col">State</th><th scope="col">Credential</th><th scope="col">Whose</th><th scope="col">Used by</th><th scope="col">Last used</th><th scope="col">Expires</th></tr></thead>
<tbody>
${credentials.map(renderRow)}
</tbody></table></div>`;
}

function renderRow(credential: CredentialView): Markup {
  const { kind, owner, delivery, last_used_at } = credential;
  const about = [kind ?? "of a kind that is not known", ...(delivery === null ? [] : [`at the ${delivery}`])];
  return markup`<tr>
<td>${renderPill(PILLS[credential.health])}</td>
<td class="run"><b>${renderText(credential.credential)}</b> <span class="about">${renderText(about.join(", "))}</span>${renderAdvice(credential)}${renderSecret(credential)}${renderFormer(credential)}</td>
<td class="robots"><span>${renderText(owner)}</span></td>
<td class="users">${renderUsers(credential)}</td>
<td class="when" data-label="Last used">${last_used_at === null ? markup`<span class="soft">${kind === "none" ? "not noted" : "never"}</span>` : renderDayAndClock(last_used_at)}</td>
<td class="when" data-label="Expires">${renderExpiry(credential)}</td>
</tr>
`;
}

function renderAdvice({ sentence, failing, last_good_at }: CredentialView): Markup | string {
  if (sentence === null) return "";
  const since = failing === null ? "" : markup`Since ${renderTime(failing.since)}: `;
  const good =
    failing === null || last_good_at === null ? "" : markup` It was last good ${renderTime(last_good_at)}.`;
  return markup`<p class="wrap">${since}${renderText(sentence)}${good}</p>`;
}

function renderSecret({ version, set_at, set_by, fallback_until }: CredentialView): Markup | string {
  if (version === null || set_at === null) return "";
  const fallback =
    fallback_until === null
      ? ""
      : markup`; the one before is its fallback until ${renderTime(fallback_until)}`;
  return markup`<span class="soft">Version ${version}, set ${renderTime(set_at)} by ${renderText(set_by ?? "")}${fallback}</span>`;
}

function renderUsers({ servers, roles }: CredentialView): Markup {
  const list = (noun: string, names: readonly string[]): Markup =>
    names.length === 0
      ? markup`<span class="soft">no ${noun}</span>`
      : markup`<span><span class="soft">${names.length === 1 ? noun : `${noun}s`}</span> ${renderText(names.join(", "))}</span>`;
  if (servers.length + roles.length === 0) return markup`<span class="soft">nobody</span>`;
  return markup`${list("server", servers)}${list("role", roles)}`;
}

function renderExpiry({ expires_at, presented_until }: CredentialView): Markup {
  if (expires_at !== null) return renderDayAndClock(expires_at);
  return presented_until === null
    ? markup`<span class="soft">not by itself</span>`
    : markup`${renderDayAndClock(presented_until)}<span class="soft">renewed before</span>`;
}

function renderFormer({ former, former_left_out: more }: CredentialView): Markup | string {
  if (former.length === 0) return "";
  const rest = more === 0 ? "" : markup`<li>and ${formatNumber(more)} more</li>`;
  return markup`<p class="soft">Presented to nobody any more, and not over at its issuer:</p><ul class="rules">${former.map((each) => markup`<li class="wrap">${describeFormer(each)}</li>`)}${rest}</ul>`;
}

function describeFormer({ session, run, version, server, digest, since, ...former }: FormerView): Markup {
  const { state, expires_at, attempts, failure } = former;
  const reason = failure === null ? "" : markup` ${renderText(failure)}`;
  const end = expires_at === null ? "" : markup` It runs out ${renderTime(expires_at)}.`;
  if (session === null) {
    const trying = failure === null ? " It is being ended." : "";
    return markup`The grant of version ${version ?? "?"} for ${renderText(server)}, over since ${renderTime(since)}.${reason}${trying}`;
  }
  const whose = run === null ? "a session" : markup`<a href="/runs/${run}">a session</a>`;
  const what =
    digest === null ? markup`For ${whose}` : markup`<code>${digest.slice(0, 12)}</code> of ${whose}`;
  return state === "ending"
    ? markup`${what}: tried in vain ${attempts === 1 ? "once" : `${formatNumber(attempts)} times`}.${reason}${end}`
    : markup`${what}: nobody can end it.${reason}${end}`;
}
