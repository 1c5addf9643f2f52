/**
 * What a session was given: its grants, the flow rules that take from them, and what it lost while it ran.
 */
import type { FlowView, GrantView, PolicyChangeView, SessionView } from "../../review/view.ts";
import { formatCount, renderTime } from "../markup/formats.ts";
import { type Markup, markup, renderText } from "../markup/markup.ts";

export function renderGrants({ grants, flow, mode, policy_changes }: SessionView): Markup {
  const observed =
    mode === "observe"
      ? markup`<p class="note">Only observed: tools marked <code>read_only</code> were let through without a grant. What the roles would have denied is marked.</p>`
      : "";
  return markup`${observed}${renderTable(grants)}${renderFlow(flow)}${renderChanges(policy_changes)}`;
}

function renderTable(grants: readonly GrantView[]): Markup {
  const rows = grants.map(
    (grant) =>
      markup`<tr><th scope="row" class="mono">${renderText(grant.rule)}</th><td>${renderText(grant.server)}</td><td class="wrap">${renderNames(grant)}</td><td class="wrap">${renderTerms(grant)}</td></tr>
`,
  );
  return grants.length === 0
    ? markup`<p class="soft">No grants: every call is denied.</p>`
    : markup`<div class="table-scroll"><table class="data"><thead><tr><th scope="col">Rule</th><th scope="col">Server</th><th scope="col">Names</th><th scope="col">When</th></tr></thead><tbody>
${rows}</tbody></table></div>`;
}

function renderNames({ tools, resources, prompts, asks }: GrantView): Markup {
  const kinds = [
    ["", tools],
    ["resources ", resources],
    ["prompts ", prompts],
    ["asks for ", asks],
  ] as const;
  const named = kinds.filter(([, names]) => names.length > 0);
  return markup`${named.map(
    ([kind, names], n) =>
      markup`${n === 0 ? "" : markup`<br>`}${kind === "" ? "" : markup`<span class="soft">${kind}</span>`}<span class="mono">${renderText(names.join(", "))}</span>`,
  )}`;
}

function renderTerms({ when, limit, arguments: audit }: GrantView): Markup {
  const always =
    when === null ? markup`<span class="soft">always</span>` : markup`<code>${renderText(when)}</code>`;
  const often = limit === null ? "" : markup`, at most ${formatCount(limit, "call")}`;
  const logged =
    audit === "full"
      ? ""
      : markup`<br><span class="soft">${audit === "digest" ? "arguments are not in the log" : "of arguments, the log has the names"}</span>`;
  return markup`${always}${often}${logged}`;
}

function renderFlow(flow: readonly FlowView[]): Markup | string {
  const rows = flow.map(
    ({ rule, after, deny }) =>
      markup`<li><code>${renderText(rule)}</code> Once the session has read ${renderText(after.join(" or "))} content, what writes where it is ${renderText(deny.join(" or "))} is gone.</li>
`,
  );
  return flow.length === 0
    ? ""
    : markup`<h3 class="spaced">Flow</h3>
<ul class="rules">
${rows}</ul>`;
}

function renderChanges(changes: readonly PolicyChangeView[]): Markup | string {
  const rows = changes.map(
    ({ time, policy, lost }) =>
      markup`<li>${renderTime(time)}: lost ${renderText(lost.join(", "))}. <span class="soft">Policy</span> <code>${renderText(policy.slice(0, 12))}</code></li>
`,
  );
  return changes.length === 0
    ? ""
    : markup`<h3 class="spaced">Lost while it ran</h3>
<p class="soft">The policy documents changed, and the robot says <code>revoke_on_change</code>. Above is what the session began with.</p>
<ul class="rules">
${rows}</ul>`;
}
