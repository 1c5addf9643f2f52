/** The credentials as an operator finds them: the same on the page, in the API and from the command. */
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listCredentials } from "../../../broker/review/credential-list.ts";
import { CredentialList } from "../../../broker/review/credential-view.ts";
import { openReviewStore, type ReviewStore } from "../review/review-store.ts";
import { WrittenSession } from "../review/written-session.ts";
import { TRIAGER, listedPolicies, storeCredentials } from "./listed-credentials.ts";
import { addOperator, openPageApp } from "./page-app.ts";

let store: ReviewStore;
let app: FastifyInstance;
let run: string;
beforeEach(async () => {
  store = await openReviewStore();
  app = await openPageApp(store, { policies: listedPolicies() });
  run = (await WrittenSession.open(store, { id: "ses-1" })).run;
});
afterEach(async () => {
  await app.close();
  await store.close();
});

const read = async (url: string, from = app): Promise<string> => {
  const headers = { authorization: `Bearer ${await addOperator(store, `ada${Math.random()}`)}` };
  return (await from.inject({ url, headers })).body;
};
const SENTENCE = "The issuer refused it: run `lanyard credential connect notion`.";

test("what needs somebody stands first, then what runs out, then the rest: each with its kind, users and state", async () => {
  await storeCredentials(store, { session: "ses-1", text: SENTENCE });
  const { credentials } = CredentialList.parse(JSON.parse(await read("/api/credentials")));
  expect(credentials.map(({ credential, kind, owner, health }) => [credential, kind, owner, health])).toEqual(
    [
      ["notion", "oauth", "shared", "failing"],
      ["pager", "headers", TRIAGER, "not set"],
      ["linear", "bearer", "shared", "expires soon"],
      [SENTENCE.slice(0, 60), "bearer", "shared", "not in the documents"],
      ["bucket", "aws-role", "shared", "good"],
      ["open", "none", "shared", "good"],
    ],
  );
  const [notion, pager, linear, , bucket] = credentials;
  expect(notion).toMatchObject({
    ...{ delivery: "broker", servers: ["notion"], roles: ["writer"], version: 3, set_by: "ann" },
    ...{ sentence: SENTENCE, failing: { code: "refused" }, last_good_at: expect.any(String) },
    former: [{ session: null, version: 2, state: "ending", failure: SENTENCE, expires_at: null }],
  });
  expect(pager?.sentence).toContain(`lanyard credential set pager --robot ${TRIAGER}`);
  expect(linear).toMatchObject({ last_used_at: expect.any(String), expires_at: expect.any(String) });
  expect(bucket).toMatchObject({ delivery: "runner", former_left_out: 2 });
  expect(bucket?.former).toHaveLength(10);
  expect(bucket?.former[0]).toMatchObject({ session: "ses-1", run, state: "lapsing" });

  const page = await read("/credentials");
  const places = credentials.map(({ credential }) => page.indexOf(`<b>${credential}</b>`));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(Math.min(...places)).toBeGreaterThan(0);
  expect(page).toContain("1 failing, 1 not set, 1 expires soon.");
  expect(page).toContain("The grant of version 2 for https://notion.example/mcp, over since");
  expect(page).toContain(`<a href="/runs/${run}">a session</a>: nobody can end it. It runs out`);
  expect(page).toContain("and 2 more");
  expect(JSON.stringify(credentials) + page).not.toContain("sealed");

  const listed = await listCredentials({ ...store, policies: listedPolicies(), now: store.now() });
  expect(listed).toEqual({ credentials });
});

test("without any, it says how to add one", async () => {
  const empty = await openPageApp(store);
  const page = await read("/credentials", empty);
  await empty.close();
  expect(page).toContain("No credential yet");
  expect(page).toContain("lanyard credential set");
});

test.each([
  "<script>alert(1)</script>",
  `"><img src=x onerror=alert(1)>`,
  "</td></table><h1>Good</h1>",
  "a\u202Eb",
])("XSS by what an issuer says and by names in the database: %s stays text", async (text) => {
  await storeCredentials(store, { session: "ses-1", text });
  const page = await read("/credentials");
  expect(page).not.toMatch(/<(script|img src=x|h1>Good)|<\/td><\/table><h1>|\u202E/);
  expect(page).not.toMatch(/<[a-z0-9]+[^>]*\son[a-z]+\s*=/i);
});
