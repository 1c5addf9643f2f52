/**
 * The token endpoint of oidc-provider with the same cryptography: a client authenticates by an RS256 assertion
 * (`private_key_jwt`) and an ES256 proof (DPoP) and gets an ES256 access token. Its adapter is the one in memory.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";
import { SubjectIssuer } from "../program-contract.ts";
import { CLIENT_ID, fetchKeySet } from "./exchange-issuer.ts";
import { readOptions, serveParent } from "./parent.ts";

// It says there that it is not meant for production with this adapter, which is known; stdout is for answers.
console.info = () => {};
console.warn = () => {};

const { issuer } = readOptions(SubjectIssuer);
const { privateKey } = await generateKeyPair("ES256", { extractable: true });
const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const provider = new Provider(url, {
  clients: [
    {
      client_id: CLIENT_ID,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "RS256",
      jwks: await fetchKeySet(issuer),
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: "ES256",
    },
  ],
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig", kid: "bench" }] },
  scopes: ["robot"],
  ttl: { ClientCredentials: 900 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => url,
      getResourceServerInfo: () => ({
        scope: "robot",
        audience: url,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});
const answer = provider.callback();
server.on("request", (request, response) => void answer(request, response));
await serveParent({ url: `${url}/token` });
