/**
 * The guard of one job: session, log and proxy, put together and taken apart in the right order.
 * It listens only after the genesis record is written, and says `sealed` only when the broker did.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createRedactor } from "../../audit/redaction/redaction.ts";
import type { SessionDocument } from "../../broker/contract.ts";
import { compilePolicy } from "../../policies/compilation.ts";
import type { CompiledPolicy } from "../../policies/decision.ts";
import { digestPolicy } from "../../policies/session-policy.ts";
import { type RunningProxy, startProxy } from "../../proxy/proxy.ts";
import { describeGenesis } from "./genesis.ts";
import { fetchSubjectToken } from "../wire/github-oidc.ts";
import { type ProxyConfiguration, type Ready, STDERR_DIRECTORY } from "../handover.ts";
import { createHttp } from "../wire/http-request.ts";
import type { Environment } from "../inputs.ts";
import { createProofKey } from "../wire/proof-key.ts";
import { keepCredentials } from "./kept-credentials.ts";
import { startPolicyRefresh } from "./policy-refresh.ts";
import { sealLog } from "./sealing.ts";
import { type SessionLog, openSessionLog } from "./session-log.ts";
import type { SessionReport } from "./session-report.ts";
import { placeServers, selectServers } from "./session-servers.ts";
import { type Session, openSession } from "./session.ts";
import { openStderrFiles } from "./stderr-file.ts";

export interface Guard {
  readonly ready: Ready;
  report(): SessionReport;
  /** Once, however often it is asked for; resolves when nothing more can be done for the log. */
  seal(reason: string): Promise<SessionReport>;
  /** Resolves after that, whoever asked for it: the process has done its work. */
  readonly over: Promise<void>;
}

/** The job cannot be guarded: one sentence that says what to change. */
export class GuardRefused extends Error {
  readonly code = "guard_refused";
}

/** For the log of a start that failed: the job waits for it. */
const FAILED_START_SEAL_TIMEOUT_MS = 10_000;

export interface ProcessFacts {
  /** What this process runs: its digest stands in the genesis record. */
  readonly bundle: Uint8Array;
  /** What it was started with: stdio servers get `PATH`, `HOME` and the like of it. */
  readonly environment: Environment;
}

export async function startGuard(
  configuration: ProxyConfiguration,
  { bundle, environment }: ProcessFacts,
): Promise<Guard> {
  const { broker, oidc, robot, roles, directory } = configuration;
  const http = createHttp(configuration.httpProxies);
  const subjectToken = (): Promise<string> => fetchSubjectToken({ http, oidc, audience: broker });
  const key = await createProofKey();
  const exchange = { key, robot, roles, servers: configuration.servers };
  const session = await openSession({ http, broker, subjectToken }, exchange);
  const { document, client } = session;
  const log = openSessionLog({
    directory,
    plan: document.audit,
    client,
    http,
    onHalt: (reason) => session.end(reason),
  });

  const { agents, runnerEnvironment } = configuration;
  const selected = selectServers(document.servers, configuration.servers);
  const servers = selected.ok ? Object.keys(selected.servers) : [];
  log.record(describeGenesis({ document, broker, agents, servers, runnerEnvironment, bundle }));
  try {
    if (!selected.ok) throw new GuardRefused(selected.message);
    const policy = await compileAgreed(document);
    return await startGate({ configuration, environment, session, log, policy, servers: selected.servers });
  } catch (cause) {
    // There is a session, and so there is a log of it: one that says how it ended.
    log.note({ kind: "event", event: "start_failed", severity: "warning", detail: {} });
    const closing = { closeProxy: async () => undefined, timeoutMs: FAILED_START_SEAL_TIMEOUT_MS };
    await sealLog({ client, log, ...closing }, "the proxy could not start");
    throw cause;
  }
}

interface GateParts {
  readonly configuration: ProxyConfiguration;
  readonly environment: ProcessFacts["environment"];
  readonly session: Session;
  readonly log: SessionLog;
  readonly policy: CompiledPolicy;
  readonly servers: SessionDocument["servers"];
}

async function startGate({
  configuration,
  environment,
  session,
  log,
  policy,
  servers,
}: GateParts): Promise<Guard> {
  const { document, client } = session;
  const { session: id, robot, roles, review_url: reviewUrl, max_expires_at: maxExpiresAt } = document;
  const agents = configuration.agents.map((name) => ({ name, token: createToken("agent") }));
  const controlToken = createToken("control");
  const redactor = createRedactor([
    { id: "oidc-request", kind: "token", value: configuration.oidc.token },
    { id: "control", kind: "token", value: controlToken },
    ...agents.map(({ name, token }) => ({ id: `agent-${name}`, kind: "token", value: token })),
  ]);
  const stderr = openStderrFiles(join(configuration.directory, STDERR_DIRECTORY), redactor);

  let outcome: SessionReport["log"] = { status: "open" };
  const facts = { session: id, robot, roles, servers: Object.keys(servers), agents: configuration.agents };
  const report = (): SessionReport => ({ facts, tally: log.tally.report(), reviewUrl, log: outcome });

  const ended = new AbortController();
  const keepAlive = session.keepAlive((event) => log.note({ kind: "event", ...event }), ended.signal);
  const close = async (running: RunningProxy, reason: string): Promise<SessionReport> => {
    const closeProxy = async (): Promise<void> => {
      await running.close();
      ended.abort();
      await keepAlive;
      stderr.close();
    };
    outcome = await sealLog({ client, log, closeProxy }, reason);
    return report();
  };
  const credentials = keepCredentials({
    ...{ client, servers, redactor, note: log.note, signal: ended.signal },
    isActive: () => session.state().active,
  });
  const over = Promise.withResolvers<void>();
  let sealing: Promise<SessionReport> | undefined;
  const seal = (reason: string): Promise<SessionReport> =>
    (sealing ??= close(running, reason).finally(() => over.resolve()));

  const running: RunningProxy = await startProxy({
    policy,
    servers: placeServers(servers, { ...configuration, relayTo: session.relayTo, credentials }),
    environment,
    agents,
    recorder: log,
    redactor,
    salt: Buffer.from(document.audit.salt, "base64url"),
    sessionState: session.state,
    stderrOf: stderr.sinkOf,
    control: { token: controlToken, report, seal },
  }).catch((cause: unknown) => {
    ended.abort();
    throw cause;
  });
  await proveWalls({ running, log, policy: document.policy.source, agents }).catch(async (cause: unknown) => {
    ended.abort();
    await running.close();
    throw cause;
  });
  const refresh = startPolicyRefresh({
    client,
    document,
    compile: compileAgreed,
    apply: (changed) => running.changePolicy(changed),
    note: log.note,
    isActive: () => session.state().active,
    end: (reason) => session.end(reason),
    signal: ended.signal,
  });
  session.onPolicy((digest) => refresh.hear(digest));
  const ready: Ready = {
    status: "ready",
    url: running.url,
    controlToken,
    agents,
    session: id,
    robot,
    roles,
    servers: facts.servers,
    maxExpiresAt,
    reviewUrl,
  };
  return { ready, report, seal, over: over.promise };
}

interface Tested {
  readonly running: RunningProxy;
  readonly log: SessionLog;
  readonly policy: SessionDocument["policy"]["source"];
  readonly agents: Ready["agents"];
}

/** What does not hold is on the log before the start fails for it. Throws `RecordingFailed` where it cannot be. */
async function proveWalls({ running, log, policy, agents }: Tested): Promise<void> {
  const { describeFailure, testWalls } = await import("../../proxy/self-test/self-test.ts");
  const tokens = agents.map(({ token }) => token);
  const checks = await testWalls({ proxy: running, grants: policy.grants, tokens });
  const failure = describeFailure(checks);
  const severity = failure === undefined ? "info" : "finding";
  log.record({ kind: "event", event: "self_test", severity, detail: { checks } });
  if (failure !== undefined) throw new GuardRefused(failure);
}

/** Both sides compile the same source with the same code, or no call is let through. */
async function compileAgreed({
  policy: { source, digest },
  claims,
}: SessionDocument): Promise<CompiledPolicy> {
  if (digestPolicy(source) !== digest) {
    throw new GuardRefused(
      "The policy that arrived is not the one the broker decided on: its digest differs. The Action and the broker must be of the same version.",
    );
  }
  return compilePolicy(source, { claims });
}

function createToken(kind: "agent" | "control"): string {
  return `lanyard_${kind}_${randomBytes(32).toString("base64url")}`;
}
