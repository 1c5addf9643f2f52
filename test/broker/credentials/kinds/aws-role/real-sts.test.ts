/** Sessions of roles at a real STS, and what they may do at the real S3 beside it. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { awsRole } from "../../../../../broker/credentials/kinds/aws-role/aws-role.ts";
import { askAws } from "../../../../support/aws-signature.ts";
import { mintingContext } from "../../../../support/minting-context.ts";
import { S3_START_TIMEOUT_MS, type S3Server, skipsS3, startS3 } from "../../../../support/s3.ts";

const policyOf = (Action: readonly string[], Resource: readonly string[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] });

describe.skipIf(skipsS3)("at a real STS", () => {
  let s3: S3Server;
  let bucket: string;

  beforeAll(async () => {
    s3 = await startS3({ sts: true });
    ({ bucket } = await s3.createBucket());
    for (const Key of ["ours/a", "theirs/a"]) {
      await s3.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "text" }));
    }
    const AssumeRolePolicyDocument = trustPolicy("test");
    await ask({ Action: "CreateRole", RoleName: "robots", Path: "/", AssumeRolePolicyDocument });
    const reads = policyOf(
      ["s3:GetObject", "s3:ListBucket"],
      [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
    );
    await ask({ Action: "PutRolePolicy", RoleName: "robots", PolicyName: "reads", PolicyDocument: reads });
  }, S3_START_TIMEOUT_MS);
  afterAll(async () => s3.stop());

  const ask = async (parameters: Record<string, string>): Promise<void> => {
    const { accessKeyId: accessKey, secretAccessKey: secretKey } = await s3.client.config.credentials();
    const own = { service: "iam", region: "us-east-1", accessKey, secretKey };
    const answer = await askAws({ endpoint: s3.endpoint, ...own, parameters });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const trustPolicy = (user: string): string => {
    const Principal = { AWS: [`arn:aws:iam:::user/${user}`] };
    const trust = { Effect: "Allow", Principal, Action: ["sts:AssumeRole"] };
    return JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
  };

  const contextOf = (session_policy?: string, role = "robots") =>
    mintingContext<"aws-role">({
      kind: "aws-role",
      role_arn: `arn:aws:iam:::role/${role}`,
      region: "us-east-1",
      ttl: "15m",
      sts_url: s3.endpoint,
      ...(session_policy !== undefined && { session_policy }),
    });
  const mint = async (session_policy?: string, role?: string) =>
    awsRole.mint(contextOf(session_policy, role));

  /** `ok`, or the error's name, of: reading ours, reading theirs, listing, writing. */
  const tryAll = async (session_policy?: string): Promise<string[]> => {
    const result = await mint(session_policy);
    if (!result.ok) throw new Error(result.sentence);
    const { env } = result.minted;
    const client = new S3Client({
      endpoint: s3.endpoint,
      region: env["AWS_REGION"] ?? "",
      forcePathStyle: true,
      credentials: {
        accessKeyId: env["AWS_ACCESS_KEY_ID"] ?? "",
        secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? "",
        sessionToken: env["AWS_SESSION_TOKEN"] ?? "",
      },
    });
    const outcome = async (done: Promise<unknown>): Promise<string> =>
      done.then(
        () => "ok",
        (error: unknown) => (error instanceof Error ? error.name : "?"),
      );
    return [
      await outcome(client.send(new GetObjectCommand({ Bucket: bucket, Key: "ours/a" }))),
      await outcome(client.send(new GetObjectCommand({ Bucket: bucket, Key: "theirs/a" }))),
      await outcome(client.send(new ListObjectsV2Command({ Bucket: bucket }))),
      await outcome(client.send(new PutObjectCommand({ Bucket: bucket, Key: "ours/b", Body: "text" }))),
    ];
  };

  test("without a session policy it does what the role may", async () => {
    expect(await tryAll()).toEqual(["ok", "ok", "ok", "AccessDenied"]);
  });

  test("a session policy narrows the role", async () => {
    const policy = policyOf(["s3:GetObject"], [`arn:aws:s3:::${bucket}/ours/*`]);
    expect(await tryAll(policy)).toEqual(["ok", "AccessDenied", "AccessDenied", "AccessDenied"]);
  });

  test("a session policy that widens cannot: what the role may not stays forbidden", async () => {
    expect(await tryAll(policyOf(["s3:*"], ["*"]))).toEqual(["ok", "ok", "ok", "AccessDenied"]);
  });

  test("it lives as long as was asked", async () => {
    const before = Date.now();
    const result = await mint();
    const expiresAt = result.ok ? (result.minted.expiresAt ?? 0) : 0;
    expect(expiresAt).toBeGreaterThanOrEqual(before + 899_000);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 901_000);
  });

  test("a policy that is none and a role that is not there are refused", async () => {
    expect(await mint("{")).toMatchObject({ ok: false, code: "refused" });
    expect(await mint(undefined, "nobody")).toMatchObject({
      ok: false,
      sentence: "There is no role arn:aws:iam:::role/nobody.",
    });
  });

  test("a role that does not trust the broker any more: refused, with what it would have to allow", async () => {
    const change = async (PolicyDocument: string): Promise<void> =>
      ask({ Action: "UpdateAssumeRolePolicy", RoleName: "robots", PolicyDocument });
    await change(trustPolicy("somebody-else"));
    expect(await mint()).toMatchObject({
      ...{ ok: false, code: "refused" },
      sentence: expect.stringContaining("its trust policy must allow the broker's identity sts:AssumeRole"),
    });
    await change(trustPolicy("test"));
    expect(await mint()).toMatchObject({ ok: true });
  });
});
