import {
  CompactSign,
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  exportJWK,
  importJWK,
  flattenedVerify,
  base64url,
} from "jose";
import { describe, expect, test } from "vitest";
import { canonicalize } from "../../audit/canonical.ts";
import {
  serializeManifest,
  signCheckpoint,
  signManifest,
  verifyCheckpoint,
  verifyManifest,
} from "../../audit/signature.ts";
import { brokerKey, brokerKeys, makeKey, robot, workload } from "./stored-session.ts";

const claims = {
  session: "s-1",
  segment: 1,
  sha256: "a".repeat(64),
  seq: 4,
  head: "b".repeat(64),
  iat: 1_795_348_800,
};
const unsigned = {
  v: 1,
  session: "s-1",
  workload,
  robot,
  status: "sealed",
  runner: [],
  recovered: [],
  findings: [{ kind: "takeover_attempt", time: "2026-11-22T12:00:00.000Z", detail: "ä" }],
  written_at: "2026-11-22T12:30:00.000Z",
} as const;

async function writeManifest(): Promise<string> {
  const { runner, recovered, findings, ...rest } = unsigned;
  const manifest = await signManifest(
    { ...rest, runner: [...runner], recovered: [...recovered], findings: [...findings] },
    brokerKey,
  );
  return serializeManifest(manifest);
}

describe("a checkpoint", () => {
  test("says what was signed, under a type and a key id", async () => {
    const jws = await signCheckpoint(claims, brokerKey);
    expect(decodeProtectedHeader(jws)).toEqual({
      alg: "Ed25519",
      typ: "lanyard-checkpoint+jwt",
      kid: "checkpoint-1",
    });
    expect(decodeJwt(jws)).toEqual(claims);
    expect(await verifyCheckpoint(jws, brokerKeys)).toEqual({ ok: true, claims, kid: "checkpoint-1" });
  });

  test("is verified with the key that it names, whichever others are published", async () => {
    const [older, newer] = [await makeKey("checkpoint-0"), await makeKey("checkpoint-2")];
    const keys = { keys: [...older.keys.keys, ...brokerKeys.keys, ...newer.keys.keys] };
    expect(await verifyCheckpoint(await signCheckpoint(claims, brokerKey), keys)).toMatchObject({ ok: true });
    expect(await verifyCheckpoint(await signCheckpoint(claims, brokerKey), older.keys)).toMatchObject({
      ok: false,
      code: "key_unknown",
    });
    const legacy = { keys: brokerKeys.keys.map((key) => ({ ...key, alg: "EdDSA" })) };
    expect(await verifyCheckpoint(await signCheckpoint(claims, brokerKey), legacy)).toMatchObject({
      ok: true,
    });
  });

  test("with any character changed is refused, the last one included", async () => {
    const jws = await signCheckpoint(claims, brokerKey);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (const character of alphabet) {
      const changed = jws.slice(0, -1) + character;
      expect((await verifyCheckpoint(changed, brokerKeys)).ok).toBe(changed === jws);
    }
    for (let place = 0; place < jws.length; place += 7) {
      const changed = jws.slice(0, place) + (jws[place] === "A" ? "B" : "A") + jws.slice(place + 1);
      expect((await verifyCheckpoint(changed, brokerKeys)).ok).toBe(false);
    }
    for (const changed of [`${jws}=`, `${jws}.`, ` ${jws}`, jws.replace(".", ".."), "", "a.b.c"]) {
      expect((await verifyCheckpoint(changed, brokerKeys)).ok).toBe(false);
    }
  });

  test("of another type, algorithm or critical header is refused", async () => {
    const payload = new TextEncoder().encode(canonicalize(claims));
    const { kid, privateKey } = brokerKey;
    const typ = "lanyard-checkpoint+jwt";
    for (const header of [
      { alg: "Ed25519", typ: "lanyard-manifest+jwt", kid },
      { alg: "Ed25519", typ: "at+jwt", kid },
      { alg: "Ed25519", kid },
      { alg: "EdDSA", typ, kid },
      { alg: "Ed25519", typ },
      { alg: "Ed25519", typ, kid, jku: "https://evil.example/keys" },
    ]) {
      const jws = await new CompactSign(payload).setProtectedHeader(header).sign(privateKey);
      expect(await verifyCheckpoint(jws, brokerKeys)).toMatchObject({ ok: false, code: "malformed" });
    }
    const none = `${base64url.encode(JSON.stringify({ alg: "none", typ, kid }))}.${base64url.encode(payload)}.`;
    expect(await verifyCheckpoint(none, brokerKeys)).toMatchObject({ ok: false, code: "malformed" });
  });

  test("signed with a key for tokens is refused, although it is published under the same id", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const jws = await signCheckpoint(claims, brokerKey);
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: brokerKey.kid }] };
    expect(await verifyCheckpoint(jws, keys)).toMatchObject({ ok: false, code: "key_unknown" });
    await expect(signCheckpoint(claims, { kid: "k", privateKey })).rejects.toThrow();
  });

  test("that says less or more than a checkpoint does is refused", async () => {
    const { head: _head, ...less } = claims;
    for (const payload of [less, { ...claims, extra: 1 }, { ...claims, seq: -1 }, [], null]) {
      const jws = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
        .setProtectedHeader({ alg: "Ed25519", typ: "lanyard-checkpoint+jwt", kid: brokerKey.kid })
        .sign(brokerKey.privateKey);
      expect(await verifyCheckpoint(jws, brokerKeys)).toMatchObject({ ok: false, code: "malformed" });
    }
  });
});

describe("a manifest", () => {
  test("is one canonical line that carries its signature", async () => {
    const text = await writeManifest();
    expect(text).toBe(`${canonicalize(JSON.parse(text))}\n`);
    expect(await verifyManifest(Buffer.from(text), brokerKeys)).toEqual({
      ok: true,
      manifest: JSON.parse(text),
      kid: "checkpoint-1",
    });
  });

  test("can be verified with any JOSE library: the payload is the canonical rest", async () => {
    const { signature, ...rest } = JSON.parse(await writeManifest());
    const [protectedHeader, , signed] = signature.split(".");
    const jws = {
      protected: protectedHeader,
      payload: base64url.encode(canonicalize(rest)),
      signature: signed,
    };
    const [jwk] = brokerKeys.keys;
    await expect(flattenedVerify(jws, await importJWK(jwk ?? {}))).resolves.toBeDefined();
  });

  test("signed as a checkpoint, or not at all, is refused", async () => {
    const manifest = JSON.parse(await writeManifest());
    const checkpoint = await signCheckpoint(claims, brokerKey);
    const [header, , signed] = checkpoint.split(".");
    for (const signature of [
      `${header}..${signed}`,
      checkpoint,
      "",
      "..",
      "a..b",
      `${manifest.signature}.`,
    ]) {
      const reading = await verifyManifest(
        Buffer.from(serializeManifest({ ...manifest, signature })),
        brokerKeys,
      );
      expect(reading.ok).toBe(false);
    }
  });

  test("that is no manifest is refused", async () => {
    for (const text of ["", "null", "{}", "[[[", "[".repeat(100_000), '{"v":2}', "\ufeff{}"]) {
      expect(await verifyManifest(Buffer.from(text), brokerKeys)).toMatchObject({
        ok: false,
        code: "malformed",
      });
    }
    expect(await verifyManifest(Buffer.from([0xff, 0xfe]), brokerKeys)).toMatchObject({
      ok: false,
      code: "malformed",
    });
  });
});
