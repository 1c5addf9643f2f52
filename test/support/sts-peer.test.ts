/** The peer itself: it takes what STS takes, signed as AWS has it signed, and nothing more. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { askAws, signatureOf } from "./aws-signature.ts";
import { type StsPeer, startStsPeer } from "./sts-peer.ts";

const ROLE = "arn:aws:iam::123456789012:role/robots";

let sts: StsPeer;
beforeEach(async () => {
  sts = await startStsPeer();
  sts.roles.set(ROLE, {
    allows: ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
    maxSeconds: 3_600,
  });
});
afterEach(async () => sts.close());

const assume = async (parameters: Record<string, string>, secretKey = sts.identity.secretAccessKey) => {
  const { endpoint, region, identity } = sts;
  const answer = await askAws({
    ...{ endpoint, region, service: "sts", accessKey: identity.accessKeyId, secretKey },
    parameters: {
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: ROLE,
      RoleSessionName: "name",
      ...parameters,
    },
  });
  return /<Code>(\w+)/.exec(await answer.text())?.[1] ?? answer.status;
};

test("a signature is the one that AWS's own test suite has for its request", () => {
  // `get-vanilla` of the test suite of Signature Version 4.
  const signature = signatureOf({
    method: "GET",
    path: "/",
    body: "",
    headers: { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z" },
    scope: "20150830/us-east-1/service/aws4_request",
    secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  });
  expect(signature).toBe("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
});

test("a signature under another secret, and a key that nobody has", async () => {
  expect(await assume({})).toBe(200);
  expect(await assume({}, "other")).toBe("SignatureDoesNotMatch");
  sts.identities.clear();
  expect(await assume({})).toBe("InvalidClientTokenId");
});

test("names, tags, durations and policies are what AWS permits", async () => {
  for (const parameters of [
    { RoleSessionName: "x" },
    { RoleSessionName: "a/b" },
    { RoleSessionName: "a".repeat(65) },
    { SourceIdentity: "aws:me" },
    { DurationSeconds: "899" },
    { DurationSeconds: "3601" },
    { "Tags.member.1.Key": "aws:x", "Tags.member.1.Value": "y" },
    { "Tags.member.1.Key": "x", "Tags.member.1.Value": "<y>" },
    { "TransitiveTagKeys.member.1": "x" },
    { Policy: "x".repeat(2_049) },
  ]) {
    expect(await assume(parameters)).toBe("ValidationError");
  }
  expect(await assume({ Policy: "{}" })).toBe("MalformedPolicyDocument");
  sts.packedBytes = 10;
  expect(await assume({ "Tags.member.1.Key": "x", "Tags.member.1.Value": "y" })).toBe("PackedPolicyTooLarge");
});

test("each thing that is asked for must be allowed by the role", async () => {
  sts.roles.set(ROLE, { allows: ["sts:AssumeRole"], maxSeconds: 3_600 });
  expect(await assume({})).toBe(200);
  expect(await assume({ SourceIdentity: "robot" })).toBe("AccessDenied");
  expect(await assume({ "Tags.member.1.Key": "x", "Tags.member.1.Value": "y" })).toBe("AccessDenied");
  expect(await assume({ RoleArn: "arn:aws:iam::123456789012:role/other" })).toBe("AccessDenied");
  sts.roles.set(ROLE, { allows: ["sts:AssumeRole"], maxSeconds: 3_600, externalId: "e" });
  expect([await assume({}), await assume({ ExternalId: "e" })]).toEqual(["AccessDenied", 200]);
});

test("what it gave out is an identity that runs out", async () => {
  expect(await assume({ DurationSeconds: "900" })).toBe(200);
  const [accessKey = "", given] = [...sts.identities].at(-1) ?? [];
  expect(sts.sessions.get(accessKey)).toMatchObject({ name: "name", seconds: 900 });
  expect(given?.expiresAt).toBeGreaterThan(Date.now());
  sts.clockOffsetMs = 86_400_000;
  expect(await assume({})).toBe("RequestExpired");
});
