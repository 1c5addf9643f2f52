/**
 * A secret in every credential, token and environment of the product, and then the search for each of them: in logs,
 * errors, audit objects, summaries, pages, answers, outputs of commands, arguments of processes, and the database.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { writeGrant } from "../../broker/credentials/oauth/stored-grant.ts";
import { createVault } from "../../broker/credentials/vault/vault.ts";
import { loadSealingKey } from "../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../broker/storage/database.ts";
import { findStep, type JobResult } from "../../dev/runner.ts";
import { logOf } from "../action/scenario-world.ts";
import { connectAgent } from "../support/agents.ts";
import { Canaries, listProcesses } from "../support/canary.ts";
import { type GithubAppPeer, startGithubAppPeer } from "../support/github-app-peer.ts";
import { indiscreetCommand, startIndiscreetServer } from "../support/mcp-indiscreet-server.ts";
import type { ScriptedServer } from "../support/mcp-scripted-http-server.ts";
import { type ServedProduct, serveProduct } from "../support/served-product.ts";
import { type StsPeer, startStsPeer } from "../support/sts-peer.ts";
import { type TokenPeer, startTokenPeer } from "../support/token-peer.ts";

const ROLE = "arn:aws:iam::123456789012:role/robots";
/** Those whose servers are reached through the broker. */
const RELAYED = [
  "bearer",
  "headers",
  "basic",
  "client-credentials",
  "token-exchange",
  "oauth",
  "github-app",
] as const;
/** No server takes it. */
const FAILING = "unwelcome";

const canaries = new Canaries();
const newSecret = (name: string): string =>
  canaries.plant(name, `canary/${name}+${randomBytes(12).toString("hex")}`);
const typed = Object.fromEntries(
  ["bearer", "headers", "basic", "client-credentials", "token-exchange", FAILING].map((name) => [
    name,
    newSecret(name),
  ]),
);

let tokens: TokenPeer;
let github: GithubAppPeer;
let sts: StsPeer;
let server: ScriptedServer;
let product: ServedProduct;
let result: JobResult;
/** What is looked into, by its name. */
const places = new Map<string, string>();

beforeAll(async () => {
  tokens = await startTokenPeer();
  github = await startGithubAppPeer();
  sts = await startStsPeer();
  admitRobot();
  server = await startIndiscreetServer((authorization) => !authorization.includes(FAILING));
  product = await serveProduct({
    ...documents(),
    environment: {
      AWS_ACCESS_KEY_ID: sts.identity.accessKeyId,
      AWS_SECRET_ACCESS_KEY: canaries.plant("the broker's AWS key", sts.identity.secretAccessKey),
      SOME_OTHER_SECRET: newSecret("environment"),
    },
  });
  canaries.plant("the request token", product.requestToken);
  const sealing = z
    .object({ keys: z.array(z.object({ k: z.string() })) })
    .or(z.object({ k: z.string() }).transform((key) => ({ keys: [key] })))
    .parse(JSON.parse(await readFile(join(product.directory, "sealing-key.json"), "utf8")));
  for (const { k } of sealing.keys) canaries.plant("the sealing key", k);
  const operator = await setUp();
  result = await product.play([{ id: "agent", call: useEverything }]);
  plantWhatWasMinted();
  await lookAtEverything(operator);
}, 300_000);
afterAll(async () => {
  await product.close();
  await Promise.all([server.close(), tokens.close(), github.close(), sts.close()]);
});

function admitRobot(): void {
  const owner = { id: 123456, login: "acme" };
  github.repositories.set(456789, { name: "payments", owner });
  github.installations.push({
    ...{ id: 77, account: owner, permissions: { issues: "write", metadata: "read" } },
    ...{ repositories: [456789], suspended: false },
  });
  // A line of the key: it is written with other line ends elsewhere.
  canaries.plant("the app's key", github.privateKey.split("\n")[3] ?? "");
  const allows = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"] as const;
  sts.roles.set(ROLE, { allows, maxSeconds: 3_600 });
  canaries.plant("the first refresh token", tokens.refreshToken);
}

function documents(): { servers: string; roles: string } {
  const relayed = [...RELAYED, FAILING];
  const client = `issuer: "${tokens.url}", client_id: lanyard`;
  return {
    servers: `servers:
${relayed.map((name) => `  by-${name}: { url: "${server.url}", credential: ${name} }`).join("\n")}
  by-aws-role: { command: ${JSON.stringify(indiscreetCommand)}, credential: aws-role }
credentials:
  bearer: { kind: bearer }
  unwelcome: { kind: bearer }
  headers: { kind: headers, headers: { x-api-key: "key {secret}" } }
  basic: { kind: basic, username: robot }
  client-credentials: { kind: client-credentials, ${client} }
  token-exchange: { kind: token-exchange, ${client} }
  oauth: { kind: oauth, issuer: "${tokens.url}" }
  github-app: { kind: github-app, app_id: "${github.appId}", api_url: "${github.apiUrl}", permissions: { issues: write } }
  aws-role: { kind: aws-role, role_arn: "${ROLE}", region: ${sts.region}, sts_url: "${sts.endpoint}", delivery: runner }
`,
    roles: `roles:
  agent: { grants: [${[...relayed, "aws-role"].map((name) => `{ server: by-${name}, tools: [tell] }`).join(", ")}] }
`,
  };
}

/** The administrator's part. Returns an operator's token. */
async function setUp(): Promise<string> {
  for (const [name, secret] of [...Object.entries(typed), ["github-app", github.privateKey] as const]) {
    places.set(`credential set ${name}`, await product.run(["credential", "set", name], secret));
  }
  const database = await openDatabase({ kind: "sqlite", path: join(product.directory, "broker.sqlite") });
  const sealingKey = await loadSealingKey(join(product.directory, "sealing-key.json"));
  const grant = {
    ...{ issuer: tokens.url, resource: server.url, proof: "none" as const },
    client: {
      client_id: "lanyard",
      origin: "configured" as const,
      redirect_uri: `${product.url}/oauth/callback`,
    },
    ...{
      refresh_token: tokens.refreshToken,
      access_token: newSecret("the first access token"),
      expires_at: 1,
    },
  };
  const vault = createVault({ database, sealingKey, now: Date.now });
  await vault.set({ name: "oauth", owner: "", kind: "oauth", by: "ann", secret: writeGrant(grant) });
  await database.destroy();
  const added = await product.run(["operator", "add", "ann", "--json"]);
  const { token } = z.object({ token: z.string() }).parse(JSON.parse(added));
  return canaries.plant("the operator's token", token);
}

const answers = new Map<string, string>();

async function useEverything({
  outputs,
}: {
  outputs: (step: string) => Readonly<Record<string, string>>;
}): Promise<void> {
  const config = outputs("lanyard")["mcp-config"] ?? "";
  for (const [, token = ""] of (await readFile(config, "utf8")).matchAll(/"Bearer ([^"]+)"/g)) {
    canaries.plant("the agent's token", token);
  }
  for (const name of [...RELAYED, "aws-role"]) {
    const agent = await connectAgent(config, `by-${name}`, "first");
    answers.set(name, await agent.call("tell", {}));
    await agent.close();
  }
  const refused = await connectAgent(config, `by-${FAILING}`, "first").catch((error: unknown) =>
    String(error),
  );
  answers.set(FAILING, typeof refused === "string" ? refused : await refused.call("tell", {}));
  places.set("processes", await listProcesses());
}

/** Nobody knew them before: they are read off the wire. */
function plantWhatWasMinted(): void {
  for (const token of [...tokens.exchanged, ...tokens.refreshed, tokens.refreshToken]) {
    canaries.plant("a token of the authorization server", token);
  }
  for (const { headers } of server.received) {
    const token = /^Bearer (ghs_\S+)$/.exec(headers.authorization ?? "")?.[1];
    if (token !== undefined) canaries.plant("an installation token", token);
  }
  for (const [accessKey, { secretKey, sessionToken = "" }] of sts.identities) {
    if (!accessKey.startsWith("ASIA")) continue;
    canaries.plant("a role's key", secretKey);
    canaries.plant("a role's session token", sessionToken);
  }
  const wire = product.pipe.recorded().join("\n");
  const read = {
    "a subject token": /subject_token=([^&\s]+)/g,
    "an access token": /"access_token":"([^"]+)"/g,
  };
  for (const [name, pattern] of Object.entries(read)) {
    const found = [...wire.matchAll(pattern)];
    if (found.length === 0) throw new Error(`there is no ${name}`);
    // The signature is what makes a token one: its claims are what logs are about.
    for (const [, token = ""] of found) canaries.plant(name, token.split(".")[2] ?? "");
  }
}

async function lookAtEverything(operator: string): Promise<void> {
  const { url } = product;
  for (const [name, text] of answers) places.set(`the agent's answer of ${name}`, text);
  places.set("the job's log", logOf(result));
  const { outputs } = findStep(result, "lanyard");
  places.set("outputs and summary", JSON.stringify([outputs, findStep(result, "lanyard", "post").summary]));

  const body = new URLSearchParams({ token: operator });
  const login = await fetch(`${url}/login`, { method: "POST", body, redirect: "manual" });
  const cookie = login.headers.getSetCookie().map((each) => each.split(";")[0]);
  canaries.plant("the login", /=(.+)/.exec(cookie[0] ?? "")?.[1] ?? "");
  const run = new URL(outputs["review-url"] ?? "").pathname;
  for (const path of [
    "/runs",
    run,
    "/credentials",
    "/api/runs",
    `/api${run}`,
    "/api/credentials",
    "/readyz",
  ]) {
    const answer = await fetch(`${url}${path}`, { headers: { cookie: cookie.join("; ") } });
    places.set(path, await answer.text());
  }
  places.set("metrics", await (await fetch(product.metricsUrl)).text());

  // Errors, of requests that hold secrets.
  const secret = typed["bearer"] ?? "";
  for (const path of ["/token", "/session", "/mcp/by-bearer", "/login", "/nowhere", run, "/oauth/callback"]) {
    for (const method of ["GET", "POST"]) {
      const answer = await fetch(`${url}${path}?token=${encodeURIComponent(secret)}&code=${operator}`, {
        ...{ method, redirect: "manual", headers: { authorization: `Bearer ${operator}`, dpop: secret } },
        body: method === "GET" ? null : new URLSearchParams({ token: secret, subject_token: operator }),
      });
      places.set(`${method} ${path}`, JSON.stringify([...answer.headers]) + (await answer.text()));
    }
  }

  const sessions = /"session":"([^"]+)"/.exec(places.get(`/api${run}`) ?? "")?.[1] ?? "none";
  for (const args of [
    ["credential", "list", "--json"],
    ["credential", "list"],
    ["session", "show", sessions],
    ["session", "show", sessions, "--json"],
    ["credential", "set", "nothing"],
    ["policy", "check"],
  ]) {
    places.set(`lanyard ${args.join(" ")}`, await product.run(args, secret));
  }
  places.set("the broker's output", product.said());
}

it("everything worked, and what should fail did", () => {
  expect(result.conclusion, logOf(result)).toBe("success");
  for (const name of [...RELAYED, "aws-role"])
    expect(answers.get(name), name).toContain("[redacted:credential:");
  const shown = server.received.flatMap(({ headers }) => [headers.authorization, headers["x-api-key"]]);
  for (const secret of [`Bearer ${typed["bearer"]}`, `key ${typed["headers"]}`, `Bearer ${typed[FAILING]}`]) {
    expect(shown).toContain(secret);
  }
  expect(answers.get(FAILING)).not.toContain("[redacted:credential:");
  expect(places.get("the broker's output")).toContain('"credential_rejected"');
  expect(places.get("lanyard credential list")).toMatch(/unwelcome.*failing/);
});

it("canary: not in logs, errors, results, summaries, pages, answers, outputs of commands and lists of processes", () => {
  expect(places.get("the broker's output")).toContain('"credential_minted"');
  for (const name of ["proxy.cjs", "lanyard.js serve"]) expect(places.get("processes")).toContain(name);
  expect(places.get("metrics")).toContain("lanyard_");
  expect(places.get("lanyard credential list --json")).toContain('"unwelcome"');
  for (const [place, text] of places) expect.soft(text, place).not.toBe("");
  expect([...places].flatMap(([place, text]) => canaries.findIn(place, text))).toEqual([]);
});

it("canary: not in any audit object, packed or unpacked, of the runner and of the relay", async () => {
  const controls = new Canaries();
  controls.plant("the robot", "acme/payments/triager");
  const audit = join(product.directory, "audit");
  const known = (await controls.findInFiles(audit)).join("\n");
  for (const object of ["/relay/000001.jsonl.zst, unpacked", "/manifest.json"])
    expect(known).toContain(object);
  expect(await canaries.findInFiles(audit)).toEqual([]);
});

it("canary: not in the database and its write-ahead log", async () => {
  const controls = new Canaries();
  controls.plant("the robot", "acme/payments/triager");
  const isOther = (path: string): boolean => !/broker\.sqlite(-wal)?$/.test(path);
  const known = (await controls.findInFiles(product.directory, isOther)).join("\n");
  expect(known).toContain("broker.sqlite-wal");
  expect(await canaries.findInFiles(product.directory, isOther)).toEqual([]);
});
