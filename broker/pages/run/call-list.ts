/**
 * Calls as a reviewer reads them: one line each, what was refused marked by word and colour,
 * the arguments and the rule's text a click away.
 */
import { isFailed } from "../../review/calls.ts";
import type { CallView, SessionView } from "../../review/view.ts";
import { shortNameOf } from "../../sessions/session-row.ts";
import { formatDuration, formatNumber, renderClock, renderTime } from "../markup/formats.ts";
import { formatJson, previewMembers } from "../markup/json-text.ts";
import { type Markup, markup, renderLines, renderText } from "../markup/markup.ts";
import { renderPill } from "../markup/pill.ts";

export interface CallList {
  readonly calls: readonly CallView[];
  readonly sessions: readonly SessionView[];
}

export function renderCalls({ calls, sessions }: CallList): Markup {
  const agents = new Set(sessions.flatMap((session) => session.agents));
  const context: CallContext = {
    several: { agents: agents.size > 1, sessions: sessions.length > 1 },
    sessions: new Map(sessions.map((session) => [session.session, session])),
  };
  const rows = calls.map((call, n) => {
    const first = call.stream === "recovered" && calls[n - 1]?.stream !== "recovered";
    return [first ? divider : "", renderCall(call, context)];
  });
  return markup`<ol class="card calls">
${rows}</ol>`;
}

interface CallContext {
  several: { agents: boolean; sessions: boolean };
  sessions: ReadonlyMap<string, SessionView>;
}

const divider = markup`<li class="divider">Handed in after the proxy was gone. Nobody witnessed it: anything can stand from here on.</li>
`;

function renderCall(call: CallView, context: CallContext): Markup {
  const session = context.sessions.get(call.session);
  const classes = [
    call.decision === "deny" ? "denied" : call.observed === null ? "" : "observed",
    call.witnessed ? "" : "unwitnessed",
  ];
  const speaker = [
    context.several.agents ? call.agent : "",
    context.several.sessions ? shortNameOf(session?.robot ?? "") : "",
  ].filter((name) => name !== "");
  return markup`<li class="${classes.join(" ").trim()}"><details>
<summary>${renderClock(call.time)}${renderPill(call.observed === null ? call.decision : "observed")}<span class="what"><span class="soft">${renderText(call.server)}</span> ${renderNamed(call)}${renderSpeaker(speaker)}${renderPreview(call)}<span class="why">${renderText(call.explanation)}${renderCondition(call)}</span>${renderInspected(call)}</span>${renderEnd(call, session)}</summary>
<div class="more">
${renderArguments(call)}
<dl>
<dt>Time</dt><dd>${renderTime(call.time)}</dd>
<dt>Agent</dt><dd>${renderText(call.agent)}${call.client === null ? "" : renderText(`, through ${call.client}`)}</dd>
<dt>Method</dt><dd class="mono">${renderText(call.method)}</dd>
<dt>Rule</dt><dd><code>${renderText(call.rule ?? call.observed?.rule ?? "none")}</code> <span class="soft">(${renderText(call.reason)}${call.observed === null ? "" : renderText(`, otherwise ${call.observed.reason}`)})</span></dd>
${renderCredential(call)}${
  call.labels.length === 0
    ? ""
    : markup`<dt>Read</dt><dd>from here on the session has read ${renderText(call.labels.join(" and "))} content</dd>
`
}<dt>Record</dt><dd>${call.seq} of <code>${call.stream}/</code>, ${call.witnessed ? "witnessed by the broker" : "not witnessed"}</dd>
</dl>
</div>
</details></li>
`;
}

function renderCredential({ credential }: CallView): Markup | string {
  if (credential === null) return "";
  const { id, digest, expires_at, by } = credential;
  const expiry = expires_at === null ? "" : markup`, good until ${renderTime(expires_at)}`;
  return markup`<dt>Credential</dt><dd>${renderText(id)} <span class="soft">digest <code title="${digest}">${digest.slice(0, 12)}</code>${expiry}, sent by ${by === "relay" ? "the broker" : "the runner"}</span></dd>
`;
}

function renderNamed({ tool, resource, prompt, ask, method }: CallView): Markup {
  if (ask !== null) {
    return markup`<span>${renderText(ask)}</span>`;
  }
  const kind = resource === null ? (prompt === null ? "" : "prompt") : "resource";
  const said = kind === "" ? "" : markup`<span class="soft">${kind}</span> `;
  return markup`${said}<span class="tool">${renderText(tool ?? resource ?? prompt ?? method)}</span>`;
}

function renderSpeaker(names: readonly string[]): Markup | string {
  return names.length === 0 ? "" : markup` <span class="soft">by ${renderText(names.join(", "))}</span>`;
}

function renderPreview(call: CallView): Markup | string {
  if (call.arguments === null) {
    return "";
  }
  const members = previewMembers(call.arguments).map(({ name, text }) =>
    name === ""
      ? renderText(text)
      : markup`<span class="soft">${renderText(name)}</span> ${renderText(text)} `,
  );
  return markup`<span class="preview mono">${members}</span>`;
}

function renderCondition({ condition, decision, observed }: CallView): Markup | string {
  const isSaid = decision === "deny" || observed !== null;
  return condition === null || !isSaid ? "" : markup` <code>${renderText(condition)}</code>`;
}

function renderInspected({ inspected }: CallView): Markup | string {
  return inspected.length === 0 ? "" : markup`<span class="why">${renderText(inspected.join(" "))}</span>`;
}

function renderArguments(call: CallView): Markup {
  if (call.arguments_omitted > 0) {
    return markup`<p class="soft">Its arguments are too long for this page (${formatNumber(call.arguments_omitted)} characters). The session's log has them.</p>`;
  }
  return call.arguments === null
    ? markup`<p class="soft">Without arguments.</p>`
    : markup`<pre tabindex="0">${renderLines(formatJson(call.arguments))}</pre>`;
}

function renderEnd(call: CallView, session: SessionView | undefined): Markup {
  const witness = call.witnessed ? "" : markup`<span class="why">not witnessed</span>`;
  const duration = call.duration_ms === null ? "" : `, ${formatDuration(call.duration_ms)}`;
  if (call.decision === "deny") {
    return markup`<span class="end">not forwarded${witness}</span>`;
  }
  if (call.outcome === null) {
    const text = session?.status === "running" ? "under way" : "no result recorded";
    return markup`<span class="end">${text}${witness}</span>`;
  }
  const failed = isFailed(call) ? " failed" : "";
  return markup`<span class="end${failed}">${renderText(call.outcome.replaceAll("_", " "))}${duration}${witness}</span>`;
}
