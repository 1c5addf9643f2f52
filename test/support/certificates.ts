/**
 * An authority of a test's own, and certificates that it issues for any names and any time: X.509 (RFC 5280) with
 * P-256 keys, made where they are needed and written down nowhere.
 */
import { type KeyObject, generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface IssuedCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

interface CertificateTerms {
  /** DNS names. */
  readonly names: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface Authority {
  /** PEM. */
  readonly cert: string;
  issue(terms: CertificateTerms): IssuedCertificate;
}

const DAY_MS = 86_400_000;

export function createAuthority(name: string): Authority {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [from, to] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)];
  const basics = extension(OIDS.basicConstraints, sequence(TRUE), { critical: true });
  const usage = extension(OIDS.keyUsage, tagged(0x03, Buffer.from([2, 0b0000_0100])), { critical: true });
  const self = { subject: name, issuer: name, publicKey, signedBy: privateKey };
  return {
    cert: write({ ...self, from, to, extensions: [basics, usage] }),
    issue({ names, notBefore = from, notAfter = to }) {
      const leaf = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const dnsNames = names.map((each) => tagged(0x82, Buffer.from(each, "ascii")));
      const cert = write({
        subject: names[0] ?? "",
        issuer: name,
        publicKey: leaf.publicKey,
        signedBy: privateKey,
        from: notBefore,
        to: notAfter,
        extensions: [extension(OIDS.subjectAltName, sequence(...dnsNames))],
      });
      return { cert, key: leaf.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
    },
  };
}

interface Contents {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signedBy: KeyObject;
  readonly from: Date;
  readonly to: Date;
  readonly extensions: readonly Buffer[];
}

function write({ subject, issuer, publicKey, signedBy, from, to, extensions }: Contents): string {
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    sequence(OIDS.ecdsaWithSha256),
    nameOf(issuer),
    sequence(time(from), time(to)),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", body, signedBy)]));
  const der = sequence(body, sequence(OIDS.ecdsaWithSha256), signature);
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** DER: a tag, the length of what follows, and that. */
function tagged(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const long =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...long]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function integer(bytes: Uint8Array): Buffer {
  return tagged(0x02, bytes);
}

function objectId(...bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}

function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(OIDS.commonName, tagged(0x0c, Buffer.from(commonName)))));
}

/** UTCTime: until 2049. */
function time(at: Date): Buffer {
  return tagged(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replace(/[-T:]/g, "")}Z`, "ascii"));
}

function extension(id: Buffer, value: Uint8Array, { critical = false } = {}): Buffer {
  return sequence(id, ...(critical ? [TRUE] : []), tagged(0x04, value));
}

const TRUE = tagged(0x01, Buffer.from([0xff]));
const OIDS = {
  ecdsaWithSha256: objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02),
  commonName: objectId(0x55, 0x04, 0x03),
  basicConstraints: objectId(0x55, 0x1d, 0x13),
  keyUsage: objectId(0x55, 0x1d, 0x0f),
  subjectAltName: objectId(0x55, 0x1d, 0x11),
};
