/** Sessions of IAM roles: named after the robot, no longer and no wider than the document says. */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EntryOfKind, MintContext, MintingSession } from "../../../../../broker/credentials/kind.ts";
import { assumeRole } from "../../../../../broker/credentials/kinds/aws-role/assuming.ts";
import {
  nameSession,
  nameSource,
  tagSession,
} from "../../../../../broker/credentials/kinds/aws-role/session.ts";
import { awsRole } from "../../../../../broker/credentials/kinds/aws-role/aws-role.ts";
import { MINTING_SESSION, mintingContext } from "../../../../support/minting-context.ts";
import fc from "../../../../support/properties.ts";
import { type StsPeer, startStsPeer } from "../../../../support/sts-peer.ts";

const ROLE = "arn:aws:iam::123456789012:role/team/robots";
const ALLOWS = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"] as const;
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
});

let sts: StsPeer;
beforeEach(async () => {
  sts = await startStsPeer();
  sts.roles.set(ROLE, { allows: ALLOWS, maxSeconds: 3_600 });
});
afterEach(async () => sts.close());

const contextOf = (
  entry: Partial<EntryOfKind<"aws-role">> = {},
  overrides: Partial<MintContext<"aws-role">> = {},
): MintContext<"aws-role"> =>
  mintingContext<"aws-role">(
    { kind: "aws-role", role_arn: ROLE, region: sts.region, sts_url: sts.endpoint, ...entry },
    overrides,
  );
const sessionOf = (changed: Partial<MintingSession>): MintingSession => ({ ...MINTING_SESSION, ...changed });
const mintWith = async (context: MintContext<"aws-role">, identity: object = sts.identity) =>
  assumeRole(context, {
    identity: (async () => identity) as unknown as Parameters<typeof assumeRole>[1]["identity"],
    region: async () => {
      throw new Error("Region is missing");
    },
  });
const mint = async (context = contextOf()) => {
  const result = await mintWith(context);
  if (!result.ok) throw new Error(result.sentence);
  return result.minted;
};
const refusal = async (context = contextOf(), identity?: object): Promise<string> => {
  const result = await mintWith(context, identity);
  return result.ok ? "it was minted" : `${result.code}: ${result.sentence}`;
};
const onlySession = () => [...sts.sessions.values()].at(-1);

describe("minting", () => {
  test("the usual variables, which AWS takes, and a session that has the robot's name", async () => {
    const { env, secrets, expiresAt, ticket, headers } = await mint();
    expect(Object.keys(env)).toEqual([
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "AWS_REGION",
    ]);
    expect(headers).toEqual({});
    expect(secrets).toEqual([env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]]);
    expect(ticket).toBeUndefined();
    expect(expiresAt).toBe(sts.identities.get(env["AWS_ACCESS_KEY_ID"] ?? "")?.expiresAt);
    const client = new STSClient({
      region: env["AWS_REGION"] ?? "",
      endpoint: sts.endpoint,
      credentials: {
        accessKeyId: env["AWS_ACCESS_KEY_ID"] ?? "",
        secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? "",
        sessionToken: env["AWS_SESSION_TOKEN"] ?? "",
      },
    });
    expect((await client.send(new GetCallerIdentityCommand({}))).Arn).toBe(
      "arn:aws:sts::123456789012:assumed-role/robots/acme=payments=triager@987654321.2",
    );
  });

  test("AWS's log shows the robot, its repository and its run, through every further role", async () => {
    await mint();
    const tags = {
      "lanyard:robot": "acme/payments/triager",
      "lanyard:repository": "acme/payments",
      "lanyard:repository_id": "456789",
      "lanyard:run_id": "987654321",
    };
    expect(onlySession()).toMatchObject({
      sourceIdentity: "acme=payments=triager",
      tags,
      transitive: Object.keys(tags),
    });
  });

  test("as long as the document says, and no longer than the session, as far as STS can", async () => {
    const secondsOf = async (ttl: string | undefined, leftMs: number) => {
      const now = Date.now();
      const session = sessionOf({ maxExpiresAt: now + leftMs });
      await mint(contextOf(ttl === undefined ? {} : { ttl }, { session, now: () => now }));
      return onlySession()?.seconds;
    };
    expect(await secondsOf("20m", 3_600_000)).toBe(1_200);
    expect(await secondsOf(undefined, 1_800_000)).toBe(1_800);
    expect(await secondsOf(undefined, 7_200_000)).toBe(3_600);
    expect(await secondsOf("30m", 60_000)).toBe(900);
    expect(await refusal(contextOf({ ttl: "10m" }))).toMatch(/^refused: .*15 minutes/);
    expect(await refusal(contextOf({ ttl: "13h" }))).toMatch(/^refused: .*12 hours/);
  });

  test("session policy and external id are sent as they are written", async () => {
    sts.roles.set(ROLE, { allows: ALLOWS, maxSeconds: 3_600, externalId: "acme" });
    expect(await refusal(contextOf({ external_id: "other" }))).toMatch(/external_id/);
    await mint(contextOf({ external_id: "acme", session_policy: POLICY }));
    expect(onlySession()?.policy).toBe(POLICY);
  });

  test("nothing is stored for it: the broker's own identity assumes the role", () => {
    expect(awsRole.asksFor).toBeUndefined();
    expect(awsRole.checkSecret(Buffer.from("{}"), contextOf().entry)).toMatch(/no secret/);
  });
});

describe("attacks by name", () => {
  test("a robot's name that would break the session name", async () => {
    const hostile = [
      `acme/${"payments".repeat(20)}/triager`,
      "acme/payments/tri ager&Action=GetFederationToken",
      "acme/payments/<x>\r\n",
      "aws:robot",
      "ä/ö/ü",
      "a",
    ];
    for (const robot of hostile) {
      await mint(contextOf({}, { session: sessionOf({ robot, runId: "9".repeat(40) }) }));
    }
    expect(sts.sessions.size).toBe(hostile.length);
  });

  test("two robots never have one name, whatever they are called", () => {
    const name = fc.stringMatching(/^[a-z0-9_. ä=,@/-]{1,80}$/);
    const run = fc.stringMatching(/^[0-9]{1,30}$/);
    fc.assert(
      fc.property(name, name, run, run, (one, other, runOne, runOther) => {
        fc.pre(one !== other || runOne !== runOther);
        const [a, b] = [
          sessionOf({ robot: one, runId: runOne }),
          sessionOf({ robot: other, runId: runOther }),
        ];
        const names = [nameSession(a), nameSession(b)];
        for (const each of [...names, nameSource(a)]) expect(each).toMatch(/^[\w+=,.@-]{2,64}$/);
        // `=` and `,` stand for nothing else in names that GitHub and the documents permit.
        if (!/[=,@]/.test(one + other)) expect(names[0]).not.toBe(names[1]);
      }),
    );
    expect(nameSession(sessionOf({ robot: "a-b/c/d" }))).not.toBe(
      nameSession(sessionOf({ robot: "a/b-c/d" })),
    );
  });

  test("a value that no tag can have is made one", () => {
    const tags = tagSession(sessionOf({ repository: `acme/<script>${"x".repeat(400)}` }));
    expect(tags[1]?.Value).toMatch(/^acme\/_script_x+$/);
    expect(tags[1]?.Value).toHaveLength(256);
  });

  test.each([
    ["session", "admin/somebody"],
    ["role", `admin/${nameSession(MINTING_SESSION)}`],
  ])("an answer for another %s is not used", async (_what, assumed) => {
    sts.fail = (response) => {
      response.writeHead(200, { "content-type": "text/xml" });
      response.end(
        `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>canary</SecretAccessKey><SessionToken>canary</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/${assumed}</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>`,
      );
      return true;
    };
    const sentence = await refusal();
    expect(sentence).toMatch(/^refused: .*robot's name/);
    expect(sentence).not.toContain("canary");
  });

  test("what AWS writes reaches no sentence", async () => {
    for (const status of [200, 400, 403, 404, 500]) {
      sts.fail = (response) => {
        response.writeHead(status, { "content-type": "text/xml" });
        response.end(
          `<ErrorResponse><Error><Code>canary</Code><Message>canary</Message></Error></ErrorResponse>`,
        );
        return true;
      };
      expect(await refusal()).toMatch(/^(refused|unavailable): (?!.*canary)/);
    }
  });
});

describe("what STS refuses is said so that somebody can act", () => {
  const denies = (missing: string) => ({
    allows: ALLOWS.filter((each) => each !== missing),
    maxSeconds: 3_600,
  });
  const cases: readonly [
    name: string,
    set: () => Partial<EntryOfKind<"aws-role">> | undefined,
    said: RegExp,
  ][] = [
    [
      "no such role",
      () => ({ role_arn: "arn:aws:iam::123456789012:role/nobody" }),
      /^refused: The broker may not assume/,
    ],
    [
      "no right to name the source",
      () => void sts.roles.set(ROLE, denies("sts:SetSourceIdentity")),
      /sts:SetSourceIdentity/,
    ],
    ["no right to tag", () => void sts.roles.set(ROLE, denies("sts:TagSession")), /sts:TagSession/],
    [
      "a policy that is none",
      () => ({ session_policy: "{}" }),
      /^refused: .*session_policy: it is no valid IAM policy/,
    ],
    ["too large together", () => void (sts.packedBytes = 100), /^refused: .*too large together/],
    ["longer than the role has", () => ({ ttl: "2h" }), /^refused: .*maximum session duration/],
    [
      "a region that is not activated",
      () => void (sts.regionDisabled = true),
      /^refused: .*not activated in this region/,
    ],
    ["no region", () => ({ region: undefined as unknown as string }), /^refused: No region/],
    ["a clock that is wrong", () => void (sts.clockOffsetMs = 3_600_000), /^refused: .*clock/],
    ["nobody there", () => ({ sts_url: "http://127.0.0.1:9" }), /^unavailable: /],
    [
      "busy",
      () =>
        void (sts.fail = (response) =>
          response
            .writeHead(400)
            .end("<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>") !== undefined),
      /^unavailable: STS is busy/,
    ],
    [
      "a page in place of STS",
      () => void (sts.fail = (response) => response.writeHead(200).end("<html><body>hello") !== undefined),
      /^unavailable: What answered is not STS/,
    ],
  ];
  for (const [name, set, said] of cases) {
    test(name, async () => {
      const entry = set();
      expect(await refusal(contextOf(entry ?? {}))).toMatch(said);
    });
  }

  test("an identity of the broker's that is unknown, has run out, or is not there", async () => {
    const unknown = { accessKeyId: "AKIANOBODY", secretAccessKey: "x" };
    expect(await refusal(contextOf(), unknown)).toMatch(/^refused: STS does not know/);
    const wrong = { ...sts.identity, secretAccessKey: "wrong" };
    expect(await refusal(contextOf(), wrong)).toMatch(/^refused: STS does not accept the broker's signature/);
    const old = { accessKeyId: "ASIAOLD", secretAccessKey: "old", sessionToken: "old" };
    sts.identities.set("ASIAOLD", { secretKey: "old", sessionToken: "old", expiresAt: Date.now() - 1_000 });
    expect(await refusal(contextOf(), old)).toMatch(/^refused: .*identity has run out/);
  });

  test("a server that has an address, and no run", async () => {
    expect(await refusal(contextOf({}, { serverUrl: "https://mcp.example" }))).toMatch(/proxy starts/);
    expect(await refusal(contextOf({}, { session: undefined }))).toMatch(/for a run/);
  });
});

describe("who it is", () => {
  test("STS says the name of the session and its account, asked with the session's own keys", async () => {
    const minted = await mint();
    const who = (await awsRole.identify?.(minted, contextOf())) ?? [];
    expect(who).toEqual([`arn: ${onlySession()?.arn}`, "account: 123456789012"]);
    expect(minted.secrets.some((secret) => who.join().includes(secret))).toBe(false);
  });

  test("keys that STS does not know are nobody's", async () => {
    const minted = await mint();
    sts.identities.delete(minted.env["AWS_ACCESS_KEY_ID"] ?? "");
    await expect(awsRole.identify?.(minted, contextOf())).rejects.toThrow("security token");
  });
});
