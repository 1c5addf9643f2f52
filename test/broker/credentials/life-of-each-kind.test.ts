/**
 * The life of each kind of credential, one line of a table each: an agent's first call, the call after what was presented
 * is over, the call after somebody took the grant away, and what the log says of each of them.
 */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { canonicalize } from "../../../audit/canonical.ts";
import { createVault } from "../../../broker/credentials/vault/vault.ts";
import { loadSealingKey } from "../../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import {
  type AuthorizationPeer,
  CLIENT_SECRET,
  startAuthorizationPeer,
} from "../../support/authorization-server.ts";
import { type GithubAppPeer, startGithubAppPeer } from "../../support/github-app-peer.ts";
import { bearerOf, type DemandingServer, startDemandingServer } from "../../support/mcp-demanding-server.ts";
import { MovedDate, movedPerformance } from "../../support/moved-clock.ts";
import { type StsPeer, startStsPeer } from "../../support/sts-peer.ts";
import { type LifeBed, type LifeTerms, openLifeBed } from "./life-bed.ts";

vi.mock("node:timers/promises", async (original) => {
  const { sleepByClock } = await import("../../support/moved-clock.ts");
  return sleepByClock(await original());
});

const ROLE = "arn:aws:iam::123456789012:role/robots";
const [FIRST, NEXT] = ["first-canary-0123456789", "next-canary-9876543210"];
const STDIO = `${import.meta.dirname}/../../support/mcp-cloud-stdio-server.ts`;

let peer: AuthorizationPeer;
let github: GithubAppPeer;
let sts: StsPeer;
/** Takes what the first says, in a header field; "": nothing at all. */
const taken = { field: "" };
let door: DemandingServer;
/** Takes what GitHub takes. */
let hub: DemandingServer;

type Step = (bed: LifeBed) => unknown;

interface Life {
  readonly name: string;
  readonly terms: () => LifeTerms;
  /** What an operator does before there is a job. */
  readonly give: Step;
  /** What was presented is over after each of them, or what takes the place of that. */
  readonly lapses: readonly Step[];
  /** Digests of what servers were shown so far, in order. */
  readonly shown: (bed: LifeBed) => Promise<readonly string[]> | readonly string[];
  readonly lives: "by itself" | "until it expires";
  /** Somebody takes away what was granted. */
  readonly revoke: Step;
  /** What the agent gets to read, and the operator. */
  readonly told: RegExp;
  /** Of the line in the broker's log. */
  readonly code: "credential_failing" | "credential_rejected";
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const pass = (minutes: number) => async (bed: LifeBed) => bed.pass(minutes);
const inTurn =
  (...steps: readonly Step[]): Step =>
  async (bed) => {
    for (const step of steps) await step(bed);
  };
const set = (secret: () => string) => async (bed: LifeBed) =>
  bed.operate(["set", "notes"], { secret: secret() });
/** Of what a person typed in. */
const typedDigests = async ({ on }: LifeBed, secrets: readonly string[]): Promise<readonly string[]> => {
  const database = await openDatabase(on.config.database);
  const vault = createVault({ database, sealingKey: await loadSealingKey(on.config.keys), now: on.now });
  await database.destroy();
  return secrets.map((secret) => vault.digest(Buffer.from(secret)));
};

/** It does not expire: it is rotated, and the server changes over when it likes. */
function typed(name: string, credential: string, fieldOf: (secret: string) => string): Life {
  return {
    name,
    terms: () => ({ server: `url: "${door.url}"`, credential, delivery: "broker" }),
    give: inTurn(
      () => (taken.field = fieldOf(FIRST)),
      set(() => FIRST),
    ),
    lapses: [
      async (bed) => {
        await bed.operate(["rotate", "notes"], { secret: NEXT });
        await bed.pass(0.1);
      },
      () => (taken.field = fieldOf(NEXT)),
      pass(90),
    ],
    shown: async (bed) => typedDigests(bed, [FIRST, NEXT]),
    lives: "by itself",
    revoke: () => (taken.field = "something else"),
    told: /A server answered 401 to the credential notes.*lanyard credential rotate notes/,
    code: "credential_rejected",
  };
}

/** Tokens of ten minutes, for the server that says who gives them out. */
function granted(name: string, credential: () => string, own: Pick<Life, "give" | "revoke" | "told">): Life {
  return {
    name,
    terms: () => ({ server: `url: "${peer.serverUrl}"`, credential: credential(), delivery: "broker" }),
    lapses: [pass(11)],
    shown: () => peer.server.calls.map((headers) => sha256(bearerOf(headers))),
    lives: "until it expires",
    code: "credential_failing",
    ...own,
    revoke: inTurn(pass(1), own.revoke),
  };
}
const atIssuer = (kind: string, more: string) => () => `kind: ${kind}, issuer: "${peer.issuer}", ${more}`;
const deleted = (client: string) => ({
  revoke: () => peer.deletedClients.add(client),
  told: /answered invalid_client \(.*client_id/,
});

function appAt(
  server: () => string,
  own: Partial<Life> & Pick<Life, "name"> & { delivery: LifeTerms["delivery"] },
): Life {
  return {
    terms: () => ({
      server: server(),
      credential: `kind: github-app, app_id: "${github.appId}", api_url: "${github.apiUrl}", permissions: { issues: write }`,
      delivery: own.delivery,
    }),
    give: inTurn(
      install,
      set(() => github.privateKey),
    ),
    lapses: [pass(61)],
    shown: () => github.issued.map(sha256),
    lives: "until it expires",
    revoke: inTurn(pass(1), () => github.installations.forEach((each) => (each.suspended = true))),
    told: /installation at acme is suspended: an owner of acme can unsuspend it/,
    code: "credential_failing",
    ...own,
  };
}
function install(): void {
  const owner = { id: 123456, login: "acme" };
  const permissions = { issues: "write", metadata: "read" };
  github.tokens.clear();
  github.issued.splice(0);
  github.repositories.set(456789, { name: "payments", owner });
  github.installations.splice(0, Infinity, {
    ...{ id: 77, account: owner, permissions, repositories: [456789], suspended: false },
  });
}
/** A process keeps its environment: it is replaced before what stands there is over. */
const passWithRenewal =
  (minutes: number): Step =>
  async (bed) => {
    const renewals = async () => (await bed.readLog()).filter(isRenewal).length;
    const before = await renewals();
    await bed.pass(0.95 * minutes);
    await expect.poll(renewals).toBe(before + 1);
    await bed.pass(0.1 * minutes);
  };
const isRenewal = (record: object): boolean => "event" in record && record.event === "credential_renewed";
const stdio = (...args: readonly string[]): string =>
  `command: ${JSON.stringify([process.execPath, STDIO, ...args])}, start: lazy`;

const isProcess = ({ server }: LifeTerms): boolean => server.startsWith("command");

const LIVES: readonly Life[] = [
  typed("bearer", "kind: bearer", (secret) => `Bearer ${secret}`),
  typed(
    "basic",
    "kind: basic, username: robot",
    (secret) => `Basic ${Buffer.from(`robot:${secret}`).toString("base64")}`,
  ),
  typed("headers", 'kind: headers, headers: { X-Api-Key: "key {secret}" }', (secret) => `key ${secret}`),
  granted("client-credentials, by a secret", atIssuer("client-credentials", "client_id: by-secret"), {
    give: set(() => CLIENT_SECRET),
    ...deleted("by-secret"),
  }),
  granted(
    "client-credentials, by a key",
    atIssuer("client-credentials", "client_id: signer, client_auth: private_key_jwt"),
    { give: set(() => peer.signerKey), ...deleted("signer") },
  ),
  granted("oauth", () => "kind: oauth", {
    give: async (bed) =>
      bed.operate(["connect", "notes"], { visit: async (address) => fetch(await peer.logIn(address)) }),
    revoke: () => peer.revokeGrants(),
    told: /the grant is over: it was revoked.*lanyard credential connect notes/,
  }),
  granted("token-exchange", atIssuer("token-exchange", "client_id: by-secret"), {
    give: inTurn(
      async ({ on }) => peer.trust(JSON.parse(await (await fetch(`${on.url}/.well-known/jwks.json`)).text())),
      set(() => CLIENT_SECRET),
    ),
    ...deleted("by-secret"),
  }),
  appAt(() => `url: "${hub.url}"`, { name: "github-app", delivery: "broker" }),
  appAt(() => `url: "${hub.url}"`, {
    name: "github-app, presented by the proxy",
    delivery: "runner",
    lapses: [passWithRenewal(60)],
    revoke: inTurn(pass(1), () => github.installations.splice(0)),
    told: /not installed on acme\/payments: install it there/,
  }),
  appAt(() => `${stdio("github", github.apiUrl)}, env: { GITHUB_TOKEN: "{credential}" }`, {
    name: "github-app, in the environment of a server",
    delivery: "runner",
    lapses: [passWithRenewal(60)],
    revoke: inTurn(() => github.installations.forEach((each) => (each.suspended = true)), pass(61)),
  }),
  {
    name: "aws-role",
    terms: () => ({
      server: stdio("aws", sts.endpoint),
      credential: `kind: aws-role, role_arn: "${ROLE}", region: ${sts.region}, sts_url: "${sts.endpoint}", ttl: 15m`,
      delivery: "runner",
    }),
    give: () =>
      sts.roles.set(ROLE, {
        allows: ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
        maxSeconds: 3_600,
      }),
    lapses: [passWithRenewal(15)],
    shown: () =>
      [...sts.sessions.keys()].map((id) => {
        const { secretKey, sessionToken = "" } = sts.identities.get(id) ?? { secretKey: "" };
        const keys = {
          AWS_ACCESS_KEY_ID: id,
          AWS_SECRET_ACCESS_KEY: secretKey,
          AWS_SESSION_TOKEN: sessionToken,
        };
        return sha256(canonicalize({ headers: {}, env: { ...keys, AWS_REGION: sts.region } }));
      }),
    lives: "until it expires",
    // Keys that are out stay good to their end: nobody at AWS can end them.
    revoke: inTurn(() => sts.roles.set(ROLE, { allows: [], maxSeconds: 3_600 }), pass(16)),
    told: /The broker may not assume arn:aws:iam::123456789012:role\/robots: its trust policy must allow/,
    code: "credential_failing",
  },
  {
    name: "none",
    terms: () => ({ server: `url: "${door.url}"`, credential: "kind: none", delivery: "broker" }),
    give: () => (taken.field = ""),
    lapses: [pass(90)],
    shown: async (bed) => typedDigests(bed, [""]),
    lives: "by itself",
    revoke: () => (taken.field = "Bearer something"),
    told: /it wants to see something, and notes is of the kind none\. Name in servers\.yaml what it wants/,
    code: "credential_rejected",
  },
];

/** The id of AWS's key is another one each time. */
const withoutKey = (text: string): string => text.replace(/ASIA\w+/, "");
const countTurnedAway = (): number =>
  [peer.server, door, hub].reduce((sum, server) => sum + server.turnedAway(), 0);
/** Everything that nobody but its server and its issuer may ever see. */
const listSecrets = (): readonly string[] => [
  ...[FIRST, NEXT, CLIENT_SECRET, peer.signerKey, github.privateKey, ...github.issued],
  ...peer.server.calls.map(bearerOf),
  ...[...sts.identities.values()].flatMap(({ secretKey, sessionToken = secretKey }) => [
    secretKey,
    sessionToken,
  ]),
];

beforeAll(async () => {
  vi.stubGlobal("Date", MovedDate);
  vi.stubGlobal("performance", movedPerformance);
  [peer, github, sts] = await Promise.all([startAuthorizationPeer(), startGithubAppPeer(), startStsPeer()]);
  vi.stubEnv("AWS_ACCESS_KEY_ID", sts.identity.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", sts.identity.secretAccessKey);
  door = await startDemandingServer({
    isWelcome: (headers) => (headers.get("authorization") ?? headers.get("x-api-key") ?? "") === taken.field,
  });
  hub = await startDemandingServer({
    isWelcome: (headers) => {
      const token = github.tokens.get(bearerOf(headers));
      const owner = github.installations.find(({ id }) => id === token?.installation);
      return owner?.suspended === false && (token?.expiresAt ?? 0) > Date.now();
    },
  });
});
afterAll(async () => {
  await Promise.all([peer, github, sts, door, hub].map(async (each) => each.close()));
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe.each(LIVES)("$name", ({ terms, give, lapses, shown, lives, revoke, told, code }) => {
  const heard: string[] = [];
  let before: readonly string[] = [];
  let bed: LifeBed;
  beforeAll(async () => {
    peer.deletedClients.clear();
    bed = await openLifeBed(terms());
    await give(bed);
    before = [...(await shown(bed))];
    await bed.startJob();
  });
  afterAll(async () => bed.close());

  test("the first call works", async () => {
    expect(await bed.call()).toMatch(/^(list_notes|acme\/payments|arn:aws:sts::\S+ by ASIA\w+)$/);
  });

  test("the call after its end works, and nobody notices", async () => {
    const first = await bed.call();
    for (const lapse of lapses) {
      await lapse(bed);
      expect(withoutKey(await bed.call())).toBe(withoutKey(first));
    }
  });

  test("once it was taken away, the agent reads what happened and who has to act, and the operator finds it", async () => {
    const at = Date.now();
    await revoke(bed);
    // A process goes on with what it has until it is replaced.
    while (isProcess(terms()) && !told.test(await bed.call())) await bed.pass(0.1);
    const tried = countTurnedAway();
    for (let count = 0; count < 2; count += 1) heard.push(await bed.call());
    // Each is tried once more with something better at most.
    expect(countTurnedAway() - tried).toBeLessThanOrEqual(4);
    expect(heard[0]).toMatch(told);
    expect(heard[0]).toMatch(/^error: .*Whoever operates Lanyard has to look at it/s);
    expect(heard[1]).toBe(heard[0]);
    const { status, failing, finding, page, codes } = await bed.look();
    expect([status, failing, finding?.code]).toEqual(["degraded", 1, "refused"]);
    expect(finding?.sentence).toMatch(told);
    expect(Date.parse(finding?.since ?? "")).toBeGreaterThanOrEqual(at);
    expect(page).toMatch(/1 failing\..* Failing notes /);
    expect(page).toMatch(told);
    expect(codes).toContain(code);
  });

  test("every record of a call says with which credential it was sent, and until when that is good", async () => {
    const log = await bed.readLog();
    const calls = log.flatMap((record) =>
      record.kind === "call" && record.method === "tools/call" ? [record] : [],
    );
    const answered = calls.slice(0, lapses.length + 2);
    for (const { credential, time } of answered) {
      expect(credential).toMatchObject({ id: "notes", digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
      const until = Date.parse(credential?.expires_at ?? "");
      if (lives === "by itself") expect(until).toBeNaN();
      else expect(until).toBeGreaterThan(Date.parse(time));
    }
    const digests = await shown(bed);
    expect([...new Set(answered.map(({ credential }) => credential?.digest))]).toEqual([
      ...new Set(lives === "by itself" ? digests : digests.slice(before.length)),
    ]);
    // Those that nobody answered: nothing was to be had, or what was rejected.
    expect(calls.length).toBeGreaterThan(answered.length);
    const { everything } = await bed.look();
    const seen = [everything, JSON.stringify(log), ...heard].join("\n");
    for (const secret of listSecrets()) expect(seen).not.toContain(secret);
  });
});
