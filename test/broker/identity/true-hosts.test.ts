/** Issuers under their true names over real TLS: what is found there, and which certificates are not good enough. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SubjectTokens, createSubjectTokens } from "../../../broker/identity/subject-token.ts";
import { claimsOfJob } from "../../support/broker.ts";
import { type Authority, createAuthority } from "../../support/certificates.ts";
import { type TlsIssuers, divert, startTlsIssuers } from "../../support/tls-issuers.ts";

const AUDIENCE = "https://lanyard.acme.dev";
const GITHUB = "https://token.actions.githubusercontent.com";
const ENTERPRISE = `${GITHUB}/acme`;
const RESIDENCY = "https://token.actions.acme.ghe.com";
const SERVER = "https://github.acme.internal/_services/token";
const ISSUERS = [GITHUB, ENTERPRISE, RESIDENCY, SERVER];
const hostOf = (issuer: string): string => new URL(issuer).hostname;

let served: TlsIssuers;
let authority: Authority;
let tokens: SubjectTokens;
const trusted = getCACertificates("default");
beforeAll(() => {
  authority = createAuthority("Authority of this test");
  setDefaultCACertificates([...trusted, authority.cert]);
});
afterAll(() => {
  setDefaultCACertificates(trusted);
});
beforeEach(async () => {
  served = await startTlsIssuers();
  tokens = createSubjectTokens({
    issuers: ISSUERS,
    privateIssuers: [SERVER],
    audience: AUDIENCE,
    resolve: async (host) => [
      { address: host === hostOf(SERVER) ? "10.20.30.40" : "140.82.112.21", family: 4 },
    ],
    requestTls: divert(served.port),
    now: Date.now,
  });
  return async () => served.close();
});

const verifyOf = async (issuer: string) =>
  tokens.verify(await served.sign(issuer, claimsOfJob(issuer, AUDIENCE, Date.now())));
const refusalOf = async (issuer: string): Promise<string> => {
  const verified = await verifyOf(issuer);
  return verified.ok ? "accepted" : `${verified.code}: ${verified.detail}`;
};

test.each([
  ["github.com", GITHUB],
  ["an enterprise of github.com with its slug", ENTERPRISE],
  ["an enterprise of GHE.com", RESIDENCY],
  ["a GitHub Enterprise Server", SERVER],
])("a job of %s is known by the keys that its issuer publishes below its own address", async (_, issuer) => {
  await served.add(issuer, authority.issue({ names: [hostOf(issuer)] }));
  expect(await verifyOf(issuer)).toMatchObject({ ok: true, workload: { iss: issuer, run_id: "1001" } });
  expect(served.asked).toEqual([`${issuer}/.well-known/openid-configuration`, `${issuer}/.well-known/jwks`]);
});

test("github.com and an enterprise with its slug have the host in common, and no key", async () => {
  const certificate = authority.issue({ names: [hostOf(GITHUB)] });
  await served.add(GITHUB, certificate);
  await served.add(ENTERPRISE, certificate);
  expect((await verifyOf(GITHUB)).ok).toBe(true);
  expect((await verifyOf(ENTERPRISE)).ok).toBe(true);
  const foreign = await served.sign(GITHUB, claimsOfJob(ENTERPRISE, AUDIENCE, Date.now()));
  expect(await tokens.verify(foreign)).toMatchObject({ ok: false, code: "key_unknown" });
});

describe("a certificate", () => {
  test("of the wrong name, another issuer's", async () => {
    await served.add(RESIDENCY, authority.issue({ names: [hostOf(GITHUB)] }));
    expect(await refusalOf(RESIDENCY)).toMatch(
      /^issuer_unreachable: .*does not match certificate's altnames/,
    );
    expect(served.asked).toEqual([]);
  });

  test("of the domain above, and of a name below", async () => {
    for (const name of ["acme.ghe.com", `x.${hostOf(RESIDENCY)}`]) {
      await served.add(RESIDENCY, authority.issue({ names: [name] }));
      expect(await refusalOf(RESIDENCY)).toMatch(/^issuer_unreachable: .*altnames/);
    }
    expect(served.asked).toEqual([]);
  });

  test("that has expired", async () => {
    const [notBefore, notAfter] = [new Date(Date.now() - 2 * 86_400_000), new Date(Date.now() - 60_000)];
    await served.add(GITHUB, authority.issue({ names: [hostOf(GITHUB)], notBefore, notAfter }));
    expect(await refusalOf(GITHUB)).toMatch(/^issuer_unreachable: .*certificate has expired/);
    expect(served.asked).toEqual([]);
  });

  test("that is not valid yet", async () => {
    const notBefore = new Date(Date.now() + 3_600_000);
    await served.add(GITHUB, authority.issue({ names: [hostOf(GITHUB)], notBefore }));
    expect(await refusalOf(GITHUB)).toMatch(/^issuer_unreachable: .*not yet valid/);
  });

  test("of an authority that nobody was told to trust, with the trusted one's name", async () => {
    const stranger = createAuthority("Authority of this test");
    await served.add(SERVER, stranger.issue({ names: [hostOf(SERVER)] }));
    expect(await refusalOf(SERVER)).toMatch(/^issuer_unreachable: .*could not be read/);
    expect(served.asked).toEqual([]);
  });
});

describe("in a process of its own", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "lanyard-tls-"));
    await writeFile(join(directory, "authority.pem"), authority.cert);
    return async () => rm(directory, { recursive: true, force: true });
  });
  const lookUp = async (issuer: string, environment: Record<string, string>): Promise<string> => {
    const program = join(import.meta.dirname, "../../support/issuer-lookup.ts");
    const args = ["--no-warnings", program, issuer, String(served.port)];
    return (await promisify(execFile)(process.execPath, args, { env: environment })).stdout;
  };

  test("NODE_EXTRA_CA_CERTS names an authority of one's own, and without it there is none", async () => {
    await served.add(GITHUB, authority.issue({ names: [hostOf(GITHUB)] }));
    const extra = { NODE_EXTRA_CA_CERTS: join(directory, "authority.pem") };
    expect(await lookUp(GITHUB, extra)).toBe("1 key");
    expect(await lookUp(GITHUB, {})).toContain("could not be read");
  });

  test("NODE_TLS_REJECT_UNAUTHORIZED=0 lets nobody in", async () => {
    await served.add(RESIDENCY, authority.issue({ names: [hostOf(GITHUB)] }));
    const lax = {
      NODE_EXTRA_CA_CERTS: join(directory, "authority.pem"),
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
    };
    expect(await lookUp(RESIDENCY, lax)).toContain("altnames");
  });
});
