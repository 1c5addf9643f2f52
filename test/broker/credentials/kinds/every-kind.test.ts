/** Whatever an issuer answers, minting ends in a tagged result, and nothing secret is in what it says of a failure. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type {
  IssuerAnswer,
  IssuerRequest,
  MintContext,
  MintResult,
} from "../../../../broker/credentials/kind.ts";
import { kinds } from "../../../../broker/credentials/kinds/all.ts";
import { writeGrant } from "../../../../broker/credentials/oauth/stored-grant.ts";
import { mintingContext, newPrivateKey } from "../../../support/minting-context.ts";
import fc from "../../../support/properties.ts";

// Between attempts to end what was refused: nothing here depends on how long.
vi.mock("node:timers/promises", () => ({ setTimeout: async () => undefined }));

const CANARY = "canary-5f2e9d";
const ISSUER = "https://issuer.example";
const KEY = newPrivateKey();
const client = { issuer: ISSUER, token_url: `${ISSUER}/token`, client_id: "lanyard" };

beforeAll(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIABROKEREXAMPLE000");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", `${CANARY}-aws`);
});
afterAll(() => vi.unstubAllEnvs());

const mints: {
  readonly [Name in keyof typeof kinds]: (ask: MintContext<Name>["ask"]) => Promise<MintResult>;
} = {
  bearer: async (ask) =>
    kinds.bearer.mint(mintingContext({ kind: "bearer" }, { ask, secret: secretOf("bearer") })),
  basic: async (ask) =>
    kinds.basic.mint(
      mintingContext({ kind: "basic", username: "robot" }, { ask, secret: secretOf("basic") }),
    ),
  headers: async (ask) =>
    kinds.headers.mint(
      mintingContext(
        { kind: "headers", headers: { "x-api-key": "{secret}" } },
        { ask, secret: secretOf("headers") },
      ),
    ),
  none: async (ask) => kinds.none.mint(mintingContext({ kind: "none" }, { ask })),
  "client-credentials": async (ask) =>
    kinds["client-credentials"].mint(
      mintingContext(
        { kind: "client-credentials", ...client },
        { ask, secret: secretOf("client"), serverUrl: "https://mcp.example/mcp" },
      ),
    ),
  "token-exchange": async (ask) =>
    kinds["token-exchange"].mint(
      mintingContext(
        { kind: "token-exchange", ...client },
        {
          ask,
          secret: secretOf("client"),
          serverUrl: "https://mcp.example/mcp",
          signAssertion: async () => `${CANARY}-jwt`,
        },
      ),
    ),
  oauth: async (ask) =>
    kinds.oauth.mint(
      mintingContext({ kind: "oauth" }, { ask, secret: grant(), serverUrl: "https://mcp.example/mcp" }),
    ),
  "github-app": async (ask) =>
    kinds["github-app"].mint(
      mintingContext(
        { kind: "github-app", app_id: "1", permissions: { issues: "write" }, api_url: ISSUER },
        { ask, secret: Buffer.from(KEY) },
      ),
    ),
  "aws-role": async (ask) =>
    kinds["aws-role"].mint(
      mintingContext(
        {
          kind: "aws-role",
          role_arn: "arn:aws:iam::123456789012:role/robots",
          region: "eu-central-1",
          sts_url: ISSUER,
        },
        { ask },
      ),
    ),
};

function secretOf(name: string): Buffer {
  return Buffer.from(`${CANARY}-${name}`);
}
function grant(): Uint8Array {
  return writeGrant({
    issuer: ISSUER,
    resource: "https://mcp.example/mcp",
    client: { client_id: "lanyard", origin: "configured", redirect_uri: "https://lanyard.example/connected" },
    proof: "none",
    access_token: `${CANARY}-access`,
    refresh_token: `${CANARY}-refresh`,
  });
}

/** What issuers answer when all is well, each with a canary where its secret is. */
const token = `ghs_${CANARY}${"x".repeat(40)}`;
const credentials = `<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>${CANARY}</SecretAccessKey><SessionToken>${CANARY}</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials>`;
const repository = { id: 456789, name: "payments", owner: { id: 123456 } };
const GOOD: readonly Record<string, unknown>[] = [
  { id: 7, account: { id: 123456 }, permissions: { issues: "write" }, suspended_at: null },
  {
    token,
    expires_at: "2036-01-01T00:00:00Z",
    permissions: { issues: "write", metadata: "read" },
    repository_selection: "selected",
    repositories: [repository],
  },
  { access_token: CANARY, token_type: "Bearer", expires_in: 3600, refresh_token: `${CANARY}-next` },
  { issuer: "no address", token_endpoint: CANARY },
  {
    issuer: ISSUER,
    token_endpoint: `${ISSUER}/token`,
    authorization_endpoint: `${ISSUER}/authorize`,
    response_types_supported: ["code"],
  },
];
const XML = [
  `<AssumeRoleResponse><AssumeRoleResult>${credentials}<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/robots/x</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>`,
  `<ErrorResponse><Error><Code>AccessDenied</Code><Message>${CANARY}</Message></Error></ErrorResponse>`,
  `<AssumeRoleResponse><AssumeRoleResult>${credentials}`,
];

const status = fc.oneof(
  fc.constantFrom(200, 201, 204, 301, 302, 304, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503),
  fc.integer({ min: 200, max: 599 }),
);
/** One that is good but for a few members. */
const distorted = fc
  .tuple(
    fc.constantFrom(...GOOD),
    fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 2 }),
    fc.nat(7),
    fc.jsonValue(),
  )
  .map(([good, more, index, value]) => {
    const [changed] = Object.keys(good).slice(index);
    return JSON.stringify({ ...good, ...more, ...(changed === undefined ? {} : { [changed]: value }) });
  });
const body = fc.oneof(
  fc.constantFrom("", "null", "[]", "{", ...XML, ...GOOD.map((good) => JSON.stringify(good))),
  distorted,
  fc.json().map((json) => json.replaceAll("a", CANARY)),
  fc
    .constantFrom("invalid_grant", "invalid_client", CANARY)
    .map((error) => JSON.stringify({ error, error_description: CANARY, message: CANARY })),
  fc.string({ unit: "binary" }).map((text) => `${CANARY}${text}`),
);
const headers = fc.record(
  {
    "content-type": fc.constantFrom("application/json", "text/xml", "text/html", CANARY),
    "retry-after": fc.constantFrom("1", "-1", "1e9", CANARY),
    "x-ratelimit-remaining": fc.constantFrom("0", "1", CANARY),
    "x-ratelimit-reset": fc.constantFrom("0", "9999999999", "99999999999999", CANARY),
    "www-authenticate": fc.constantFrom(
      `Bearer error="invalid_token", error_description="${CANARY}"`,
      CANARY,
    ),
    date: fc.constantFrom("Mon, 23 Nov 2026 00:00:00 GMT", CANARY),
    location: fc.constant(`https://elsewhere.example/${CANARY}`),
  },
  { requiredKeys: [] },
);
const answer: fc.Arbitrary<IssuerAnswer> = fc.record({ status, headers, body });

describe.each(Object.entries(mints))("%s", (name, mint) => {
  test("mints or says why not, and never what was secret", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 4 }), async (answers) => {
        const seen: string[] = [];
        const ask = async (request: IssuerRequest): Promise<IssuerAnswer> => {
          const [, authorization = ""] = (request.headers?.["authorization"] ?? "").split(" ");
          const given = answers[Math.min(seen.length, answers.length - 1)];
          seen.push(authorization);
          // Some issuers repeat what they were sent.
          return { ...given!, body: given!.body.replaceAll(CANARY, () => authorization || CANARY) };
        };
        const result = await mint(ask);
        if (result.ok) {
          for (const secret of result.minted.secrets) expect(secret).not.toBe("");
          for (const value of Object.values(result.minted.headers)) expect(value).toMatch(/^[\t\x20-\x7e]*$/);
          return;
        }
        expect(["refused", "unavailable"]).toContain(result.code);
        expect(result.sentence).toMatch(/^[^\n\r]{10,1000}[.?]$/);
        expect(result.sentence).not.toContain(CANARY);
        for (const each of seen.filter((secret) => secret.length > 8)) {
          expect(result.sentence).not.toContain(each);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("has its own name in the table, and its lifetime says where its secret may be", () => {
    const kind = Object.values(kinds).find((each) => each.name === name);
    expect(Object.keys(kinds)).toContain(kind?.name);
    if (kind?.lifetime === "typed") expect(kind.end).toBeUndefined();
  });
});

test("what these answers are includes ones that mint: the property is not about failures alone", async () => {
  const github = [GOOD[0], GOOD[1]].map((good, index) => ({
    status: 200 + index,
    headers: {},
    body: JSON.stringify(good),
  }));
  const result = await mints["github-app"](
    async () => github.shift() ?? { status: 500, headers: {}, body: "" },
  );
  expect(result).toMatchObject({ ok: true });
});
