/**
 * The proxy: one gate before each server of a session, behind one front door.
 * No message reaches a server that was not decided and recorded; what it started, it ends.
 */
import type { Totals } from "../audit/record.ts";
import type { Redactor } from "../audit/redaction/redaction.ts";
import type { CompiledPolicy } from "../policies/decision.ts";
import type { Control } from "./front/control.ts";
import { Front } from "./front/front.ts";
import { Catalog } from "./gate/catalog.ts";
import { Forwarding } from "./gate/forwarding.ts";
import type { SessionState } from "./gate/gate-context.ts";
import { Gate } from "./gate/gate.ts";
import { answerServerRequest } from "./gate/server-request.ts";
import { SessionTable } from "./gate/session.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { Places } from "./places.ts";
import type { Recorder } from "./recorder.ts";
import { Recording } from "./recording.ts";
import { buildChildEnvironment, type Environment } from "./upstream/child-environment.ts";
import { HttpUpstream } from "./upstream/http-upstream.ts";
import { StdioUpstream } from "./upstream/stdio-upstream.ts";
import type { Upstream, UpstreamEvents } from "./upstream/upstream.ts";

/** How a server is reached, with every variable filled in. */
export type ProxyServer =
  | { readonly transport: "http"; readonly url: string }
  | {
      readonly transport: "stdio";
      readonly command: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd?: string;
      /** `eager`: with the proxy; `lazy`: at the first request. */
      readonly start: "eager" | "lazy";
    };

export interface ProxyOptions {
  readonly policy: CompiledPolicy;
  readonly servers: Readonly<Record<string, ProxyServer>>;
  readonly agents: readonly { readonly name: string; readonly token: string }[];
  readonly recorder: Recorder;
  readonly redactor: Redactor;
  /** Of this session's argument digests. */
  readonly salt: Uint8Array;
  sessionState(): SessionState;
  /** Takes the stderr of a stdio server. */
  stderrOf(server: string): (chunk: Buffer) => void;
  /** Of it, stdio servers get `PATH`, `HOME` and the like (child-environment.ts); nothing without it. */
  readonly environment?: Environment;
  readonly control?: Control;
  readonly limits?: Partial<Limits>;
}

export interface RunningProxy {
  /** `http://127.0.0.1:PORT`; agents post to `/mcp/<server>` below it. */
  readonly url: string;
  totals(): Totals;
  /** Takes no more calls, waits briefly for those in flight, records how they ended, stops what it started. */
  close(): Promise<void>;
}

export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { recorder, redactor, salt, agents, control, servers } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const recording = new Recording({ recorder, redactor, salt });
  const streams = new Places(limits.maxStreams);
  // A server that no grant reaches does not exist for the agents: it is not even started.
  const reached = Object.entries(servers).filter(([name]) => options.policy.reaches(name));
  const gates = new Map(
    reached.map(([name, server]) => [
      name,
      openGate({ ...options, limits, recording, streams }, name, server),
    ]),
  );
  const front = new Front({ gates, agents, control, recording, limits });
  const close = async (): Promise<void> => {
    front.refuseAgents();
    await Promise.all([...gates.values()].map((gate) => gate.close(limits.closeGraceMs)));
    front.close();
  };
  let closing: Promise<void> | undefined;
  try {
    const url = await front.listen();
    return { url, totals: () => recording.totals(), close: () => (closing ??= close()) };
  } catch (cause) {
    await close();
    throw cause;
  }
}

interface GateOptions extends Omit<ProxyOptions, "limits"> {
  readonly limits: Limits;
  readonly recording: Recording;
  readonly streams: Places;
}

function openGate(options: GateOptions, server: string, how: ProxyServer): Gate {
  const { recording, limits, streams, policy } = options;
  const sessions = new SessionTable();
  const upstream = connect(options, server, {
    how,
    events: {
      answer: (request) => answerServerRequest(recording, server, request),
      sessionEnded: (session) => sessions.forget(session),
      noteLost: ({ code, detail }) => {
        const event = code === "start_failed" ? "server_start_failed" : "server_exited";
        recording.noteRepeated(event, server, { server, detail });
      },
      noteOutputDropped: () => recording.noteRepeated("server_output_dropped", server, { server }),
      noteMessageDropped: () => forwarding.noteMessageDropped(),
    },
  });
  const forwarding = new Forwarding({ server, recording, limits, sessions, streams, upstream });
  const sessionState = (): SessionState => options.sessionState();
  return new Gate(
    {
      server,
      policy,
      recording,
      limits,
      sessions,
      catalog: new Catalog(limits.maxTools),
      forwarding,
      sessionState,
    },
    ({ id, revision }) => upstream.endSession(id, revision),
  );
}

function connect(
  { limits, environment = {}, stderrOf }: GateOptions,
  server: string,
  { how, events }: { how: ProxyServer; events: UpstreamEvents },
): Upstream {
  if (how.transport === "http") {
    return new HttpUpstream({ url: new URL(how.url), limits, events });
  }
  const upstream = new StdioUpstream({
    command: how.command,
    environment: buildChildEnvironment(environment, how.env),
    cwd: how.cwd,
    limits,
    events,
    stderr: stderrOf(server),
  });
  if (how.start === "eager") {
    upstream.start();
  }
  return upstream;
}
