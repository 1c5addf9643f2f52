/**
 * AssumeRole for one session of a robot. The answer is used only if it says that it is of that role and has the
 * robot's name.
 */
import { AssumeRoleCommand, type AssumeRoleCommandOutput, STSClient } from "@aws-sdk/client-sts";
import { z } from "zod";
import type { MintContext, MintResult } from "../../kind.ts";
import { refused } from "../../minting/mint-failure.ts";
import { nameSession, nameSource, secondsFor, tagSession } from "./session.ts";
import { type AwsIdentity, connectToSts, explainSts } from "./sts.ts";

/** What goes into an environment has no other characters. */
const word = z.string().regex(/^[\x21-\x7e]{1,8192}$/);
const AssumedRole = z.object({
  Credentials: z.object({
    AccessKeyId: word,
    SecretAccessKey: word,
    SessionToken: word,
    Expiration: z.date(),
  }),
  AssumedRoleUser: z.object({ Arn: z.string() }),
});

/** Where the AWS SDK looks for both. The identity is kept, and renewed before it runs out. */
export interface Surroundings {
  readonly identity: AwsIdentity;
  readonly region: () => Promise<string>;
}

export async function assumeRole(
  context: MintContext<"aws-role">,
  around: Surroundings,
): Promise<MintResult> {
  const { entry, session, serverUrl, ask, now } = context;
  if (serverUrl !== undefined)
    return refused("Keys of AWS go to servers that the proxy starts, not to an address.");
  if (session === undefined) return refused("A role is assumed for a run, and there is none.");
  const seconds = secondsFor(entry, session, now());
  if (seconds === undefined) return refused("STS gives sessions of 15 minutes to 12 hours: change ttl.");
  const region = entry.region ?? (await around.region().catch(() => undefined));
  if (region === undefined)
    return refused("No region is known: write region, or give the broker AWS_REGION.");
  const name = nameSession(session);
  const tags = tagSession(session);
  const sts = connectToSts({ region, endpoint: entry.sts_url, credentials: around.identity, ask });
  let answer: AssumeRoleCommandOutput;
  try {
    answer = await sts.send(
      new AssumeRoleCommand({
        RoleArn: entry.role_arn,
        RoleSessionName: name,
        SourceIdentity: nameSource(session),
        DurationSeconds: seconds,
        Tags: tags,
        TransitiveTagKeys: tags.map(({ Key }) => Key),
        ...(entry.session_policy !== undefined && { Policy: entry.session_policy }),
        ...(entry.external_id !== undefined && { ExternalId: entry.external_id }),
      }),
    );
  } catch (error) {
    return explainSts(error, entry.role_arn);
  } finally {
    sts.destroy();
  }
  const assumed = AssumedRole.safeParse(answer);
  const role = entry.role_arn.slice(entry.role_arn.lastIndexOf("/") + 1);
  if (!assumed.success || !assumed.data.AssumedRoleUser.Arn.endsWith(`/${role}/${name}`)) {
    return refused(
      "STS's answer was not used: it does not say that the session is of the role and has the robot's name.",
    );
  }
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = assumed.data.Credentials;
  return {
    ok: true,
    minted: {
      headers: {},
      env: {
        AWS_ACCESS_KEY_ID: AccessKeyId,
        AWS_SECRET_ACCESS_KEY: SecretAccessKey,
        AWS_SESSION_TOKEN: SessionToken,
        AWS_REGION: region,
      },
      value: undefined,
      // The id of a key is in every log of AWS, and in this one.
      secrets: [SecretAccessKey, SessionToken],
      expiresAt: Expiration.getTime(),
      ticket: undefined,
    },
  };
}

export function readSurroundings(): Surroundings {
  const { credentials, region } = new STSClient({}).config;
  return { identity: credentials, region: async () => region() };
}
