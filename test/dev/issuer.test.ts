import { mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { startDevIssuer, type DevIssuer } from "../../dev/issuer.ts";
import type { Job } from "../../dev/claims.ts";

const job: Job = {
  repository: "acme/payments",
  repositoryId: "456789",
  ownerId: "123456",
  workflow: ".github/workflows/triage.yml",
  workflowName: "triage",
  event: "schedule",
  ref: "refs/heads/main",
  sha: "0".repeat(40),
  runId: "1",
  runNumber: "1",
  runAttempt: "1",
  checkRunId: "77",
  actor: "octocat",
  actorId: "583231",
};

const open: DevIssuer[] = [];
const start = async (keyFile?: string): Promise<DevIssuer> => {
  const issuer = await startDevIssuer({ port: 0, ...(keyFile === undefined ? {} : { keyFile }) });
  open.push(issuer);
  return issuer;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((issuer) => issuer.close()));
});

async function requestToken(issuer: DevIssuer, audience: string): Promise<string> {
  const environment = issuer.admit(job);
  const answer = await fetch(
    `${environment.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=${encodeURIComponent(audience)}`,
    {
      headers: { authorization: `bearer ${environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` },
    },
  );
  return ((await answer.json()) as { value: string }).value;
}

describe("the stand-in for GitHub's issuer", () => {
  it("gives an admitted job a token that verifies against the keys it publishes", async () => {
    const issuer = await start();
    const token = await requestToken(issuer, "https://desk.example");
    const discovery = (await (await fetch(`${issuer.url}/.well-known/openid-configuration`)).json()) as {
      issuer: string;
      jwks_uri: string;
    };
    expect(discovery.issuer).toBe(issuer.url);
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(discovery.jwks_uri)), {
      issuer: issuer.url,
      audience: "https://desk.example",
    });
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: "RS256", typ: "JWT" });
    expect(payload).toMatchObject({
      sub: "repo:acme@123456/payments@456789:ref:refs/heads/main",
      repository_id: "456789",
      repository_owner_id: "123456",
      workflow_ref: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
      event_name: "schedule",
      check_run_id: "77",
      head_ref: "",
    });
  });

  it("never gives the same jti twice", async () => {
    const issuer = await start();
    const jtis = await Promise.all(
      [1, 2].map(
        async () => JSON.parse(atob((await requestToken(issuer, "a")).split(".")[1] ?? "")).jti as string,
      ),
    );
    expect(new Set(jtis).size).toBe(2);
  });

  it("answers 401 to a request token it did not give out", async () => {
    const issuer = await start();
    const answer = await fetch(`${issuer.url}/idtoken?audience=x`, {
      headers: { authorization: "bearer guess" },
    });
    expect(answer.status).toBe(401);
  });

  it("keeps its key over a restart, in a file that only its owner reads", async () => {
    const keyFile = join(await mkdtemp(join(tmpdir(), "issuer-")), "key.json");
    const first = await start(keyFile);
    const token = await first.sign(job, "a");
    const second = await start(keyFile);
    expect(decodeProtectedHeader(await second.sign(job, "a")).kid).toBe(decodeProtectedHeader(token).kid);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  });

  it("lets a test replace and remove claims", async () => {
    const issuer = await start();
    const claims = JSON.parse(
      atob((await issuer.sign(job, "a", { event_name: "push", sub: undefined })).split(".")[1] ?? ""),
    ) as Record<string, unknown>;
    expect(claims["event_name"]).toBe("push");
    expect(claims).not.toHaveProperty("sub");
  });
});
