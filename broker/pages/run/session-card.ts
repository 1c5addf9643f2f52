/**
 * One session of a run: what it could reach, who it was, and what its log rests on.
 */
import type { ServerView, SessionView } from "../../review/view.ts";
import { formatNumber, renderTime } from "../markup/formats.ts";
import { renderGrants } from "./grants-table.ts";
import { renderIntegrity } from "./integrity.ts";
import { formatJsonLine } from "../markup/json-text.ts";
import { type Markup, type MarkupValue, markup, renderText } from "../markup/markup.ts";
import { renderPill } from "../markup/pill.ts";
import { noteCredentials, renderCredentials } from "./session-credentials.ts";

export function renderSession(session: SessionView, n: number): Markup {
  const broken = session.integrity.problems.length > 0;
  return markup`<section id="session-${n}" aria-labelledby="session-${n}-title">
<div class="session-head"><h2 id="session-${n}-title">Session of ${renderText(session.robot)}</h2>${renderPill(session.status)}${session.mode === "observe" ? renderPill("observe") : ""}</div>
<div class="card parts">
${renderRemarks(session)}<div><h3>Servers and tools</h3>${renderServers(session.servers)}</div>
${renderPart("Grants", `of ${session.roles.join(", ")}`, renderGrants(session))}
${renderPart("Identity", "who was let in", renderIdentity(session))}
${renderCredentialsPart(session)}${renderPart("Integrity", broken ? "does not verify" : "what the log rests on", renderIntegrity(session), broken)}
</div>
</section>
`;
}

function describeRevoker({ by, cause }: NonNullable<SessionView["revoked"]>): Markup | string {
  if (by !== null) return markup`by ${renderText(by)}`;
  return cause === null
    ? "with the session’s own key"
    : "by policy change: the documents give its robot nothing for this job any more";
}

/** What a reviewer must not have to look for. */
function renderRemarks({ job_told_apart, revoked }: SessionView): Markup {
  const remarks = [
    ...(revoked === null ? [] : [markup`<p><b>Revoked</b> ${describeRevoker(revoked)}.</p>`]),
    ...(job_told_apart
      ? []
      : [
          markup`<p><b>Not told apart from other jobs.</b> The issuer sends no <code>check_run_id</code>: whichever job of this attempt came first holds the session, and a refused one need not be an attack.</p>`,
        ]),
  ];
  return remarks.length === 0
    ? markup``
    : markup`<div>${remarks}</div>
`;
}

function renderPart(title: string, note: string, ...[body, open = false]: [Markup, boolean?]): Markup {
  return markup`<details${open ? markup` open` : ""}><summary>${title} <span class="soft">${renderText(note)}</span></summary>${body}</details>
`;
}

function renderServers(servers: readonly ServerView[]): Markup {
  if (servers.length === 0) {
    return markup`<p class="soft">Its grants reach no server.</p>`;
  }
  return markup`${servers.map(renderServer)}`;
}

function renderServer(server: ServerView): Markup {
  const { name, listed, tools, resources, prompts, more, hidden } = server;
  const visible = tools.length + resources.length + prompts.length + more;
  const note = listed
    ? `${formatNumber(visible)} visible, ${formatNumber(hidden)} hidden from the agent`
    : "its tools never became known";
  const named = [
    ...tools.map((each) => ({ ...each, kind: "" })),
    ...resources.map((each) => ({ ...each, kind: "resource " })),
    ...prompts.map((each) => ({ ...each, kind: "prompt " })),
  ];
  const chips = named.map(
    ({ kind, name: each, rule }) =>
      markup`<li title="${rule}">${kind}<span class="mono">${renderText(each)}</span></li>`,
  );
  const rest = more === 0 ? "" : markup`<li>and ${formatNumber(more)} more</li>`;
  return markup`<div class="server"><p class="name"><b>${renderText(name)}</b> <span class="soft">${note}${renderChanges(server)}</span></p>
<ul class="tools">${chips}${rest}</ul></div>
`;
}

function renderCredentialsPart(session: SessionView): Markup | string {
  const noted = noteCredentials(session);
  return noted === undefined
    ? ""
    : renderPart("Credentials", noted.note, renderCredentials(session), noted.isLoud);
}

function renderChanges({ list_changes, restarts }: ServerView): string {
  const times = (count: number): string => (count === 1 ? "once" : `${formatNumber(count)} times`);
  const lists = list_changes === 0 ? "" : `; its lists changed ${times(list_changes)} while the session ran`;
  const starts = restarts === 0 ? "" : `; started again ${times(restarts)} after it had ended`;
  return `${lists}${starts}`;
}

function renderIdentity(session: SessionView): Markup {
  const fact = (name: string, value: MarkupValue) => markup`<dt>${name}</dt><dd class="wrap">${value}</dd>
`;
  const claims = Object.entries(session.claims).map(
    ([name, value]) =>
      markup`<tr><th scope="row" class="mono">${renderText(name)}</th><td class="wrap mono">${renderText(typeof value === "string" ? value : formatJsonLine(value))}</td></tr>
`,
  );
  return markup`<dl class="facts-table">
${fact("Robot", renderText(session.robot))}${fact("Roles", renderText(session.roles.join(", ")))}${fact("Agents", session.agents.length === 0 ? "not known yet" : renderText(session.agents.join(", ")))}${fact("Job", session.check_run_id === null ? "the issuer does not name it" : renderText(session.check_run_id))}${fact("Started", renderTime(session.started_at))}${session.ended_at === null ? fact("Good until", renderTime(session.expires_at)) : fact("Ended", renderTime(session.ended_at))}${session.isolation === null ? "" : fact("Isolation", session.isolation === "none" ? "none: agents and proxy share a user" : renderText(session.isolation))}${session.proxy_version === null ? "" : fact("Proxy", renderText(session.proxy_version))}</dl>
<h3 class="spaced">Claims of the subject token</h3>
<div class="table-scroll"><table class="data"><tbody>
${claims}</tbody></table></div>`;
}
