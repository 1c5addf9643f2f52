/**
 * Everything that an agent, a server, a workflow or a forged tail can choose the text of, chosen by an attacker.
 */
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openReviewStore, type ReviewStore } from "../review/review-store.ts";
import { WrittenSession } from "../review/written-session.ts";
import { addOperator, openPageApp } from "./page-app.ts";

let store: ReviewStore;
let app: FastifyInstance;

beforeEach(async () => {
  store = await openReviewStore();
  app = await openPageApp(store);
});
afterEach(async () => {
  await app.close();
  await store.close();
});

async function readPages(run: string): Promise<string> {
  const headers = { authorization: `Bearer ${await addOperator(store)}` };
  const pages = await Promise.all([`/runs/${run}`, "/runs"].map((url) => app.inject({ url, headers })));
  expect(pages.map((page) => page.statusCode)).toEqual([200, 200]);
  return pages.map((page) => page.body).join("\n");
}

/** A session in which every text that can be chosen is `text`. */
async function writeHostile(text: string): Promise<WrittenSession> {
  const session = await WrittenSession.open(store, {
    id: "ses-1",
    agents: [text, "b"],
    claims: {
      workflow: text,
      ref: text,
      actor: text,
      sha: text,
      event_name: text,
      repository: text,
      run_number: text,
      environment: text,
      [text]: text,
    },
  });
  session.genesis();
  session.catalog(text, [{ name: text, visible: true, why: text }]);
  const client = { name: text, version: text };
  session.call(
    {
      id: "1",
      agent: text,
      client,
      server: text,
      method: text,
      tool: text,
      rule: text,
      credential: { id: text, digest: "1".repeat(64) },
      arguments: { [text]: [text] },
    },
    "ok",
  );
  session.call({
    id: "2",
    agent: text,
    client,
    server: text,
    tool: text,
    decision: "deny",
    reason: text,
    arguments: text,
  });
  session.call({
    id: "3",
    tool: text,
    decision: "deny",
    reason: "no_grant",
    arguments: { a: { [text]: { [text]: text } } },
  });
  session.event(text, "finding", { [text]: text, nested: [text] });
  await session.find("takeover_attempt", text);
  await session.flush();
  session.call({ tool: text, arguments: { text } });
  session.event(text, "warning", { text });
  await session.recover();
  return session;
}

test.each([
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "</pre></details><h1>Complete</h1>",
  "<!--",
  "]]>",
  "&lt;b&gt;&#x3c;b&#x3e;",
  "javascript:alert(1)",
  "{{constructor.constructor('alert(1)')()}}",
  "`${alert(1)}`",
  "x!<blink>",
])("XSS by %s: it stays text wherever it stands", async (text) => {
  const session = await writeHostile(text);
  const body = await readPages(session.run);
  expect(body).not.toMatch(/<(script|img src=x|blink|h1>Complete)/);
  expect(body).not.toMatch(/<[a-z0-9]+[^>]*\son[a-z]+\s*=/i);
  expect(body).not.toMatch(/href="javascript:/);
  const tags = new Set(
    [...body.matchAll(/<(\/?[a-zA-Z!][a-zA-Z0-9]*)/g)].map((match) => match[1]?.toLowerCase()),
  );
  expect([...tags].filter((tag) => !known.has(tag ?? ""))).toEqual([]);
});

const known = new Set(
  "!doctype html head meta title link body a header div img nav form span button main p h1 h2 h3 section strong svg path circle dl dt dd ul li ol details summary time code pre table thead tbody tr th td b label input select option small"
    .split(" ")
    .flatMap((tag) => [tag, `/${tag}`]),
);

test("control, bidi, zero-width and tag characters never reach the page as they are", async () => {
  const tags = [..."obey"].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join("");
  const session = await writeHostile(
    `a\u001b[2J\u202Eb\u2066c\u200bd\u00ade\ufefff\u2028g\u0000h\u009bi${tags}`,
  );
  const body = await readPages(session.run);
  expect(body.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  for (const shown of [
    "ESC",
    "RLO",
    "LRI",
    "ZWSP",
    "U+00AD",
    "BOM",
    "U+2028",
    "NUL",
    "U+009B",
    "tags: obey",
  ]) {
    expect(body).toContain(`>${shown}</span>`);
  }
});

test("an attacker cannot type out what the page shows for a hidden character", async () => {
  const session = await writeHostile('<span class="unseen">RLO</span>');
  expect(await readPages(session.run)).not.toMatch(/<span class="unseen"[^>]*>RLO/);
});

test("names and arguments without end give a page with one", async () => {
  const session = await writeHostile("A".repeat(200_000));
  const { length } = await readPages(session.run);
  expect(length).toBeLessThan(2_000_000);
});

test("arguments nested two hundred deep are cut, and the page says so", async () => {
  const session = await WrittenSession.open(store, { id: "ses-1" });
  session.genesis();
  session.call({ arguments: JSON.parse(`${'{"a":['.repeat(100)}1${"]}".repeat(100)}`) }, "ok");
  await session.seal();
  expect(await readPages(session.run)).toContain("nested deeper");
});
