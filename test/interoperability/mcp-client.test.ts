/**
 * The MCP SDK's own auth client against our endpoints: it reads the metadata, starting from a refused request, and gets
 * a token by the JWT bearer grant with DPoP, through its own providers. Its `CrossAppAccessProvider` has that grant;
 * a provider for workload identity federation is not in this release, so ours says in ten lines what it would.
 */
import {
  CrossAppAccessProvider,
  DpopSession,
  type OAuthClientProvider,
  type StoredOAuthTokens,
  applyMiddlewares,
  auth,
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
  withDpopFromProvider,
} from "@modelcontextprotocol/client";
import {
  discoverAuthorizationServerMetadata as discoverServerWithV1,
  discoverOAuthProtectedResourceMetadata as discoverResourceWithV1,
} from "@modelcontextprotocol/sdk/client/auth.js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../support/broker.ts";

const SCOPE = "robot:acme/payments/triager";
let on: TestBroker;
let job: { run_id: string };
let jobs = 1200;

beforeAll(async () => {
  on = await startTestBroker();
});
afterAll(async () => {
  await on.close();
});
beforeEach(() => {
  jobs += 1;
  job = { run_id: String(jobs) };
});

/** A workload that shows the token of its platform (SEP-1933), without a person and without a secret. */
class WorkloadProvider implements OAuthClientProvider {
  readonly redirectUrl = undefined;
  readonly clientMetadata = { redirect_uris: [], client_name: "agent" };
  readonly #session: DpopSession;
  readonly #assertion: () => Promise<string>;
  #tokens: StoredOAuthTokens | undefined;

  constructor(session: DpopSession, assertion: () => Promise<string>) {
    this.#session = session;
    this.#assertion = assertion;
  }
  dpop = (): DpopSession => this.#session;
  clientInformation = () => ({ client_id: "agent" });
  tokens = (): StoredOAuthTokens | undefined => this.#tokens;
  saveTokens = (tokens: StoredOAuthTokens): void => {
    this.#tokens = tokens;
  };
  invalidateCredentials = (): void => {
    this.#tokens = undefined;
  };
  redirectToAuthorization = (): void => {
    throw new Error("nobody is there to be redirected");
  };
  saveCodeVerifier = (): void => undefined;
  codeVerifier = (): string => "";
  prepareTokenRequest = async (scope?: string): Promise<URLSearchParams> =>
    new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: await this.#assertion(),
      ...(scope === undefined ? {} : { scope }),
    });
}

const readSession = async (provider: OAuthClientProvider): Promise<Response> =>
  applyMiddlewares(withDpopFromProvider(provider))(fetch)(`${on.url}/session`);

test("from a refused request to the metadata of the resource and of its authorization server", async () => {
  const refused = await fetch(`${on.url}/session`);
  expect(refused.status).toBe(401);
  const { resourceMetadataUrl, error } = extractWWWAuthenticateParams(refused);
  expect(error).toBeUndefined();
  const resource = await discoverOAuthProtectedResourceMetadata(on.url, {
    resourceMetadataUrl: String(resourceMetadataUrl),
  });
  expect(resource).toMatchObject({ resource: on.url, dpop_bound_access_tokens_required: true });
  const server = await discoverAuthorizationServerMetadata(resource.authorization_servers?.[0] ?? "");
  expect(server).toMatchObject({ issuer: on.url, token_endpoint: `${on.url}/token` });
});

test("the SDK's first generation reads the same documents", async () => {
  expect(await discoverResourceWithV1(on.url)).toMatchObject({ resource: on.url });
  expect(await discoverServerWithV1(on.url)).toMatchObject({
    issuer: on.url,
    grant_types_supported: expect.arrayContaining(["urn:ietf:params:oauth:grant-type:jwt-bearer"]),
  });
});

describe("auth() of the SDK", () => {
  test("a workload's provider obtains a token and reads its session", async () => {
    const session = await DpopSession.create({ alg: "ES256" });
    const provider = new WorkloadProvider(session, async () => on.subjectToken(job));
    expect(await auth(provider, { serverUrl: on.url, scope: SCOPE })).toBe("AUTHORIZED");
    expect(provider.tokens()).toMatchObject({ token_type: "DPoP", issuer: on.url });
    const response = await readSession(provider);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ workload: { run_id: job.run_id } });
  });

  test("asked again it finds the same session", async () => {
    const session = await DpopSession.create({ alg: "ES256" });
    const provider = new WorkloadProvider(session, async () => on.subjectToken(job));
    const sessions = [];
    for (let count = 0; count < 2; count += 1) {
      await auth(provider, { serverUrl: on.url, scope: SCOPE });
      sessions.push(((await (await readSession(provider)).json()) as { session: string }).session);
    }
    expect(new Set(sessions).size).toBe(1);
  });

  test("its cross-app-access provider obtains one, without its secret ever being sent", async () => {
    const provider: OAuthClientProvider = new CrossAppAccessProvider({
      clientId: "agent",
      clientSecret: "canary-secret",
      expectedIssuer: on.url,
      assertion: async ({ authorizationServerUrl, resourceUrl }) => {
        expect([authorizationServerUrl, resourceUrl]).toEqual([on.url, on.url]);
        return on.subjectToken(job);
      },
    });
    const session = await DpopSession.create({ alg: "ES256" });
    provider.dpop = () => session;
    const sent: string[] = [];
    const fetchFn: typeof fetch = async (target, init) => {
      const body = init?.body instanceof URLSearchParams ? init.body.toString() : "";
      sent.push(`${JSON.stringify([...new Headers(init?.headers)])} ${body}`);
      return fetch(target, init);
    };
    expect(await auth(provider, { serverUrl: on.url, scope: SCOPE, fetchFn })).toBe("AUTHORIZED");
    expect(sent.some((request) => request.includes("jwt-bearer"))).toBe(true);
    expect(sent.join("\n")).not.toContain("canary-secret");
    expect((await readSession(provider)).status).toBe(200);
  });

  test("a refusal is an error of the SDK's own kind", async () => {
    const session = await DpopSession.create({ alg: "ES256" });
    const provider = new WorkloadProvider(session, async () =>
      on.subjectToken({ ...job, aud: "https://github.com/acme" }),
    );
    await expect(auth(provider, { serverUrl: on.url, scope: SCOPE })).rejects.toMatchObject({
      code: "invalid_grant",
    });
    expect(provider.tokens()).toBeUndefined();
  });
});
