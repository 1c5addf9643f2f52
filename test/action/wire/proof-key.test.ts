import { createHash } from "node:crypto";
import { EmbeddedJWK, decodeProtectedHeader, jwtVerify } from "jose";
import { expect, it } from "vitest";
import { createProofKey } from "../../../action/wire/proof-key.ts";

it("a proof names method, target without query, and token, and verifies with the key inside", async () => {
  const key = await createProofKey();
  const proof = await key.prove({
    method: "POST",
    url: "https://b.example/session/seal?x=1#y",
    accessToken: "at",
  });
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
    typ: "dpop+jwt",
    maxTokenAge: 5,
  });
  expect(protectedHeader.alg).toBe("ES256");
  expect(payload).toMatchObject({
    htm: "POST",
    htu: "https://b.example/session/seal",
    ath: createHash("sha256").update("at").digest("base64url"),
  });
});

it("shows only the public half of the key", async () => {
  const key = await createProofKey();
  const { jwk } = decodeProtectedHeader(await key.prove({ method: "GET", url: "https://b.example/" }));
  expect(Object.keys(jwk ?? {}).sort()).toEqual(["crv", "kty", "x", "y"]);
});

it("every proof is another one, of one key", async () => {
  const key = await createProofKey();
  const target = { method: "GET", url: "https://b.example/" };
  const [first, second] = [await key.prove(target), await key.prove(target)];
  const id = async (proof: string) => (await jwtVerify(proof, EmbeddedJWK)).payload.jti;
  expect(await id(first)).not.toBe(await id(second));
  expect(decodeProtectedHeader(first).jwk).toEqual(decodeProtectedHeader(second).jwk);
});
