/**
 * What a session's log rests on: its objects, checkpoints and keys, what does not verify,
 * and how to check all of it without this broker.
 */
import type { ObjectView } from "../../review/integrity-view.ts";
import type { SessionView } from "../../review/view.ts";
import { formatBytes, formatCount, formatNumber, renderTime } from "../markup/formats.ts";
import { type Markup, type MarkupValue, markup, renderLines, renderText } from "../markup/markup.ts";

export function renderIntegrity({ session, policy, integrity }: SessionView): Markup {
  const { records, recovered_records, checkpoints, last_witnessed_seq, head, manifest } = integrity;
  const fact = (name: string, value: MarkupValue) => markup`<dt>${name}</dt><dd class="wrap">${value}</dd>
`;
  const witnessed =
    last_witnessed_seq === null ? "nothing" : `up to record ${formatNumber(last_witnessed_seq)}`;
  return markup`${renderProblems(integrity)}${renderNotes(integrity)}<dl class="facts-table">
${fact("Session", markup`<code>${renderText(session)}</code>`)}${fact("Records", `${formatNumber(records)}${recovered_records === 0 ? "" : `, and ${formatNumber(recovered_records)} that were handed in later`}`)}${fact("Witnessed", `${witnessed}, by ${formatCount(checkpoints, "checkpoint")} in the log`)}${fact("Manifest", manifest === null ? "none" : markup`${manifest.status}, written ${renderTime(manifest.written_at)}`)}${fact("Signed by", integrity.keys.length === 0 ? "no key yet" : integrity.keys.map((kid) => markup`<code>${renderText(kid)}</code> `))}${fact("Chain head", head === null ? "none" : markup`<code>${renderText(head)}</code>`)}${fact("Policy", markup`<code>${renderText(policy)}</code>`)}${fact("Objects", markup`<code>${renderText(integrity.prefix)}</code>`)}</dl>
${integrity.objects.length === 0 ? "" : renderObjects(integrity.objects)}
<h3 class="spaced">Check it without this broker</h3>
<p class="soft">From a clone of Lanyard; <code>BUCKET</code> is the folder of the bucket, or a copy of it. With the keys fetched once, it needs the files alone.</p>
<pre tabindex="0" class="spaced">${renderLines(integrity.verify.join("\n"))}</pre>
<p class="spaced"><a href="/api/sessions/${session}/log">The records as they verify</a> <span class="soft">(JSON, one a line)</span></p>`;
}

function renderProblems({ problems, more_problems }: SessionView["integrity"]): Markup | string {
  if (problems.length === 0) {
    return "";
  }
  const rest = more_problems === 0 ? "" : markup`<li>and ${formatNumber(more_problems)} more</li>`;
  return markup`<ul class="problems">
${problems.map(({ part, message }) => markup`<li><b class="mono">${renderText(part)}</b> ${renderText(message)}</li>`)}${rest}</ul>
`;
}

function renderNotes({ notes }: SessionView["integrity"]): Markup | string {
  return notes.length === 0
    ? ""
    : markup`<ul class="problems notes">
${notes.map(({ part, message }) => markup`<li><b class="mono">${renderText(part)}</b> ${renderText(message)}</li>`)}</ul>
`;
}

function renderObjects(objects: readonly ObjectView[]): Markup {
  const rows = objects.map(
    ({ object, bytes, sha256, first_seq, last_seq, stored }) =>
      markup`<tr><th scope="row" class="mono nowrap">${renderText(object)}</th><td class="nowrap">${formatNumber(first_seq)} to ${formatNumber(last_seq)}</td><td class="nowrap">${formatBytes(bytes)}</td><td class="wrap mono">${stored ? renderText(sha256) : markup`<b class="loud">not in the bucket</b>`}</td></tr>
`,
  );
  return markup`<div class="table-scroll spaced"><table class="data"><thead><tr><th scope="col">Object</th><th scope="col">Records</th><th scope="col">Size</th><th scope="col">SHA-256</th></tr></thead><tbody>
${rows}</tbody></table></div>`;
}
