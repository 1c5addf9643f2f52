/**
 * The login form, and what it says when a token is wrong.
 */
import { renderBrand, renderPage } from "./markup/layout.ts";
import { markup } from "./markup/markup.ts";

export interface LoginPage {
  /** A path of this broker: where the person goes afterwards. */
  readonly next: string;
  readonly problem?: string;
  /** Development mode: there is a link to use in place of a token. */
  readonly links: boolean;
}

export function renderLoginPage({ next, problem, links }: LoginPage): string {
  const hint = links
    ? markup`This broker runs in development mode: open the link that <code>lanyard dev</code> printed. It works once.`
    : markup`Whoever runs this broker makes you a token with <code>lanyard operator add NAME</code>. It is shown once.`;
  const notice = problem === undefined ? "" : markup`<p class="notice" role="alert">${problem}</p>`;
  return renderPage(
    { title: "Log in", lonely: true },
    markup`<div class="card lonely">
<div class="brand">${renderBrand()}</div>
<h1>Log in to review runs</h1>
<p class="soft">What agents did, with what they were refused, per workflow run.</p>
${notice}
<form method="post" action="/login">
<input type="hidden" name="next" value="${next}">
<label for="token">Operator token</label>
<input id="token" name="token" type="password" autocomplete="current-password" placeholder="lop_…" required autofocus>
<button>Log in</button>
</form>
<p class="hint">${hint}</p>
</div>`,
  );
}
