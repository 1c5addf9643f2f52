/** What clients discover: RFC 8414 and RFC 9728, and that what it names is there. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { readAnswer } from "../../support/session-holder.ts";

let on: TestBroker;
beforeAll(async () => {
  on = await startTestBroker();
});
afterAll(async () => {
  await on.close();
});

const read = async (path: string) => readAnswer(await fetch(`${on.url}${path}`));

test("the authorization server says what it is", async () => {
  const { status, headers, body } = await read("/.well-known/oauth-authorization-server");
  expect(status).toBe(200);
  expect(headers.get("content-type")).toMatch(/^application\/json/);
  expect(body).toEqual({
    issuer: on.url,
    token_endpoint: `${on.url}/token`,
    jwks_uri: `${on.url}/.well-known/jwks.json`,
    grant_types_supported: [
      "urn:ietf:params:oauth:grant-type:token-exchange",
      "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ],
    token_endpoint_auth_methods_supported: ["none"],
    dpop_signing_alg_values_supported: ["ES256"],
    revocation_endpoint: `${on.url}/revoke`,
    revocation_endpoint_auth_methods_supported: ["none"],
    introspection_endpoint: `${on.url}/introspect`,
    introspection_endpoint_auth_methods_supported: ["Bearer"],
    protected_resources: [on.url],
    authorization_endpoint: `${on.url}/authorize`,
    response_types_supported: ["none"],
  });
});

test("the protected resource names its authorization server, and that it wants proofs", async () => {
  expect((await read("/.well-known/oauth-protected-resource")).body).toEqual({
    resource: on.url,
    resource_name: "Lanyard",
    authorization_servers: [on.url],
    bearer_methods_supported: ["header"],
    dpop_signing_alg_values_supported: ["ES256"],
    dpop_bound_access_tokens_required: true,
  });
});

test("every address in the metadata is one that answers", async () => {
  const { body } = await read("/.well-known/oauth-authorization-server");
  const keys = await readAnswer(await fetch(body.jwks_uri));
  expect(keys.body.keys.length).toBeGreaterThan(0);
  for (const endpoint of [body.token_endpoint, body.revocation_endpoint, body.introspection_endpoint]) {
    expect((await fetch(endpoint, { method: "POST" })).status).toBeOneOf([400, 401]);
  }
});

test("nobody consents at the authorization endpoint: it refuses, and never redirects", async () => {
  const query = "response_type=code&client_id=x&redirect_uri=https%3A%2F%2Fattacker.example&state=s";
  const response = await fetch(`${on.url}/authorize?${query}`, { redirect: "manual" });
  const answer = await readAnswer(response);
  expect(answer).toMatchObject({ status: 400, body: { error: "unauthorized_client" } });
  expect(answer.headers.get("location")).toBeNull();
});

test("a Host header of somebody else changes no address in the metadata", async () => {
  const host = { "x-forwarded-host": "attacker.example", forwarded: "host=attacker.example" };
  const response = await fetch(`${on.url}/.well-known/oauth-authorization-server`, { headers: host });
  expect(await response.text()).not.toContain("attacker");
});
