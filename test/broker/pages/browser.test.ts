/**
 * The pages in a real Chromium: what a person sees, and what a browser thinks of the pages' policy.
 */
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTriage } from "../review/sample-sessions.ts";
import { openReviewStore, type ReviewStore } from "../review/review-store.ts";
import { WrittenSession } from "../review/written-session.ts";
import { listedPolicies, storeCredentials } from "./listed-credentials.ts";
import { addOperator, openPageApp } from "./page-app.ts";

const executablePath = "/usr/bin/chromium";
const args =
  "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-quic".split(
    " ",
  );
const missing = !existsSync(executablePath) && process.env["CI"] === undefined;
if (missing) {
  console.warn(
    `${executablePath} is not there: apt-get install chromium. The tests in a browser are skipped.`,
  );
}

describe.skipIf(missing)("in a browser", { timeout: 60_000 }, () => {
  let store: ReviewStore;
  let app: FastifyInstance;
  let browser: Browser;
  let url: string;
  let token: string;
  let run: string;

  beforeAll(async () => {
    store = await openReviewStore();
    const session = await openTriage(store);
    await session.flush();
    await session.seal();
    run = session.run;
    await storeCredentials(store, { session: "ses-none", text: "a".repeat(200) });
    app = await openPageApp(store, { policies: listedPolicies() });
    url = await app.listen({ host: "127.0.0.1", port: 0 });
    token = await addOperator(store);
    browser = await chromium.launch({ executablePath, args });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await app?.close();
    await store?.close();
  });

  /** A page of a fresh browser that remembers whatever the browser complains about. */
  async function openPage(options: { width?: number; dark?: boolean; scripts?: boolean } = {}) {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1280, height: 800 },
      colorScheme: options.dark === true ? "dark" : "light",
      javaScriptEnabled: options.scripts ?? true,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        complaints.push(message.text());
      }
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText ?? "";
      // What a click on a link cut short has not failed.
      if (reason !== "net::ERR_ABORTED") {
        complaints.push(`${request.url()}: ${reason}`);
      }
    });
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return { page, complaints };
  }

  async function logIn(page: Page): Promise<void> {
    await page.getByLabel("Operator token").fill(token);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL((address) => address.pathname !== "/login");
  }

  test("a reviewer logs in, opens a run and sees what was denied", async () => {
    const { page, complaints } = await openPage({ scripts: false });
    await page.goto(`${url}/runs/${run}`);
    expect(new URL(page.url()).pathname).toBe("/login");
    await logIn(page);
    expect(new URL(page.url()).pathname).toBe(`/runs/${run}`);
    await expectText(page.getByLabel("Verdict"), "9 calls by 1 agent, 3 denied");
    const denied = page.locator("#denied li");
    expect(await denied.count()).toBe(3);
    const first = denied.first();
    expect(await first.locator("pre").isVisible()).toBe(false);
    await first.locator("summary").click();
    await expectText(first.locator("pre"), '"owner": "acme-mirror"');
    await page.getByRole("link", { name: "Runs", exact: true }).first().click();
    await page.getByRole("link", { name: "Triage #128" }).click();
    expect(new URL(page.url()).pathname).toBe(`/runs/${run}`);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.goto(`${url}/runs`);
    expect(new URL(page.url()).pathname).toBe("/login");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test.each([{ width: 1280 }, { width: 1280, dark: true }, { width: 390 }, { width: 320 }])(
    "no page scrolls sideways, complains or lacks contrast: %j",
    async (options) => {
      const { page, complaints } = await openPage(options);
      await page.goto(`${url}/runs/${run}`);
      await logIn(page);
      for (const path of [`/runs/${run}`, "/runs", "/credentials"]) {
        await page.goto(url + path);
        await page.evaluate('document.querySelectorAll("details").forEach((part) => { part.open = true; })');
        const sideways = await page.evaluate(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        expect(sideways, path).toBeLessThanOrEqual(0);
        expect(await page.evaluate(poorContrasts), path).toEqual([]);
      }
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  test("the check of contrasts sees what a reader could not", async () => {
    const { page } = await openPage();
    await page.goto(`${url}/login`);
    await page.evaluate('document.querySelector("h1").style.color = "#ddd"');
    expect(await page.evaluate(poorContrasts)).toHaveLength(1);
    await page.context().close();
  });

  test("a link on another site leads to the run without another login", async () => {
    const { page, complaints } = await openPage();
    await page.goto(`${url}/login`);
    await logIn(page);
    const other = await serveLink(`${url}/runs/${run}`);
    try {
      // Another host is another site, so that a strict cookie does not come along.
      await page.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
      await page.getByRole("link").click();
      await page.waitForURL(`${url}/runs/${run}`);
      await expectText(page.getByLabel("Verdict"), "Complete");
    } finally {
      await new Promise((closed) => other.close(closed));
    }
    expect(complaints.filter((complaint) => !complaint.includes("localhost"))).toEqual([]);
    await page.context().close();
  });

  test("XSS by the names of tools, arguments and claims: nothing runs, nothing is loaded", async () => {
    const attack = `"><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>\u202E\u001b[31m`;
    const session = await WrittenSession.open(store, {
      id: "ses-hostile",
      claims: { run_id: "666", workflow: attack, ref: attack, actor: attack, [attack]: attack },
    });
    session.genesis();
    session.catalog("github", [{ name: attack, visible: true, why: attack }]);
    session.call({ tool: attack, decision: "deny", reason: attack, arguments: { [attack]: attack } });
    session.event(attack, "finding", { [attack]: attack });
    await session.seal();
    const { page, complaints } = await openPage();
    const requests: string[] = [];
    page.on("request", (request) => requests.push(new URL(request.url()).origin));
    await page.goto(`${url}/runs/${session.run}`);
    await logIn(page);
    await page.evaluate('document.querySelectorAll("details").forEach((part) => { part.open = true; })');
    expect(await page.locator("script, img[onerror], svg[onload]").count()).toBe(0);
    await expectText(page.locator("#denied"), "<script>alert(1)</script>");
    await expectText(page.locator("#denied"), "RLO");
    expect(new Set(requests)).toEqual(new Set([url]));
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("the policy holds: a script that got into a page after all does not run", async () => {
    const { page, complaints } = await openPage();
    await page.goto(`${url}/login`);
    await page.evaluate(`{
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken over'";
      document.body.append(script);
    }`);
    expect(await page.title()).toBe("Log in · Lanyard");
    expect(complaints.join()).toContain("Content Security Policy");
    await page.context().close();
  });

  test("on paper, everything is unfolded", async () => {
    const { page } = await openPage();
    await page.goto(`${url}/runs/${run}`);
    await logIn(page);
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("#denied pre").first().isVisible()).toBe(true);
    expect(await page.getByRole("button", { name: "Log out" }).isVisible()).toBe(false);
    await page.context().close();
  });
});

async function expectText(locator: ReturnType<Page["locator"]>, text: string): Promise<void> {
  expect(await locator.innerText()).toContain(text);
}

async function serveLink(target: string): Promise<Server> {
  const server = createServer((_request, response) => {
    response
      .setHeader("content-type", "text/html")
      .end(`<!doctype html><title>x</title><a href="${target}">run</a>`);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

/** Text whose colour is too close to what is behind it: WCAG 2.2, 1.4.3, level AA. */
const poorContrasts = `(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const backdrop = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
    if (!text || element.closest("option") !== null) continue;
    const [light, dark] = [parse(getComputedStyle(element).color), backdrop(element)]
      .map(luminance).sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) poor.push(element.className + " " + element.textContent.slice(0, 40) + " " + ratio.toFixed(2));
  }
  return [...new Set(poor)];
})()`;
