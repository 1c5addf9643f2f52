/**
 * Our endpoints driven by oauth4webapi, an OAuth client that knows nothing of Lanyard and checks what the RFCs
 * let a client check: discovery, both grants with DPoP, the access token, the resource, introspection, revocation.
 */
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { OperatorAccounts } from "../../broker/operators/accounts.ts";
import { openDatabase } from "../../broker/storage/database.ts";
import { type TestBroker, startTestBroker } from "../support/broker.ts";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const http = { [oauth.allowInsecureRequests]: true };
/** Nobody registers clients: a name for the library's sake. */
const client: oauth.Client = { client_id: "some-agent" };
const withoutSecret = oauth.None();

let on: TestBroker;
let operator: string;
let server: oauth.AuthorizationServer;
let proof: oauth.DPoPHandle;
let job: { run_id: string };
let jobs = 1100;

beforeAll(async () => {
  on = await startTestBroker();
  const database = await openDatabase(on.config.database);
  const added = await new OperatorAccounts(database, on.now).add("gateway");
  if (!added.ok) throw new Error(added.message);
  operator = added.token;
  await database.destroy();
});
afterAll(async () => {
  await on.close();
});

beforeEach(async () => {
  jobs += 1;
  job = { run_id: String(jobs) };
  proof = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
  // From the resource to its authorization server, as a client comes that knows only where it wants to go.
  const resourceUrl = new URL(on.url);
  const resource = await oauth.processResourceDiscoveryResponse(
    resourceUrl,
    await oauth.resourceDiscoveryRequest(resourceUrl, http),
  );
  const issuer = new URL(resource.authorization_servers?.[0] ?? "");
  server = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...http }),
  );
});

const grants: [string, string, (token: string) => Record<string, string>][] = [
  [
    "RFC 8693",
    TOKEN_EXCHANGE,
    (subject_token) => ({
      subject_token,
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    }),
  ],
  ["RFC 7523", JWT_BEARER, (assertion) => ({ assertion })],
];

async function obtain(
  grant: string,
  parameters: Record<string, string>,
  handle: oauth.DPoPHandle | undefined = proof,
): Promise<oauth.TokenEndpointResponse> {
  const response = await oauth.genericTokenEndpointRequest(
    server,
    client,
    withoutSecret,
    grant,
    { resource: on.url, scope: "robot:acme/payments/triager", ...parameters },
    { ...http, ...(handle === undefined ? {} : { DPoP: handle }) },
  );
  return oauth.processGenericTokenEndpointResponse(server, client, response);
}

const readSession = async (accessToken: string): Promise<Response> =>
  oauth.protectedResourceRequest(accessToken, "GET", new URL(`${on.url}/session`), undefined, undefined, {
    DPoP: proof,
    ...http,
  });

describe.each(grants)("%s", (_name, grant, parametersOf) => {
  test("a token bound to the key, which opens the resource", async () => {
    expect(server.grant_types_supported).toContain(grant);
    const answer = await obtain(grant, parametersOf(await on.subjectToken(job)));
    expect(answer.token_type).toBe("dpop");
    // Whole seconds from now to the token's end: a slow answer has one less.
    expect(answer.expires_in).toBeCloseTo(15 * 60, -1);
    const response = await readSession(answer.access_token);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ robot: "acme/payments/triager" });
  });

  test("the token is one of RFC 9068 with a proof of RFC 9449, as a resource server of others checks it", async () => {
    const { access_token } = await obtain(grant, parametersOf(await on.subjectToken(job)));
    const url = new URL(`${on.url}/anything`);
    // The request as a client makes it and a resource server gets it.
    const { promise, resolve } = Promise.withResolvers<Request>();
    await oauth.protectedResourceRequest(access_token, "GET", url, undefined, undefined, {
      DPoP: proof,
      ...http,
      [oauth.customFetch]: async (target, init) => {
        resolve(new Request(target, { method: init.method, headers: init.headers }));
        return new Response(null, { status: 204 });
      },
    });
    const claims = await oauth.validateJwtAccessToken(server, await promise, on.url, {
      requireDPoP: true,
      signingAlgorithms: ["ES256"],
      ...http,
    });
    expect(claims).toMatchObject({
      iss: on.url,
      sub: "acme/payments/triager",
      act: { iss: on.issuer.url, run_id: job.run_id },
    });
  });

  test("errors arrive as the library knows them", async () => {
    const parameters = parametersOf(await on.subjectToken({ ...job, aud: "https://github.com/acme" }));
    const error = await obtain(grant, parameters).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(oauth.ResponseBodyError);
    expect(error).toMatchObject({
      status: 400,
      error: grant === JWT_BEARER ? "invalid_grant" : "invalid_request",
      error_description: expect.stringContaining("audience"),
    });
    const unproved = await on.subjectToken(job);
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      withoutSecret,
      grant,
      { resource: on.url, ...parametersOf(unproved) },
      http,
    );
    await expect(oauth.processGenericTokenEndpointResponse(server, client, response)).rejects.toMatchObject({
      error: "invalid_dpop_proof",
    });
  });
});

test("a client secret is refused with the challenge that the library expects", async () => {
  const response = await oauth.genericTokenEndpointRequest(
    server,
    client,
    oauth.ClientSecretBasic("secret"),
    JWT_BEARER,
    { resource: on.url, assertion: await on.subjectToken(job) },
    { ...http, DPoP: proof },
  );
  const error = await oauth
    .processGenericTokenEndpointResponse(server, client, response)
    .catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
  expect(error).toMatchObject({ status: 401, cause: [{ scheme: "basic" }] });
});

test("the resource challenges with scheme, algorithms and where its metadata is", async () => {
  const { access_token } = await obtain(JWT_BEARER, { assertion: await on.subjectToken(job) });
  const error = await oauth
    .protectedResourceRequest(access_token, "GET", new URL(`${on.url}/session`), undefined, undefined, {
      DPoP: oauth.DPoP(client, await oauth.generateKeyPair("ES256")),
      ...http,
    })
    .catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
  expect(error).toMatchObject({
    status: 401,
    cause: [
      {
        scheme: "dpop",
        parameters: {
          error: "invalid_token",
          algs: "ES256",
          resource_metadata: `${on.url}/.well-known/oauth-protected-resource`,
        },
      },
    ],
  });
});

test("introspection by an operator, revocation by the key: active, then not", async () => {
  const { access_token } = await obtain(TOKEN_EXCHANGE, {
    subject_token: await on.subjectToken(job),
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  });
  const asOperator: oauth.ClientAuth = (_server, _client, _body, headers) => {
    headers.set("authorization", `Bearer ${operator}`);
  };
  const introspect = async (auth: oauth.ClientAuth) =>
    oauth.processIntrospectionResponse(
      server,
      client,
      await oauth.introspectionRequest(server, client, auth, access_token, http),
    );
  expect(await introspect(asOperator)).toMatchObject({
    active: true,
    token_type: "DPoP",
    sub: "acme/payments/triager",
    act: { run_id: job.run_id },
  });
  await expect(introspect(withoutSecret)).rejects.toMatchObject({ status: 401 });

  const headers = new Headers();
  await (proof as unknown as Prover).addProof(new URL(server.revocation_endpoint ?? ""), headers, "POST");
  const revoked = await oauth.revocationRequest(server, client, withoutSecret, access_token, {
    headers,
    ...http,
  });
  await oauth.processRevocationResponse(revoked);
  expect(await introspect(asOperator)).toEqual({ active: false });
  await expect(readSession(access_token)).rejects.toMatchObject({ status: 401 });
});

/** The library sends no proof to a revocation endpoint by itself; its handle makes one. */
interface Prover {
  addProof(url: URL, headers: Headers, method: string): Promise<void>;
}
