/**
 * The credentials of one session: what its calls were sent with, and whether what was minted for it alone is over.
 */
import type { MintedView, PresentedView } from "../../review/session-credentials.ts";
import type { SessionView } from "../../review/view.ts";
import { formatCount, formatNumber, renderTime } from "../markup/formats.ts";
import { type Markup, markup, renderText } from "../markup/markup.ts";

type Credentials = Pick<SessionView, "credentials" | "presented" | "presented_left_out">;

/** In a few words, and whether a reviewer has to look; undefined where there are none. */
export function noteCredentials({
  credentials,
  presented,
}: Credentials): { readonly note: string; readonly isLoud: boolean } | undefined {
  if (credentials.length === 0 && presented.length === 0) return undefined;
  const left = credentials.filter(({ state }) => state !== "ended" && state !== "active");
  const isLoud =
    left.some(({ attempts }) => attempts > 0) || presented.some((each) => each.calls_after_end > 0);
  const names = [...new Set(presented.map(({ credential }) => credential))];
  const used = names.length === 0 ? "none used yet" : `calls were sent with ${names.slice(0, 5).join(", ")}`;
  const over = left.length === 0 ? "" : `; ${formatNumber(left.length)} not over yet`;
  return { note: `${used}${names.length > 5 ? " and others" : ""}${over}`, isLoud };
}

export function renderCredentials({ credentials, presented, presented_left_out }: Credentials): Markup {
  const others =
    presented_left_out === 0
      ? ""
      : markup`<p class="note soft">${formatCount(presented_left_out, "record")} of its log name others.</p>
`;
  return markup`${presented.length === 0 ? "" : renderPresented(presented)}${others}${credentials.length === 0 ? "" : renderMinted(credentials)}`;
}

const SENDER: Record<PresentedView["stream"], string> = {
  runner: "the runner",
  relay: "the broker",
  recovered: "the runner, witnessed by nobody",
};

function renderPresented(presented: readonly PresentedView[]): Markup {
  return markup`<h3>What calls were sent with</h3>
${renderTable(presented.map((each) => [each, describePresented(each)]))}`;
}

function describePresented(presented: PresentedView): Markup {
  const { calls, servers, stream, first_at, last_at, expires_at, calls_after_end } = presented;
  const times =
    first_at === last_at ? renderTime(first_at) : markup`${renderTime(first_at)}, to ${renderTime(last_at)}`;
  const end = expires_at === null ? "" : markup` Good until ${renderTime(expires_at)}.`;
  const late =
    calls_after_end === 0
      ? ""
      : markup` <b class="loud">${formatCount(calls_after_end, "call")} after that.</b>`;
  return markup`${formatCount(calls, "call")} to ${renderText(servers.join(", "))} by ${SENDER[stream]}: ${times}.${end}${late}`;
}

type Named = Pick<MintedView, "credential" | "digest">;

function renderTable(rows: readonly (readonly [Named, Markup])[]): Markup {
  return markup`<div class="table-scroll"><table class="data"><tbody>
${rows.map(
  ([{ credential, digest }, said]) =>
    markup`<tr><th scope="row">${renderText(credential)}</th><td>${renderDigest(digest)}</td><td class="wrap">${said}</td></tr>
`,
)}</tbody></table></div>
`;
}

function renderDigest(digest: string | null): Markup {
  return digest === null
    ? markup`<span class="soft">unknown</span>`
    : markup`<code title="${digest}">${digest.slice(0, 12)}</code>`;
}

function renderMinted(credentials: readonly MintedView[]): Markup {
  return markup`<h3 class="spaced">Minted for this session alone</h3>
${renderTable(credentials.map((each) => [each, describeMinted(each)]))}`;
}

function describeMinted({ digest, state, ended_at, expires_at, attempts, failure }: MintedView): Markup {
  const expiry = expires_at === null ? "" : markup` It runs out ${renderTime(expires_at)}.`;
  const reason = failure === null ? "" : markup` ${renderText(failure)}`;
  switch (state) {
    case "asked":
      return markup`Its issuer is asked for it.`;
    case "active":
      return markup`In use.${expiry}`;
    case "ending":
      return attempts === 0
        ? markup`To be ended at its issuer.${expiry}`
        : markup`Not ended yet, tried in vain ${attempts === 1 ? "once" : `${formatNumber(attempts)} times`}.${reason}${expiry}`;
    case "lapsing":
      return digest === null
        ? markup`The issuer’s answer was lost.${reason}${expiry}`
        : markup`Nobody can end it at its issuer.${reason}${expiry}`;
    case "ended":
      return ended_at === null ? markup`Over.` : markup`Over since ${renderTime(ended_at)}.`;
  }
}
