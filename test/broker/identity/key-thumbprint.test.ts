/** The thumbprint that binds a session to its proxy's key is the one of RFC 7638, as others compute it. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { expect, test } from "vitest";
import { thumbprintOf } from "../../../broker/identity/key-thumbprint.ts";

test("of a key, the same as jose's; of another key, another", async () => {
  const seen = new Set<string>();
  for (let count = 0; count < 8; count += 1) {
    const { publicKey } = await generateKeyPair("ES256");
    const { x = "", y = "" } = await exportJWK(publicKey);
    const jwk = { kty: "EC", crv: "P-256", x, y } as const;
    expect(thumbprintOf(jwk)).toBe(await calculateJwkThumbprint(jwk));
    seen.add(thumbprintOf(jwk));
  }
  expect(seen.size).toBe(8);
});

test("members that are not required change nothing, wherever they stand", async () => {
  const { publicKey } = await generateKeyPair("ES256");
  const { x = "", y = "" } = await exportJWK(publicKey);
  const jwk = { kty: "EC", crv: "P-256", x, y } as const;
  const more = { use: "sig", y, alg: "ES256", x, kid: "name", crv: "P-256", kty: "EC" } as const;
  expect(thumbprintOf(more)).toBe(thumbprintOf(jwk));
});
