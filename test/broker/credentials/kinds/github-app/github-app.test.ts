/** Installation tokens: made for what was asked, given out only where GitHub's answer proves it, and ended. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { EntryOfKind, MintContext, MintingSession } from "../../../../../broker/credentials/kind.ts";
import { githubApp } from "../../../../../broker/credentials/kinds/github-app/github-app.ts";
import { type GithubAppPeer, startGithubAppPeer } from "../../../../support/github-app-peer.ts";
import { MINTING_SESSION, mintingContext, newPrivateKey } from "../../../../support/minting-context.ts";

// Between attempts to revoke: nothing here depends on how long.
vi.mock("node:timers/promises", () => ({ setTimeout: async () => undefined }));

let github: GithubAppPeer;
beforeEach(async () => {
  github = await startGithubAppPeer();
  const owner = { id: 123456, login: "acme" };
  github.repositories.set(456789, { name: "payments", owner });
  github.repositories.set(1001, { name: "handbook", owner });
  github.repositories.set(1002, { name: "secrets", owner });
  github.installations.push({
    id: 77,
    account: owner,
    permissions: { contents: "write", issues: "write", metadata: "read", administration: "write" },
    repositories: [456789, 1001, 1002],
    suspended: false,
  });
});
afterEach(async () => github.close());

const ENTRY = { permissions: { issues: "write", contents: "read" } } as const;
const contextOf = (
  entry: Partial<EntryOfKind<"github-app">> = {},
  overrides: Partial<MintContext<"github-app">> = {},
): MintContext<"github-app"> =>
  mintingContext<"github-app">(
    { kind: "github-app", app_id: github.appId, api_url: github.apiUrl, ...ENTRY, ...entry },
    { secret: Buffer.from(github.privateKey), ...overrides },
  );
const sessionOf = (changed: Partial<MintingSession>): MintingSession => ({ ...MINTING_SESSION, ...changed });
const mint = async (context = contextOf()) => {
  const result = await githubApp.mint(context);
  if (!result.ok) throw new Error(result.sentence);
  return result.minted;
};
const refusal = async (context = contextOf()): Promise<string> => {
  const result = await githubApp.mint(context);
  return result.ok ? "it was minted" : `${result.code}: ${result.sentence}`;
};
const see = async (path: string, token = ""): Promise<number> =>
  (await fetch(`${github.apiUrl}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;

describe("minting", () => {
  test("a token for the run's repository alone, with the permissions of the document", async () => {
    const minted = await mint();
    const token = minted.value ?? "";
    expect(minted).toMatchObject({
      headers: { authorization: `Bearer ${token}` },
      env: {},
      secrets: [token],
    });
    expect(github.tokens.get(token)).toMatchObject({
      repositories: [456789],
      permissions: { issues: "write", contents: "read", metadata: "read" },
      expiresAt: minted.expiresAt,
    });
    expect(await see("/repos/acme/payments", token)).toBe(200);
    expect(await see("/repos/acme/secrets", token)).toBe(404);
  });

  test("the app is known by its client id as well, and by a key in PKCS#8", async () => {
    expect(await mint(contextOf({ app_id: github.clientId }))).toBeDefined();
    expect(githubApp.checkSecret(Buffer.from(newPrivateKey()), contextOf().entry)).toBeUndefined();
  });

  test("a token for listed repositories reaches those and not the run's", async () => {
    const token = (await mint(contextOf({ repositories: ["Handbook", "secrets"] }))).value ?? "";
    expect(github.tokens.get(token)?.repositories).toEqual([1001, 1002]);
  });

  test("no permissions in the document are none: GitHub's default of all of them is not used", async () => {
    const token = (await mint(contextOf({ permissions: {} }))).value ?? "";
    expect(github.tokens.get(token)?.permissions).toEqual({ metadata: "read" });
  });

  test("GitHub's log shows the robot and its run", async () => {
    await mint();
    expect(github.asked.map(({ userAgent }) => userAgent)).toEqual(
      github.asked.map(() =>
        expect.stringMatching(/^lanyard\/\S+ \(acme\/payments\/triager; run 987654321\)$/),
      ),
    );
  });

  test("a repository that was renamed during its run is found by its id", async () => {
    github.repositories.set(456789, { name: "billing", owner: { id: 123456, login: "acme" } });
    github.renamed.set("acme/payments", 456789);
    const token = (await mint()).value ?? "";
    expect(github.tokens.get(token)?.repositories).toEqual([456789]);
  });
});

describe("an answer that is wider than what was asked for is refused, and its token is revoked", () => {
  const wider: Record<string, (answer: Record<string, any>) => unknown> = {
    "a permission more": (answer) => ({
      ...answer,
      permissions: { ...answer["permissions"], secrets: "read" },
    }),
    "a higher access": (answer) => ({
      ...answer,
      permissions: { ...answer["permissions"], contents: "write" },
    }),
    "more access to metadata": (answer) => ({ ...answer, permissions: { metadata: "write" } }),
    "an access that nobody has heard of": (answer) => ({ ...answer, permissions: { contents: "own" } }),
    "a permission named as a property of every object": (answer) => ({
      ...answer,
      permissions: { constructor: "read" },
    }),
    "all repositories": (answer) => ({ ...answer, repository_selection: "all" }),
    "a repository more": (answer) => ({
      ...answer,
      repositories: [...answer["repositories"], { id: 1002, name: "secrets", owner: { id: 123456 } }],
    }),
    "no repository": (answer) => ({ ...answer, repositories: [] }),
    "another repository of the same name": (answer) => ({
      ...answer,
      repositories: [{ ...answer["repositories"][0], id: 1003 }],
    }),
    "a repository of another owner": (answer) => ({
      ...answer,
      repositories: [{ ...answer["repositories"][0], owner: { id: 666 } }],
    }),
    "no word of permissions": ({ permissions: _, ...answer }) => answer,
    "no word of repositories": ({ repositories: _, ...answer }) => answer,
    "no word of the selection": ({ repository_selection: _, ...answer }) => answer,
    "no expiry": ({ expires_at: _, ...answer }) => answer,
    "ids as text": (answer) => ({
      ...answer,
      repositories: [{ ...answer["repositories"][0], id: "456789" }],
    }),
  };
  for (const [name, distort] of Object.entries(wider)) {
    test(name, async () => {
      github.distort = distort;
      expect(await refusal()).toMatch(/^refused: GitHub's token was not used: .+\. It was revoked\.$/);
      expect(github.tokens.size).toBe(0);
    });
  }

  test("a repository more than the list", async () => {
    github.distort = (answer) => ({
      ...answer,
      repositories: [...answer["repositories"], { id: 1002, name: "secrets", owner: { id: 123456 } }],
    });
    expect(await refusal(contextOf({ repositories: ["handbook"] }))).toMatch(/listed repositories alone/);
    expect(github.tokens.size).toBe(0);
  });

  test("also when GitHub has not heard of the token yet", async () => {
    github.distort = (answer) => ({ ...answer, repository_selection: "all" });
    github.unheard = 4;
    expect(await refusal()).toMatch(/It was revoked\.$/);
    expect(github.tokens.size).toBe(0);
  });

  test("one that cannot be revoked is said to live on", async () => {
    github.distort = (answer) => ({ ...answer, repository_selection: "all" });
    github.fail = ({ method }, response) => {
      if (method !== "DELETE") return false;
      response.writeHead(503).end();
      return true;
    };
    expect(await refusal()).toMatch(/could not be revoked at once/);
    const [token = ""] = github.tokens.keys();
    const result = await githubApp.mint(contextOf());
    const unwanted = result.ok ? undefined : result.unwanted;
    expect(unwanted?.value).not.toBe(token);
    github.fail = undefined;
    expect(await githubApp.end?.(unwanted?.ticket ?? "", contextOf())).toEqual({ ok: true });
    expect([...github.tokens.keys()]).toEqual([token]);
  });

  test("a narrower answer is used", async () => {
    github.distort = (answer) => ({ ...answer, permissions: { contents: "read" } });
    expect(await mint()).toBeDefined();
  });
});

describe("attacks by name", () => {
  test("an installation of another owner: the login was given up and taken by somebody else", async () => {
    const thief = { id: 666, login: "acme" };
    github.repositories.set(456789, { name: "payments", owner: thief });
    github.installations.splice(0, 1, { ...github.installations[0]!, account: thief });
    expect(await refusal()).toMatch(/^refused: .*another owner's/);
    expect(github.tokens.size).toBe(0);
  });

  test("a repository recreated with the same name and another id", async () => {
    github.repositories.delete(456789);
    github.repositories.set(999, { name: "payments", owner: { id: 123456, login: "acme" } });
    github.installations[0]!.repositories = "all";
    expect(await refusal()).toMatch(/^refused: .*the id 456789.*another one now/);
    expect(github.tokens.size).toBe(0);
  });

  test("a listed name of the run's repository that is another repository's by now", async () => {
    github.repositories.delete(456789);
    github.repositories.set(999, { name: "payments", owner: { id: 123456, login: "acme" } });
    github.installations[0]!.repositories = "all";
    expect(await refusal(contextOf({ repositories: ["payments"] }))).toMatch(/another repository's by now/);
    expect(github.tokens.size).toBe(0);
  });

  test("a redirect to somewhere else is not followed: the statement goes to the API alone", async () => {
    github.fail = ({ url }, response) => {
      if (url?.includes("/repos/") !== true) return false;
      response.writeHead(301, { location: "http://169.254.169.254/latest/meta-data" }).end();
      return true;
    };
    await mint();
    expect(github.asked.map(({ path }) => path)).toContain("/repositories/456789/installation");
  });

  test("tokens in error texts reach no sentence", async () => {
    const seen: string[] = [];
    for (const status of [400, 401, 403, 404, 422, 429, 500, 503]) {
      github.fail = (request, response) => {
        seen.push(request.headers.authorization?.slice("Bearer ".length) ?? "");
        response.writeHead(status, { "x-leak": seen.at(-1), "retry-after": seen.at(-1) });
        response.end(JSON.stringify({ message: `ghs_canary and ${seen.at(-1)}` }));
        return true;
      };
      const sentence = await refusal();
      expect(sentence).not.toContain("canary");
      expect(seen.some((each) => sentence.includes(each))).toBe(false);
    }
    expect(seen).toHaveLength(8);
  });

  test("names that would climb out of their place in a path", async () => {
    expect(await refusal(contextOf({ repositories: [".."] }))).toMatch(/no repository/);
    expect(await refusal(contextOf({}, { session: sessionOf({ repository: "acme/.." }) }))).toMatch(
      /no repository/,
    );
    expect(await refusal(contextOf({}, { session: sessionOf({ repository: "acme/a/b" }) }))).toMatch(
      /does not name/,
    );
    expect(github.asked).toEqual([]);
  });

  test("a document that names another API later: the token is ended where it was made", async () => {
    const minted = await mint();
    const elsewhere = contextOf({ api_url: "http://127.0.0.1:9/api/v3" });
    expect(await githubApp.end?.(minted.ticket ?? "", elsewhere)).toEqual({ ok: true });
    expect(github.tokens.size).toBe(0);
  });
});

describe("what GitHub refuses is said so that somebody can act", () => {
  const cases: readonly [
    name: string,
    set: () => Partial<MintContext<"github-app">> | undefined,
    said: RegExp,
  ][] = [
    [
      "not installed",
      () => void (github.installations[0]!.repositories = [1001]),
      /^refused: The app is not installed on acme\/payments/,
    ],
    ["suspended", () => void (github.installations[0]!.suspended = true), /^refused: .*is suspended/],
    [
      "a permission that was not granted",
      () => void delete github.installations[0]!.permissions["issues"],
      /^refused: The app was not granted issues: write at acme/,
    ],
    [
      "a lower access granted",
      () => void (github.installations[0]!.permissions["issues"] = "read"),
      /not granted issues: write/,
    ],
    [
      "another app's key",
      () => ({ secret: Buffer.from(newPrivateKey()) }),
      /^refused: GitHub does not know the app by its key/,
    ],
    [
      "a clock ahead",
      () => void (github.clockOffsetMs = -600_000),
      /^refused: .*clock is \d+ s ahead of GitHub's/,
    ],
    [
      "a clock behind",
      () => void (github.clockOffsetMs = 3_600_000),
      /^refused: .*clock is \d+ s behind GitHub's/,
    ],
    [
      "the rate limit",
      () => void (github.remaining = 0),
      /^unavailable: GitHub's rate limit .* until 20\d\d-/,
    ],
    [
      "the rate limit between two questions",
      () => void (github.remaining = 1),
      /^unavailable: GitHub's rate limit/,
    ],
    ["no run", () => ({ session: undefined }), /^refused: .*for a run/],
    ["no secret", () => ({ secret: undefined }), /^refused: The stored key .*empty/],
  ];
  for (const [name, set, said] of cases) {
    test(name, async () => {
      const overrides = set();
      expect(await refusal(contextOf({}, overrides ?? {}))).toMatch(said);
    });
  }

  test("nobody answers", async () => {
    await github.close();
    expect(await refusal()).toMatch(/^unavailable: /);
  });

  test("a listed repository that was renamed", async () => {
    github.renamed.set("acme/old", 1001);
    expect(await refusal(contextOf({ repositories: ["old"] }))).toMatch(/renamed or moved/);
  });

  test("what cannot be an app's key is told when it is typed in, without repeating it", () => {
    const check = (secret: string) => githubApp.checkSecret(Buffer.from(secret), contextOf().entry);
    const key = newPrivateKey();
    expect(check("")).toMatch(/empty/);
    expect(check("ghp_canary")).toMatch(/no private key/);
    expect(check(key.replaceAll("PRIVATE", "PUBLIC"))).toMatch(/no private key/);
    expect(check(key.slice(0, 400))).toMatch(/cannot be read/);
    expect(check(newPrivateKey(1_024))).toMatch(/2048 bits/);
    expect(check(key.replaceAll("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE"))).toMatch(/passphrase/);
    expect(check(key.replaceAll("\n", "\r\n"))).toBeUndefined();
  });
});

describe("ending", () => {
  const end = async (ticket: string | undefined, later = 0) =>
    githubApp.end?.(ticket ?? "", contextOf({}, { session: undefined, now: () => Date.now() + later }));

  test("a token is ended at GitHub, and ending it again is no failure once GitHub must know", async () => {
    const { ticket, value = "" } = await mint();
    expect(await end(ticket)).toEqual({ ok: true });
    expect(await see("/repos/acme/payments", value)).toBe(401);
    expect(await end(ticket, 60_000)).toEqual({ ok: true });
  });

  test("one that GitHub has not heard of yet is not taken for ended", async () => {
    github.unheard = 1;
    const { ticket, value = "" } = await mint();
    expect(await end(ticket)).toMatchObject({ ok: false, code: "unavailable" });
    expect(github.tokens.has(value)).toBe(true);
    expect(await end(ticket)).toEqual({ ok: true });
    expect(github.tokens.has(value)).toBe(false);
  });

  test("one that has expired is ended without a question", async () => {
    const { ticket } = await mint();
    const before = github.asked.length;
    expect(await end(ticket, 2 * 3_600_000)).toEqual({ ok: true });
    expect(github.asked).toHaveLength(before);
  });

  test("GitHub being down is no end", async () => {
    const { ticket } = await mint();
    github.fail = (_, response) => response.writeHead(502).end() !== undefined;
    expect(await end(ticket)).toMatchObject({ ok: false, code: "unavailable" });
  });
});

describe("who it is", () => {
  test("the app, the repositories and the permissions of the token, and nothing of the token", async () => {
    const context = contextOf({ repositories: ["handbook", "secrets"] });
    const minted = await mint(context);
    const who = (await githubApp.identify?.(minted, context)) ?? [];
    expect(who).toEqual([
      "app: lanyard-robots",
      "repositories: acme/handbook, acme/secrets",
      "permissions: issues: write, contents: read, metadata: read",
    ]);
    expect(who.join()).not.toContain(minted.value);
  });

  test("also while GitHub has not heard of the token yet", async () => {
    github.unheard = 2;
    const minted = await mint();
    expect(await githubApp.identify?.(minted, contextOf())).toContain("repositories: acme/payments");
  });

  test("what GitHub does not say is left out", async () => {
    const minted = await mint();
    github.tokens.clear();
    const context = contextOf({}, { secret: Buffer.from(newPrivateKey()) });
    expect(await githubApp.identify?.(minted, context)).toEqual([
      "permissions: issues: write, contents: read, metadata: read",
    ]);
  });
});
