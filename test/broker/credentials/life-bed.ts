/**
 * What the life of a credential is walked on: a broker, a job's real guard and proxy with an agent before it, the
 * commands of an operator, and everything that an operator can look at. All of it is in this process but for servers
 * that the proxy starts, and goes by one clock.
 */
import { subscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ClientRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { startGuard } from "../../../action/guard/guard.ts";
import { SPOOL_FILE } from "../../../action/handover.ts";
import type { AuditRecord } from "../../../audit/record.ts";
import { credentialCommand } from "../../../broker/cli/credential/command.ts";
import { OperatorAccounts } from "../../../broker/operators/accounts.ts";
import { CredentialList } from "../../../broker/review/credential-view.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type Agent, connectAgent } from "../../support/agents.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { databaseFile } from "../../support/database-choice.ts";
import { relayRobots } from "../../support/relay-desk.ts";
import { moveClock } from "../../support/moved-clock.ts";
import { listenWeb } from "../../support/web-listener.ts";
import { recordTerminal } from "../cli/recorded-terminal.ts";

const MINUTE_MS = 60_000;
/** A session of an hour is renewed when so much of it is left, by a reckoning that is a moment ahead. */
const RENEWED_MS = 20 * MINUTE_MS;
const MARGIN_MS = MINUTE_MS;
const PATIENCE = { timeout: 20_000, interval: 20 };

/** Requests of the proxy and the broker that nobody has answered yet. */
const unanswered = new Set<ClientRequest>();
subscribe("http.client.request.start", ({ request }: any) => unanswered.add(request));
for (const end of ["response.finish", "request.error"]) {
  subscribe(`http.client.${end}`, ({ request }: any) => unanswered.delete(request));
}
const LOOK_MS = 10;
const QUIET_LOOKS = 5;

/** Once nothing is under way: what was proved or signed before the clock moved would be too old when it arrives. */
async function moveQuietClock(milliseconds: number): Promise<void> {
  for (let looks = 0; looks < QUIET_LOOKS; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if ([...unanswered].some((request) => !request.destroyed)) looks = 0;
  }
  moveClock(milliseconds);
}

interface OperatorView {
  /** `/readyz`. */
  readonly status: string;
  /** `lanyard_credentials_failing`. */
  readonly failing: number;
  /** `/api/credentials`, of this credential. */
  readonly finding: CredentialList["credentials"][number]["failing"] | undefined;
  /** `/credentials`, as it reads. */
  readonly page: string;
  /** Log lines about this credential, their codes. */
  readonly codes: readonly unknown[];
  /** All of it, and the whole log and metrics: for what must not be in it. */
  readonly everything: string;
}

export interface LifeBed {
  readonly on: TestBroker;
  /** `lanyard credential …`; `secret` is what it is given, `visit` who opens the address that it shows. */
  operate(args: readonly string[], given?: Given): Promise<void>;
  /** The job begins: its agent is connected to the server. */
  startJob(): Promise<void>;
  /** Time goes by, and the job's session is renewed meanwhile. */
  pass(minutes: number): Promise<void>;
  /** The agent calls the tool; what it gets. */
  call(): Promise<string>;
  /** The log of whoever presents the credential, as far as it is written. */
  readLog(): Promise<readonly AuditRecord[]>;
  look(): Promise<OperatorView>;
  close(): Promise<void>;
}

interface Given {
  readonly secret?: string;
  readonly visit?: (address: string) => Promise<unknown>;
}

export interface LifeTerms {
  /** Entries of servers.yaml: of the server `notes`, without its credential, and of the credential `notes`. */
  readonly server: string;
  readonly credential: string;
  readonly delivery: "broker" | "runner";
}

export async function openLifeBed({ server, credential, delivery }: LifeTerms): Promise<LifeBed> {
  const on = await startTestBroker({
    files: (issuer) => ({
      "servers.yaml": `servers:\n  notes: { credential: notes, ${server} }\ncredentials:\n  notes: { delivery: ${delivery}, ${credential} }\n`,
      "roles.yaml": `roles:\n  reader: { grants: [{ server: notes, tools: ["*"] }] }\n`,
      "robots/acme/payments.yaml": relayRobots(issuer).replace("ttl: 15m, max: 2h", "ttl: 1h, max: 6h"),
    }),
    config: () => ({ metrics: { host: "127.0.0.1", port: 0 } }),
  });
  vi.stubEnv("LANYARD_DATABASE", `file:${databaseFile(on.config.database)}`);
  vi.stubEnv("LANYARD_KEYS", `file:${on.config.keys}`);
  vi.stubEnv("LANYARD_PUBLIC_URL", on.url);
  const database = await openDatabase(on.config.database);
  const added = await new OperatorAccounts(database, on.now).add("ada");
  if (!added.ok) throw new Error(added.message);
  const closing = [async () => database.destroy(), async () => on.close()];
  const directory = await mkdtemp(join(tmpdir(), "lanyard-life-"));
  closing.push(async () => rm(directory, { recursive: true, force: true }));
  let agent: Agent | undefined;

  const read = async (path: string, accept = "text/html"): Promise<string> => {
    const headers = { authorization: `Bearer ${added.token}`, accept };
    return (await fetch(`${on.url}${path}`, { headers })).text();
  };
  const findEnd = async (): Promise<number> => {
    const sessions = database.selectFrom("sessions").select("expires_at");
    return (await sessions.executeTakeFirstOrThrow()).expires_at;
  };
  const readSpool = (): string => readFileSync(join(directory, SPOOL_FILE), "utf8");
  const countRenewals = (): number => readSpool().split('"session_renewed"').length;
  const readRelayed = async (): Promise<string> => {
    const rows = await database.selectFrom("relay_records").select("lines").orderBy("first_seq").execute();
    return rows.map(({ lines }) => lines).join("");
  };

  return {
    on,
    operate: async (args, { secret = "", visit = async () => undefined } = {}) => {
      const terminal = recordTerminal(true);
      const command = credentialCommand({
        ...{ policies: on.config.policies, terminal, readSecret: async () => Buffer.from(secret) },
        openBrowser: (address) => void visit(address),
      });
      await command.exitOverride().parseAsync(args, { from: "user" });
      if ((terminal.code ?? 0) !== 0) throw new Error(terminal.err);
    },
    startJob: async () => {
      const oidc = await listenWeb(async () => Response.json({ value: await on.subjectToken() }));
      const guard = await startGuard(
        {
          ...{
            broker: on.url,
            oidc: { url: `${oidc.url}/idtoken`, token: "request" },
            roles: [],
            servers: [],
          },
          ...{ robot: "acme/payments/triager", agents: ["agent"], directory, httpProxies: {} },
          ...{ runnerTemp: directory, workspace: directory, runnerEnvironment: "github-hosted" },
        },
        { bundle: Buffer.from("bundle"), environment: { PATH: process.env["PATH"] } },
      );
      const { url, agents } = guard.ready;
      const headers = { Authorization: `Bearer ${agents[0]?.token}` };
      const config = join(directory, "mcp.json");
      const entry = { type: "http", url: `${url}/mcp/notes`, headers };
      await writeFile(config, JSON.stringify({ mcpServers: { notes: entry } }));
      agent = await connectAgent(config, "notes", "stateless");
      closing.push(
        async () => oidc.close(),
        async () => void (await guard.seal("the test is over")),
        async () => agent?.close(),
      );
    },
    pass: async (minutes) => {
      const until = Date.now() + minutes * MINUTE_MS;
      while (Date.now() < until) {
        const renewal = (await findEnd()) - RENEWED_MS;
        const quiet = Math.min(until, renewal - MARGIN_MS) - Date.now();
        if (quiet > 0) {
          await moveQuietClock(quiet);
          continue;
        }
        // Nothing moves until it is renewed and the proxy knows it.
        const before = countRenewals();
        await moveQuietClock(2 * MARGIN_MS);
        await vi.waitUntil(() => countRenewals() > before, PATIENCE);
      }
    },
    call: async () => (await agent?.call("list_notes", {})) ?? "there is no agent",
    readLog: async () => {
      const lines = delivery === "broker" ? await readRelayed() : readSpool();
      return lines
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));
    },
    look: async () => {
      const { host, port } = on.broker.metricsAddress ?? {};
      const metrics = await (await fetch(`http://${host}:${port}/metrics`)).text();
      const ready = await (await fetch(`${on.url}/readyz`)).text();
      const api = await read("/api/credentials", "application/json");
      const { credentials } = CredentialList.parse(JSON.parse(api));
      const page = (await read("/credentials")).replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
      return {
        status: JSON.parse(ready).status,
        failing: Number(/^lanyard_credentials_failing (\d+)$/m.exec(metrics)?.[1]),
        finding: credentials.find((each) => each.credential === "notes")?.failing,
        page,
        codes: on.logged.filter((line) => line["credential"] === "notes").map((line) => line["code"]),
        everything: [metrics, ready, api, page, JSON.stringify(on.logged)].join("\n"),
      };
    },
    close: async () => {
      for (const close of closing.reverse()) await close();
    },
  };
}
